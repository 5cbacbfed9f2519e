/* The courier's publisher: from the lanes to the broker, with confirms. */
#include "courier_private.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "metrics.h"

#define IDLE_MS 1000 /* the broker's heartbeat needs a look now and then */

/* Says whether messages can leave; when they cannot, whoever waits for a confirm gets its 503. */
static void set_online(struct courier *c, bool online)
{
	struct told told = {0};

	pthread_mutex_lock(&c->lock);
	if (c->online && !online)
		lanes_fail(c->lanes, &told);
	c->online = online;
	pthread_mutex_unlock(&c->lock);
	told_tell(&told);
	if (online)
		metrics_connected(SIDE_PUBLISHER);
	else
		metrics_disconnected(SIDE_PUBLISHER);
}

static void confirmed(void *arg, uint64_t sequence, enum err err)
{
	struct courier *c = arg;
	struct told told = {0};
	int64_t sent_us;

	if (err != ERR_OK) {
		metrics_count(METRIC_REFUSED, 0, 0);
		log_warn("message-refused", LOG_ERR(err));
	}
	pthread_mutex_lock(&c->lock);
	sent_us = lanes_confirm(c->lanes, sequence, err, &told);
	pthread_mutex_unlock(&c->lock);
	told_tell(&told);
	if (sent_us != 0 && err == ERR_OK)
		metrics_observe(METRIC_CONFIRM_TIME, 0, clock_us() - sent_us);
}

/* Sleeps until the broker says something, a job comes or a lane's time is there. */
static void wait_for_work(struct courier *c, const struct broker *broker)
{
	struct pollfd fds[] = {{.fd = c->wake_fd, .events = POLLIN},
			       {.fd = broker_fd(broker), .events = POLLIN}};
	int64_t wait_us;
	eventfd_t count;

	pthread_mutex_lock(&c->lock);
	wait_us = lanes_due_us(c->lanes);
	pthread_mutex_unlock(&c->lock);
	if (wait_us != INT64_MAX)
		wait_us -= clock_us();
	if (wait_us > IDLE_MS * 1000)
		wait_us = IDLE_MS * 1000;
	if (wait_us < 0 || broker_has_input(broker))
		wait_us = 0;
	poll(fds, 2, (int)((wait_us + 999) / 1000));
	if (fds[0].revents != 0)
		eventfd_read(c->wake_fd, &count);
}

/* The parcels are the message's until it is confirmed, which this very thread will hear of. */
static void count_message(const struct parcel_message *message)
{
	metrics_observe(METRIC_MESSAGE_JOBS, 0, (int64_t)message->count);
	for (size_t i = 0; i < message->count; i++)
		metrics_count(METRIC_JOBS_SENT, message->parcels[i]->kind, 0);
}

static enum err publish(struct courier *c, struct broker *broker, struct parcel_message *message,
			struct text *body)
{
	char correlation_id[48];
	char reply_queue[BROKER_NAME_SIZE];
	char partition[16];
	bool is_seat = courier_lane_is_seat(c, message->lane);
	const char *name = message->lane == (unsigned)c->conf->partitions ? "gate" : "account";
	uint64_t sequence = 0;
	enum err err;

	snprintf(partition, sizeof partition, "%u", message->lane);
	snprintf(correlation_id, sizeof correlation_id, "%u.%" PRIu64, message->lane,
		 message->number);
	pthread_mutex_lock(&c->lock);
	memcpy(reply_queue, c->reply_queue, sizeof reply_queue);
	pthread_mutex_unlock(&c->lock);
	text_clear(body);
	parcel_message_write(message, body);
	err = broker_publish(broker,
			     &(struct broker_message){.exchange = is_seat ? "seat" : name,
						      .routing_key = is_seat ? partition : name,
						      .body = body->bytes,
						      .length = body->length,
						      .type = JOB_TYPE,
						      .reply_to = reply_queue,
						      .correlation_id = correlation_id,
						      .sent_ms = clock_wall_ms(),
						      .persistent = true,
						      .mandatory = true},
			     &sequence);
	pthread_mutex_lock(&c->lock);
	lanes_sent(message, sequence);
	pthread_mutex_unlock(&c->lock);
	if (err == ERR_OK)
		count_message(message);
	/* A front that dies here leaves jobs of which nobody was told: a repeat finds them. */
	fault_point("job-published");
	return err;
}

