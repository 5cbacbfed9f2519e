/* 7. Kafka: one partition, so that one consumer has all messages in their order; an idempotent
 * producer that waits for all replicas; one transaction a message, whose offset is committed after
 * it. A message that comes again finds its id in the history. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "publishers.h"
#include "queue.h"
#include "transaction.h"

#define TOPIC_SIZE 64
#define WHY_SIZE 256
#define TURN_MS 100
#define FLUSH_MS 30000
#define CREATE_MS 10000
#define SILENCE_MS 30000

struct kafka {
	char topic[TOPIC_SIZE]; /* of the run's own */
	rd_kafka_t *producer, *consumer;
	struct session *session;
	struct arm_result result;
};

static enum err kafka_failed(const char *doing, const char *why)
{
	log_error("kafka-failed", LOG_S("doing", doing), LOG_S("why", why));
	return ERR_UNAVAILABLE;
}

struct setting {
	const char *name, *value;
};

/* Settings end with a name of NULL. */
static enum err make_client(rd_kafka_type_t type, const struct setting *settings,
			    rd_kafka_t **client)
{
	char why[WHY_SIZE];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	for (; settings->name; settings++) {
		if (!settings->value)
			continue;
		if (rd_kafka_conf_set(conf, settings->name, settings->value, why, sizeof why)) {
			rd_kafka_conf_destroy(conf);
			return kafka_failed(settings->name, why);
		}
	}
	*client = rd_kafka_new(type, conf, why, sizeof why);
	if (*client)
		return ERR_OK;
	rd_kafka_conf_destroy(conf);
	return kafka_failed("client", why);
}

static enum err create_topic(struct kafka *kafka)
{
	char why[WHY_SIZE];
	rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->producer);
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(kafka->topic, 1, -1, why, sizeof why);
	enum err err = ERR_OK;

	rd_kafka_CreateTopics(kafka->producer, &topic, 1, NULL, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CREATE_MS);
	const rd_kafka_CreateTopics_result_t *result =
		event ? rd_kafka_event_CreateTopics_result(event) : NULL;
	size_t count = 0;
	const rd_kafka_topic_result_t **topics =
		result ? rd_kafka_CreateTopics_result_topics(result, &count) : NULL;
	if (count != 1)
		err = kafka_failed("create topic",
				   event ? rd_kafka_event_error_string(event) : "no answer");
	else if (rd_kafka_topic_result_error(topics[0]))
		err = kafka_failed("create topic", rd_kafka_topic_result_error_string(topics[0]));
	rd_kafka_NewTopic_destroy(topic);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	return err;
}

/* The consumer's end is not worth an error: the topic has a name that no run uses again. */
static void delete_topic(struct kafka *kafka)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->producer);
	rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(kafka->topic);

	rd_kafka_DeleteTopics(kafka->producer, &topic, 1, NULL, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CREATE_MS);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_DeleteTopic_destroy(topic);
	rd_kafka_queue_destroy(queue);
}

static enum err open_producer(struct kafka *kafka, const struct order *order)
{
	const struct setting settings[] = {
		{"bootstrap.servers", order->is_mock ? NULL : order->brokers},
		{"test.mock.num.brokers", order->is_mock ? "1" : NULL},
		{"acks", "all"},
		{"enable.idempotence", "true"},
		{0},
	};
	enum err err = make_client(RD_KAFKA_PRODUCER, settings, &kafka->producer);

	if (err || !order->is_mock)
		return err ? err : create_topic(kafka);
	if (rd_kafka_mock_topic_create(rd_kafka_handle_mock_cluster(kafka->producer), kafka->topic,
				       1, 1))
		return kafka_failed("create topic", "the mock cluster refuses it");
	return ERR_OK;
}

static enum err open_consumer(struct kafka *kafka, const struct order *order)
{
	const struct setting settings[] = {
		{"bootstrap.servers",
		 order->is_mock ? rd_kafka_mock_cluster_bootstraps(
					  rd_kafka_handle_mock_cluster(kafka->producer))
				: order->brokers},
		{"group.id", kafka->topic},
		{"enable.auto.commit", "false"},
		{0},
	};
	enum err err = make_client(RD_KAFKA_CONSUMER, settings, &kafka->consumer);

