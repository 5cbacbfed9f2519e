/* The store of the gate's jobs on the real database: the line's one row, its policy, its tickets.
 */
#ifndef BOXOFFICE_GATE_STORE_H
#define BOXOFFICE_GATE_STORE_H

#include "conf.h"
#include "db_store.h"
#include "gate_world.h"

struct gate_store {
	struct db_store base;
	const struct conf *conf;
	struct gate_world world;
};

/* db and conf are borrowed. */
void gate_store_init(struct gate_store *store, struct db *db, const struct conf *conf);
void gate_store_fini(struct gate_store *store);

/* The interface for batch_apply(), good as long as the store. */
struct store gate_store_interface(struct gate_store *store);

extern const struct db_query *const gate_store_queries[];

#endif
