/* The one row of gate_state, and the policy that rules, in the database. */
#ifndef BOXOFFICE_GATE_STATE_H
#define BOXOFFICE_GATE_STATE_H

#include "conf.h"
#include "db_store.h"
#include "gate_world.h"

/* Locks the row and reads it. */
MUST_CHECK enum err gate_state_lock(struct db_store *store, struct gate_state *state);

/* The same without waiting: ERR_DB_CONFLICT when another gate worker is at it. */
MUST_CHECK enum err gate_state_try_lock(struct db_store *store, struct gate_state *state);

/* Writes the row, which is locked, and what fronts tell of the policy that rules. */
MUST_CHECK enum err gate_state_write(struct db_store *store, const struct gate_state *state,
				     const struct policy *policy);

/* Reads the newest policy that policy_check() takes; a newer one that it refuses is logged, once.
 * Without any nobody is let in: paused. */
MUST_CHECK enum err gate_state_read_policy(struct db_store *store, const struct conf *conf,
					   struct policy *policy);

/* Writes the settings as the first policy when there is none yet. */
MUST_CHECK enum err gate_state_ensure_policy(struct db_store *store, const struct conf *conf);

/* Counts one more draw as done; the row is locked. */
MUST_CHECK enum err gate_state_count_draw(struct db_store *store);

extern const struct db_query *const gate_state_queries[];

#endif
