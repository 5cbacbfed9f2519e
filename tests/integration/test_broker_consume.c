/* Consuming from a real RabbitMQ: deliveries, their order and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker_fixture.h"
#include "topology.h"

static void expect_quiet(struct broker *broker)
{
	assert_int_equal(broker_pump(broker, QUIET_MS), ERR_TIMEOUT);
}

void a_hold_comes_to_its_partition_when_it_ends(void **state)
{
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker *consumer = open_broker();
	struct broker_message message = {0};
	struct broker_delivery delivery;
	char exchange[TOPOLOGY_NAME_SIZE];
	int64_t start;

	(void)state;
	topology_hold_queue(&conf, exchange);
	message = a_message(exchange, "1");
	assert_int_equal(broker_consume(consumer, 1, "seat.0", 10), ERR_OK);
	assert_int_equal(broker_consume(consumer, 2, "seat.1", 10), ERR_OK);
	start = now_ms();
	publish_many(publisher, &message, 1, 1);
	assert_int_equal(answers.confirmed, 1);
	await_deliveries(consumer, 2, 1);
	assert_in_range(now_ms() - start, HOLD_S * 1000 - 10, HOLD_S * 1000 + 2000);
	assert_true(broker_take(consumer, 2, &delivery));
	assert_string_equal(delivery.body, message.body);
	assert_int_equal(broker_ack(consumer, 2, delivery.tag, false), ERR_OK);
	broker_delivery_fini(&delivery);
	expect_quiet(consumer);
	assert_int_equal(broker_waiting(consumer, 1), 0);
	broker_free(consumer);
	broker_free(publisher);
}

void headers_are_kept_for_who_asks(void **state)
{
	static const struct broker_header headers[] = {{"boxoffice-code", "db-data"},
						       {"boxoffice-reason", "한 문장"}};
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker *plain = open_broker();
	struct broker *curious = open_broker();
	struct broker_message message = a_message("account", "account");
	struct broker_delivery delivery;
	uint64_t ready = 0;

	(void)state;
	message.headers = headers;
	message.header_count = 2;
	publish_many(publisher, &message, 1, 1);
	assert_int_equal(broker_count_ready(publisher, "account", &ready), ERR_OK);
	assert_int_equal(ready, 1);
	assert_int_equal(broker_consume(plain, 1, "account", 1), ERR_OK);
	await_deliveries(plain, 1, 1);
	assert_true(broker_take(plain, 1, &delivery));
	assert_null(broker_delivery_header(&delivery, "boxoffice-code"));
	broker_delivery_fini(&delivery);
	broker_free(plain);
	broker_keep_headers(curious);
	assert_int_equal(broker_consume(curious, 1, "account", 1), ERR_OK);
	await_deliveries(curious, 1, 1);
	assert_true(broker_take(curious, 1, &delivery));
	assert_string_equal(broker_delivery_header(&delivery, "boxoffice-code"), "db-data");
	assert_string_equal(broker_delivery_header(&delivery, "boxoffice-reason"), "한 문장");
	assert_string_equal(broker_delivery_header(&delivery, "x-delivery-count"), "1");
	assert_null(broker_delivery_header(&delivery, "boxoffice"));
	broker_delivery_fini(&delivery);
	broker_free(curious);
	broker_free(publisher);
	assert_int_equal(drain("account"), 1);
}

void a_queue_that_is_not_there_cannot_be_counted(void **state)
{
	struct broker *broker = open_broker();
	uint64_t ready = 7;

	(void)state;
	assert_int_equal(broker_count_ready(broker, "nowhere", &ready), ERR_BROKER_GONE);
	assert_int_equal(ready, 7);
	broker_free(broker);
}

void a_pump_reads_a_bounded_number_of_bytes(void **state)
{
	enum { MESSAGES = 100, BYTES = 256 * 1024, MOST = 9 << 20 };
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker *consumer = open_broker();
	struct broker_message message = a_message("account", "account");
	char *body = calloc(1, BYTES);
	size_t taken = 0;

	(void)state;
	assert_non_null(body);
	message.body = body;
	message.length = BYTES;
	publish_many(publisher, &message, MESSAGES, 10);
	assert_int_equal(broker_consume(consumer, 1, "account", MESSAGES), ERR_OK);
	while (taken < MESSAGES) {
		assert_int_equal(broker_pump(consumer, DEADLINE_MS), ERR_OK);
		assert_in_range(broker_waiting(consumer, 1), 0, MOST / BYTES);
		taken += broker_waiting(consumer, 1);
		(void)drop_waiting(consumer, 1);
	}
	free(body);
	broker_free(consumer);
	broker_free(publisher);
	assert_int_equal(drain("account"), MESSAGES);
}

void prefetch_bounds_what_is_unacknowledged(void **state)
{
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker *consumer = open_broker();
	struct broker_message message = a_message("account", "account");

	(void)state;
	publish_many(publisher, &message, 30, 30);
	assert_int_equal(broker_consume(consumer, 1, "account", 10), ERR_OK);
	await_deliveries(consumer, 1, 10);
	expect_quiet(consumer);
	assert_int_equal(broker_waiting(consumer, 1), 10);
	uint64_t tag = drop_waiting(consumer, 1);
	assert_int_equal(broker_ack(consumer, 1, tag, true), ERR_OK);
	await_deliveries(consumer, 1, 10);
	broker_free(consumer);
	broker_free(publisher);
	assert_int_equal(drain("account"), 20);
}

void the_time_of_sending_arrives_with_the_message(void **state)
{
	static const int64_t times[] = {1795341600123, 0};
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker *consumer = open_broker();
	struct broker_message message = a_message("account", "account");
	struct broker_delivery delivery;

	(void)state;
	assert_int_equal(broker_consume(consumer, 1, "account", 10), ERR_OK);
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		message.sent_ms = times[i];
		publish_many(publisher, &message, 1, 1);
		await_deliveries(consumer, 1, 1);
		assert_true(broker_take(consumer, 1, &delivery));
		assert_true(delivery.sent_ms == times[i]);
		assert_int_equal(broker_ack(consumer, 1, delivery.tag, false), ERR_OK);
		broker_delivery_fini(&delivery);
	}
	broker_free(consumer);
	broker_free(publisher);
}

void what_was_not_acknowledged_comes_again_with_its_count(void **state)
{
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker_message message = a_message("account", "account");
	struct broker_delivery delivery;

	(void)state;
	publish_many(publisher, &message, 1, 1);
	for (int i = 0; i < 3; i++) {
		struct broker *consumer = open_broker();
		assert_int_equal(broker_consume(consumer, 1, "account", 1), ERR_OK);
		await_deliveries(consumer, 1, 1);
		assert_true(broker_take(consumer, 1, &delivery));
		assert_int_equal(delivery.redelivered, i > 0);
		assert_int_equal(delivery.delivery_count, i);
		broker_delivery_fini(&delivery);
		broker_free(consumer);
	}
	broker_free(publisher);
	assert_int_equal(drain("account"), 1);
}

void a_second_consumer_takes_over_when_the_first_ends(void **state)
{
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker *first = open_broker();
	struct broker *second = open_broker();
	struct broker_message message = a_message("gate", "gate");

	(void)state;
	assert_int_equal(broker_consume(first, 1, "gate", 10), ERR_OK);
	assert_int_equal(broker_consume(second, 1, "gate", 10), ERR_OK);
	publish_many(publisher, &message, 5, 5);
	await_deliveries(first, 1, 5);
	expect_quiet(second);
	broker_free(first);
	await_deliveries(second, 1, 5);
	assert_int_equal(broker_ack(second, 1, drop_waiting(second, 1), true), ERR_OK);
	broker_free(second);
	broker_free(publisher);
}

void a_cancelled_consumer_keeps_what_it_was_given(void **state)
{
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker *consumer = open_broker();
	struct broker_message message = a_message("account", "account");

	(void)state;
	publish_many(publisher, &message, 5, 5);
	assert_int_equal(broker_consume(consumer, 1, "account", 3), ERR_OK);
	await_deliveries(consumer, 1, 3);
	assert_int_equal(broker_cancel(consumer, 1, "account", 3), ERR_OK);
	assert_int_equal(broker_ack(consumer, 1, drop_waiting(consumer, 1), true), ERR_OK);
	expect_quiet(consumer);
	assert_int_equal(broker_waiting(consumer, 1), 0);
	assert_int_equal(broker_consume(consumer, 1, "account", 4), ERR_OK);
	await_deliveries(consumer, 1, 2);
	assert_int_equal(broker_ack(consumer, 1, drop_waiting(consumer, 1), true), ERR_OK);
	broker_free(consumer);
	broker_free(publisher);
}

void replies_reach_their_queue_alone(void **state)
{
	struct broker *front = open_broker();
	struct broker *worker = open_broker();
	struct broker_message message = a_message("", "reply.front.test");
	struct broker_delivery delivery;

	(void)state;
	message.persistent = false;
	assert_int_equal(broker_declare_reply_queue(front, "reply.front.test"), ERR_OK);
	assert_int_equal(broker_consume(front, 1, "reply.front.test", 0), ERR_OK);
	assert_int_equal(broker_publish(worker, &message, NULL), ERR_OK);
	await_deliveries(front, 1, 1);
	assert_true(broker_take(front, 1, &delivery));
	assert_string_equal(delivery.consumer, "reply.front.test");
	broker_delivery_fini(&delivery);
	/* Exclusive: nobody else may read it. */
	assert_int_equal(broker_consume(worker, 1, "reply.front.test", 0), ERR_BROKER_GONE);
	broker_free(worker);
	broker_free(front);
}

