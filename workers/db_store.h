/* What every store on the real database shares: the transaction, the clock, and table `job`. */
#ifndef BOXOFFICE_DB_STORE_H
#define BOXOFFICE_DB_STORE_H

#include "batch.h"
#include "cells.h"
#include "db.h"
#include "rows.h"
#include "sql.h"

/* First member of every store: its struct is what struct store's self points to. */
struct db_store {
	struct db *db;      /* borrowed */
	struct rows rows;   /* scratch for one statement's parameter */
	struct cells cells; /* scratch for one INSERT's rows */
};

void db_store_fini(struct db_store *store);

/* The store of a batch: the transaction, the clock and the outcomes of db_store.c, with the load
 * and write given. self begins with a struct db_store and is borrowed. */
struct store db_store_interface(void *self, store_load_fn *load, store_write_fn *write);

/* Microseconds since 1970 by the database's clock, at this very moment. */
MUST_CHECK enum err db_store_clock(struct db_store *store, int64_t *now_us);

/* Deletes outcomes older than so many days, at most 2,000: a small step, to be done again. pruned
 * (may be NULL) is how many. What money did stays in cash_history and payment. */
MUST_CHECK enum err db_store_prune(struct db_store *store, int64_t days, uint64_t *pruned);

/* Runs a statement with the rows gathered in the scratch; nothing at all when there are none. The
 * rows stay, so that the next statement may take them too.
 * expected: rows that it must find, else ERR_DB_CONFLICT (somebody was faster: decide again);
 * DB_STORE_ANY for no such check. */
#define DB_STORE_ANY UINT64_MAX
MUST_CHECK enum err db_store_run(struct db_store *store, const struct db_query *query,
				 uint64_t expected);
MUST_CHECK enum err db_store_select(struct db_store *store, const struct db_query *query,
				    db_row_fn *fn, void *arg);

/* Inserts the rows gathered in the scratch, all of them; nothing at all when there are none. */
MUST_CHECK enum err db_store_insert(struct db_store *store, const struct db_query *query);

/* The statements of this file, NULL at the end (for the EXPLAIN test). */
extern const struct db_query *const db_store_queries[];

#endif
