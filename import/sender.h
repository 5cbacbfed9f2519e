/* The sender: publishes the parcels of a window and takes their results, until each is answered.
 *
 * Nothing that happens to a message is an end: refused by a full queue, returned, lost with its
 * connection or never answered, it is sent again, since a job takes effect once. */
#ifndef BOXOFFICE_IMPORT_SENDER_H
#define BOXOFFICE_IMPORT_SENDER_H

#include "broker.h"
#include "conf.h"
#include "window.h"

struct sender {
	const struct conf *conf;
	struct window *window;
	struct broker *publisher; /* NULL: not connected, nor is the listener */
	struct broker *listener;  /* a connection of its own: an alarm blocks publishers */
	char replies[64];         /* the reply queue, a new one for each connection */
	int64_t answer_within_ms; /* without a word for so long: ask again */
	int64_t patience_ms;      /* the same, doubled each time */
	int64_t heard_ms;         /* when something was last answered, or nothing was to be */
	int64_t next_try_ms;      /* connect not before */
	unsigned failures;        /* to connect, in a row */
	bool was_taken;           /* a message was confirmed once: the account is right */
	int64_t pause_until_ms;   /* the queue is full: publish not before */
	unsigned refusals;        /* in a row */
	unsigned strangers;       /* results that do not fit, in a row */
};

/* conf and window are borrowed. Does not connect yet. */
void sender_init(struct sender *sender, const struct conf *conf, struct window *window,
		 int64_t answer_within_ms);
void sender_fini(struct sender *sender);

/* Sends and takes what can be, waiting up to timeout_ms for something to happen; input (-1: none)
 * is one more descriptor that ends the wait when it can be read. ERR_CONF: the address of the
 * broker is none; ERR_BROKER_DENIED: it refuses the account, and never took a message of it;
 * ERR_BAD_MESSAGE: results that do not fit, again and again. All are logged. */
MUST_CHECK enum err sender_turn(struct sender *sender, int input, int timeout_ms);

bool sender_is_connected(const struct sender *sender);

/* What it waits for, for people; "" when all goes well. */
const char *sender_trouble(const struct sender *sender);

#endif
