/* The draw in the database: its row, its roster, the places of its tickets. */
#ifndef BOXOFFICE_GATE_DRAW_H
#define BOXOFFICE_GATE_DRAW_H

#include "db_store.h"
#include "gate_world.h"

/* Locks the draw that is not drawn yet and reads it; id 0: there is none. */
MUST_CHECK enum err gate_draw_lock(struct db_store *store, struct gate_draw *draw);

/* Writes its state and roster when they were changed. */
MUST_CHECK enum err gate_draw_write(struct db_store *store, const struct gate_draw *draw,
				    int64_t now_us);

/* One step of a draw whose roster is closed, if there is one to do: the roster's digest; with the
 * public value the order; then the places, some thousand a step, and the end. Each step is a
 * transaction of its own, and two workers at it do no harm. */
MUST_CHECK enum err gate_draw_step(struct db_store *store);

extern const struct db_query *const gate_draw_queries[];

#endif
