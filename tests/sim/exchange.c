#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients.h"
#include "heap.h"
#include "invariants.h"
#include "kernel.h"
#include "process.h"

#define CONNECTIONS_MAX 64
#define QUEUES_MAX 16
#define CONSUMERS_MAX 16
#define HEARTBEAT_US (20 * SECOND_US) /* two heartbeats of 10 s */
#define RESTART_MOST_MS 5000
#define ALARM_MOST_MS 8000

struct consumer_of_queue {
	struct connection *connection;
	unsigned channel;
	struct queue *queue;
	size_t prefetch;
};

static struct connection connections[CONNECTIONS_MAX];
static struct queue queues[QUEUES_MAX];
static size_t queue_count;
static struct consumer_of_queue consumers[PROCESSES_MAX * CONSUMERS_MAX]; /* in order of arrival */
static size_t consumer_count;
static struct message **travelling;
static size_t travelling_count, travelling_capacity;
static int64_t away_until_us, alarm_until_us;
static uint64_t arrivals;

/* Messages ---------------------------------------------------------------------------------------
 */

struct message *exchange_new_message(const struct message *like, const char *body, size_t length)
{
	struct message *message = own_array(NULL, 1, sizeof *message);
	*message = *like;
	message->body = own_array(NULL, length + 1, 1);
	memcpy(message->body, body, length);
	message->body[length] = '\0';
	message->length = length;
	return message;
}

void exchange_free(struct message *message)
{
	own_free(message->body);
	own_free(message);
}

static void insert(struct queue *queue, struct message *message)
{
	size_t at = queue->count;
	if (queue->count == queue->capacity) {
		queue->capacity = 2 * queue->capacity + 16;
		queue->ready = own_array(queue->ready, queue->capacity, sizeof *queue->ready);
	}
	while (at && queue->ready[at - 1]->nth > message->nth)
		at--;
	memmove(&queue->ready[at + 1], &queue->ready[at],
		(queue->count - at) * sizeof *queue->ready);
	queue->ready[at] = message;
	queue->count++;
}

static struct message *remove_first(struct queue *queue)
{
	struct message *message = queue->ready[0];
	queue->count--;
	memmove(queue->ready, queue->ready + 1, queue->count * sizeof *queue->ready);
	return message;
}

static struct queue *queue_for(const struct message *message)
{
	for (size_t i = 0; i < queue_count; i++)
		if (strcmp(queues[i].is.exchange, message->exchange) == 0 &&
		    (!queues[i].is.routing_key[0] ||
		     strcmp(queues[i].is.routing_key, message->key) == 0))
			return &queues[i];
	return NULL;
}

static void enqueue(struct queue *queue, struct message *message)
{
	message->nth = ++arrivals;
	message->at_us = queue->is.message_ttl_ms
				 ? kernel.now_us + queue->is.message_ttl_ms * SECOND_US / 1000
				 : 0;
	insert(queue, message);
	if (!queue->is.takes)
		invariants_note_arrival(message);
}

/* Takes the message. */
static void route(struct message *message)
{
	struct queue *queue = queue_for(message);
	if (!message->exchange[0]) {
		clients_hear(message);
		exchange_free(message);
	} else if (queue) {
		if (kernel_strikes(FAULT_TWICE))
			enqueue(queue,
				exchange_new_message(message, message->body, message->length));
		enqueue(queue, message);
	} else {
		kernel_fail("routing", "no queue takes %s %s", message->exchange, message->key);
		exchange_free(message);
	}
}

static void dead_letter(struct queue *queue, struct message *message, const char *code)
{
	kernel_trace("%s: a message is dead-lettered: %s", queue->is.name, code);
	snprintf(message->exchange, sizeof message->exchange, "%s", queue->is.dead_exchange);
	snprintf(message->code, sizeof message->code, "%s", code);
	message->is_redelivered = false;
	message->deliveries = 0;
	route(message);
}

void exchange_send(const struct message *message, const char *body, size_t length, int64_t at_us)
{
	if (travelling_count == travelling_capacity) {
		travelling_capacity = 2 * travelling_capacity + 16;
		travelling = own_array(travelling, travelling_capacity, sizeof *travelling);
	}
	struct message *copy = exchange_new_message(message, body, length);
	copy->at_us = at_us;
	travelling[travelling_count++] = copy;
}

