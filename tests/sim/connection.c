/* lib/broker.h against the simulated broker. */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "invariants.h"
#include "kernel.h"
#include "mem.h"
#include "process.h"

struct broker {
	struct connection *connection;
	unsigned generation;
	broker_confirm_fn *confirm;
	void *arg;
};

static struct connection *connection_of(const struct broker *broker)
{
	struct connection *connection = broker->connection;
	if (connection->generation != broker->generation)
		return NULL;
	connection->last_us = kernel.now_us;
	return connection;
}

enum err broker_open(struct broker **broker, const struct conf *conf, const char *name)
{
	(void)conf;
	process_pause("connect");
	struct connection *connection = exchange_connect(process_number());
	if (!connection)
		return ERR_BROKER_GONE;
	kernel_trace("connected: %s", name);
	*broker = mem_array(NULL, 1, sizeof **broker);
	**broker = (struct broker){.connection = connection, .generation = connection->generation};
	return ERR_OK;
}

void broker_free(struct broker *broker)
{
	if (!broker)
		return;
	struct connection *connection = connection_of(broker);
	if (connection) {
		exchange_flush(connection);
		exchange_close(connection);
	}
	free(broker);
}

/* exchange_start() has done it. */
enum err broker_declare_topology(struct broker *broker, const struct conf *conf)
{
	(void)conf;
	return connection_of(broker) ? ERR_OK : ERR_BROKER_GONE;
}

enum err broker_confirm(struct broker *broker, broker_confirm_fn *fn, void *arg)
{
	struct connection *connection = connection_of(broker);
	if (!connection)
		return ERR_BROKER_GONE;
	broker->confirm = fn;
	broker->arg = arg;
	connection->confirms = true;
	return ERR_OK;
}

static void copy_address(char out[static ADDRESS_SIZE], const char *text)
{
	snprintf(out, ADDRESS_SIZE, "%s", text ? text : "");
}

enum err broker_publish(struct broker *broker, const struct broker_message *message,
			uint64_t *sequence)
{
	invariants_check_publish(message);
	process_pause("publish");
	struct connection *connection = connection_of(broker);
	if (!connection)
		return ERR_BROKER_GONE;
	struct message like = {.is_mandatory = message->mandatory};
	copy_address(like.exchange, message->exchange);
	copy_address(like.key, message->routing_key);
	copy_address(like.reply_to, message->reply_to);
	copy_address(like.correlation_id, message->correlation_id);
	for (size_t i = 0; i < message->header_count; i++)
		if (strcmp(message->headers[i].name, "boxoffice-code") == 0)
			copy_address(like.code, message->headers[i].value);
	const struct frame frame = {
		.message = exchange_new_message(&like, message->body, message->length),
		.sequence = ++connection->sequence};
	exchange_add_frame(connection, &frame);
	kernel_trace("publishes to %s %s: %s", like.exchange, like.key, frame.message->body);
	if (sequence)
		*sequence = frame.sequence;
	return ERR_OK;
}

size_t broker_unconfirmed(const struct broker *broker)
{
	const struct connection *connection = connection_of(broker);
	return connection ? connection->sequence - connection->confirmed : 0;
}

enum err broker_consume(struct broker *broker, unsigned channel, const char *queue,
			uint16_t prefetch)
{
	process_pause("consume");
	struct connection *connection = connection_of(broker);
	if (!connection)
		return ERR_BROKER_GONE;
	exchange_flush(connection);
	exchange_consume(connection, channel, queue, prefetch);
	return ERR_OK;
}

enum err broker_cancel(struct broker *broker, unsigned channel, const char *queue,
		       uint16_t prefetch)
{
	process_pause("cancel");
	struct connection *connection = connection_of(broker);
	if (!connection)
		return ERR_BROKER_GONE;
	exchange_flush(connection);
	exchange_cancel(connection, channel, queue, prefetch);
	return ERR_OK;
}

