/* The broker module against a real RabbitMQ.
 *
 * BOXOFFICE_AMQP_ADMIN_URL names a virtual host that nobody else uses meanwhile, with an account
 * that may do all in it; without it the tests are skipped (exit 77). BOXOFFICE_MANAGEMENT_URL,
 * where the same account is an administrator, adds the test that deletes a queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "broker_fixture.h"
#include "broker_wire.h"
#include "topology.h"

#define IMPORT_LENGTH 10000

static void the_topology_can_be_declared_again(void **state)
{
	struct broker *broker = open_broker();

	(void)state;
	assert_int_equal(broker_declare_topology(broker, &conf), ERR_OK);
	assert_int_equal(broker_declare_topology(broker, &conf), ERR_OK);
	broker_free(broker);
}

static enum err declare_longer(const struct topology_queue *queue, void *wire)
{
	struct topology_queue other = *queue;

	other.max_length++;
	return wire_declare_queue(wire, 1, &other);
}

static void a_queue_with_other_arguments_is_a_wrong_setting(void **state)
{
	struct wire *wire;

	(void)state;
	assert_int_equal(wire_open(&wire, &conf, "test-broker"), ERR_OK);
	assert_int_equal(wire_open_channel(wire, 1), ERR_OK);
	assert_int_equal(topology_each_queue(&conf, declare_longer, wire), ERR_CONF);
	assert_true(wire_is_gone(wire));
	wire_free(wire);
}

static void a_message_arrives_whole(void **state)
{
	static const struct broker_header headers[] = {{"boxoffice-reason", "안녕"}};
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker *consumer = open_broker();
	struct broker_message message = a_message("account", "account");
	struct broker_delivery delivery;
	uint64_t sequence = 0;

	(void)state;
	message.reply_to = "reply.test";
	message.correlation_id = "c-1";
	message.headers = headers;
	message.header_count = 1;
	assert_int_equal(broker_publish(publisher, &message, &sequence), ERR_OK);
	assert_int_equal(sequence, 1);
	assert_int_equal(broker_unconfirmed(publisher), 1);
	settle(publisher, 0);
	assert_int_equal(answers.confirmed, 1);

	assert_int_equal(broker_consume(consumer, 3, "account", 10), ERR_OK);
	await_deliveries(consumer, 3, 1);
	assert_true(broker_take(consumer, 3, &delivery));
	assert_false(broker_take(consumer, 3, &(struct broker_delivery){0}));
	assert_int_equal(delivery.channel, 3);
	assert_string_equal(delivery.consumer, "account");
	assert_string_equal(delivery.reply_to, "reply.test");
	assert_string_equal(delivery.correlation_id, "c-1");
	assert_false(delivery.redelivered);
	assert_int_equal(delivery.delivery_count, 0);
	assert_int_equal(delivery.length, message.length);
	assert_string_equal(delivery.body, message.body);
	assert_int_equal(broker_ack(consumer, 3, delivery.tag, false), ERR_OK);
	broker_delivery_fini(&delivery);
	broker_free(consumer);
	broker_free(publisher);
}

static void bodies_of_many_frames_and_of_none_arrive(void **state)
{
	static const size_t lengths[] = {0, 1, 131064, 131065, 400000};
	enum { COUNT = sizeof(lengths) / sizeof(*lengths) };
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker *consumer = open_broker();
	struct broker_message message = a_message("account", "account");
	char *body = malloc(lengths[COUNT - 1]);

	(void)state;
	assert_non_null(body);
	for (size_t i = 0; i < lengths[COUNT - 1]; i++)
		body[i] = (char)('a' + i % 23);
	message.body = body;
	for (size_t i = 0; i < COUNT; i++) {
		message.length = lengths[i];
		publish_many(publisher, &message, 1, 1);
	}
	assert_int_equal(broker_consume(consumer, 1, "account", 10), ERR_OK);
	await_deliveries(consumer, 1, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		struct broker_delivery delivery;
		assert_true(broker_take(consumer, 1, &delivery));
		assert_int_equal(delivery.length, lengths[i]);
		assert_memory_equal(delivery.body, body, lengths[i]);
		assert_int_equal(delivery.body[lengths[i]], '\0');
		assert_int_equal(broker_ack(consumer, 1, delivery.tag, false), ERR_OK);
		broker_delivery_fini(&delivery);
	}
	free(body);
	broker_free(consumer);
	broker_free(publisher);
}

static void thousands_are_confirmed_and_taken_without_growing(void **state)
{
	enum { COUNT = 20000 };
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker *consumer = open_broker();
	struct broker_message message = a_message("account", "account");
	size_t taken = 0;

	(void)state;
	publish_many(publisher, &message, 2000, 500);
	assert_int_equal(broker_consume(consumer, 1, "account", 1000), ERR_OK);
	size_t before = mallinfo2().uordblks;
	int64_t start = now_ms();
	publish_many(publisher, &message, COUNT, 500);
	print_message("%.0f confirmed publishes/s at a window of 500\n",
		      COUNT * 1e3 / (double)(now_ms() - start));
	start = now_ms();
	while (taken < COUNT + 2000) {
		assert_int_equal(broker_pump(consumer, 5000), ERR_OK);
		taken += broker_waiting(consumer, 1);
		uint64_t tag = drop_waiting(consumer, 1);
		if (tag > 0)
			assert_int_equal(broker_ack(consumer, 1, tag, true), ERR_OK);
	}
	print_message("%.0f deliveries/s at a prefetch of 1000\n",
		      (COUNT + 2000) * 1e3 / (double)(now_ms() - start));
	assert_int_equal(answers.confirmed, COUNT + 2000);
	/* The ring of a thousand deliveries and the frames' pools, not the messages. */
	assert_true(mallinfo2().uordblks < before + 4194304);
	broker_free(consumer);
	broker_free(publisher);
}

