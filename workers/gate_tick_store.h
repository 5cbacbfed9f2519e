/* The store of the gate's ticks on the real database. */
#ifndef BOXOFFICE_GATE_TICK_STORE_H
#define BOXOFFICE_GATE_TICK_STORE_H

#include "conf.h"
#include "db_store.h"
#include "gate_world.h"

struct gate_tick_store {
	struct db_store base;
	const struct conf *conf;
	enum gate_stock stock; /* as of stock_read_us, by clock_us() */
	int64_t stock_read_us; /* 0: not read yet */
	struct gate_tick tick;
};

/* db and conf are borrowed. */
void gate_tick_store_init(struct gate_tick_store *store, struct db *db, const struct conf *conf);
void gate_tick_store_fini(struct gate_tick_store *store);

/* Runs one tick in a transaction of its own. ERR_DB_CONFLICT: another gate worker is at it.
 * ERR_TIMEOUT: another has just done it. The outcome stays in store->tick. */
MUST_CHECK enum err gate_tick_store_run(struct gate_tick_store *store);

extern const struct db_query *const gate_tick_queries[];

#endif
