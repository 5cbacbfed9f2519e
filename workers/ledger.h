/* The ledger in memory: the accounts that a batch touches and the postings it makes. Pure. */
#ifndef BOXOFFICE_LEDGER_H
#define BOXOFFICE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "id.h"
#include "job.h"

struct account {
	struct id uuid;
	int64_t user_id; /* 0: no such user, or not yet written */
	int64_t balance;
	bool exists;
	bool is_deleted; /* of no use to anybody, but the id stays taken */
	bool is_changed;
	const struct job *registration; /* of this batch; NULL: it was there before */
};

struct posting {
	size_t account; /* index */
	struct id job;
	int64_t amount; /* signed, never 0 */
	int64_t balance_after;
	int64_t reverses; /* the row of the history that it takes back; 0: none */
	char memo[JOB_MEMO_CHARS * 4 + 1];
};

/* A row of the history that a job wants to take back. */
struct charge {
	int64_t id;
	struct id job;
	struct id user;
	int64_t amount;
	bool is_refund;        /* of a payment: no charge, though it gave money */
	struct id reversed_by; /* the job that took it back; zeroes: none */
	bool is_reversed;
};

struct ledger { /* zero-initialise */
	struct account *accounts;
	size_t count, capacity;
	struct posting *postings;
	size_t posting_count, posting_capacity;
	struct charge *charges;
	size_t charge_count;
	uint32_t *slots; /* hash of uuids: index of account + 1 */
	size_t slot_count;
};

void ledger_fini(struct ledger *ledger);
void ledger_clear(struct ledger *ledger);

/* The account of a user, made (exists false) when it is not here yet. The pointer is good until
 * the next call. */
struct account *ledger_account(struct ledger *ledger, const struct id *uuid);

/* The same without making one: NULL. */
struct account *ledger_find(const struct ledger *ledger, const struct id *uuid);

/* Adds a copy of a charge; the one made by a job, good until the next is added; NULL. */
void ledger_add_charge(struct ledger *ledger, const struct charge *charge);
struct charge *ledger_charge(const struct ledger *ledger, const struct id *job);

/* Takes a charge back and notes it. The caller has checked that the balance covers it. */
void ledger_reverse(struct ledger *ledger, struct account *account, struct charge *charge,
		    const struct id *job, const char *memo);

/* Moves money and notes it. The caller has checked that the balance stays in its limits. */
void ledger_post(struct ledger *ledger, struct account *account, const struct id *job,
		 int64_t amount, const char *memo);

/* Indices of the accounts that have a user_id, ascending by it: the order of locks and writes.
 * Returns owned (free()); count is set. */
size_t *ledger_order(const struct ledger *ledger, size_t *count);

#endif
