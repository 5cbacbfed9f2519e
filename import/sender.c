#include "sender.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"

#define LISTEN_CHANNEL 1
#define PATIENCE_MOST_MS 300000
#define STRANGERS_MOST 5

void sender_init(struct sender *sender, const struct conf *conf, struct window *window,
		 int64_t answer_within_ms)
{
	*sender = (struct sender){.conf = conf,
				  .window = window,
				  .answer_within_ms = answer_within_ms,
				  .patience_ms = answer_within_ms};
}

static void disconnect(struct sender *sender)
{
	broker_free(sender->publisher);
	broker_free(sender->listener);
	sender->publisher = NULL;
	sender->listener = NULL;
}

void sender_fini(struct sender *sender)
{
	disconnect(sender);
}

/* Both connections share one fate: without its listener a message cannot be answered. */
static void lose(struct sender *sender)
{
	disconnect(sender);
	window_send_again(sender->window);
	int backoff_ms = broker_backoff_ms(sender->failures++);
	sender->next_try_ms = clock_ms() + backoff_ms;
	log_warn("broker-away", LOG_I("backoff_ms", backoff_ms));
}

static void pause_publishing(struct sender *sender)
{
	sender->pause_until_ms = clock_ms() + broker_backoff_ms(sender->refusals++);
}

/* A confirm of a message that was sent again since says nothing of it. */
static void on_confirm(void *arg, uint64_t sequence, enum err err)
{
	struct sender *sender = arg;
	struct parcel *parcel = window_sent_as(sender->window, sequence);
	if (!parcel || parcel->state != PARCEL_SENT)
		return;
	if (!err) {
		parcel->state = PARCEL_CONFIRMED;
		sender->refusals = 0;
		sender->was_taken = true;
		return;
	}
	if (err == ERR_BROKER_RETURNED)
		log_warn("no-queue", LOG_S("exchange", "charge.import"),
			 LOG_S("why", "a worker that starts declares it"));
	parcel->state = PARCEL_READY;
	pause_publishing(sender);
}

static enum err open_both(struct sender *sender)
{
	char name[CONF_TEXT_MAX + 16];
	char id[ID_TEXT_SIZE];
	const struct id fresh = id_random();
	id_format(&fresh, id);
	snprintf(sender->replies, sizeof sender->replies, "reply.import.%s", id);
	snprintf(name, sizeof name, "%s listener", sender->conf->name);
	enum err err = broker_open(&sender->listener, sender->conf, name);
	if (!err)
		err = broker_declare_reply_queue(sender->listener, sender->replies);
	if (!err)
		err = broker_consume(sender->listener, LISTEN_CHANNEL, sender->replies,
				     WINDOW_PARCELS);
	snprintf(name, sizeof name, "%s publisher", sender->conf->name);
	if (!err)
		err = broker_open(&sender->publisher, sender->conf, name);
	return err ? err : broker_confirm(sender->publisher, on_confirm, sender);
}

/* An account that was right once is so again when its broker is mended. */
static bool is_denied(const struct sender *sender, enum err err)
{
	return err == ERR_BROKER_DENIED && !sender->was_taken;
}

static enum err ensure_open(struct sender *sender)
{
	if (sender->publisher || clock_ms() < sender->next_try_ms)
		return ERR_OK;
	enum err err = open_both(sender);
	if (err) {
		lose(sender);
		return err == ERR_CONF || is_denied(sender, err) ? err : ERR_OK;
	}
	if (sender->failures)
		log_info("broker-back", LOG_I("tries", sender->failures));
	sender->failures = 0;
	sender->refusals = 0;
	sender->pause_until_ms = 0;
	sender->heard_ms = clock_ms();
	return ERR_OK;
}

static enum err publish(struct sender *sender, struct parcel *parcel)
{
	char correlation[24];
	snprintf(correlation, sizeof correlation, "%" PRId64, parcel->number);
	const struct broker_message message = {.exchange = "charge.import",
					       .routing_key = "",
					       .body = parcel->body.bytes,
					       .length = parcel->body.length,
					       .type = JOB_TYPE,
					       .reply_to = sender->replies,
					       .correlation_id = correlation,
					       .persistent = true,
					       .mandatory = true};
	enum err err = broker_publish(sender->publisher, &message, &parcel->sequence);
	if (!err)
		parcel->state = PARCEL_SENT;
	return err;
}

static enum err publish_ready(struct sender *sender)
{
	struct parcel *parcel;
	enum err err = ERR_OK;
	while (!err && !broker_is_blocked(sender->publisher) &&
	       clock_ms() >= sender->pause_until_ms && (parcel = window_ready(sender->window)))
		err = publish(sender, parcel);
	return err;
}

