/* The tables of the simulated database: rows with what is committed and what the transaction that
 * has locked them made of them; unique keys; waiting for locks.
 *
 * A transaction sees its own changes and what is committed at the moment (READ COMMITTED). */
#ifndef BOXOFFICE_SIM_TABLES_H
#define BOXOFFICE_SIM_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "gate_numbers.h"
#include "id.h"
#include "policy.h"
#include "seat_world.h"
#include "ticket.h"

enum table {
	TABLE_USER,
	TABLE_CASH,
	TABLE_HISTORY,
	TABLE_TICKET,
	TABLE_SEAT,
	TABLE_HOLD,
	TABLE_PAYMENT,
	TABLE_JOB,
	TABLE_GATE,
	TABLE_POLICY,
	TABLE_COUNT
};

/* Rows. A number or a moment of 0 is NULL where that may be. All but jobs begin with their number.
 */
struct user_row {
	int64_t id;
	struct id uuid, job;
};

struct cash_row {
	int64_t user;
	int64_t balance;
};

struct history_row {
	int64_t id;
	int64_t user;
	struct id job;
	int64_t amount, balance_after, reverses;
	char memo[64];
};

struct ticket_row {
	int64_t id;
	int64_t user;
	int64_t place;
	struct id job;
	enum ticket_status status;
	int64_t admitted_us, expires_us, show_up_us, arrived_us, seen_us, aside_us;
	int64_t out_seq;
};

struct seat_row {
	int64_t id;
	int64_t price;
	bool is_active;
};

struct hold_row { /* seat_reservation */
	int64_t id;
	int64_t seat, user, ticket;
	struct id job;
	enum hold_status status;
	int64_t price, created_us, expires_us, updated_us;
};

struct payment_row {
	int64_t id;
	int64_t user, hold;
	struct id job;
	int64_t amount, open_us, close_us, created_us;
	bool is_refunded;
	struct id refund_job;
};

struct job_row {
	struct id id;
	char kind[16];
	int64_t attempt;
	uint8_t fingerprint[FINGERPRINT_SIZE];
	char code[33];
	char why[161];
	char data[1024];
};

struct gate_row {
	int64_t id;
	int64_t last_ticket, served, waiting, active, per_minute, ticked_us, out_seq, near;
	int64_t reclaimed, abandoned, departed;
	enum gate_stock stock;
};

struct policy_row {
	int64_t id;
	struct policy policy;
};

struct session;

struct record {
	enum table table;
	struct session *locker;
	struct record *next_locked; /* by the same */
	size_t nth;                 /* of its locks */
	bool is_committed;          /* there is a committed row */
	bool is_dirty;              /* the locker made something of it */
	bool is_gone;               /* its insert was rolled back */
	void *committed, *pending;
};

/* Empties all. */
void tables_start(void);
void tables_end(void);

/* Which keys there are is what the migrations in this folder say: one that is not in them is not
 * enforced. False: it cannot be read. */
bool tables_read_keys(const char *folder);

/* The text of a key that is not in the migrations; NULL: all are. */
const char *tables_missing_key(void);

size_t table_count(enum table table);
struct record *table_record(enum table table, size_t nth);
const char *table_name(enum table table);

/* The next AUTO_INCREMENT number: what is rolled back leaves a gap. */
int64_t table_next_id(enum table table);

/* As a session sees it, and as everybody else does; NULL: not there. */
const void *table_see(const struct session *session, const struct record *record);
const void *table_committed(const struct record *record);

/* Locks a row, waiting for whoever has it. ERR_DB_CONFLICT: a deadlock, or waited for too long;
 * ERR_DB_GONE: the session ended meanwhile. */
MUST_CHECK enum err table_lock(struct session *session, struct record *record);

/* True when somebody else has it. */
bool table_is_locked(const struct session *session, const struct record *record);

/* The row to be changed, which the session has locked. Afterwards: table_check_keys(). */
void *table_change(struct session *session, struct record *record);
MUST_CHECK enum err table_check_keys(struct session *session, struct record *record);

/* Inserts a copy. ERR_DB_DUPLICATE and the errors of table_lock(): another one may be inserting the
 * same. */
MUST_CHECK enum err table_insert(struct session *session, enum table table, const void *row);

/* A row that is there from the beginning, or that operators write. */
void table_plant(enum table table, const void *row);

/* Ends a transaction's hold on all its rows. */
void tables_commit(struct session *session);
void tables_rollback(struct session *session);

#endif