static void what_no_queue_takes_is_returned_once(void **state)
{
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker_message good = a_message("account", "account");
	struct broker_message lost = a_message("seat", "999");
	uint64_t sequence = 0;

	(void)state;
	/* The last acks of a connection that closes under load may be lost: those come again. */
	drain("account");
	for (int i = 0; i < 10; i++)
		assert_int_equal(broker_publish(publisher, &good, NULL), ERR_OK);
	assert_int_equal(broker_publish(publisher, &lost, &sequence), ERR_OK);
	for (int i = 0; i < 10; i++)
		assert_int_equal(broker_publish(publisher, &good, NULL), ERR_OK);
	settle(publisher, 0);
	assert_int_equal(answers.returned, 1);
	assert_int_equal(answers.last_returned, sequence);
	assert_int_equal(answers.confirmed, 20);
	lost.mandatory = false;
	publish_many(publisher, &lost, 1, 1);
	assert_int_equal(answers.confirmed, 21);
	broker_free(publisher);
	assert_int_equal(drain("account"), 20);
}

static void a_full_queue_nacks_and_loses_nothing(void **state)
{
	enum { COUNT = IMPORT_LENGTH + 3000 };
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker_message message = a_message("charge.import", "");

	(void)state;
	publish_many(publisher, &message, COUNT, 200);
	broker_free(publisher);
	assert_int_equal(answers.confirmed + answers.nacked, COUNT);
	assert_true(answers.nacked > 0);
	assert_true(answers.confirmed >= IMPORT_LENGTH);
	assert_int_equal(drain("charge.import"), answers.confirmed);
}

static void a_closed_channel_ends_the_connection(void **state)
{
	struct answers answers;
	struct broker *publisher = open_publisher(&answers);
	struct broker_message message = a_message("no.such.exchange", "");
	int64_t end = now_ms() + DEADLINE_MS;
	enum err err = ERR_TIMEOUT;

	(void)state;
	assert_int_equal(broker_publish(publisher, &message, NULL), ERR_OK);
	while (err == ERR_TIMEOUT && now_ms() < end)
		err = broker_pump(publisher, 100);
	assert_int_equal(err, ERR_BROKER_GONE);
	assert_int_equal(broker_publish(publisher, &message, NULL), ERR_BROKER_GONE);
	assert_int_equal(broker_consume(publisher, 2, "account", 1), ERR_BROKER_GONE);
	assert_int_equal(broker_pump(publisher, 0), ERR_BROKER_GONE);
	assert_int_equal(answers.confirmed, 0);
	broker_free(publisher);
}

static void an_idle_pump_waits_its_time(void **state)
{
	struct broker *broker = open_broker();
	int64_t start = now_ms();

	(void)state;
	assert_int_equal(broker_pump(broker, 200), ERR_TIMEOUT);
	assert_in_range(now_ms() - start, 199, 1000);
	assert_false(broker_has_input(broker));
	assert_true(broker_fd(broker) >= 0);
	broker_free(broker);
}

