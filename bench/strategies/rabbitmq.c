/* 8. RabbitMQ: a durable quorum queue, publishers that keep a window of messages to be confirmed,
 * and one consumer that makes one transaction of each message and acknowledges it after the commit.
 * A message that comes again after a crash between the two finds its id in the history. */
#include <string.h>

#include "broker.h"
#include "clock.h"
#include "log.h"
#include "publishers.h"
#include "queue.h"
#include "transaction.h"

#define CHANNEL 1
#define WINDOW 64 /* of each publisher */
#define PREFETCH 200
#define ACK_EVERY 50
#define TURN_MS 100

static void on_confirm(void *arg, uint64_t sequence, enum err err)
{
	enum err *failure = arg;

	(void)sequence;
	if (err)
		*failure = err;
}

static enum err pump(struct broker *broker)
{
	enum err err = broker_pump(broker, TURN_MS);

	return err == ERR_TIMEOUT ? ERR_OK : err;
}

static enum err publish_one(struct broker *broker, const struct operation *operation)
{
	char body[QUEUE_MESSAGE_SIZE];
	queue_write(operation, body);
	const struct broker_message message = {.exchange = QUEUE_NAME,
					       .routing_key = "",
					       .body = body,
					       .length = strlen(body),
					       .type = "bench.operation",
					       .persistent = true,
					       .mandatory = true};

	return broker_publish(broker, &message, NULL);
}

/* Each thread has a connection of its own. */
static enum err publish(void *arg, struct numbers *numbers)
{
	const struct conf *conf = arg;
	struct operation operation;
	struct broker *broker;
	enum err failure = ERR_OK;
	enum err err = broker_open(&broker, conf, "strategies publisher");

	if (err)
		return err;
	err = broker_confirm(broker, on_confirm, &failure);
	while (!err && !failure && numbers_take(numbers, &operation)) {
		err = publish_one(broker, &operation);
		while (!err && broker_unconfirmed(broker) >= WINDOW)
			err = pump(broker);
	}
	while (!err && !failure && broker_unconfirmed(broker))
		err = pump(broker);
	broker_free(broker);
	return err ? err : failure;
}

struct consumer {
	struct broker *broker;
	struct session *session;
	struct arm_result result;
	int64_t unacknowledged;
};

static enum err take_message(struct consumer *consumer, const struct broker_delivery *delivery)
{
	struct operation operation;
	enum err err = queue_read(delivery->body, delivery->length, &operation);

	if (err)
		return err;
	err = transaction_apply(consumer->session, TRANSACTION_PLAIN, &operation);
	if (err == ERR_INSUFFICIENT_BALANCE)
		consumer->result.refused++;
	else if (!err)
		consumer->result.applied++;
	consumer->result.end_us = clock_us();
	return err == ERR_INSUFFICIENT_BALANCE || err == ERR_DB_DUPLICATE ? ERR_OK : err;
}

static enum err take_messages(struct consumer *consumer)
{
	struct broker_delivery delivery;
	uint64_t last = 0;
	enum err err = ERR_OK;

	for (int taken = 0;
	     !err && taken < ACK_EVERY && broker_take(consumer->broker, CHANNEL, &delivery);
	     taken++) {
		err = take_message(consumer, &delivery);
		last = delivery.tag;
		broker_delivery_fini(&delivery);
	}
	if (!err && last)
		err = broker_ack(consumer->broker, CHANNEL, last, true);
	return err;
}

static enum err consume(struct consumer *consumer, const struct order *order,
			struct numbers *numbers)
{
	enum err err = ERR_OK;

	while (!err && !numbers->has_failed &&
	       consumer->result.applied + consumer->result.refused < order_total(order)) {
		if (!broker_waiting(consumer->broker, CHANNEL))
			err = pump(consumer->broker);
		if (!err)
			err = take_messages(consumer);
	}
	if (err)
		numbers->has_failed = true; /* the publishers need go no further */
	return err;
}

static enum err open_consumer(struct consumer *consumer, const struct conf *conf)
{
	enum err err = transaction_session_new(&consumer->session, conf);

	if (!err)
		err = broker_open(&consumer->broker, conf, "strategies consumer");
	return err ? err : broker_consume(consumer->broker, CHANNEL, QUEUE_NAME, PREFETCH);
}

static enum err run(struct consumer *consumer, const struct order *order)
{
	struct conf conf = order->conf;
	struct publishers *publishers = publishers_start(order, publish, &conf);
	struct numbers *numbers = publishers_numbers(publishers);
	enum err err = consume(consumer, order, numbers);

	consumer->result.begin_us = numbers->first_us;
	enum err joined = publishers_join(publishers);
	return err ? err : joined;
}

enum err arm_rabbitmq(const struct order *order, struct arm_result *result)
{
	struct consumer consumer = {0};
	enum err err = queue_make(&order->conf);

	if (err)
		return err;
	err = open_consumer(&consumer, &order->conf);
	if (!err)
		err = run(&consumer, order);
	broker_free(consumer.broker);
	session_free(consumer.session);
	enum err deleted = queue_delete(&order->conf);
	if (!err)
		*result = consumer.result;
	return err ? err : deleted;
}
