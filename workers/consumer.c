#include "consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "metrics.h"

#define CAREFUL 1 /* prefetch until the first fresh message is done */
#define QUIET_MS 1000

void consumer_fini(struct consumer *consumer)
{
	consumer_close(consumer);
	free(consumer->queues);
	*consumer = (struct consumer){0};
}

unsigned consumer_add_lane(struct consumer *consumer, unsigned queue_set, int64_t prefetch,
			   int64_t max_jobs)
{
	consumer->lanes[consumer->lane_count] =
		(struct consumer_lane){.queue_set = queue_set,
				       .prefetch = (uint16_t)prefetch,
				       .max_jobs = (size_t)max_jobs,
				       .yielding_jobs = (size_t)max_jobs,
				       .filled_ms = INT64_MIN / 2};
	return (unsigned)consumer->lane_count++;
}

void consumer_yield(struct consumer *consumer, unsigned lane, size_t jobs)
{
	consumer->lanes[lane].yielding_jobs = jobs;
}

void consumer_add_queue(struct consumer *consumer, const char *name, unsigned lane,
			int64_t after_ms)
{
	if (consumer->queue_count == consumer->queue_capacity) {
		consumer->queue_capacity =
			consumer->queue_capacity ? consumer->queue_capacity * 2 : 16;
		consumer->queues = mem_array(consumer->queues, consumer->queue_capacity,
					     sizeof *consumer->queues);
	}
	struct consumer_queue *queue = &consumer->queues[consumer->queue_count++];
	*queue = (struct consumer_queue){.lane = lane, .after_ms = after_ms};
	snprintf(queue->name, sizeof queue->name, "%s", name);
}

static unsigned channel_of(unsigned lane)
{
	return lane + 1;
}

void consumer_close(struct consumer *consumer)
{
	broker_free(consumer->broker);
	consumer->broker = NULL;
	metrics_disconnected(SIDE_CONSUMER);
	for (size_t i = 0; i < consumer->lane_count; i++) {
		if (consumer->lanes[i].has_held)
			broker_delivery_fini(&consumer->lanes[i].held);
		consumer->lanes[i].has_held = false;
	}
	for (size_t i = 0; i < consumer->queue_count; i++)
		consumer->queues[i].is_subscribed = consumer->queues[i].is_open = false;
}

static enum err connect_now(struct consumer *consumer)
{
	char name[CONF_TEXT_MAX + 16];
	snprintf(name, sizeof name, "%s consumer", consumer->conf->name);
	enum err err = broker_open(&consumer->broker, consumer->conf, name);
	if (err)
		return err;
	consumer->connected_ms = clock_ms();
	consumer->generation++;
	metrics_connected(SIDE_CONSUMER);
	return ERR_OK;
}

enum err consumer_ensure_open(struct consumer *consumer)
{
	enum err err = consumer->broker ? ERR_OK : connect_now(consumer);
	int64_t age_ms = clock_ms() - consumer->connected_ms;
	for (size_t i = 0; i < consumer->queue_count && !err; i++) {
		struct consumer_queue *queue = &consumer->queues[i];
		if (queue->is_subscribed || age_ms < queue->after_ms)
			continue;
		err = broker_consume(consumer->broker, channel_of(queue->lane), queue->name,
				     CAREFUL);
		queue->is_subscribed = !err;
	}
	if (err)
		consumer_close(consumer);
	return err;
}

bool consumer_is_ready(const struct consumer *consumer)
{
	for (size_t i = 0; i < consumer->queue_count; i++)
		if (!consumer->queues[i].is_subscribed && !consumer->queues[i].after_ms)
			return false;
	return consumer->broker != NULL;
}

enum err consumer_pump(struct consumer *consumer, int timeout_ms)
{
	if (!consumer->broker)
		return ERR_BROKER_GONE;
	enum err err = broker_pump(consumer->broker, timeout_ms);
	if (!err || err == ERR_TIMEOUT)
		return err;
	log_warn("consumer-lost", LOG_ERR(err));
	consumer_close(consumer);
	return err;
}

