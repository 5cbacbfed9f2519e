/* What every store on the real database shares: the transaction, the clock, and table `job`. */
#ifndef BOXOFFICE_DB_STORE_H
#define BOXOFFICE_DB_STORE_H

#include "batch.h"
#include "db.h"
#include "rows.h"

/* A moment as a DATETIME(6), from microseconds since 1970 in a column of JSON_TABLE; and back. */
#define SQL_TIME(column) "TIMESTAMP'1970-01-01 00:00:00' + INTERVAL " column " MICROSECOND"
#define SQL_US(column) "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', " column ")"

/* First member of every store: its struct is what struct store's self points to. */
struct db_store {
	struct db *db; /* borrowed */
	struct rows rows; /* scratch for one statement's parameter */
};

enum err db_store_begin(void *self);
enum err db_store_commit(void *self);
void db_store_rollback(void *self);
enum err db_store_clock(void *self, int64_t *now_us);

/* Looks the ids of a batch up in `job`; with look_deep also in cash_history, which is never
 * pruned. */
enum err db_store_find_outcomes(void *self, struct batch *batch);

/* Inserts the outcomes decided in this batch, and replaces refusals that got a new attempt. */
enum err db_store_save_outcomes(void *self, const struct batch *batch);

/* Deletes outcomes older than so many days, at most 2,000: a small step, to be done again. pruned
 * (may be NULL) is how many. What money did stays in cash_history and payment. */
MUST_CHECK enum err db_store_prune(struct db_store *store, int64_t days, uint64_t *pruned);

/* Runs a statement with the rows gathered in the scratch; nothing at all when there are none.
 * expected: rows that it must find, else ERR_DB_CONFLICT (somebody was faster: decide again);
 * DB_STORE_ANY for no such check. */
#define DB_STORE_ANY UINT64_MAX
MUST_CHECK enum err db_store_run(struct db_store *store, const struct db_query *query,
				 uint64_t expected);
MUST_CHECK enum err db_store_select(struct db_store *store, const struct db_query *query,
				    db_row_fn *fn, void *arg);

/* The statements of this file, NULL at the end (for the EXPLAIN test). */
extern const struct db_query *const db_store_queries[];

#endif