/* A result may come a second time: its parcel is answered then, or gone. */
static enum err take_reply(struct sender *sender, const struct broker_delivery *delivery)
{
	struct parcel *parcel =
		window_find(sender->window, strtoll(delivery->correlation_id, NULL, 10));
	if (!parcel || parcel->state == PARCEL_ANSWERED || parcel->state == PARCEL_FILLING)
		return ERR_OK;
	enum err err = parcel_take_results(parcel, delivery->body, delivery->length);
	if (err) {
		log_warn("strange-results", LOG_ERR(err), LOG_I("bytes", delivery->length));
		return ++sender->strangers > STRANGERS_MOST ? ERR_BAD_MESSAGE : ERR_OK;
	}
	sender->strangers = 0;
	sender->heard_ms = clock_ms();
	sender->patience_ms = sender->answer_within_ms;
	if (parcel->is_probe)
		window_send_earlier_again(sender->window, parcel->sequence);
	return ERR_OK;
}

static enum err take_replies(struct sender *sender)
{
	struct broker_delivery delivery;
	uint64_t last = 0;
	enum err err = ERR_OK;
	while (!err && broker_take(sender->listener, LISTEN_CHANNEL, &delivery)) {
		err = take_reply(sender, &delivery);
		last = delivery.tag;
		broker_delivery_fini(&delivery);
	}
	if (last && !err)
		err = broker_ack(sender->listener, LISTEN_CHANNEL, last, true);
	return err;
}

/* Answers that were lost are asked for by sending again, one message at first: a queue that is only
 * long must not grow by it. If that one is answered, so would be all that stood before it. */
static void ask_again(struct sender *sender)
{
	struct parcel *oldest = window_unanswered(sender->window);
	int64_t now_ms = clock_ms();
	if (!oldest) {
		sender->heard_ms = now_ms;
		return;
	}
	if (now_ms - sender->heard_ms < sender->patience_ms)
		return;
	log_warn("no-results", LOG_I("for_s", sender->patience_ms / 1000),
		 LOG_S("now", "asking again"));
	oldest->state = PARCEL_READY;
	oldest->is_probe = true;
	sender->heard_ms = now_ms;
	sender->patience_ms = sender->patience_ms * 2 < PATIENCE_MOST_MS ? sender->patience_ms * 2
									 : PATIENCE_MOST_MS;
}

/* Waits for either connection or the input. */
static void await(const struct sender *sender, int input, int timeout_ms)
{
	struct pollfd fds[3];
	nfds_t count = 0;
	if (input >= 0)
		fds[count++] = (struct pollfd){.fd = input, .events = POLLIN};
	if (sender->publisher) {
		if (broker_has_input(sender->publisher) || broker_has_input(sender->listener))
			return;
		fds[count++] =
			(struct pollfd){.fd = broker_fd(sender->publisher), .events = POLLIN};
		fds[count++] = (struct pollfd){.fd = broker_fd(sender->listener), .events = POLLIN};
	}
	(void)poll(fds, count, timeout_ms); /* EINTR: the caller looks around as well */
}

static enum err pump(struct sender *sender)
{
	enum err err = broker_pump(sender->publisher, 0);
	if (err && err != ERR_TIMEOUT)
		return err;
	err = broker_pump(sender->listener, 0);
	return err == ERR_TIMEOUT ? ERR_OK : err;
}

enum err sender_turn(struct sender *sender, int input, int timeout_ms)
{
	enum err err = ensure_open(sender);
	if (err)
		return err;
	if (sender->publisher)
		err = publish_ready(sender);
	if (!err)
		await(sender, input, timeout_ms);
	if (!sender->publisher)
		return ERR_OK;
	if (!err)
		err = pump(sender);
	if (!err)
		err = take_replies(sender);
	if (err == ERR_BAD_MESSAGE || is_denied(sender, err))
		return err;
	if (err)
		lose(sender);
	else
		ask_again(sender);
	return ERR_OK;
}

bool sender_is_connected(const struct sender *sender)
{
	return sender->publisher;
}

const char *sender_trouble(const struct sender *sender)
{
	if (!sender->publisher)
		return sender->failures ? "waiting for the broker" : "";
	if (broker_is_blocked(sender->publisher))
		return "the broker has blocked publishing";
	if (clock_ms() < sender->pause_until_ms)
		return "the queue is full";
	return sender->patience_ms > sender->answer_within_ms ? "no results come" : "";
}
