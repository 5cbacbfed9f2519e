/* The broker: messages out of frames, confirms out of acks, over the wire beneath.
 *
 * A message comes as a method (deliver or return), a header and bodies until its length is
 * reached; frames of other channels may come between, so each channel puts its own together. */
#include "broker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "address.h"
#include "broker_fifo.h"
#include "broker_renewal.h"
#include "broker_window.h"
#include "broker_wire.h"
#include "clock.h"
#include "log.h"
#include "text.h"
#include "topology.h"

#define PUBLISH_CHANNEL 1
#define FRAMES_PER_PUMP 20000     /* then the caller has its turn, however much more there is */
#define BYTES_PER_PUMP (8u << 20) /* the same: what waits to be taken is in memory */
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MOST_MS 5000

/* How far the message on its way in is. */
enum phase { PHASE_NONE, PHASE_HEADER, PHASE_BODY };

struct channel {
	bool is_open;
	bool is_return; /* one of ours that came back: its body is read and dropped */
	enum phase phase;
	size_t filled; /* bytes of incoming.body */
	struct broker_delivery incoming;
	struct broker_fifo fifo;
};

struct broker {
	struct wire *wire;
	bool is_blocked;
	bool was_cancelled; /* to be told by the next broker_pump() */
	bool keeps_headers;
	bool is_of_cluster;
	bool was_refused; /* a publish, in this broker_pump() */
	size_t pumped;    /* bytes of bodies that this broker_pump() has read */
	struct channel *channels;
	size_t channel_count;
	broker_confirm_fn *confirm; /* NULL: publishes are not confirmed */
	void *confirm_arg;
	struct broker_window window;
};

static _Thread_local struct broker_renewal renewal;

/* Opens a channel when it is not yet. */
static enum err open_channel(struct broker *broker, unsigned number)
{
	enum err err = ERR_OK;

	if (number >= broker->channel_count) {
		size_t count = (size_t)number + 1;
		struct channel *grown = realloc(broker->channels, count * sizeof(*grown));
		if (!grown)
			return ERR_MEMORY;
		memset(&grown[broker->channel_count], 0,
		       (count - broker->channel_count) * sizeof(*grown));
		broker->channels = grown;
		broker->channel_count = count;
	}
	if (!broker->channels[number].is_open) {
		err = wire_open_channel(broker->wire, number);
		broker->channels[number].is_open = err == ERR_OK;
	}
	return err;
}

enum err broker_open(struct broker **broker, const struct conf *conf, const char *name)
{
	struct broker *made = calloc(1, sizeof(*made));
	enum err err;

	if (!made)
		return ERR_MEMORY;
	broker_window_init(&made->window);
	made->is_of_cluster = address_count(conf->amqp_url) > 1;
	err = wire_open(&made->wire, conf, name);
	if (err == ERR_OK)
		err = open_channel(made, PUBLISH_CHANNEL);
	if (err == ERR_OK)
		*broker = made;
	else
		broker_free(made);
	return err;
}

void broker_free(struct broker *broker)
{
	if (!broker)
		return;
	wire_free(broker->wire);
	for (size_t i = 0; i < broker->channel_count; i++) {
		broker_delivery_fini(&broker->channels[i].incoming);
		broker_fifo_fini(&broker->channels[i].fifo);
	}
	free(broker->channels);
	broker_window_fini(&broker->window);
	free(broker);
}

static enum err declare_exchange(const struct topology_exchange *exchange, void *arg)
{
	struct broker *broker = arg;

	return wire_declare_exchange(broker->wire, PUBLISH_CHANNEL, exchange);
}

static enum err declare_queue(const struct topology_queue *queue, void *arg)
{
	struct broker *broker = arg;

	return wire_declare_queue(broker->wire, PUBLISH_CHANNEL, queue);
}

enum err broker_declare_topology(struct broker *broker, const struct conf *conf)
{
	enum err err = topology_each_exchange(conf, declare_exchange, broker);

	if (err == ERR_OK)
		err = topology_each_queue(conf, declare_queue, broker);
	return err;
}

enum err broker_count_ready(struct broker *broker, const char *queue, uint64_t *ready)
{
	return wire_count_ready(broker->wire, PUBLISH_CHANNEL, queue, ready);
}

enum err broker_declare_reply_queue(struct broker *broker, const char *name)
{
	return wire_declare_reply_queue(broker->wire, PUBLISH_CHANNEL, name);
}

/* Publishing -------------------------------------------------------------------------------- */

enum err broker_confirm(struct broker *broker, broker_confirm_fn *fn, void *arg)
{
	enum err err = wire_confirm_select(broker->wire, PUBLISH_CHANNEL);

	if (err == ERR_OK) {
		broker->confirm = fn;
		broker->confirm_arg = arg;
	}
	return err;
}

