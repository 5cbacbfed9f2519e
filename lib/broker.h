/* The broker: one AMQP 0-9-1 connection. Only the wire beneath it knows rabbitmq-c (broker_wire.h).
 *
 * A connection belongs to one thread. It does not reconnect by itself: when a call returns
 * ERR_BROKER_GONE the owner frees it, waits (broker_backoff_ms) and opens a new one. Publishers
 * and consumers use separate connections, because an alarm of the broker blocks a publisher. */
#ifndef BOXOFFICE_BROKER_H
#define BOXOFFICE_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"

#define BROKER_NAME_SIZE 256
#define BROKER_SENT_HEADER "boxoffice-sent-ms"

struct broker; /* opaque */

struct broker_header {
	const char *name;
	const char *value;
};

struct broker_message {
	const char *exchange; /* "" for the default exchange */
	const char *routing_key;
	const char *body;
	size_t length;
	const char *type;           /* JOB_TYPE, REPLY_TYPE */
	const char *reply_to;       /* NULL: none */
	const char *correlation_id; /* NULL: none */
	const struct broker_header *headers;
	size_t header_count;
	int64_t sent_ms; /* BROKER_SENT_HEADER: milliseconds since 1970; 0: not said */
	bool persistent;
	bool mandatory;
	bool tells_account; /* by which account it was published: the broker lets nobody lie about
			     * it (RabbitMQ, "Validated User-ID") */
};

/* A message that came. Owned by the caller once taken: broker_delivery_fini(). */
struct broker_delivery {
	unsigned channel;
	uint64_t tag;
	bool redelivered;
	int64_t delivery_count;                /* x-delivery-count of a quorum queue, else 0 */
	int64_t sent_ms;                       /* as the publisher said; 0: it did not */
	char consumer[BROKER_NAME_SIZE];       /* the queue that was subscribed to */
	char reply_to[BROKER_NAME_SIZE];       /* "" for none */
	char correlation_id[BROKER_NAME_SIZE]; /* "" for none */
	char account[BROKER_NAME_SIZE];        /* whose message it is; "": not told */
	char *body;                            /* length bytes and an ending '\0' */
	size_t length;
	/* With broker_keep_headers(), for broker_delivery_header(): */
	char *headers; /* name and value by turns, each with its ending '\0' */
	size_t headers_length;
};

/* Called for each header of a delivery. */
typedef void broker_header_fn(void *arg, const char *name, const char *value);
void broker_delivery_each_header(const struct broker_delivery *delivery, broker_header_fn *fn,
				 void *arg);

/* The value of a header; NULL when it is not there. Borrowed from the delivery. */
const char *broker_delivery_header(const struct broker_delivery *delivery, const char *name);

void broker_delivery_fini(struct broker_delivery *delivery);

/* Connects to a host of conf's amqp_url under a name that operators read in the management UI,
 * announces consumer_cancel_notify and connection.blocked, and a heartbeat. A process begins at
 * host amqp_first and leaves a host whose connection is lost: the next is tried at once, each of
 * them once (some seconds for one that does not answer) before this fails. With amqps:// by TLS 1.2
 * or newer, and only to a broker whose certificate is signed by an authority of tls_ca and bears
 * the URL's host as a DNS name. ERR_CONF for a bad url or tls_ca, ERR_BROKER_GONE when nobody
 * answers or the certificate is another's, ERR_BROKER_DENIED when the broker refuses the account,
 * its password or its vhost. Returns owned: broker_free(). */
MUST_CHECK enum err broker_open(struct broker **broker, const struct conf *conf, const char *name);

/* Closes politely when it can, at once when the peer is gone. NULL is fine. */
void broker_free(struct broker *broker);

/* Declares all of topology.h. ERR_BROKER_GONE; ERR_CONF when a queue exists with other arguments
 * (the reason is logged). */
MUST_CHECK enum err broker_declare_topology(struct broker *broker, const struct conf *conf);

/* Messages that are ready in a queue. When there is no such queue the broker closes the connection:
 * ERR_BROKER_GONE. */
