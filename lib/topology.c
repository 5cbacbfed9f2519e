/* Exchanges and queues: the table, and its unfolding by the settings. */
#include "topology.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "job.h"

#define DELIVERY_LIMIT 20 /* beyond it a message that kills its worker is dead-lettered */

/* How often a row stands for a queue or an exchange. */
enum times { ONCE, PER_PARTITION, PER_HOLD_DURATION };

struct exchange_row {
	const char *name;
	const char *type;
	enum times times;
};

static const struct exchange_row exchange_rows[] = {
	{"seat", "direct", ONCE},          {"hold.expiry", "fanout", PER_HOLD_DURATION},
	{"gate", "direct", ONCE},          {"account", "direct", ONCE},
	{"charge.import", "fanout", ONCE}, {"dead", "fanout", ONCE},
};

struct queue_row {
	const char *name;
	const char *exchange;
	const char *routing_key;
	enum times times;
	bool single_active_consumer;
	int64_t max_length;
	int64_t delivery_limit;
	const char *dead_exchange;
	unsigned takes;
};

/* Lengths are about ten seconds of measured throughput. hold.expiry has one because at-least-once
 * dead-lettering keeps a message until its target took it; it is above any number of live holds.
 * `dead` has none: nothing may be refused there. */
static const struct queue_row queue_rows[] = {
	{"seat", "seat", "", PER_PARTITION, true, 20000, DELIVERY_LIMIT, "dead", QUEUE_SEAT},
	{"hold.expiry", "hold.expiry", "", PER_HOLD_DURATION, false, 1000000, 0, "seat", 0},
	{"gate", "gate", "gate", ONCE, true, 150000, DELIVERY_LIMIT, "dead", QUEUE_GATE},
	{"account", "account", "account", ONCE, false, 100000, DELIVERY_LIMIT, "dead",
	 QUEUE_ACCOUNT},
	{"charge.import", "charge.import", "", ONCE, false, 10000, DELIVERY_LIMIT, "dead",
	 QUEUE_IMPORT},
	{"dead", "dead", "", ONCE, false, 0, 0, NULL, 0},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

void topology_hold_queue(const struct conf *conf, char name[static TOPOLOGY_NAME_SIZE])
{
	snprintf(name, TOPOLOGY_NAME_SIZE, "hold.expiry.%" PRId64 "s", conf->hold_s);
}

int64_t topology_partition(const struct conf *conf, int64_t seat)
{
	return seat % conf->partitions;
}

enum err topology_each_exchange(const struct conf *conf, topology_exchange_fn *each, void *arg)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < ROWS(exchange_rows) && err == ERR_OK; i++) {
		const struct exchange_row *row = &exchange_rows[i];
		struct topology_exchange exchange = {.type = row->type};
		if (row->times == PER_HOLD_DURATION)
			topology_hold_queue(conf, exchange.name);
		else
			snprintf(exchange.name, sizeof(exchange.name), "%s", row->name);
		err = each(&exchange, arg);
	}
	return err;
}

/* The queue of a row, or of one partition of it. */
static struct topology_queue unfold(const struct conf *conf, const struct queue_row *row,
				    int64_t partition)
{
	struct topology_queue queue = {
		.single_active_consumer = row->single_active_consumer,
		.max_length = row->max_length,
		.delivery_limit = row->delivery_limit,
		.dead_exchange = row->dead_exchange,
		.takes = row->takes,
	};

	snprintf(queue.name, sizeof(queue.name), "%s", row->name);
	snprintf(queue.exchange, sizeof(queue.exchange), "%s", row->exchange);
	snprintf(queue.routing_key, sizeof(queue.routing_key), "%s", row->routing_key);
	if (row->times == PER_PARTITION) {
		snprintf(queue.name, sizeof(queue.name), "%s.%" PRId64, row->name, partition);
		snprintf(queue.routing_key, sizeof(queue.routing_key), "%" PRId64, partition);
	} else if (row->times == PER_HOLD_DURATION) {
		topology_hold_queue(conf, queue.name);
		topology_hold_queue(conf, queue.exchange);
		queue.message_ttl_ms = conf->hold_s * 1000;
	}
	return queue;
}

enum err topology_each_queue(const struct conf *conf, topology_queue_fn *each, void *arg)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < ROWS(queue_rows) && err == ERR_OK; i++) {
		const struct queue_row *row = &queue_rows[i];
		int64_t times = row->times == PER_PARTITION ? conf->partitions : 1;
		for (int64_t k = 0; k < times && err == ERR_OK; k++) {
			struct topology_queue queue = unfold(conf, row, k);
			err = each(&queue, arg);
		}
	}
	return err;
}

static struct topology_argument argument_text(const char *name, const char *text)
{
	return (struct topology_argument){name, TOPOLOGY_TEXT, text, 0};
}

