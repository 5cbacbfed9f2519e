/* The pulse: publishes a tick once a second, and half a second after the last when something
 * changed, to the nginx beside this front, which sends it to all who listen at GET /queue/events;
 * and the changes of seats (seat_feed.h) as soon as a snapshot has them. Of several fronts at one
 * nginx one does so. */
#ifndef BOXOFFICE_PULSE_H
#define BOXOFFICE_PULSE_H

#include "conf.h"
#include "err.h"
#include "snapshot.h"

struct pulse; /* opaque */

/* Starts the thread; without the setting events_socket there is none, and no error. conf and
 * snapshots are borrowed. ERR_MEMORY, ERR_SYSTEM. Returns owned: pulse_free(). */
MUST_CHECK enum err pulse_new(struct pulse **pulse, const struct conf *conf,
			      struct snapshots *snapshots);

/* Ends the thread, within a second. NULL is fine. */
void pulse_free(struct pulse *pulse);

#endif
