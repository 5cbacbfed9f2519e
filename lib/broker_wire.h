/* The wire: AMQP calls and frames in our own types. Behind it (broker_wire.c, broker_calls.c) is
 * rabbitmq-c, and nowhere else; broker.c makes messages of the frames.
 *
 * After ERR_BROKER_GONE, ERR_BROKER_DENIED or ERR_CONF (all logged with their reason, once) a wire
 * is only good to be freed; calls on it return ERR_BROKER_GONE. */
#ifndef BOXOFFICE_BROKER_WIRE_H
#define BOXOFFICE_BROKER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker.h"
#include "conf.h"
#include "err.h"
#include "text.h"
#include "topology.h"

#define WIRE_CHANNELS_MAX 2047
#define WIRE_HEADERS_MAX 16
#define WIRE_SHORT_MAX 255 /* bytes of names, keys, type, reply_to and correlation_id */

struct wire; /* opaque */

/* Bytes inside the connection's memory: good until the next call on the wire. */
struct wire_bytes {
	const char *bytes;
	size_t length;
};

enum wire_event_type {
	WIRE_DELIVER, /* number: delivery tag; flag: redelivered; text: consumer tag */
	WIRE_RETURN,  /* one of ours comes back; a header and bodies follow, as after DELIVER */
	WIRE_HEADER,  /* size, reply_to, correlation_id, delivery_count, sent_ms; number: its
			 sequence */
	WIRE_BODY,    /* text: the next part of the body */
	WIRE_ACK,     /* number: sequence; flag: and all before it */
	WIRE_NACK,    /* the same */
	WIRE_CANCEL,  /* text: consumer tag */
	WIRE_BLOCKED, /* text: the broker's reason */
	WIRE_UNBLOCKED,
	WIRE_OTHER, /* of no interest */
};

struct wire_event {
	enum wire_event_type type;
	unsigned channel;
	uint64_t number;
	bool flag;
	uint64_t size;
	int64_t delivery_count;
	int64_t sent_ms;
	struct wire_bytes text;
	struct wire_bytes reply_to;
	struct wire_bytes correlation_id;
	struct wire_bytes account;
	const void *headers; /* for wire_write_headers(); NULL: none */
};

/* As broker_open(). Returns owned: wire_free(). */
MUST_CHECK enum err wire_open(struct wire **wire, const struct conf *conf, const char *name);
void wire_free(struct wire *wire);

/* Notes that the connection is of no more use, and why; the next goes to the next host. Always
 * ERR_BROKER_GONE. */
enum err wire_fail(struct wire *wire, const char *doing, const char *why);

/* The same, but nothing is wrong with the host. */
enum err wire_end(struct wire *wire, const char *doing, const char *why);
bool wire_is_gone(const struct wire *wire);

MUST_CHECK enum err wire_open_channel(struct wire *wire, unsigned channel);
MUST_CHECK enum err wire_declare_exchange(struct wire *wire, unsigned channel,
					  const struct topology_exchange *exchange);

/* Declares a queue of the topology and binds it. */
MUST_CHECK enum err wire_declare_queue(struct wire *wire, unsigned channel,
				       const struct topology_queue *queue);
MUST_CHECK enum err wire_declare_reply_queue(struct wire *wire, unsigned channel, const char *name);

MUST_CHECK enum err wire_count_ready(struct wire *wire, unsigned channel, const char *queue,
				     uint64_t *ready);

MUST_CHECK enum err wire_confirm_select(struct wire *wire, unsigned channel);

/* sequence travels as the message id, by which a returned message is known again; 0: none. */
MUST_CHECK enum err wire_publish(struct wire *wire, unsigned channel,
				 const struct broker_message *message, uint64_t sequence);
MUST_CHECK enum err wire_consume(struct wire *wire, unsigned channel, const char *queue,
				 uint16_t prefetch);
MUST_CHECK enum err wire_cancel(struct wire *wire, unsigned channel, const char *queue,
				uint16_t prefetch);
MUST_CHECK enum err wire_ack(struct wire *wire, unsigned channel, uint64_t tag, bool multiple);

/* Waits for the next frame up to timeout_ms and sends heartbeats that are due. ERR_TIMEOUT when
 * none came. */
MUST_CHECK enum err wire_next(struct wire *wire, int timeout_ms, struct wire_event *event);

/* Appends the headers of an event as texts, name and value by turns, each with its '\0'. */
void wire_write_headers(const void *headers, struct text *out);

int wire_fd(const struct wire *wire);
bool wire_has_input(const struct wire *wire);

#endif
