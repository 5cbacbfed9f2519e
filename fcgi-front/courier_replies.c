/* The courier's replier: from the reply queue to those who wait. */
#include "courier_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "metrics.h"

#define IDLE_MS 200
#define CHANNEL 1

/* Reads back "lane.number", as the publisher wrote it; leaves both alone when it is not that. */
static void correlation_read(const char *text, unsigned *lane, uint64_t *number)
{
	char *end;
	unsigned long read = strtoul(text, &end, 10);

	if (end == text || *end != '.' || read >= UINT32_MAX)
		return;
	*lane = (unsigned)read;
	*number = strtoull(end + 1, NULL, 10);
}

static void settle(struct courier *c, const struct broker_delivery *delivery)
{
	struct result *results = NULL;
	struct told told = {0};
	uint64_t number = 0;
	unsigned lane = UINT32_MAX;
	int64_t sent_us; /* the same for all results of a message */
	size_t count = 0;
	enum err err = reply_decode(delivery->body, delivery->length, &results, &count);

	if (err != ERR_OK) {
		log_error("reply-unreadable", LOG_ERR(err));
		return;
	}
	/* A front that dies here tells nobody what is committed: a repeat gets it told. */
	fault_point("result-taken");
	correlation_read(delivery->correlation_id, &lane, &number);
	pthread_mutex_lock(&c->lock);
	sent_us = lanes_sent_us(c->lanes, lane, number);
	for (size_t i = 0; i < count; i++) {
		int64_t its_us = lanes_settle(c->lanes, lane, number, &results[i].id,
					      &results[i].outcome, &told);

		sent_us = its_us != 0 ? its_us : sent_us;
	}
	if (lanes_answered(c->lanes, lane, number, count))
		courier_wake_publisher(c);
	pthread_mutex_unlock(&c->lock);
	told_tell(&told);
	free(results);
	if (sent_us != 0)
		metrics_observe(METRIC_REPLY_TIME, 0, clock_us() - sent_us);
	if (courier_lane_is_seat(c, lane))
		c->seat_changed(c->seat_arg);
}

static void settle_all(struct courier *c, struct broker *broker)
{
	struct broker_delivery delivery;

	while (broker_take(broker, CHANNEL, &delivery)) {
		settle(c, &delivery);
		broker_delivery_fini(&delivery);
	}
}

static void set_replying(struct courier *c, bool replying)
{
	pthread_mutex_lock(&c->lock);
	c->replying = replying;
	pthread_mutex_unlock(&c->lock);
	if (replying)
		metrics_connected(SIDE_REPLIES);
	else
		metrics_disconnected(SIDE_REPLIES);
}

static enum err replier_open(struct courier *c, struct broker **broker)
{
	char name[CONF_TEXT_MAX + 16];
	char queue[BROKER_NAME_SIZE] = "";
	enum err err;

	courier_rename_reply_queue(c, queue);
	snprintf(name, sizeof name, "%s replies", c->conf->name);
	err = broker_open(broker, c->conf, name);
	if (err == ERR_OK)
		err = broker_declare_reply_queue(*broker, queue);
	if (err == ERR_OK)
		err = broker_consume(*broker, CHANNEL, queue, BROKER_UNACKNOWLEDGED);
	return err;
}

static enum err replier_serve(struct courier *c, struct broker *broker)
{
	enum err err = ERR_OK;

	set_replying(c, true);
	while (err == ERR_OK && !courier_is_stopping(c)) {
		err = broker_pump(broker, IDLE_MS);
		if (err == ERR_TIMEOUT)
			err = ERR_OK;
		if (err == ERR_OK)
			settle_all(c, broker);
	}
	set_replying(c, false);
	return err;
}

void *courier_replies_run(void *arg)
{
	struct courier *c = arg;
	unsigned attempt = 0;

	/* An attempt that fails is logged by broker.c. */
	while (!courier_is_stopping(c)) {
		struct broker *broker = NULL;
		enum err err = replier_open(c, &broker);

		if (err == ERR_OK) {
			log_info("broker-connected", LOG_S("side", "replies"));
			attempt = 0;
			err = replier_serve(c, broker);
			if (err != ERR_OK)
				log_warn("broker-lost", LOG_S("side", "replies"), LOG_ERR(err));
		}
		broker_free(broker);
		courier_pause(c, broker_backoff_ms(attempt++));
	}
	return NULL;
}
