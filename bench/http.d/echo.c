/* echo [--seconds N] [--window N]
 *
 * The least that a queue can cost a request: persistent messages, published with confirms to a
 * durable quorum queue, each taken by one consumer, answered to a reply queue and then
 * acknowledged; so many under way at once. Nothing is batched into a message, and nothing is done
 * with it. What the consumer finds waiting it answers first and acknowledges as one. Prints a line
 * of JSON. Settings are a worker's, with an account that may create queues. */
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../strategies/queue.h"
#include "broker.h"
#include "clock.h"
#include "figures.h"
#include "log.h"

#define CHANNEL 1
#define TURN_MS 100
#define SILENCE_US 30000000
#define WINDOW_MOST 4096
#define PREFETCH 4096

/* As long as the message of one charge. */
#define BODY                                                                                       \
	"{\"v\":1,\"jobs\":[{\"id\":\"019304a0-0000-7000-8000-000000000000\",\"kind\":\"charge\"," \
	"\"userId\":\"3f0c1a52-0000-4000-8000-000000000000\",\"amount\":1000}]}"

struct echo {
	struct conf conf;
	int64_t seconds;
	int64_t window;
	char reply_queue[64];
	atomic_bool is_over;
	atomic_bool has_failed;
};

struct asker {
	struct echo *echo;
	struct broker *publisher;
	struct broker *listener;
	int64_t sent_us[WINDOW_MOST]; /* of those under way, by their number's remainder */
	uint64_t sent;
	uint64_t answered;
	int64_t begin_us;
	int64_t end_us;
	struct figures figures;
	enum err failure; /* of a publish */
};

static enum err pump(struct broker *broker, int timeout_ms)
{
	enum err err = broker_pump(broker, timeout_ms);

	return err == ERR_TIMEOUT ? ERR_OK : err;
}

/* The consumer ------------------------------------------------------------------------------ */

struct answerer {
	struct broker *listener;
	struct broker *publisher;
};

static enum err answer_waiting(const struct answerer *answerer)
{
	struct broker_delivery delivery;
	uint64_t last = 0;
	enum err err = ERR_OK;

	while (!err && broker_take(answerer->listener, CHANNEL, &delivery)) {
		const struct broker_message message = {.exchange = "",
						       .routing_key = delivery.reply_to,
						       .body = delivery.body,
						       .length = delivery.length,
						       .type = "bench.echo",
						       .correlation_id = delivery.correlation_id};

		err = broker_publish(answerer->publisher, &message, NULL);
		last = delivery.tag;
		broker_delivery_fini(&delivery);
	}
	if (!err && last)
		err = broker_ack(answerer->listener, CHANNEL, last, true);
	return err;
}

static enum err answer_all(struct answerer *answerer, const struct echo *echo)
{
	enum err err = broker_open(&answerer->publisher, &echo->conf, "echo answers");

	if (!err)
		err = broker_open(&answerer->listener, &echo->conf, "echo consumer");
	if (!err)
		err = broker_consume(answerer->listener, CHANNEL, QUEUE_NAME, PREFETCH);
	while (!err && !echo->is_over) {
		err = pump(answerer->listener, TURN_MS);
		if (!err)
			err = answer_waiting(answerer);
		/* Its heartbeat. */
		if (!err)
			err = pump(answerer->publisher, 0);
	}
	return err;
}

static void *answer_main(void *arg)
{
	struct answerer answerer = {0};
	struct echo *echo = arg;

	if (answer_all(&answerer, echo))
		echo->has_failed = true;
	broker_free(answerer.listener);
	broker_free(answerer.publisher);
	return NULL;
}

/* The client -------------------------------------------------------------------------------- */

static void on_confirm(void *arg, uint64_t sequence, enum err err)
{
	struct asker *asker = arg;

	(void)sequence;
	if (err)
		asker->failure = err;
}

static enum err publish_one(struct asker *asker)
{
	char number[24];
	const struct broker_message message = {.exchange = QUEUE_NAME,
					       .routing_key = "",
					       .body = BODY,
					       .length = sizeof BODY - 1,
					       .type = "bench.echo",
					       .reply_to = asker->echo->reply_queue,
					       .correlation_id = number,
					       .persistent = true,
					       .mandatory = true};

	snprintf(number, sizeof number, "%" PRIu64, asker->sent);
	asker->sent_us[asker->sent % WINDOW_MOST] = clock_us();
	asker->sent++;
	return broker_publish(asker->publisher, &message, NULL);
}

static enum err take_answers(struct asker *asker)
{
	struct broker_delivery delivery;
	uint64_t last = 0;

	while (broker_take(asker->listener, CHANNEL, &delivery)) {
		uint64_t number = strtoull(delivery.correlation_id, NULL, 10);

		asker->end_us = clock_us();
		figures_add(&asker->figures, 0, 200,
			    asker->end_us - asker->sent_us[number % WINDOW_MOST]);
		asker->answered++;
		last = delivery.tag;
		broker_delivery_fini(&delivery);
	}
	return last ? broker_ack(asker->listener, CHANNEL, last, true) : ERR_OK;
}