static struct topology_argument argument_int(const char *name, int64_t number)
{
	return (struct topology_argument){name, TOPOLOGY_INT, NULL, number};
}

size_t topology_queue_arguments(const struct topology_queue *queue,
				struct topology_argument out[static TOPOLOGY_ARGUMENTS_MAX])
{
	size_t count = 0;

	out[count++] = argument_text("x-queue-type", "quorum");
	if (queue->single_active_consumer)
		out[count++] = (struct topology_argument){"x-single-active-consumer", TOPOLOGY_BOOL,
							  NULL, 1};
	if (queue->delivery_limit > 0)
		out[count++] = argument_int("x-delivery-limit", queue->delivery_limit);
	if (queue->message_ttl_ms > 0)
		out[count++] = argument_int("x-message-ttl", queue->message_ttl_ms);
	if (queue->max_length > 0) {
		out[count++] = argument_int("x-max-length", queue->max_length);
		out[count++] = argument_text("x-overflow", "reject-publish");
	}
	if (queue->dead_exchange) {
		/* At-least-once works with reject-publish alone, and falls back in silence. */
		assert(queue->max_length > 0);
		out[count++] = argument_text("x-dead-letter-exchange", queue->dead_exchange);
		out[count++] = argument_text("x-dead-letter-strategy", "at-least-once");
	}
	assert(count <= TOPOLOGY_ARGUMENTS_MAX);
	return count;
}

/* Where the definitions are written to. */
struct writer {
	struct text *out;
	const char *vhost;
	const char *separator;
};

/* Starts one object of a list with its first member and the vhost. */
static void write_start(struct writer *writer, const char *member, const char *value)
{
	text_printf(writer->out, "%s\n    {\"%s\":", writer->separator, member);
	text_json_string(writer->out, value);
	text_puts(writer->out, ",\"vhost\":");
	text_json_string(writer->out, writer->vhost);
	writer->separator = ",";
}

static enum err write_exchange(const struct topology_exchange *exchange, void *arg)
{
	struct writer *writer = arg;

	write_start(writer, "name", exchange->name);
	text_printf(writer->out,
		    ",\"type\":\"%s\",\"durable\":true,\"auto_delete\":false,\"internal\":false,"
		    "\"arguments\":{}}",
		    exchange->type);
	return ERR_OK;
}

static void write_argument(struct text *out, const struct topology_argument *argument)
{
	text_json_string(out, argument->name);
	text_putc(out, ':');
	if (argument->type == TOPOLOGY_TEXT)
		text_json_string(out, argument->text);
	else if (argument->type == TOPOLOGY_INT)
		text_int(out, argument->number);
	else
		text_puts(out, argument->number ? "true" : "false");
}

static enum err write_queue(const struct topology_queue *queue, void *arg)
{
	struct writer *writer = arg;
	struct topology_argument arguments[TOPOLOGY_ARGUMENTS_MAX];
	size_t count = topology_queue_arguments(queue, arguments);

	write_start(writer, "name", queue->name);
	text_puts(writer->out, ",\"durable\":true,\"auto_delete\":false,\"arguments\":{");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text_putc(writer->out, ',');
		write_argument(writer->out, &arguments[i]);
	}
	text_puts(writer->out, "}}");
	return ERR_OK;
}

static enum err write_binding(const struct topology_queue *queue, void *arg)
{
	struct writer *writer = arg;

	write_start(writer, "source", queue->exchange);
	text_puts(writer->out, ",\"destination\":");
	text_json_string(writer->out, queue->name);
	text_puts(writer->out, ",\"destination_type\":\"queue\",\"routing_key\":");
	text_json_string(writer->out, queue->routing_key);
	text_puts(writer->out, ",\"arguments\":{}}");
	return ERR_OK;
}

void topology_write_definitions(const struct conf *conf, const char *vhost, bool has_accounts,
				struct text *out)
{
	struct writer writer = {out, vhost, ""};
	enum err err;

	text_puts(out, "{\n  \"exchanges\": [");
	err = topology_each_exchange(conf, write_exchange, &writer);
	assert(err == ERR_OK); /* none of the three writers fails */
	text_puts(out, "\n  ],\n  \"queues\": [");
	writer.separator = "";
	err = topology_each_queue(conf, write_queue, &writer);
	assert(err == ERR_OK);
	text_puts(out, "\n  ],\n  \"bindings\": [");
	writer.separator = "";
	err = topology_each_queue(conf, write_binding, &writer);
	assert(err == ERR_OK);
	(void)err;
	text_puts(out, "\n  ]");
	if (has_accounts)
		topology_write_accounts(vhost, out);
	text_puts(out, "\n}\n");
}