static struct queue *queue_named(const char *name)
{
	for (size_t i = 0; i < queue_count; i++)
		if (strcmp(queues[i].is.name, name) == 0)
			return &queues[i];
	return NULL;
}

struct message *exchange_take_dead(void)
{
	struct queue *dead = queue_named("dead");
	return dead->count ? remove_first(dead) : NULL;
}

/* Beginning and end ------------------------------------------------------------------------------
 */

static enum err add_queue(const struct topology_queue *queue, void *arg)
{
	(void)arg;
	if (queue_count == QUEUES_MAX)
		abort();
	queues[queue_count++].is = *queue;
	return ERR_OK;
}

void exchange_start(const struct conf *conf)
{
	exchange_end();
	memset(queues, 0, sizeof queues);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		connections[i] = (struct connection){0};
	away_until_us = alarm_until_us = 0;
	arrivals = 0;
	if (topology_each_queue(conf, add_queue, NULL))
		abort();
}

static void free_connection(struct connection *connection)
{
	for (size_t i = 0; i < connection->frame_count; i++)
		if (connection->frames[i].message)
			exchange_free(connection->frames[i].message);
	own_free(connection->frames);
	own_free(connection->answers);
	own_free(connection->delivered);
	*connection = (struct connection){.generation = connection->generation + 1};
}

void exchange_end(void)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		for (size_t k = 0; k < connections[i].delivered_count; k++)
			exchange_free(connections[i].delivered[k].message);
		free_connection(&connections[i]);
	}
	for (size_t i = 0; i < queue_count; i++) {
		for (size_t k = 0; k < queues[i].count; k++)
			exchange_free(queues[i].ready[k]);
		own_free(queues[i].ready);
	}
	for (size_t i = 0; i < travelling_count; i++)
		exchange_free(travelling[i]);
	queue_count = consumer_count = travelling_count = 0;
}

/* Connections ------------------------------------------------------------------------------------
 */

struct connection *exchange_connect(int process)
{
	if (kernel.now_us < away_until_us)
		return NULL;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (connections[i].is_open)
			continue;
		connections[i].is_open = true;
		connections[i].process = process;
		connections[i].last_us = kernel.now_us;
		return &connections[i];
	}
	return NULL;
}

/* To its old place; or, beyond the limit, to the dead letters. */
static void give_back(struct queue *queue, struct message *message)
{
	message->is_redelivered = true;
	message->deliveries++;
	if (queue->is.delivery_limit && message->deliveries > queue->is.delivery_limit)
		dead_letter(queue, message, "delivery_limit");
	else
		insert(queue, message);
}

static void drop_consumers(const struct connection *connection)
{
	size_t kept = 0;
	for (size_t i = 0; i < consumer_count; i++)
		if (consumers[i].connection != connection)
			consumers[kept++] = consumers[i];
	consumer_count = kept;
}

void exchange_close(struct connection *connection)
{
	drop_consumers(connection);
	for (size_t i = 0; i < connection->delivered_count; i++) {
		connection->delivered[i].queue->unacked--;
		give_back(connection->delivered[i].queue, connection->delivered[i].message);
	}
	connection->delivered_count = 0;
	free_connection(connection);
}

void exchange_add_frame(struct connection *connection, const struct frame *frame)
{
	if (connection->frame_count == connection->frame_capacity) {
		connection->frame_capacity = 2 * connection->frame_capacity + 16;
		connection->frames = own_array(connection->frames, connection->frame_capacity,
					       sizeof *connection->frames);
	}
	connection->frames[connection->frame_count++] = *frame;
}

static void answer(struct connection *connection, uint64_t sequence, enum err err)
{
	if (connection->answer_count == connection->answer_capacity) {
		connection->answer_capacity = 2 * connection->answer_capacity + 16;
		connection->answers = own_array(connection->answers, connection->answer_capacity,
						sizeof *connection->answers);
	}
	connection->answers[connection->answer_count++] = (struct answer){sequence, err};
}

/* Refused ones are dropped, and their sender told. */
static void take_publish(struct connection *connection, const struct frame *frame)
{
	enum err err = ERR_OK;
	if (connection->confirms && kernel_strikes(FAULT_NACK))
		err = ERR_BROKER_NACKED;
	else if (frame->message->is_mandatory && kernel_strikes(FAULT_RETURN))
		err = ERR_BROKER_RETURNED;
	if (err == ERR_BROKER_NACKED)
		invariants_note_refusal(frame->message);
	if (err)
		exchange_free(frame->message);
	else
		route(frame->message);
	if (connection->confirms)
		answer(connection, frame->sequence, err);
}

