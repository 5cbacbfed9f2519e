/* The simulated database's server: its sessions, and lib/db.h for those who run against it. */
#ifndef BOXOFFICE_SIM_SESSION_H
#define BOXOFFICE_SIM_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "db.h"
#include "err.h"
#include "kernel.h"
#include "params.h"
#include "tables.h"

#define LOCK_WAIT_US (3 * SECOND_US) /* innodb_lock_wait_timeout of db.c's sessions */

struct session {
	int process;         /* whose it is; -1: nobody's any more */
	unsigned generation; /* sessions ended in this place */
	bool is_open;
	bool in_transaction;
	bool has_written;      /* in this transaction */
	bool is_at_work;       /* a statement runs */
	int lock_rank;         /* of its last lock, by the one order of locks; */
	int64_t lock_number;   /* the row's number, */
	size_t lock_statement; /* and the statement that took it */
	int64_t last_us;       /* when it did something last */
	int64_t ends_us; /* the server notices then that nobody is there; INT64_MAX: somebody is */
	struct record *locked; /* the newest first */
	size_t lock_count;
	struct record *waits_for;
	int64_t clock_us;   /* what it was told by read-clock in this transaction; 0: nothing */
	size_t clock_locks; /* rows it had locked then, or when it began to write without a clock */
	int64_t window_us;  /* when it counted whom the policy's window let in */
	const struct policy *policy; /* that it was told of in this transaction */
	const char *statement;       /* that runs, or the last one, */
	size_t statement_nth;        /* and its number in the session */
};

/* A statement that runs. */
struct call {
	struct session *session;
	struct params params;
	const struct cells *cells; /* of an insert; else NULL */
	int64_t now_us;            /* NOW(6): when it began */
	bool is_for_update;        /* its text says so */
	uint64_t affected;
	struct db_row *rows; /* its result */
	size_t row_count, row_capacity;
};

struct statement {
	const char *name;
	enum err (*run)(struct call *call);
	bool writes;
};

/* All statements, ended by one without a name. */
extern const struct statement account_statements[];
extern const struct statement seat_statements[];
extern const struct statement gate_statements[];

/* Locks a row that a SELECT reads, if its text says FOR UPDATE. */
MUST_CHECK enum err call_lock(const struct call *call, struct record *record);

/* The result's next row, and its columns one after the other. Texts are borrowed; ids are copied.
 */
void result_next(struct call *call);
void result_int(struct call *call, int64_t value);
void result_int_or_null(struct call *call, int64_t value); /* 0 is NULL */
void result_text(struct call *call, const char *text);
void result_bytes(struct call *call, const void *bytes, size_t size); /* up to 32 */
void result_id(struct call *call, const struct id *id);
void result_null(struct call *call);

/* Columns of an insert's row. */
int64_t call_int(const struct call *call, size_t row, size_t column);
const char *call_text(const struct call *call, size_t row, size_t column);
struct id call_id(const struct call *call, size_t row, size_t column);

void sessions_start(void);
void sessions_end(void);

/* Ends what has been silent for too long. */
void sessions_step(void);

/* Restarts: all sessions are gone. Nobody gets in for some seconds. */
void sessions_restart(void);

/* Refuses writes for some seconds. */
void sessions_refuse(void);

/* Its database connections have nobody at the other end any more. */
void session_lose_process(int process);

/* When something ends by itself. */
int64_t sessions_next_us(void);

/* True when no transaction is open. */
bool sessions_are_idle(void);

#endif