MUST_CHECK enum err broker_count_ready(struct broker *broker, const char *queue, uint64_t *ready);

/* Declares an exclusive, auto-deleted classic queue for replies. ERR_BROKER_DENIED when the account
 * has no right to it. */
MUST_CHECK enum err broker_declare_reply_queue(struct broker *broker, const char *name);

/* Publishing with confirms (on channel 1) --------------------------------------------------- */

/* Told once for each publish, from inside broker_pump(): ERR_OK (confirmed), ERR_BROKER_NACKED or
 * ERR_BROKER_RETURNED (the return comes before the ack and is what counts). */
typedef void broker_confirm_fn(void *arg, uint64_t sequence, enum err err);

/* Turns confirms on; until then publishes are fire and forget. */
MUST_CHECK enum err broker_confirm(struct broker *broker, broker_confirm_fn *fn, void *arg);

/* Hands one message to the socket. sequence (may be NULL) is its number, 1 and up, for the
 * confirm; 0 without confirms. ERR_BROKER_GONE: unknown whether it arrived. */
MUST_CHECK enum err broker_publish(struct broker *broker, const struct broker_message *message,
				   uint64_t *sequence);

/* Publishes still without an answer. */
size_t broker_unconfirmed(const struct broker *broker);

/* True while the broker has announced connection.blocked. */
bool broker_is_blocked(const struct broker *broker);

/* Consuming ------------------------------------------------------------------------------- */

/* From here on deliveries keep their headers as texts: numbers in digits, times in seconds since
 * 1970. A table's members are name.member, of a list the first element stands for all: what killed
 * a message last is x-death.reason. */
void broker_keep_headers(struct broker *broker);

/* A prefetch of none: what is delivered counts as acknowledged (AMQP basic.consume, no-ack). For a
 * reply queue: its messages are of no use to anybody but the process that dies with them. */
#define BROKER_UNACKNOWLEDGED 0

/* Subscribes on a channel (1 and up, opened when needed) with a prefetch that holds for this
 * consumer, whose tag is made of the queue's name and the prefetch. A subscription that ended must
 * not be made anew with the same two on the same channel: RabbitMQ before 3.10.9 and 3.11.1 then
 * closes the connection with an internal error when messages were under way (its issue 5927). */
MUST_CHECK enum err broker_consume(struct broker *broker, unsigned channel, const char *queue,
				   uint16_t prefetch);

/* Ends a subscription; what was delivered before stays to be taken and acknowledged. */
MUST_CHECK enum err broker_cancel(struct broker *broker, unsigned channel, const char *queue,
				  uint16_t prefetch);

/* Does the connection's input and output: waits up to timeout_ms (0: not at all) for something to
 * arrive, then reads all that is there (up to some bound of bytes), keeps deliveries for
 * broker_take(), runs the confirm callback, and keeps the heartbeat. ERR_OK, ERR_TIMEOUT (nothing
 * came), ERR_BROKER_CANCELLED (a consumer was cancelled by the broker: its queue is gone),
 * ERR_BROKER_GONE. */
MUST_CHECK enum err broker_pump(struct broker *broker, int timeout_ms);

/* Takes the next delivery of a channel; false when none is waiting. */
bool broker_take(struct broker *broker, unsigned channel, struct broker_delivery *delivery);

/* Deliveries of a channel waiting to be taken. */
size_t broker_waiting(const struct broker *broker, unsigned channel);

/* Acknowledges a delivery, or with multiple all of its channel up to it. */
MUST_CHECK enum err broker_ack(struct broker *broker, unsigned channel, uint64_t tag,
			       bool multiple);

/* The socket, to poll() beside others; before polling call broker_has_input(): true when bytes
 * are already here and poll() would wait in vain. */
int broker_fd(const struct broker *broker);
bool broker_has_input(const struct broker *broker);

/* The next pause between attempts: 100 ms, doubled up to 5 s, with up to a quarter of jitter.
 * attempt counts from 0. */
int broker_backoff_ms(unsigned attempt);

#endif