static void take_ack(struct connection *connection, const struct frame *frame)
{
	size_t kept = 0;
	for (size_t i = 0; i < connection->delivered_count; i++) {
		struct delivered *delivered = &connection->delivered[i];
		bool is_acked = delivered->channel == frame->channel &&
				(frame->is_multiple ? delivered->tag <= frame->tag
						    : delivered->tag == frame->tag);
		if (is_acked) {
			delivered->queue->unacked--;
			exchange_free(delivered->message);
		} else {
			connection->delivered[kept++] = *delivered;
		}
	}
	connection->delivered_count = kept;
}

static void take_frame(struct connection *connection)
{
	const struct frame frame = connection->frames[0];
	connection->frame_count--;
	memmove(connection->frames, connection->frames + 1,
		connection->frame_count * sizeof *connection->frames);
	if (frame.message)
		take_publish(connection, &frame);
	else
		take_ack(connection, &frame);
}

void exchange_flush(struct connection *connection)
{
	while (connection->frame_count)
		take_frame(connection);
}

/* Some of what was under way arrives, the rest is lost. */
static void cut(struct connection *connection)
{
	size_t arrives = dice_roll(&kernel.noise, connection->frame_count + 1);
	while (arrives--)
		take_frame(connection);
	exchange_close(connection);
}

void exchange_cut(void)
{
	struct connection *connection = &connections[dice_roll(&kernel.noise, CONNECTIONS_MAX)];
	for (size_t i = 0; i < CONNECTIONS_MAX && !connection->is_open; i++)
		connection =
			&connections[((size_t)(connection - connections) + 1) % CONNECTIONS_MAX];
	if (connection->is_open)
		cut(connection);
}

void exchange_restart(void)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (connections[i].is_open)
			cut(&connections[i]);
	away_until_us =
		kernel.now_us + dice_between(&kernel.noise, 0, RESTART_MOST_MS) * SECOND_US / 1000;
}

void exchange_alarm(void)
{
	alarm_until_us =
		kernel.now_us + dice_between(&kernel.noise, 0, ALARM_MOST_MS) * SECOND_US / 1000;
}

void exchange_lose_process(int process)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (connections[i].is_open && connections[i].process == process)
			cut(&connections[i]);
}

static void end_silent(void)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (connections[i].is_open && process_is_stopped(connections[i].process) &&
		    kernel.now_us - connections[i].last_us > HEARTBEAT_US)
			cut(&connections[i]);
}

/* Consumers --------------------------------------------------------------------------------------
 */

void exchange_consume(struct connection *connection, unsigned channel, const char *name,
		      size_t prefetch)
{
	struct queue *queue = queue_named(name);
	if (!queue || consumer_count == sizeof consumers / sizeof *consumers)
		abort();
	consumers[consumer_count++] =
		(struct consumer_of_queue){connection, channel, queue, prefetch};
}

static size_t count_unacked(const struct consumer_of_queue *consumer)
{
	size_t count = 0;
	for (size_t i = 0; i < consumer->connection->delivered_count; i++)
		if (consumer->connection->delivered[i].queue == consumer->queue)
			count++;
	return count;
}

/* Who gets the queue's next message; NULL: nobody now. Of a single active consumer's queue the
 * first is the active one. */
static struct consumer_of_queue *choose_consumer(const struct queue *queue)
{
	struct consumer_of_queue *chosen = NULL;
	uint64_t able = 0;
	for (size_t i = 0; i < consumer_count; i++) {
		if (consumers[i].queue != queue)
			continue;
		bool is_able = count_unacked(&consumers[i]) < consumers[i].prefetch;
		if (queue->is.single_active_consumer)
			return is_able ? &consumers[i] : NULL;
		if (is_able && dice_one_in(&kernel.order, ++able))
			chosen = &consumers[i];
	}
	return chosen;
}