static enum err publish_post(struct broker *broker, const struct post *post)
{
	uint64_t sequence;
	enum err err = broker_publish(broker,
				      &(struct broker_message){.exchange = "gate",
							       .routing_key = "gate",
							       .body = post->body.bytes,
							       .length = post->body.length,
							       .type = JOB_TYPE,
							       .sent_ms = clock_wall_ms(),
							       .persistent = true,
							       .mandatory = true},
				      &sequence);

	if (err == ERR_OK) {
		metrics_observe(METRIC_MESSAGE_JOBS, 0, (int64_t)post->jobs);
		metrics_add(METRIC_JOBS_SENT, post->kind, 0, (int64_t)post->jobs);
	}
	return err;
}

static enum err publish_posts(struct courier *c, struct broker *broker)
{
	struct post *posts;
	enum err err = ERR_OK;

	pthread_mutex_lock(&c->lock);
	posts = c->posts;
	c->posts = NULL;
	pthread_mutex_unlock(&c->lock);
	for (const struct post *post = posts; err == ERR_OK && post != NULL; post = post->next)
		err = publish_post(broker, post);
	courier_drop_posts(posts);
	return err;
}

static enum err publish_due(struct courier *c, struct broker *broker, struct text *body)
{
	struct parcel_message *message;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		pthread_mutex_lock(&c->lock);
		message = c->online ? lanes_take(c->lanes, clock_us()) : NULL;
		pthread_mutex_unlock(&c->lock);
		if (message == NULL)
			break;
		err = publish(c, broker, message, body);
	}
	return err;
}

/* Until the connection is lost or the courier stops. */
static enum err publisher_serve(struct courier *c, struct broker *broker)
{
	struct text body = {0};
	bool blocked = false;
	enum err err = ERR_OK;

	set_online(c, true);
	while (err == ERR_OK && !courier_is_stopping(c)) {
		wait_for_work(c, broker);
		err = broker_pump(broker, 0);
		if (err == ERR_TIMEOUT)
			err = ERR_OK;
		if (err == ERR_OK && blocked != broker_is_blocked(broker)) {
			blocked = !blocked;
			log_warn("broker-alarm", LOG_S("blocked", blocked ? "yes" : "no"));
			set_online(c, !blocked);
		}
		if (err == ERR_OK)
			err = publish_posts(c, broker);
		if (err == ERR_OK)
			err = publish_due(c, broker, &body);
		metrics_set(METRIC_UNCONFIRMED, 0, (int64_t)broker_unconfirmed(broker));
	}
	metrics_set(METRIC_UNCONFIRMED, 0, 0);
	set_online(c, false);
	text_fini(&body);
	return err;
}

static enum err publisher_open(struct courier *c, struct broker **broker)
{
	char name[CONF_TEXT_MAX + 16];
	enum err err;

	snprintf(name, sizeof name, "%s publisher", c->conf->name);
	err = broker_open(broker, c->conf, name);
	if (err == ERR_OK)
		err = broker_confirm(*broker, confirmed, c);
	return err;
}

void *courier_publish_run(void *arg)
{
	struct courier *c = arg;
	unsigned attempt = 0;

	/* An attempt that fails is logged by broker.c. */
	while (!courier_is_stopping(c)) {
		struct broker *broker = NULL;
		enum err err = publisher_open(c, &broker);

		if (err == ERR_OK) {
			log_info("broker-connected", LOG_S("side", "publisher"));
			attempt = 0;
			err = publisher_serve(c, broker);
			if (err != ERR_OK)
				log_warn("broker-lost", LOG_S("side", "publisher"), LOG_ERR(err));
		}
		broker_free(broker);
		courier_pause(c, broker_backoff_ms(attempt++));
	}
	return NULL;
}
