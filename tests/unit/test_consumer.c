/* The consumer on a broker made of arrays, which stands in for broker.c: which queues it
 * subscribes to, when it opens them wide, and what it puts into one batch. */
#include "worker_sample.h"

#include <stdlib.h>

#include "clock.h"
#include "consumer.h"

#define JOB                                                                                        \
	"{\"id\":\"00000000-0000-0000-0000-000000000001\",\"kind\":\"charge\","                    \
	"\"userId\":\"11111111-2222-4333-8444-555555555555\",\"amount\":1}"
#define PREFETCH 50
#define MAX_JOBS 10

struct broker {
	unsigned channel; /* of all that waits */
	struct broker_delivery waiting[64];
	size_t count;
};

static struct broker broker;
static bool is_open;
static enum err failure; /* of each call from now on */
static char calls[512];  /* what was asked of the broker */
static uint64_t tags;
static struct conf conf;
static struct consumer consumer;
static struct intake intake;

static enum err note(const char *call, unsigned channel, const char *what, unsigned number)
{
	size_t length = strlen(calls);
	snprintf(calls + length, sizeof calls - length, "%s %u %s %u;", call, channel, what,
		 number);
	return failure;
}

enum err broker_open(struct broker **out, const struct conf *of, const char *name)
{
	assert_ptr_equal(of, &conf);
	assert_non_null(strstr(name, conf.name));
	if (failure)
		return failure;
	is_open = true;
	*out = &broker;
	return ERR_OK;
}

void broker_free(struct broker *of)
{
	if (of)
		is_open = false;
}

enum err broker_consume(struct broker *of, unsigned channel, const char *queue, uint16_t prefetch)
{
	(void)of;
	return note("consume", channel, queue, prefetch);
}

enum err broker_cancel(struct broker *of, unsigned channel, const char *queue, uint16_t prefetch)
{
	(void)of;
	return note("cancel", channel, queue, prefetch);
}

enum err broker_ack(struct broker *of, unsigned channel, uint64_t tag, bool multiple)
{
	(void)of;
	return note("ack", channel, multiple ? "up to" : "alone", (unsigned)tag);
}

enum err broker_pump(struct broker *of, int timeout_ms)
{
	(void)of;
	(void)timeout_ms;
	return failure;
}

size_t broker_waiting(const struct broker *of, unsigned channel)
{
	return channel == of->channel ? of->count : 0;
}

bool broker_take(struct broker *of, unsigned channel, struct broker_delivery *delivery)
{
	if (!broker_waiting(of, channel))
		return false;
	*delivery = of->waiting[0];
	memmove(of->waiting, of->waiting + 1, --of->count * sizeof *of->waiting);
	return true;
}

void broker_delivery_fini(struct broker_delivery *delivery)
{
	free(delivery->body);
	delivery->body = NULL;
}

static int begin(void **state)
{
	(void)state;
	broker = (struct broker){.channel = 1};
	intake = (struct intake){0};
	failure = ERR_OK;
	calls[0] = '\0';
	tags = 0;
	conf_init(&conf);
	consumer = (struct consumer){.conf = &conf};
	unsigned first = consumer_add_lane(&consumer, QUEUE_ACCOUNT, PREFETCH, MAX_JOBS);
	unsigned second = consumer_add_lane(&consumer, QUEUE_IMPORT, 2, MAX_JOBS);
	consumer_add_queue(&consumer, "now", first, 0);
	consumer_add_queue(&consumer, "later", first, 5000);
	consumer_add_queue(&consumer, "import", second, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	consumer_fini(&consumer);
	intake_fini(&intake);
	for (size_t i = 0; i < broker.count; i++)
		broker_delivery_fini(&broker.waiting[i]);
	assert_false(is_open);
	return 0;
}

static void deliver(const char *queue, bool is_redelivered)
{
	struct broker_delivery *delivery = &broker.waiting[broker.count++];
	*delivery = (struct broker_delivery){.channel = broker.channel,
					     .tag = ++tags,
					     .redelivered = is_redelivered,
					     .body = strdup(JOB),
					     .length = strlen(JOB)};
	snprintf(delivery->consumer, sizeof delivery->consumer, "%s", queue);
}

/* The number of messages in the next batch. */
static size_t fill_lane(unsigned lane)
{
	intake_clear(&intake);
	consumer_fill(&consumer, lane, &intake);
	return intake.delivery_count;
}

static size_t fill(void)
{
	return fill_lane(0);
}

static void assert_calls(const char *expected)
{
	assert_string_equal(calls, expected);
	calls[0] = '\0';
}

static void open_consumer(void)
{
	assert_int_equal(consumer_ensure_open(&consumer), ERR_OK);
	calls[0] = '\0';
}

static void subscriptions_start_at_a_prefetch_of_one(void **state)
{
	(void)state;
	assert_false(consumer_is_ready(&consumer));
	assert_int_equal(consumer_ensure_open(&consumer), ERR_OK);
	assert_calls("consume 1 now 1;consume 2 import 1;");
	assert_true(consumer_is_ready(&consumer)); /* queues of others are no condition */
	assert_int_equal(consumer_ensure_open(&consumer), ERR_OK);
	assert_calls("");
}

static void queues_of_others_are_taken_later(void **state)
{
	(void)state;
	open_consumer();
	consumer.connected_ms = clock_ms() - 5000;
	assert_int_equal(consumer_ensure_open(&consumer), ERR_OK);
	assert_calls("consume 1 later 1;");
}

static void a_fresh_message_opens_its_queue_wide_once(void **state)
{
	(void)state;
	open_consumer();
	deliver("now", false);
	assert_int_equal(fill(), 1);
	assert_int_equal(consumer_ack(&consumer, 0, &intake), ERR_OK);
	assert_calls("ack 1 up to 1;cancel 1 now 1;consume 1 now 50;");
	deliver("now", false);
	assert_int_equal(fill(), 1);
	assert_int_equal(consumer_ack(&consumer, 0, &intake), ERR_OK);
	assert_calls("ack 1 up to 2;");
}

static void a_redelivered_message_opens_nothing(void **state)
{
	(void)state;
	open_consumer();
	deliver("now", true);
	assert_int_equal(fill(), 1);
	assert_int_equal(consumer_ack(&consumer, 0, &intake), ERR_OK);
	assert_calls("ack 1 up to 1;");
}

static void a_redelivered_message_goes_alone(void **state)
{
	static const size_t batches[] = {2, 1, 1, 2, 0};
	static const bool is_redelivered[] = {false, false, true, true, false, false};
	uint64_t next = 1;
	(void)state;
	open_consumer();
	for (size_t i = 0; i < 6; i++)
		deliver("now", is_redelivered[i]);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(consumer_has_message(&consumer, 0), batches[i] > 0);
		assert_int_equal(fill(), batches[i]);
		for (size_t k = 0; k < intake.delivery_count; k++)
			assert_int_equal(intake.deliveries[k].tag,
					 next++); /* none lost, in order */
	}
}

