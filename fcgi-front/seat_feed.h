/* The feed of seats: publishes what changed between two snapshots, on a channel for each schedule,
 * and now and then that nothing did. No query, and no knowledge of who listens. For one thread. */
#ifndef BOXOFFICE_SEAT_FEED_H
#define BOXOFFICE_SEAT_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "channels.h"
#include "err.h"
#include "snapshot.h"

struct seat_feed; /* opaque */

/* Borrows channels. ERR_MEMORY. Returns owned: seat_feed_free(). */
MUST_CHECK enum err seat_feed_new(struct seat_feed **feed, struct channels *channels);

/* NULL is fine. */
void seat_feed_free(struct seat_feed *feed);

/* Publishes the steps from the snapshot of the last call to this one, of which it keeps a
 * reference, and what else is due at now_us (of clock_us()). After a stop, or the first time, each
 * schedule gets a message that shows all who are behind that they are. False: nginx does not take
 * it, and what was to be told is told anew as after a stop. */
bool seat_feed_tell(struct seat_feed *feed, struct snapshot *snapshot, int64_t now_us);

/* Another front tells now: forgets what was told. */
void seat_feed_stop(struct seat_feed *feed);

#endif
