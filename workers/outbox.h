/* The outbox: what a worker publishes. Dead letters must be confirmed before the jobs they belong
 * to are acknowledged. So must expiries, except that a full queue may refuse them: the sweeper
 * finds those holds. Replies are not waited for, since an outcome can be looked up. Its connection
 * is its own: an alarm of the broker blocks publishers, and must not stop acknowledgements and
 * heartbeats. */
#ifndef BOXOFFICE_OUTBOX_H
#define BOXOFFICE_OUTBOX_H

#include "broker.h"
#include "conf.h"
#include "intake.h"

struct outbox {
	const struct conf *conf;
	struct broker *broker; /* NULL: not connected */
	uint64_t last_due;     /* sequence of the last message that is waited for */
	uint64_t first_expiry; /* of the first expiry among them; they come last */
	size_t expiries_refused;
	enum err failure; /* of a message that must arrive */
	char hold_exchange[64];
	struct text scratch;
	struct result *results; /* scratch: the results of one message */
	const struct result **list;
	struct job *jobs; /* scratch: the expire jobs of one message */
	const struct job **expiries;
};

/* conf is borrowed. Does not connect yet. */
void outbox_init(struct outbox *outbox, const struct conf *conf);
void outbox_fini(struct outbox *outbox);

/* Connects when there is no connection, and declares the topology. */
MUST_CHECK enum err outbox_ensure_open(struct outbox *outbox);

/* Publishes one reply for each message that asks for it. An error of broker_publish(): connect
 * again and send all of it again. */
MUST_CHECK enum err outbox_send_replies(struct outbox *outbox, const struct intake *intake);

/* Why an item becomes a dead letter: it is no job, or a refusal that nobody waits for; ERR_OK: it
 * becomes none. */
enum err outbox_dead_letter_code(const struct intake *intake, const struct intake_item *item);

/* Publishes these dead letters, and the expiries of the holds that began, JOB_MAX_PER_MESSAGE a
 * message: also of one that a redelivered job made before, since the worker of then may have died
 * on the way, or that a batch found whose commit was not answered. */
MUST_CHECK enum err outbox_send_due(struct outbox *outbox, const struct intake *intake);

/* Waits up to timeout_ms for what must arrive. ERR_OK: all confirmed; ERR_TIMEOUT: not yet;
 * ERR_BROKER_NACKED, ERR_BROKER_RETURNED, ERR_BROKER_GONE: send it again after closing. */
MUST_CHECK enum err outbox_settle(struct outbox *outbox, int timeout_ms);

/* Does what the connection needs when nothing is sent: heartbeats, confirms. Drops a dead one. */
void outbox_keep_alive(struct outbox *outbox);

/* Drops the connection; the next outbox_ensure_open() makes a new one. */
void outbox_close(struct outbox *outbox);

#endif