static void a_broker_that_does_not_answer_is_gone(void **state)
{
	static const struct {
		struct conf conf;
		enum err err;
	} cases[] = {
		{{.amqp_url = "http://x/"}, ERR_CONF},
		{{.amqp_url = "amqps://a:b@127.0.0.1:1/x"}, ERR_CONF},
		{{.amqp_url = "amqps://a:b@127.0.0.1:1/x", .tls_ca = "/nowhere"}, ERR_CONF},
		{{.amqp_url = "amqp://a:b@127.0.0.1:1/x"}, ERR_BROKER_GONE},
		{{.amqp_url = "amqp://a:b@127.0.0.1:1,127.0.0.1:2/x"}, ERR_BROKER_GONE},
		{{.amqp_url = "amqp://a:b@127.0.0.1:1,/x"}, ERR_CONF},
	};
	struct broker *broker = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(broker_open(&broker, &cases[i].conf, "t"), cases[i].err);
	assert_null(broker);
	broker_free(NULL);
}

/* A port that takes connections and never says a word, as a host that is stopped does. */
static int listen_in_silence(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void a_host_that_refuses_or_is_silent_is_passed_over(void **state)
{
	struct conf list = conf;
	const char *real = strrchr(url, '@') + 1;
	uint16_t port;
	int fd = listen_in_silence(&port);

	(void)state;
	snprintf(list.amqp_url, sizeof list.amqp_url, "%.*s127.0.0.1:1,127.0.0.1:%u,%s",
		 (int)(real - url), url, port, real);
	for (list.amqp_first = 0; list.amqp_first < 3; list.amqp_first++) {
		struct broker *broker = NULL;
		int64_t began_ms = now_ms();

		assert_int_equal(broker_open(&broker, &list, "t"), ERR_OK);
		assert_in_range(now_ms() - began_ms, 0, 4000);
		broker_free(broker);
	}
	close(fd);
}

/* The tests find the topology in place and the queues that they use empty. */
static int start(void **state)
{
	static const char *const queues[] = {"account", "gate", "charge.import", "seat.0",
					     "seat.1"};
	struct broker *broker = open_broker();
	enum err err = broker_declare_topology(broker, &conf);

	(void)state;
	broker_free(broker);
	for (size_t i = 0; i < sizeof(queues) / sizeof(*queues) && err == ERR_OK; i++)
		(void)drain(queues[i]);
	return err == ERR_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_topology_can_be_declared_again),
		cmocka_unit_test(a_queue_with_other_arguments_is_a_wrong_setting),
		cmocka_unit_test(a_message_arrives_whole),
		cmocka_unit_test(bodies_of_many_frames_and_of_none_arrive),
		cmocka_unit_test(thousands_are_confirmed_and_taken_without_growing),
		cmocka_unit_test(what_no_queue_takes_is_returned_once),
		cmocka_unit_test(a_full_queue_nacks_and_loses_nothing),
		cmocka_unit_test(a_hold_comes_to_its_partition_when_it_ends),
		cmocka_unit_test(headers_are_kept_for_who_asks),
		cmocka_unit_test(a_queue_that_is_not_there_cannot_be_counted),
		cmocka_unit_test(a_pump_reads_a_bounded_number_of_bytes),
		cmocka_unit_test(prefetch_bounds_what_is_unacknowledged),
		cmocka_unit_test(the_time_of_sending_arrives_with_the_message),
		cmocka_unit_test(what_was_not_acknowledged_comes_again_with_its_count),
		cmocka_unit_test(a_second_consumer_takes_over_when_the_first_ends),
		cmocka_unit_test(a_cancelled_consumer_keeps_what_it_was_given),
		cmocka_unit_test(replies_reach_their_queue_alone),
		cmocka_unit_test(a_closed_channel_ends_the_connection),
		cmocka_unit_test(an_idle_pump_waits_its_time),
		cmocka_unit_test(a_broker_that_does_not_answer_is_gone),
		cmocka_unit_test(a_host_that_refuses_or_is_silent_is_passed_over),
		cmocka_unit_test(a_deleted_queue_is_told),
	};

	url = getenv("BOXOFFICE_AMQP_ADMIN_URL");
	if (!url)
		return 77;
	conf_init(&conf);
	snprintf(conf.amqp_url, sizeof conf.amqp_url, "%s", url);
	conf.partitions = 2;
	conf.hold_s = HOLD_S;
	return cmocka_run_group_tests(tests, start, NULL);
}
