/* One shift: a batch from its messages to their acknowledgement. */
#ifndef BOXOFFICE_SHIFT_H
#define BOXOFFICE_SHIFT_H

#include "worker.h"

/* Takes what a lane has and sees it through. Conflicts and lost connections are waited out, for
 * ever: nothing is bounced, and the order of the queue stays. Only TERM ends the waiting; the
 * messages are then left unacknowledged, and come again. */
void shift_run(struct worker *worker, unsigned lane);

/* Waits, keeping the heartbeats of both connections. */
void shift_wait(struct worker *worker, int64_t span_ms);

#endif
