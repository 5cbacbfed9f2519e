/* What the tests of the broker share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "broker_fixture.h"
#include "job.h"

const char *url;
struct conf conf;

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct broker *open_broker(void)
{
	struct broker *broker = NULL;

	assert_int_equal(broker_open(&broker, &conf, "test-broker"), ERR_OK);
	return broker;
}

static void count_answer(void *arg, uint64_t sequence, enum err err)
{
	struct answers *answers = arg;

	answers->confirmed += err == ERR_OK;
	answers->nacked += err == ERR_BROKER_NACKED;
	answers->returned += err == ERR_BROKER_RETURNED;
	if (err == ERR_BROKER_RETURNED)
		answers->last_returned = sequence;
}

struct broker *open_publisher(struct answers *answers)
{
	struct broker *broker = open_broker();

	*answers = (struct answers){0};
	assert_int_equal(broker_confirm(broker, count_answer, answers), ERR_OK);
	return broker;
}

struct broker_message a_message(const char *exchange, const char *routing_key)
{
	return (struct broker_message){.exchange = exchange,
				       .routing_key = routing_key,
				       .body = "{\"v\":1,\"jobs\":[]}",
				       .length = 17,
				       .type = JOB_TYPE,
				       .persistent = true,
				       .mandatory = true};
}

void settle(struct broker *broker, size_t open)
{
	int64_t end = now_ms() + DEADLINE_MS;

	while (broker_unconfirmed(broker) > open) {
		enum err err = broker_pump(broker, 100);
		assert_true(err == ERR_OK || err == ERR_TIMEOUT);
		assert_true(now_ms() < end);
	}
}

void publish_many(struct broker *broker, const struct broker_message *message, unsigned count,
		  size_t window)
{
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(broker_publish(broker, message, NULL), ERR_OK);
		settle(broker, window - 1);
	}
	settle(broker, 0);
}

void await_deliveries(struct broker *broker, unsigned channel, size_t count)
{
	int64_t end = now_ms() + DEADLINE_MS;

	while (broker_waiting(broker, channel) < count) {
		enum err err = broker_pump(broker, 100);
		assert_true(err == ERR_OK || err == ERR_TIMEOUT);
		assert_true(now_ms() < end);
	}
}

uint64_t drop_waiting(struct broker *broker, unsigned channel)
{
	struct broker_delivery delivery;
	uint64_t tag = 0;

	while (broker_take(broker, channel, &delivery)) {
		tag = delivery.tag;
		broker_delivery_fini(&delivery);
	}
	return tag;
}

size_t drain(const char *queue)
{
	struct broker *broker = open_broker();
	size_t count = 0;
	enum err err;

	assert_int_equal(broker_consume(broker, 1, queue, 1000), ERR_OK);
	do {
		err = broker_pump(broker, QUIET_MS);
		count += broker_waiting(broker, 1);
		uint64_t tag = drop_waiting(broker, 1);
		if (tag > 0)
			assert_int_equal(broker_ack(broker, 1, tag, true), ERR_OK);
	} while (err == ERR_OK);
	assert_int_equal(err, ERR_TIMEOUT);
	broker_free(broker);
	return count;
}
