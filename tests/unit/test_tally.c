/* The tally: what a batch adds to the metrics, once. */
#include "worker_sample.h"

#include "metrics.h"
#include "tally.h"

#define NOW_MS (NOW_US / 1000)

static struct broker_delivery deliveries[3];
static struct intake_item items[4];
static struct batch_entry entries[4];
static struct intake intake;

static int begin(void **state)
{
	(void)state;
	metrics_reset();
	memset(deliveries, 0, sizeof deliveries);
	memset(items, 0, sizeof items);
	memset(entries, 0, sizeof entries);
	intake = (struct intake){.deliveries = deliveries, .items = items};
	intake.batch.entries = entries;
	return 0;
}

static struct batch_entry *add(enum job_kind kind, size_t delivery, enum err err)
{
	struct batch_entry *entry = &entries[intake.batch.count];
	items[intake.item_count++] =
		(struct intake_item){.delivery = delivery, .entry = intake.batch.count++};
	entry->job.kind = kind;
	entry->outcome.err = err;
	return entry;
}

static int64_t released(enum metrics_layer layer)
{
	return metrics_value(METRIC_HOLDS_RELEASED, layer, 0);
}

static void a_hold_that_begins_is_paid_or_cancelled_counts(void **state)
{
	(void)state;
	add(JOB_RESERVE, 0, ERR_OK)->starts_hold = true;
	add(JOB_PAY, 0, ERR_OK)->settles_hold = true;
	add(JOB_CANCEL, 0, ERR_OK)->settles_hold = true;
	add(JOB_PAY, 0, ERR_OK); /* paid before: the same payment told again */
	tally_holds(&intake.batch, LAYER_MESSAGE);
	assert_int_equal(metrics_value(METRIC_HOLDS_BEGUN, 0, 0), 1);
	assert_int_equal(metrics_value(METRIC_HOLDS_PAID, 0, 0), 1);
	assert_int_equal(metrics_value(METRIC_HOLDS_CANCELLED, 0, 0), 1);
	assert_int_equal(released(LAYER_MESSAGE) + released(LAYER_READ), 0);
}

static void a_release_counts_in_its_layer(void **state)
{
	(void)state;
	add(JOB_EXPIRE, 0, ERR_OK)->ends_hold = true;
	add(JOB_RESERVE, 0, ERR_OK)->ends_hold = true;
	add(JOB_EXPIRE, 0, ERR_OK); /* it came late: nothing was left to end */
	tally_holds(&intake.batch, LAYER_MESSAGE);
	assert_int_equal(released(LAYER_MESSAGE), 1);
	assert_int_equal(released(LAYER_READ), 1);
	assert_int_equal(released(LAYER_SWEEPER), 0);
	tally_holds(&intake.batch, LAYER_SWEEPER);
	assert_int_equal(released(LAYER_SWEEPER), 1);
	assert_int_equal(released(LAYER_READ), 2);
}

static void messages_count_with_their_time_on_the_way(void **state)
{
	(void)state;
	intake.delivery_count = 3;
	deliveries[0].sent_ms = NOW_MS - 20;
	deliveries[1].redelivered = true;   /* and it does not say when it was sent */
	deliveries[2].sent_ms = NOW_MS + 5; /* another host's clock is ahead */
	add(JOB_CHARGE, 0, ERR_OK);
	tally_intake(&intake, NOW_MS);
	assert_int_equal(metrics_value(METRIC_MESSAGES, 0, 0), 3);
	assert_int_equal(metrics_value(METRIC_REDELIVERED, 0, 0), 1);
	assert_int_equal(metrics_value(METRIC_QUEUE_TIME, 0, 0), 2);
	assert_int_equal(metrics_value(METRIC_BATCH_JOBS, 0, 0), 1);
}

static void a_time_that_cannot_be_is_not_counted(void **state)
{
	static const int64_t times[] = {INT64_MIN, -1, 1, NOW_US, INT64_MAX};

	(void)state;
	intake.delivery_count = 1;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		deliveries[0].sent_ms = times[i];
		tally_intake(&intake, NOW_MS);
	}
	assert_int_equal(metrics_value(METRIC_QUEUE_TIME, 0, 0), 0);
	assert_int_equal(metrics_value(METRIC_MESSAGES, 0, 0), 5);
}

static void jobs_count_by_kind_and_outcome(void **state)
{
	(void)state;
	snprintf(deliveries[0].reply_to, sizeof deliveries[0].reply_to, "reply.x");
	add(JOB_RESERVE, 0, ERR_SEAT_HELD);
	add(JOB_RESERVE, 0, ERR_OK)->outcome.replayed = true;
	add(JOB_CHARGE, 1, ERR_UNKNOWN_USER); /* of a message that nobody waits for */
	items[3] = (struct intake_item){.entry = BATCH_NONE, .err = ERR_BAD_MESSAGE};
	intake.item_count = 4;
	tally_outcomes(&intake);
	assert_int_equal(metrics_value(METRIC_JOBS, JOB_RESERVE, ERR_SEAT_HELD), 1);
	assert_int_equal(metrics_value(METRIC_JOBS, JOB_RESERVE, ERR_OK), 1);
	assert_int_equal(metrics_value(METRIC_REPEATS, JOB_RESERVE, 0), 1);
	assert_int_equal(metrics_value(METRIC_JOBS, JOB_CHARGE, ERR_UNKNOWN_USER), 1);
	assert_int_equal(metrics_value(METRIC_DEAD_LETTERS, ERR_UNKNOWN_USER, 0), 1);
	assert_int_equal(metrics_value(METRIC_DEAD_LETTERS, ERR_BAD_MESSAGE, 0), 1);
	assert_int_equal(metrics_value(METRIC_DEAD_LETTERS, ERR_SEAT_HELD, 0), 0);
}

static void a_job_that_the_database_refused_counts_as_that(void **state)
{
	(void)state;
	add(JOB_CHARGE, 0, ERR_OK);
	items[0].err = ERR_DB_DATA;
	tally_outcomes(&intake);
	assert_int_equal(metrics_value(METRIC_JOBS, JOB_CHARGE, ERR_DB_DATA), 1);
	assert_int_equal(metrics_value(METRIC_JOBS, JOB_CHARGE, ERR_OK), 0);
	assert_int_equal(metrics_value(METRIC_DEAD_LETTERS, ERR_DB_DATA, 0), 1);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hold_that_begins_is_paid_or_cancelled_counts),
		TEST(a_release_counts_in_its_layer),
		TEST(messages_count_with_their_time_on_the_way),
		TEST(a_time_that_cannot_be_is_not_counted),
		TEST(jobs_count_by_kind_and_outcome),
		TEST(a_job_that_the_database_refused_counts_as_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