/* Splits amqp://user:password@… for the management API. */
static void delete_queue(const char *management, const char *queue)
{
	char command[1024];
	const char *account = strstr(url, "://");
	const char *vhost = strrchr(url, '/');

	assert_non_null(account);
	account += 3;
	snprintf(command, sizeof(command),
		 "curl -sf -o /dev/null -X DELETE -u '%.*s' '%s/api/queues/%s/%s'",
		 (int)strcspn(account, "@"), account, management,
		 vhost > account ? vhost + 1 : "%2f", queue);
	assert_int_equal(system(command), 0);
}

void a_deleted_queue_is_told(void **state)
{
	const char *management = getenv("BOXOFFICE_MANAGEMENT_URL");
	struct broker *consumer;
	int64_t end = now_ms() + DEADLINE_MS;
	enum err err = ERR_TIMEOUT;

	(void)state;
	if (!management)
		skip();
	consumer = open_broker();
	assert_int_equal(broker_consume(consumer, 1, "account", 10), ERR_OK);
	delete_queue(management, "account");
	while (err == ERR_TIMEOUT && now_ms() < end)
		err = broker_pump(consumer, 100);
	assert_int_equal(err, ERR_BROKER_CANCELLED);
	assert_int_equal(broker_declare_topology(consumer, &conf), ERR_OK);
	assert_int_equal(broker_consume(consumer, 1, "account", 10), ERR_OK);
	broker_free(consumer);
}
