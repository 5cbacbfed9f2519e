/* When a publisher of a cluster takes a new connection because messages are refused.
 *
 * A channel of RabbitMQ before its pull request 9241 (August 2023) that publishes to a queue for
 * the first time just after that queue's leader was lost keeps to the lost one, and refuses all for
 * this queue until that node is back. A new channel asks who leads now. A full queue refuses as
 * well, and then a new connection is of no use: so it is taken ever more seldom. */
#ifndef BOXOFFICE_BROKER_RENEWAL_H
#define BOXOFFICE_BROKER_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialise: one for each thread that publishes. */
struct broker_renewal {
	int64_t last_ms;
	unsigned count; /* of renewals since all was well */
};

/* Told that a message was refused: true when the connection is to be renewed now. The first time at
 * once, then after pauses that double from 0.2 to 30 s; from the start again when nothing
 * was refused for a minute. */
bool broker_renewal_is_due(struct broker_renewal *renewal, int64_t now_ms);

#endif