	if (err)
		return err;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, kafka->topic, 0)->offset =
		RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_resp_err_t refused = rd_kafka_assign(kafka->consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
	return refused ? kafka_failed("assign", rd_kafka_err2str(refused)) : ERR_OK;
}

/* The producer is one for all threads: it is made to be shared. */
static enum err publish(void *arg, struct numbers *numbers)
{
	const struct kafka *kafka = arg;
	struct operation operation;

	while (numbers_take(numbers, &operation)) {
		char body[QUEUE_MESSAGE_SIZE];
		queue_write(&operation, body);
		rd_kafka_resp_err_t refused;
		while ((refused = rd_kafka_producev(
				kafka->producer, RD_KAFKA_V_TOPIC(kafka->topic),
				RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE(body, strlen(body)),
				RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END)) ==
		       RD_KAFKA_RESP_ERR__QUEUE_FULL)
			rd_kafka_poll(kafka->producer, TURN_MS);
		if (refused)
			return kafka_failed("produce", rd_kafka_err2str(refused));
	}
	rd_kafka_resp_err_t late = rd_kafka_flush(kafka->producer, FLUSH_MS);
	return late ? kafka_failed("flush", rd_kafka_err2str(late)) : ERR_OK;
}

static enum err take_message(struct kafka *kafka, const rd_kafka_message_t *message)
{
	struct operation operation;

	if (message->err)
		return kafka_failed("consume", rd_kafka_message_errstr(message));
	enum err err = queue_read(message->payload, message->len, &operation);
	if (err)
		return err;
	err = transaction_apply(kafka->session, TRANSACTION_PLAIN, &operation);
	if (err == ERR_INSUFFICIENT_BALANCE)
		kafka->result.refused++;
	else if (!err)
		kafka->result.applied++;
	else if (err != ERR_DB_DUPLICATE)
		return err;
	kafka->result.end_us = clock_us();
	/* Not waited for: a lost one only makes messages come again. */
	rd_kafka_resp_err_t refused = rd_kafka_commit_message(kafka->consumer, message, 1);
	return refused ? kafka_failed("commit", rd_kafka_err2str(refused)) : ERR_OK;
}

static enum err consume(struct kafka *kafka, const struct order *order, struct numbers *numbers)
{
	int64_t heard_ms = clock_ms();
	enum err err = ERR_OK;

	while (!err && !numbers->has_failed &&
	       kafka->result.applied + kafka->result.refused < order_total(order)) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->consumer, TURN_MS);
		if (message) {
			err = take_message(kafka, message);
			rd_kafka_message_destroy(message);
			heard_ms = clock_ms();
		} else if (clock_ms() - heard_ms > SILENCE_MS) {
			err = kafka_failed("consume", "no message comes");
		}
	}
	if (err)
		numbers->has_failed = true; /* the publishers need go no further */
	return err;
}

static enum err run(struct kafka *kafka, const struct order *order)
{
	struct publishers *publishers = publishers_start(order, publish, kafka);
	struct numbers *numbers = publishers_numbers(publishers);
	enum err err = consume(kafka, order, numbers);

	kafka->result.begin_us = numbers->first_us;
	enum err joined = publishers_join(publishers);
	return err ? err : joined;
}

static void close_all(struct kafka *kafka, const struct order *order)
{
	if (kafka->consumer) {
		rd_kafka_consumer_close(kafka->consumer);
		rd_kafka_destroy(kafka->consumer);
	}
	if (kafka->producer) {
		if (!order->is_mock)
			delete_topic(kafka);
		rd_kafka_destroy(kafka->producer);
	}
	session_free(kafka->session);
}

enum err arm_kafka(const struct order *order, struct arm_result *result)
{
	struct kafka kafka = {0};
	char id[ID_TEXT_SIZE];
	const struct id fresh = id_random();

	if (!order->is_mock && !order->brokers)
		return kafka_failed("connect", "no broker: set KAFKA_BROKERS");
	id_format(&fresh, id);
	snprintf(kafka.topic, sizeof kafka.topic, "bench-strategies-%s", id);
	enum err err = transaction_session_new(&kafka.session, &order->conf);
	if (!err)
		err = open_producer(&kafka, order);
	if (!err)
		err = open_consumer(&kafka, order);
	if (!err)
		err = run(&kafka, order);
	close_all(&kafka, order);
	if (!err)
		*result = kafka.result;
	return err;
}