static uint64_t under_way(const struct asker *asker)
{
	return asker->sent - asker->answered;
}

/* Whichever speaks first. Both are pumped after a silence too: their heartbeats. */
static enum err listen_to_both(struct asker *asker)
{
	struct broker *brokers[] = {asker->publisher, asker->listener};
	struct pollfd ready[] = {{.fd = broker_fd(brokers[0]), .events = POLLIN},
				 {.fd = broker_fd(brokers[1]), .events = POLLIN}};
	bool has_input = broker_has_input(brokers[0]) || broker_has_input(brokers[1]);
	bool is_silent = poll(ready, 2, has_input ? 0 : TURN_MS) == 0 && !has_input;
	enum err err = ERR_OK;

	for (int i = 0; !err && i < 2; i++)
		if (is_silent || ready[i].revents || broker_has_input(brokers[i]))
			err = pump(brokers[i], 0);
	if (!err)
		err = take_answers(asker);
	return err ? err : asker->failure;
}

static enum err ask(struct asker *asker)
{
	const struct echo *echo = asker->echo;
	int64_t until_us;
	enum err err = ERR_OK;

	asker->begin_us = clock_us();
	asker->end_us = asker->begin_us;
	until_us = asker->begin_us + echo->seconds * 1000000;
	while (!err && (clock_us() < until_us || under_way(asker) ||
			broker_unconfirmed(asker->publisher))) {
		while (!err && clock_us() < until_us && under_way(asker) < (uint64_t)echo->window)
			err = publish_one(asker);
		if (!err)
			err = listen_to_both(asker);
		if (!err && (echo->has_failed || clock_us() > asker->end_us + SILENCE_US))
			err = ERR_BROKER_GONE;
	}
	return err;
}

static enum err open_asker(struct asker *asker)
{
	struct echo *echo = asker->echo;
	enum err err = broker_open(&asker->listener, &echo->conf, "echo replies");

	if (!err)
		err = broker_declare_reply_queue(asker->listener, echo->reply_queue);
	if (!err)
		err = broker_consume(asker->listener, CHANNEL, echo->reply_queue, PREFETCH);
	if (!err)
		err = broker_open(&asker->publisher, &echo->conf, "echo client");
	return err ? err : broker_confirm(asker->publisher, on_confirm, asker);
}

static void print_report(struct asker *asker)
{
	static const struct script script = {.kinds = {"echo"}, .kind_count = 1};
	struct rusage used;
	struct text out = {0};

	getrusage(RUSAGE_SELF, &used);
	text_printf(&out, "{\"seconds\":%.6f,\"sent\":%" PRIu64 ",\"broken\":0,\"loadCpuUs\":%ld,",
		    (double)(asker->end_us - asker->begin_us) / 1e6, asker->sent,
		    (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
			    used.ru_utime.tv_usec + used.ru_stime.tv_usec);
	text_puts(&out, "\"kinds\":");
	figures_write(&asker->figures, &script, &out);
	text_putc(&out, '}');
	puts(out.bytes);
	text_fini(&out);
}

static enum err run(struct echo *echo)
{
	static struct asker asker;
	pthread_t thread;
	enum err err;

	asker.echo = echo;
	err = open_asker(&asker);
	if (!err && pthread_create(&thread, NULL, answer_main, echo))
		err = ERR_SYSTEM;
	else if (!err) {
		err = ask(&asker);
		echo->is_over = true;
		pthread_join(thread, NULL);
	}
	if (!err)
		print_report(&asker);
	broker_free(asker.publisher);
	broker_free(asker.listener);
	figures_fini(&asker.figures);
	return err;
}

static bool read_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
	char *rest;

	*number = strtoll(text, &rest, 10);
	return *text && !*rest && *number >= least && *number <= most;
}

static bool read_options(struct echo *echo, int argc, char **argv)
{
	enum { SECONDS = 1, WINDOW };
	static const struct option options[] = {
		{"seconds", required_argument, NULL, SECONDS},
		{"window", required_argument, NULL, WINDOW},
		{0},
	};
	bool is_right = true;

	for (int key; is_right && (key = getopt_long(argc, argv, "", options, NULL)) != -1;)
		is_right = (key == SECONDS && read_number(optarg, 1, 3600, &echo->seconds)) ||
			   (key == WINDOW && read_number(optarg, 1, WINDOW_MOST, &echo->window));
	return is_right && argc == optind;
}

int main(int argc, char **argv)
{
	static struct echo echo = {.seconds = 1, .window = 1};
	enum err err;

	if (!read_options(&echo, argc, argv)) {
		fputs("usage: echo [--seconds N] [--window N]\n", stderr);
		return EXIT_FAILURE;
	}
	if (conf_load(&echo.conf) || log_open("echo", echo.conf.log_level))
		return EXIT_FAILURE;
	snprintf(echo.reply_queue, sizeof echo.reply_queue, "reply.echo.%ld", (long)getpid());
	err = queue_make(&echo.conf);
	if (!err) {
		enum err deleted;

		err = run(&echo);
		deleted = queue_delete(&echo.conf);
		err = err ? err : deleted;
	}
	if (err)
		log_error("echo-failed", LOG_ERR(err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
