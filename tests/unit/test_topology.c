/* Topology: what the table says, and that the definitions say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "job.h"
#include "topology.h"

struct found {
	struct topology_queue queues[64];
	size_t queue_count;
	struct topology_exchange exchanges[16];
	size_t exchange_count;
};

static enum err keep_queue(const struct topology_queue *queue, void *arg)
{
	struct found *found = arg;

	found->queues[found->queue_count++] = *queue;
	return ERR_OK;
}

static enum err keep_exchange(const struct topology_exchange *exchange, void *arg)
{
	struct found *found = arg;

	found->exchanges[found->exchange_count++] = *exchange;
	return ERR_OK;
}

static struct conf a_conf(int64_t partitions, int64_t hold_s)
{
	struct conf conf;

	conf_init(&conf);
	conf.partitions = partitions;
	conf.hold_s = hold_s;
	return conf;
}

static struct found find(int64_t partitions, int64_t hold_s)
{
	struct conf conf = a_conf(partitions, hold_s);
	struct found found = {0};

	assert_int_equal(topology_each_exchange(&conf, keep_exchange, &found), ERR_OK);
	assert_int_equal(topology_each_queue(&conf, keep_queue, &found), ERR_OK);
	return found;
}

static const struct topology_queue *queue_of(const struct found *found, const char *name)
{
	for (size_t i = 0; i < found->queue_count; i++) {
		if (strcmp(found->queues[i].name, name) == 0)
			return &found->queues[i];
	}
	fail_msg("no queue %s", name);
	return NULL;
}

static bool has_exchange(const struct found *found, const char *name, const char *type)
{
	for (size_t i = 0; i < found->exchange_count; i++) {
		if (strcmp(found->exchanges[i].name, name) == 0)
			return strcmp(found->exchanges[i].type, type) == 0;
	}
	return false;
}

static void every_partition_has_its_queue(void **state)
{
	struct found found = find(16, 300);

	(void)state;
	assert_int_equal(found.queue_count, 16 + 5);
	for (int k = 0; k < 16; k++) {
		char name[32];
		char key[32];
		snprintf(name, sizeof(name), "seat.%d", k);
		snprintf(key, sizeof(key), "%d", k);
		const struct topology_queue *queue = queue_of(&found, name);
		assert_string_equal(queue->exchange, "seat");
		assert_string_equal(queue->routing_key, key);
		assert_true(queue->single_active_consumer);
		assert_int_equal(queue->max_length, 20000);
		assert_int_equal(queue->delivery_limit, 20);
		assert_string_equal(queue->dead_exchange, "dead");
	}
}

static void a_queue_of_jobs_says_what_is_taken_from_it(void **state)
{
	struct found found = find(2, 300);

	(void)state;
	assert_int_equal(queue_of(&found, "seat.1")->takes, QUEUE_SEAT);
	assert_int_equal(queue_of(&found, "gate")->takes, QUEUE_GATE);
	assert_int_equal(queue_of(&found, "account")->takes, QUEUE_ACCOUNT);
	assert_int_equal(queue_of(&found, "charge.import")->takes, QUEUE_IMPORT);
	assert_int_equal(queue_of(&found, "hold.expiry.300s")->takes, 0);
	assert_int_equal(queue_of(&found, "dead")->takes, 0);
}

static void only_order_needs_a_single_active_consumer(void **state)
{
	struct found found = find(1, 300);

	(void)state;
	assert_true(queue_of(&found, "gate")->single_active_consumer);
	assert_false(queue_of(&found, "account")->single_active_consumer);
	assert_false(queue_of(&found, "charge.import")->single_active_consumer);
}

static void each_hold_duration_waits_by_itself(void **state)
{
	struct found found = find(2, 7);
	const struct topology_queue *queue = queue_of(&found, "hold.expiry.7s");
	struct conf conf = a_conf(2, 86400);
	char name[TOPOLOGY_NAME_SIZE];

	(void)state;
	assert_string_equal(queue->exchange, "hold.expiry.7s");
	assert_true(has_exchange(&found, "hold.expiry.7s", "fanout"));
	assert_int_equal(queue->message_ttl_ms, 7000);
	assert_string_equal(queue->dead_exchange, "seat");
	assert_int_equal(queue->delivery_limit, 0);
	assert_int_equal(queue->max_length, 1000000);
	topology_hold_queue(&conf, name);
	assert_string_equal(name, "hold.expiry.86400s");
}

static void nothing_is_refused_by_the_dead_letters(void **state)
{
	struct found found = find(1, 300);
	const struct topology_queue *queue = queue_of(&found, "dead");
	struct topology_argument arguments[TOPOLOGY_ARGUMENTS_MAX];

	(void)state;
	assert_int_equal(topology_queue_arguments(queue, arguments), 1);
	assert_string_equal(arguments[0].name, "x-queue-type");
	assert_string_equal(arguments[0].text, "quorum");
}

static void every_queue_is_bound_to_an_exchange_that_exists(void **state)
{
	struct found found = find(16, 300);

	(void)state;
	assert_int_equal(found.exchange_count, 6);
	for (size_t i = 0; i < found.queue_count; i++) {
		const struct topology_queue *queue = &found.queues[i];
		assert_true(has_exchange(&found, queue->exchange, "direct") ||
			    has_exchange(&found, queue->exchange, "fanout"));
		if (queue->dead_exchange)
			assert_true(has_exchange(&found, queue->dead_exchange, "direct") ||
				    has_exchange(&found, queue->dead_exchange, "fanout"));
	}
}

static enum err stop_at_second(const struct topology_queue *queue, void *arg)
{
	int *calls = arg;

	(void)queue;
	return ++*calls == 2 ? ERR_BROKER_GONE : ERR_OK;
}

static void the_first_error_ends_the_walk(void **state)
{
	struct conf conf = a_conf(16, 300);
	int calls = 0;

	(void)state;
	assert_int_equal(topology_each_queue(&conf, stop_at_second, &calls), ERR_BROKER_GONE);
	assert_int_equal(calls, 2);
}

static void a_seat_belongs_to_one_partition(void **state)
{
	struct conf conf = a_conf(16, 300);

	(void)state;
	assert_int_equal(topology_partition(&conf, 1), 1);
	assert_int_equal(topology_partition(&conf, 16), 0);
	assert_int_equal(topology_partition(&conf, INT64_C(9007199254740991)), 15);
}

/* Text of a member of an object in a list, "" when it is not there. */
static const char *member(struct json_object *list, size_t index, const char *name)
{
	struct json_object *object = json_object_array_get_idx(list, index);
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : "";
}