enum err broker_publish(struct broker *broker, const struct broker_message *message,
			uint64_t *sequence)
{
	uint64_t number = 0;
	enum err err;

	if (broker->confirm) {
		if (!broker_window_reserve(&broker->window))
			return ERR_MEMORY;
		number = broker->window.next;
	}
	err = wire_publish(broker->wire, PUBLISH_CHANNEL, message, number);
	if (err != ERR_OK)
		return err;
	if (number > 0)
		(void)broker_window_add(&broker->window);
	if (sequence)
		*sequence = number;
	return ERR_OK;
}

size_t broker_unconfirmed(const struct broker *broker)
{
	return broker->window.open;
}

bool broker_is_blocked(const struct broker *broker)
{
	return broker->is_blocked;
}

/* Consuming --------------------------------------------------------------------------------- */

void broker_keep_headers(struct broker *broker)
{
	broker->keeps_headers = true;
}

void broker_delivery_each_header(const struct broker_delivery *delivery, broker_header_fn *fn,
				 void *arg)
{
	const char *at = delivery->headers;
	const char *end = at ? at + delivery->headers_length : NULL;

	while (at < end) {
		const char *value = at + strlen(at) + 1;
		fn(arg, at, value);
		at = value + strlen(value) + 1;
	}
}

struct header_seeker {
	const char *name;
	const char *value;
};

static void seek_header(void *arg, const char *name, const char *value)
{
	struct header_seeker *seeker = arg;

	if (!seeker->value && strcmp(seeker->name, name) == 0)
		seeker->value = value;
}

const char *broker_delivery_header(const struct broker_delivery *delivery, const char *name)
{
	struct header_seeker seeker = {.name = name};

	broker_delivery_each_header(delivery, seek_header, &seeker);
	return seeker.value;
}

enum err broker_consume(struct broker *broker, unsigned channel, const char *queue,
			uint16_t prefetch)
{
	enum err err = open_channel(broker, channel);

	return err == ERR_OK ? wire_consume(broker->wire, channel, queue, prefetch) : err;
}

enum err broker_cancel(struct broker *broker, unsigned channel, const char *queue,
		       uint16_t prefetch)
{
	return wire_cancel(broker->wire, channel, queue, prefetch);
}

enum err broker_ack(struct broker *broker, unsigned channel, uint64_t tag, bool multiple)
{
	return wire_ack(broker->wire, channel, tag, multiple);
}

bool broker_take(struct broker *broker, unsigned channel, struct broker_delivery *delivery)
{
	return channel < broker->channel_count &&
	       broker_fifo_pop(&broker->channels[channel].fifo, delivery);
}

size_t broker_waiting(const struct broker *broker, unsigned channel)
{
	return channel < broker->channel_count ? broker->channels[channel].fifo.count : 0;
}

/* Reading ----------------------------------------------------------------------------------- */

/* Copies with a bound at the edge. A zero byte would end the text early and let "reply.x\0y" pass
 * for another name, so it becomes a '?'. */
static void copy_short(char out[static BROKER_NAME_SIZE], struct wire_bytes from)
{
	size_t length = from.length < BROKER_NAME_SIZE ? from.length : BROKER_NAME_SIZE - 1;

	for (size_t i = 0; i < length; i++) {
		out[i] = from.bytes[i];
		if (out[i] == '\0')
			out[i] = '?';
	}
	out[length] = '\0';
}

/* What is whole goes to the taker; what came back is settled by the ack that follows. */
static enum err end_message(struct broker *broker, struct channel *channel)
{
	channel->phase = PHASE_NONE;
	if (channel->is_return) {
		broker_delivery_fini(&channel->incoming);
		return ERR_OK;
	}
	channel->incoming.body[channel->incoming.length] = '\0';
	if (!broker_fifo_push(&channel->fifo, &channel->incoming))
		return wire_fail(broker->wire, "keep a delivery", err_message(ERR_MEMORY));
	channel->incoming.body = NULL;
	channel->incoming.headers = NULL;
	return ERR_OK;
}

static enum err begin_message(struct broker *broker, struct channel *channel,
			      const struct wire_event *event)
{
	struct broker_delivery *incoming = &channel->incoming;

	if (channel->phase != PHASE_NONE)
		return wire_fail(broker->wire, "read", "a message began inside another");
	channel->phase = PHASE_HEADER;
	channel->is_return = event->type == WIRE_RETURN;
	*incoming = (struct broker_delivery){
		.channel = event->channel, .tag = event->number, .redelivered = event->flag};
	copy_short(incoming->consumer, event->text);
	return ERR_OK;
}