void consumer_keep_alive(struct consumer *consumer)
{
	if (consumer_pump(consumer, 0) == ERR_BROKER_CANCELLED)
		log_debug("consumer-cancelled", LOG_S("process", consumer->conf->name));
}

bool consumer_has_message(const struct consumer *consumer, unsigned lane)
{
	return consumer->lanes[lane].has_held ||
	       (consumer->broker && broker_waiting(consumer->broker, channel_of(lane)));
}

static bool take(struct consumer *consumer, unsigned lane, struct broker_delivery *delivery)
{
	struct consumer_lane *from = &consumer->lanes[lane];
	if (!from->has_held)
		return broker_take(consumer->broker, channel_of(lane), delivery);
	*delivery = from->held;
	from->has_held = false;
	return true;
}

/* Whoever comes one at a time is there again and again: an empty lane now is no quiet one. */
static size_t most_jobs(const struct consumer *consumer, unsigned lane, int64_t now_ms)
{
	const struct consumer_lane *lanes = consumer->lanes;
	for (unsigned before = 0; before < lane; before++)
		if (now_ms - lanes[before].filled_ms < QUIET_MS)
			return lanes[lane].yielding_jobs;
	return lanes[lane].max_jobs;
}

/* A redelivered message may be the one that killed its last worker: it goes alone. */
void consumer_fill(struct consumer *consumer, unsigned lane, struct intake *intake)
{
	struct consumer_lane *from = &consumer->lanes[lane];
	int64_t now_ms = clock_ms();
	size_t most = most_jobs(consumer, lane, now_ms);
	struct broker_delivery delivery;
	bool is_alone = false;
	while (!is_alone && take(consumer, lane, &delivery)) {
		bool is_first = intake->delivery_count == 0;
		is_alone = delivery.redelivered;
		from->filled_ms = now_ms;
		if ((is_first || !is_alone) && intake_add(intake, &delivery, from->queue_set, most))
			continue;
		from->held = delivery;
		from->has_held = true;
		return;
	}
}

static struct consumer_queue *queue_named(struct consumer *consumer, const char *name)
{
	for (size_t i = 0; i < consumer->queue_count; i++)
		if (strcmp(consumer->queues[i].name, name) == 0)
			return &consumer->queues[i];
	return NULL;
}

/* The prefetch of a subscription cannot be changed: it is ended and made anew. Everything that it
 * had delivered is acknowledged by now but for one message that may be on its way; if another
 * worker starts beside it for that moment, the database keeps the two apart. */
static enum err open_wide(struct consumer *consumer, struct consumer_queue *queue)
{
	unsigned channel = channel_of(queue->lane);
	uint16_t prefetch = consumer->lanes[queue->lane].prefetch;
	queue->is_open = prefetch == CAREFUL;
	if (queue->is_open)
		return ERR_OK;
	enum err err = broker_cancel(consumer->broker, channel, queue->name, CAREFUL);
	if (!err)
		err = broker_consume(consumer->broker, channel, queue->name, prefetch);
	queue->is_open = !err;
	return err;
}

enum err consumer_ack(struct consumer *consumer, unsigned lane, const struct intake *intake)
{
	if (!consumer->broker)
		return ERR_BROKER_GONE;
	const struct broker_delivery *last = &intake->deliveries[intake->delivery_count - 1];
	enum err err = broker_ack(consumer->broker, channel_of(lane), last->tag, true);
	for (size_t i = 0; i < intake->delivery_count && !err; i++) {
		const struct broker_delivery *delivery = &intake->deliveries[i];
		struct consumer_queue *queue = queue_named(consumer, delivery->consumer);
		if (queue && !queue->is_open && !delivery->redelivered)
			err = open_wide(consumer, queue);
	}
	if (err)
		consumer_close(consumer);
	return err;
}