static struct json_object *list_of(struct json_object *root, const char *name)
{
	struct json_object *list = NULL;

	assert_true(json_object_object_get_ex(root, name, &list));
	return list;
}

static void the_definitions_say_the_same(void **state)
{
	struct found found = find(2, 300);
	struct conf conf = a_conf(2, 300);
	struct text out = {0};
	struct json_object *root;

	(void)state;
	topology_write_definitions(&conf, "box \"office\"", true, &out);
	root = json_tokener_parse(out.bytes);
	assert_non_null(root);
	struct json_object *queues = list_of(root, "queues");
	struct json_object *bindings = list_of(root, "bindings");
	struct json_object *exchanges = list_of(root, "exchanges");
	assert_int_equal(json_object_array_length(queues), found.queue_count);
	assert_int_equal(json_object_array_length(bindings), found.queue_count);
	assert_int_equal(json_object_array_length(exchanges), found.exchange_count);
	for (size_t i = 0; i < found.queue_count; i++) {
		assert_string_equal(member(queues, i, "name"), found.queues[i].name);
		assert_string_equal(member(queues, i, "vhost"), "box \"office\"");
		assert_string_equal(member(queues, i, "durable"), "true");
		assert_string_equal(member(bindings, i, "source"), found.queues[i].exchange);
		assert_string_equal(member(bindings, i, "destination"), found.queues[i].name);
		assert_string_equal(member(bindings, i, "routing_key"),
				    found.queues[i].routing_key);
	}
	json_object_put(root);
	text_fini(&out);
}

static void the_definitions_carry_every_argument(void **state)
{
	struct conf conf = a_conf(1, 300);
	struct text out = {0};

	(void)state;
	topology_write_definitions(&conf, "/", false, &out);
	assert_null(strstr(out.bytes, "users"));
	assert_non_null(strstr(out.bytes,
			       "{\"x-queue-type\":\"quorum\",\"x-single-active-consumer\":true,"
			       "\"x-delivery-limit\":20,\"x-max-length\":20000,"
			       "\"x-overflow\":\"reject-publish\","
			       "\"x-dead-letter-exchange\":\"dead\","
			       "\"x-dead-letter-strategy\":\"at-least-once\"}"));
	assert_non_null(strstr(out.bytes, "\"x-message-ttl\":300000,"));
	text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_partition_has_its_queue),
		cmocka_unit_test(a_queue_of_jobs_says_what_is_taken_from_it),
		cmocka_unit_test(only_order_needs_a_single_active_consumer),
		cmocka_unit_test(each_hold_duration_waits_by_itself),
		cmocka_unit_test(nothing_is_refused_by_the_dead_letters),
		cmocka_unit_test(every_queue_is_bound_to_an_exchange_that_exists),
		cmocka_unit_test(the_first_error_ends_the_walk),
		cmocka_unit_test(a_seat_belongs_to_one_partition),
		cmocka_unit_test(the_definitions_say_the_same),
		cmocka_unit_test(the_definitions_carry_every_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