static enum err read_header(struct broker *broker, struct channel *channel,
			    const struct wire_event *event)
{
	struct broker_delivery *incoming = &channel->incoming;

	if (channel->phase != PHASE_HEADER)
		return wire_fail(broker->wire, "read", "a header without its method");
	if (channel->is_return)
		broker_window_return(&broker->window, event->number);
	copy_short(incoming->reply_to, event->reply_to);
	copy_short(incoming->correlation_id, event->correlation_id);
	copy_short(incoming->account, event->account);
	incoming->delivery_count = event->delivery_count;
	incoming->sent_ms = event->sent_ms;
	if (broker->keeps_headers && event->headers && !channel->is_return) {
		struct text headers = {0};
		wire_write_headers(event->headers, &headers);
		incoming->headers = headers.bytes; /* owned from here on */
		incoming->headers_length = headers.length;
	}
	incoming->length = event->size;
	incoming->body = event->size < SIZE_MAX ? malloc(event->size + 1) : NULL;
	if (!incoming->body)
		return wire_fail(broker->wire, "read", err_message(ERR_MEMORY));
	channel->filled = 0;
	channel->phase = PHASE_BODY;
	return event->size == 0 ? end_message(broker, channel) : ERR_OK;
}

static enum err read_body(struct broker *broker, struct channel *channel,
			  const struct wire_event *event)
{
	struct broker_delivery *incoming = &channel->incoming;

	if (channel->phase != PHASE_BODY || event->text.length > incoming->length - channel->filled)
		return wire_fail(broker->wire, "read", "a body longer than its header said");
	memcpy(incoming->body + channel->filled, event->text.bytes, event->text.length);
	channel->filled += event->text.length;
	broker->pumped += event->text.length;
	return channel->filled == incoming->length ? end_message(broker, channel) : ERR_OK;
}

static void confirm(struct broker *broker, const struct wire_event *event, enum err err)
{
	if (broker->confirm)
		broker_window_settle(&broker->window, event->number, event->flag, err,
				     broker->confirm, broker->confirm_arg);
}

/* Frames of the connection and of no message. */
static void read_notice(struct broker *broker, const struct wire_event *event)
{
	char text[BROKER_NAME_SIZE];

	copy_short(text, event->text);
	switch (event->type) {
	case WIRE_ACK:
		confirm(broker, event, ERR_OK);
		break;
	case WIRE_NACK:
		broker->was_refused = true;
		confirm(broker, event, ERR_BROKER_NACKED);
		break;
	case WIRE_CANCEL:
		log_warn("broker-cancelled", LOG_S("queue", text));
		broker->was_cancelled = true;
		break;
	case WIRE_BLOCKED:
		log_warn("broker-blocked", LOG_S("why", text));
		broker->is_blocked = true;
		break;
	case WIRE_UNBLOCKED:
		log_info("broker-unblocked", LOG_S("why", "the alarm is over"));
		broker->is_blocked = false;
		break;
	default:
		break;
	}
}

static enum err read_event(struct broker *broker, const struct wire_event *event)
{
	struct channel *channel;

	if (event->type > WIRE_BODY) {
		read_notice(broker, event);
		return ERR_OK;
	}
	if (event->channel >= broker->channel_count)
		return wire_fail(broker->wire, "read", "a message on a channel that is not open");
	channel = &broker->channels[event->channel];
	if (event->type == WIRE_HEADER)
		return read_header(broker, channel, event);
	if (event->type == WIRE_BODY)
		return read_body(broker, channel, event);
	return begin_message(broker, channel, event);
}

enum err broker_pump(struct broker *broker, int timeout_ms)
{
	struct wire_event event;
	enum err err = ERR_OK;
	int frames = 0;

	broker->pumped = 0;
	broker->was_refused = false;
	while (err == ERR_OK && frames < FRAMES_PER_PUMP && broker->pumped < BYTES_PER_PUMP) {
		err = wire_next(broker->wire, frames == 0 ? timeout_ms : 0, &event);
		if (err == ERR_OK) {
			frames++;
			err = read_event(broker, &event);
		}
	}
	if (err != ERR_OK && err != ERR_TIMEOUT)
		return err;
	if (broker->was_refused && broker->is_of_cluster &&
	    broker_renewal_is_due(&renewal, clock_ms()))
		return wire_end(broker->wire, "publish", "refused: a new channel may know better");
	if (broker->was_cancelled) {
		broker->was_cancelled = false;
		return ERR_BROKER_CANCELLED;
	}
	return frames > 0 ? ERR_OK : ERR_TIMEOUT;
}

int broker_fd(const struct broker *broker)
{
	return wire_fd(broker->wire);
}

bool broker_has_input(const struct broker *broker)
{
	return wire_has_input(broker->wire);
}

int broker_backoff_ms(unsigned attempt)
{
	int pause = BACKOFF_MOST_MS;
	unsigned noise = 0;

	for (unsigned i = 0; i <= attempt; i++) {
		pause = BACKOFF_FIRST_MS << i;
		if (pause >= BACKOFF_MOST_MS) {
			pause = BACKOFF_MOST_MS;
			break;
		}
	}
	/* Without noise all that lost one broker would come back at the same instant. */
	if (getrandom(&noise, sizeof(noise), GRND_NONBLOCK) != sizeof(noise))
		return pause;
	return pause - (int)(noise % (unsigned)(pause / 4 + 1));
}
