/* The store of the gate: tickets, the counters' one row and the policy on the real database. */
#ifndef BOXOFFICE_GATE_STORE_H
#define BOXOFFICE_GATE_STORE_H

#include "conf.h"
#include "db_store.h"
#include "gate_world.h"

struct gate_store {
	struct db_store base;
	struct gate_world world;
	struct gate_tick tick;
};

/* db is borrowed. */
void gate_store_init(struct gate_store *store, struct db *db);
void gate_store_fini(struct gate_store *store);

/* The interface for batch_apply() over issue jobs, good as long as the store. */
struct store gate_store_interface(struct gate_store *store);

/* Begins a tick inside a transaction: locks gate_state without waiting (ERR_DB_CONFLICT when
 * another gate worker is at it) and reads it into store->tick. */
MUST_CHECK enum err gate_store_lock_tick(struct gate_store *store);

/* The interface for one tick: load fills the rest of store->tick; write writes what
 * gate_tick_decide() left there. The batch argument is not used. */
struct store gate_store_tick_interface(struct gate_store *store);

/* Writes the settings as the first policy when there is none yet. */
MUST_CHECK enum err gate_store_ensure_policy(struct gate_store *store, const struct conf *conf);

extern const struct db_query *const gate_store_queries[];

#endif