static void what_does_not_fit_waits_for_the_next_batch(void **state)
{
	(void)state;
	open_consumer();
	for (int i = 0; i < MAX_JOBS + 3; i++)
		deliver("now", false);
	assert_int_equal(fill(), MAX_JOBS);
	assert_true(consumer_has_message(&consumer, 0));
	assert_int_equal(consumer_ack(&consumer, 0, &intake), ERR_OK);
	assert_non_null(strstr(calls, "ack 1 up to 10;"));
	assert_int_equal(fill(), 3);
	assert_int_equal(intake.deliveries[0].tag, MAX_JOBS + 1);
	assert_false(consumer_has_message(&consumer, 0));
}

static void lanes_are_kept_apart(void **state)
{
	(void)state;
	open_consumer();
	deliver("now", false);
	assert_true(consumer_has_message(&consumer, 0));
	assert_false(consumer_has_message(&consumer, 1));
}

static void deliver_imports(void)
{
	broker.channel = 2;
	for (int i = 0; i < MAX_JOBS; i++)
		deliver("import", false);
}

static void a_lane_that_yields_takes_less_beside_one_in_use(void **state)
{
	(void)state;
	open_consumer();
	consumer_yield(&consumer, 1, 3);
	deliver("now", false);
	assert_int_equal(fill(), 1);
	deliver_imports();
	assert_int_equal(fill_lane(1), 3);
}

static void a_lane_that_yields_takes_all_when_nobody_is_there(void **state)
{
	(void)state;
	open_consumer();
	consumer_yield(&consumer, 1, 3);
	deliver_imports();
	assert_int_equal(fill_lane(1), MAX_JOBS);
}

static void a_lost_connection_is_made_anew_with_all_it_had(void **state)
{
	(void)state;
	open_consumer();
	for (int i = 0; i < MAX_JOBS + 1; i++)
		deliver("now", false);
	assert_int_equal(fill(), MAX_JOBS); /* one is held for the next batch */
	const unsigned generation = consumer.generation;
	failure = ERR_BROKER_GONE;
	assert_int_equal(consumer_pump(&consumer, 0), ERR_BROKER_GONE);
	assert_false(is_open);
	assert_false(consumer_has_message(&consumer, 0)); /* it comes again */
	assert_int_equal(consumer_ack(&consumer, 0, &intake), ERR_BROKER_GONE);
	assert_int_equal(consumer_ensure_open(&consumer), ERR_BROKER_GONE);
	failure = ERR_OK;
	assert_int_equal(consumer_ensure_open(&consumer), ERR_OK);
	assert_calls("consume 1 now 1;consume 2 import 1;");
	assert_int_equal(consumer.generation, generation + 1);
}

static void a_failed_acknowledgement_closes_the_connection(void **state)
{
	(void)state;
	open_consumer();
	deliver("now", false);
	assert_int_equal(fill(), 1);
	failure = ERR_BROKER_GONE;
	assert_int_equal(consumer_ack(&consumer, 0, &intake), ERR_BROKER_GONE);
	assert_calls("ack 1 up to 1;");
	assert_false(is_open);
}

static void no_news_is_no_loss(void **state)
{
	(void)state;
	open_consumer();
	failure = ERR_TIMEOUT;
	assert_int_equal(consumer_pump(&consumer, 0), ERR_TIMEOUT);
	assert_true(is_open);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(subscriptions_start_at_a_prefetch_of_one),
		TEST(queues_of_others_are_taken_later),
		TEST(a_fresh_message_opens_its_queue_wide_once),
		TEST(a_redelivered_message_opens_nothing),
		TEST(a_redelivered_message_goes_alone),
		TEST(what_does_not_fit_waits_for_the_next_batch),
		TEST(lanes_are_kept_apart),
		TEST(a_lane_that_yields_takes_less_beside_one_in_use),
		TEST(a_lane_that_yields_takes_all_when_nobody_is_there),
		TEST(a_lost_connection_is_made_anew_with_all_it_had),
		TEST(a_failed_acknowledgement_closes_the_connection),
		TEST(no_news_is_no_loss),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
