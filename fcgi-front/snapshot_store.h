/* The SQL of snapshots. */
#ifndef BOXOFFICE_SNAPSHOT_STORE_H
#define BOXOFFICE_SNAPSHOT_STORE_H

#include "db.h"
#include "err.h"
#include "snapshot.h"

/* A database that is silent for so long counts as gone: request threads wait for it. */
#define FRONT_DB_SILENCE_S 3

/* Reads the whole of it, but of the line only what changed since previous (NULL: all of it).
 * Returns owned: snapshot_release(). The errors of db.h; ERR_MEMORY. */
MUST_CHECK enum err snapshot_store_load(struct db *db, const struct snapshot *previous,
					struct snapshot **snapshot);

/* For front_queries[]. */
extern const struct db_query snapshot_store_gate, snapshot_store_draw, snapshot_store_drawn,
	snapshot_store_places, snapshot_store_changes, snapshot_store_tickets,
	snapshot_store_concerts, snapshot_store_schedules, snapshot_store_seats;

#endif