static void deliver(struct queue *queue, const struct consumer_of_queue *consumer)
{
	struct connection *connection = consumer->connection;
	if (connection->delivered_count == connection->delivered_capacity) {
		connection->delivered_capacity = 2 * connection->delivered_capacity + 16;
		connection->delivered =
			own_array(connection->delivered, connection->delivered_capacity,
				  sizeof *connection->delivered);
	}
	connection->delivered[connection->delivered_count++] =
		(struct delivered){.message = remove_first(queue),
				   .queue = queue,
				   .channel = consumer->channel,
				   .tag = ++connection->tags};
	queue->unacked++;
}

/* A message may be on its way when a subscription ends: it stays with whoever had it, and the next
 * active consumer begins beside it. */
static void deliver_last(const struct consumer_of_queue *consumer)
{
	struct queue *queue = consumer->queue;
	if (queue->count && choose_consumer(queue) == consumer && dice_one_in(&kernel.order, 2))
		deliver(queue, consumer);
}

void exchange_cancel(struct connection *connection, unsigned channel, const char *name,
		     size_t prefetch)
{
	size_t kept = 0;
	for (size_t i = 0; i < consumer_count; i++) {
		const struct consumer_of_queue *consumer = &consumers[i];
		bool is_it = consumer->connection == connection && consumer->channel == channel &&
			     consumer->prefetch == prefetch &&
			     strcmp(consumer->queue->is.name, name) == 0;
		if (is_it)
			deliver_last(consumer);
		else
			consumers[kept++] = *consumer;
	}
	consumer_count = kept;
}

/* Steps ------------------------------------------------------------------------------------------
 */

static bool can_send(const struct connection *connection)
{
	return connection->frame_count &&
	       (!connection->frames[0].message || kernel.now_us >= alarm_until_us);
}

static bool take_some_frame(void)
{
	size_t from = dice_roll(&kernel.order, CONNECTIONS_MAX);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &connections[(from + i) % CONNECTIONS_MAX];
		if (connection->is_open && can_send(connection)) {
			take_frame(connection);
			return true;
		}
	}
	return false;
}

static bool deliver_some(void)
{
	size_t from = dice_roll(&kernel.order, queue_count);
	for (size_t i = 0; i < queue_count; i++) {
		struct queue *queue = &queues[(from + i) % queue_count];
		const struct consumer_of_queue *consumer =
			queue->count ? choose_consumer(queue) : NULL;
		if (consumer) {
			deliver(queue, consumer);
			return true;
		}
	}
	return false;
}

static bool end_some(void)
{
	for (size_t i = 0; i < queue_count; i++) {
		struct queue *queue = &queues[i];
		if (queue->count && queue->is.message_ttl_ms &&
		    queue->ready[0]->at_us <= kernel.now_us) {
			dead_letter(queue, remove_first(queue), "expired");
			return true;
		}
	}
	return false;
}

static bool land_some(void)
{
	for (size_t i = 0; i < travelling_count; i++) {
		struct message *message = travelling[i];
		if (message->at_us > kernel.now_us)
			continue;
		travelling_count--;
		memmove(&travelling[i], &travelling[i + 1],
			(travelling_count - i) * sizeof *travelling);
		route(message);
		return true;
	}
	return false;
}

bool exchange_step(void)
{
	static bool (*const acts[])(void) = {take_some_frame, deliver_some, end_some, land_some};
	size_t count = sizeof acts / sizeof *acts;
	size_t from = dice_roll(&kernel.order, count);
	end_silent();
	for (size_t i = 0; i < count; i++)
		if (acts[(from + i) % count]())
			return true;
	return false;
}

int64_t exchange_next_us(void)
{
	int64_t next_us = INT64_MAX;
	for (size_t i = 0; i < travelling_count; i++)
		if (travelling[i]->at_us < next_us)
			next_us = travelling[i]->at_us;
	for (size_t i = 0; i < queue_count; i++)
		if (queues[i].count && queues[i].is.message_ttl_ms &&
		    queues[i].ready[0]->at_us < next_us)
			next_us = queues[i].ready[0]->at_us;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (connections[i].frame_count && alarm_until_us < next_us)
			next_us = alarm_until_us;
	return next_us;
}

bool exchange_is_idle(void)
{
	for (size_t i = 0; i < queue_count; i++)
		if (strcmp(queues[i].is.name, "dead") != 0 &&
		    (queues[i].count || queues[i].unacked))
			return false;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (connections[i].frame_count)
			return false;
	return travelling_count == 0;
}