static bool has_news(void *arg)
{
	const struct broker *broker = arg;
	const struct connection *connection = broker->connection;
	if (connection->generation != broker->generation || connection->answer_count)
		return true;
	for (size_t i = 0; i < connection->delivered_count; i++)
		if (!connection->delivered[i].is_seen)
			return true;
	return false;
}

static void read_news(struct broker *broker, struct connection *connection)
{
	for (size_t i = 0; i < connection->delivered_count; i++)
		connection->delivered[i].is_seen = true;
	for (size_t i = 0; i < connection->answer_count; i++) {
		connection->confirmed++;
		broker->confirm(broker->arg, connection->answers[i].sequence,
				connection->answers[i].err);
	}
	connection->answer_count = 0;
}

enum err broker_pump(struct broker *broker, int timeout_ms)
{
	if (timeout_ms > 0)
		process_wait(has_news, broker, kernel.now_us + timeout_ms * SECOND_US / 1000,
			     "wait for the broker");
	struct connection *connection = connection_of(broker);
	if (!connection)
		return ERR_BROKER_GONE;
	if (!has_news(broker))
		return ERR_TIMEOUT;
	read_news(broker, connection);
	return ERR_OK;
}

static struct delivered *next_of(const struct connection *connection, unsigned channel)
{
	for (size_t i = 0; connection && i < connection->delivered_count; i++) {
		struct delivered *delivered = &connection->delivered[i];
		if (delivered->channel == channel && delivered->is_seen && !delivered->is_taken)
			return delivered;
	}
	return NULL;
}

bool broker_take(struct broker *broker, unsigned channel, struct broker_delivery *delivery)
{
	struct delivered *delivered = next_of(connection_of(broker), channel);
	if (!delivered)
		return false;
	const struct message *message = delivered->message;
	delivered->is_taken = true;
	*delivery = (struct broker_delivery){.channel = channel,
					     .tag = delivered->tag,
					     .redelivered = message->is_redelivered,
					     .delivery_count = message->deliveries,
					     .length = message->length};
	copy_address(delivery->consumer, delivered->queue->is.name);
	copy_address(delivery->reply_to, message->reply_to);
	copy_address(delivery->correlation_id, message->correlation_id);
	copy_address(delivery->account, message->account);
	delivery->body = mem_array(NULL, message->length + 1, 1);
	memcpy(delivery->body, message->body, message->length + 1);
	kernel_trace("took from %s%s: %s", delivery->consumer,
		     delivery->redelivered ? " again" : "", delivery->body);
	return true;
}

void broker_delivery_fini(struct broker_delivery *delivery)
{
	free(delivery->body);
	*delivery = (struct broker_delivery){0};
}

/* In the real client too messages that were read before the connection was lost can be taken until
 * it is closed; here they are gone with it, as the owner closes at once. */
size_t broker_waiting(const struct broker *broker, unsigned channel)
{
	return next_of(connection_of(broker), channel) != NULL;
}

enum err broker_ack(struct broker *broker, unsigned channel, uint64_t tag, bool multiple)
{
	process_pause("acknowledge");
	struct connection *connection = connection_of(broker);
	if (!connection)
		return ERR_BROKER_GONE;
	for (size_t i = 0; i < connection->delivered_count; i++) {
		const struct delivered *delivered = &connection->delivered[i];
		if (delivered->channel == channel &&
		    (multiple ? delivered->tag <= tag : delivered->tag == tag))
			invariants_check_ack(delivered);
	}
	const struct frame frame = {.channel = channel, .tag = tag, .is_multiple = multiple};
	exchange_add_frame(connection, &frame);
	return ERR_OK;
}

int broker_backoff_ms(unsigned attempt)
{
	int pause_ms = attempt < 6 ? 100 << attempt : 5000;
	return pause_ms + (int)dice_roll(&kernel.noise, (uint64_t)pause_ms / 4 + 1);
}
