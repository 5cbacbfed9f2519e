/* The map of a schedule's seats, and what changed between two of them. Pure.
 *
 * A map has a version: the sum of its seats' versions, which the database makes of its own facts
 * (snapshot_store.c). Each of these only grows, and says all about its seat: so of two maps,
 * whichever fronts they come from, the one with the higher version is the later, and equal ones are
 * the same. */
#ifndef BOXOFFICE_SEAT_MAP_H
#define BOXOFFICE_SEAT_MAP_H

#include <stdint.h>

#include "snapshot.h"
#include "text.h"

/* The version of a schedule's map; 0: it has no seat that can be booked. */
int64_t seat_map_version(const struct snapshot *snapshot, int64_t schedule);

/* Appends {"version","seats":[…]} in the order of the seats' numbers; those that this user (0:
 * nobody) holds or bought are "mine". Any thread: what is the same for all is written once a
 * snapshot. */
void seat_map_write(const struct snapshot *snapshot, int64_t schedule, int64_t user_number,
		    struct text *out);

/* Appends the message that leads from the one map to the other: {"from","version","at","changes"}.
 * Where that cannot be told (old is NULL, there are other seats or prices, or too many changed),
 * from is the new version: whoever is behind reads the map again. At the end of the booking there
 * are no seats any more: both are 0. */
void seat_map_write_step(const struct snapshot *old, const struct snapshot *snapshot,
			 int64_t schedule, struct text *out);

#endif
