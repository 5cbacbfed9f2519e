/* Metrics: what is counted shows, in the text format, however many threads count. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "gate_numbers.h"
#include "metrics.h"

#define THREADS 8
#define ROUNDS 20000

static struct conf conf;
static struct text out;

static const char *path_of(size_t index)
{
	return index == 0 ? "/first" : "/second";
}

static int begin(void **state)
{
	(void)state;
	conf_init(&conf);
	metrics_reset();
	metrics_name_routes(path_of, 2);
	metrics_open(IN_ALL, "sample", &conf);
	return 0;
}

static int end(void **state)
{
	(void)state;
	text_fini(&out);
	return 0;
}

static void write_all(void)
{
	text_clear(&out);
	metrics_write(&out);
}

/* The value behind "name{labels} " at the beginning of a line; NULL when there is no such line. */
static const char *shown(const char *series)
{
	static char value[64];
	char needle[256];
	const char *at;

	snprintf(needle, sizeof needle, "\n%s ", series);
	at = strstr(out.bytes, needle);
	if (!at)
		return NULL;
	at += strlen(needle);
	snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\n"), at);
	return value;
}

static void assert_shown(const char *series, const char *value)
{
	const char *found = shown(series);

	assert_non_null(found);
	assert_string_equal(found, value);
}

static void a_counter_counts_from_zero(void **state)
{
	(void)state;
	write_all();
	assert_shown("boxoffice_messages_total", "0");
	metrics_count(METRIC_MESSAGES, 0, 0);
	metrics_add(METRIC_MESSAGES, 0, 0, 41);
	write_all();
	assert_shown("boxoffice_messages_total", "42");
	assert_int_equal(metrics_value(METRIC_MESSAGES, 0, 0), 42);
}

static void a_family_has_its_help_and_type_once_before_its_series(void **state)
{
	static const char head[] = "# HELP boxoffice_messages_total messages taken\n"
				   "# TYPE boxoffice_messages_total counter\n"
				   "boxoffice_messages_total 0\n";
	const char *first;

	(void)state;
	write_all();
	first = strstr(out.bytes, head);
	assert_non_null(first);
	assert_null(strstr(first + 1, "# HELP boxoffice_messages_total"));
	assert_non_null(strstr(out.bytes, "# TYPE boxoffice_up gauge\n"));
	assert_non_null(strstr(out.bytes, "# TYPE boxoffice_snapshot_age_seconds gauge\n"));
	assert_non_null(strstr(out.bytes, "# TYPE boxoffice_reply_seconds histogram\n"));
	assert_int_equal(out.bytes[out.length - 1], '\n');
}

static void series_are_told_apart_by_their_labels(void **state)
{
	(void)state;
	metrics_count(METRIC_REQUESTS, 0, ERR_OK);
	metrics_count(METRIC_REQUESTS, 1, ERR_SEAT_HELD);
	metrics_count(METRIC_REQUESTS, 1, METRICS_QUEUED);
	metrics_count(METRIC_REQUESTS, METRICS_ROUTES - 1, ERR_NOT_FOUND);
	metrics_count(METRIC_REQUESTS, 0, ERR_DB_GONE);
	write_all();
	assert_shown("boxoffice_requests_total{route=\"/first\",status=\"200\",code=\"ok\"}", "1");
	assert_shown(
		"boxoffice_requests_total{route=\"/second\",status=\"409\",code=\"seat-held\"}",
		"1");
	assert_shown("boxoffice_requests_total{route=\"/second\",status=\"202\",code=\"queued\"}",
		     "1");
	assert_shown("boxoffice_requests_total{route=\"other\",status=\"404\",code=\"not-found\"}",
		     "1");
	/* Clients are told 503 unavailable; operators are told why. */
	assert_shown("boxoffice_requests_total{route=\"/first\",status=\"503\",code=\"db-gone\"}",
		     "1");
}

static void of_two_labels_those_series_show_that_were_counted(void **state)
{
	(void)state;
	write_all();
	assert_null(strstr(out.bytes, "\nboxoffice_jobs_total{"));
	assert_shown("boxoffice_jobs_sent_total{kind=\"reserve\"}", "0");
	metrics_count(METRIC_JOBS, JOB_PAY, ERR_INSUFFICIENT_BALANCE);
	write_all();
	assert_shown("boxoffice_jobs_total{kind=\"pay\",code=\"insufficient-balance\"}", "1");
}

static void every_value_of_a_label_has_its_name(void **state)
{
	(void)state;
	metrics_set_state(METRIC_GATE_STATE, POLICY_PAUSED);
	metrics_set_state(METRIC_GATE_STOCK, GATE_STOCK_HELD);
	metrics_set_state(METRIC_GATE_DRAW, DRAW_CLOSED + 1);
	metrics_set(METRIC_GATE_LIMIT, METRICS_LIMIT_max_active, 500);
	metrics_count(METRIC_HOLDS_RELEASED, LAYER_SWEEPER, 0);
	metrics_count(METRIC_GATE_TICKS, TICK_SKIPPED, 0);
	metrics_count(METRIC_SNAPSHOTS, DONE_OK, 0);
	metrics_connected(SIDE_CONSUMER);
	write_all();
	assert_shown("boxoffice_gate_state{state=\"paused\"}", "1");
	assert_shown("boxoffice_gate_state{state=\"open\"}", "0");
	assert_shown("boxoffice_gate_stock{stock=\"held\"}", "1");
	assert_shown("boxoffice_gate_draw{state=\"closed\"}", "1");
	assert_shown("boxoffice_gate_draw{state=\"none\"}", "0");
	assert_shown("boxoffice_gate_policy{limit=\"max_active\"}", "500");
	assert_shown("boxoffice_holds_released_total{layer=\"sweeper\"}", "1");
	assert_shown("boxoffice_holds_released_total{layer=\"message\"}", "0");
	assert_shown("boxoffice_holds_released_total{layer=\"read\"}", "0");
	assert_shown("boxoffice_gate_ticks_total{outcome=\"skipped\"}", "1");
	assert_shown("boxoffice_snapshot_refreshes_total{outcome=\"ok\"}", "1");
	assert_shown("boxoffice_connected{side=\"consumer\"}", "1");
	assert_shown("boxoffice_dead_letters_total{code=\"bad-message\"}", "0");
}

static void a_gauge_shows_once_it_is_set_and_until_it_is_unset(void **state)
{
	(void)state;
	write_all();
	assert_null(shown("boxoffice_gate_allowance"));
	metrics_set(METRIC_GATE_ALLOWANCE, 0, 0);
	write_all();
	assert_shown("boxoffice_gate_allowance", "0");
	metrics_set(METRIC_GATE_ALLOWANCE, 0, -7);
	write_all();
	assert_shown("boxoffice_gate_allowance", "-7");
	metrics_unset(METRIC_GATE_ALLOWANCE, 0);
	write_all();
	assert_null(shown("boxoffice_gate_allowance"));
}

static void a_gauge_of_microseconds_shows_seconds(void **state)
{
	(void)state;
	metrics_set(METRIC_GATE_OLDEST, 0, 1500000);
	metrics_set(METRIC_HOLD_OVERDUE_TIME, 0, 1);
	write_all();
	assert_shown("boxoffice_gate_oldest_wait_seconds", "1.500000");
	assert_shown("boxoffice_hold_overdue_seconds", "0.000001");
}

static void an_age_is_the_time_since(void **state)
{
	double age;

	(void)state;
	write_all();
	assert_null(shown("boxoffice_snapshot_age_seconds"));
	metrics_set(METRIC_SNAPSHOT_AGE, 0, clock_us() - 3000000);
	write_all();
	age = strtod(shown("boxoffice_snapshot_age_seconds"), NULL);
	assert_true(age >= 3 && age < 30);
}

static void a_counter_kept_elsewhere_is_set(void **state)
{
	(void)state;
	metrics_set(METRIC_GATE_DEPARTED, 0, 17);
	write_all();
	assert_shown("boxoffice_gate_departed_total", "17");
}

static void a_histogram_counts_up_to_each_bound(void **state)
{
	(void)state;
	metrics_observe(METRIC_REPLY_TIME, 0, 50); /* a bound belongs to its bucket */
	metrics_observe(METRIC_REPLY_TIME, 0, 51);
	metrics_observe(METRIC_REPLY_TIME, 0, 2000000);
	metrics_observe(METRIC_REPLY_TIME, 0, 10000001); /* above all bounds */
	metrics_observe(METRIC_REPLY_TIME, 0, -5);       /* a clock that went back */
	write_all();
	assert_shown("boxoffice_reply_seconds_bucket{le=\"5e-05\"}", "2");
	assert_shown("boxoffice_reply_seconds_bucket{le=\"0.0001\"}", "3");
	assert_shown("boxoffice_reply_seconds_bucket{le=\"1\"}", "3");
	assert_shown("boxoffice_reply_seconds_bucket{le=\"2.5\"}", "4");
	assert_shown("boxoffice_reply_seconds_bucket{le=\"10\"}", "4");
	assert_shown("boxoffice_reply_seconds_bucket{le=\"+Inf\"}", "5");
	assert_shown("boxoffice_reply_seconds_sum", "12.000102");
	assert_shown("boxoffice_reply_seconds_count", "5");
	assert_int_equal(metrics_value(METRIC_REPLY_TIME, 0, 0), 5);
}

static void a_histogram_of_sizes_and_one_with_a_label(void **state)
{
	(void)state;
	metrics_observe(METRIC_BATCH_JOBS, 0, 300);
	metrics_observe(METRIC_REQUEST_TIME, 1, 70);
	write_all();
	assert_shown("boxoffice_batch_jobs_bucket{le=\"200\"}", "0");
	assert_shown("boxoffice_batch_jobs_bucket{le=\"500\"}", "1");
	assert_shown("boxoffice_batch_jobs_sum", "300");
	assert_shown("boxoffice_request_seconds_bucket{route=\"/second\",le=\"0.0001\"}", "1");
	assert_shown("boxoffice_request_seconds_count{route=\"/second\"}", "1");
	assert_shown("boxoffice_request_seconds_count{route=\"/first\"}", "0");
}

static void a_connection_after_a_lost_one_is_a_reconnect(void **state)
{
	(void)state;
	metrics_connected(SIDE_PUBLISHER);
	metrics_connected(SIDE_PUBLISHER);
	assert_int_equal(metrics_value(METRIC_RECONNECTS, SIDE_PUBLISHER, 0), 0);
	metrics_disconnected(SIDE_PUBLISHER);
	assert_int_equal(metrics_value(METRIC_CONNECTED, SIDE_PUBLISHER, 0), 0);
	metrics_disconnected(SIDE_PUBLISHER);
	metrics_connected(SIDE_PUBLISHER);
	assert_int_equal(metrics_value(METRIC_RECONNECTS, SIDE_PUBLISHER, 0), 1);
	assert_int_equal(metrics_value(METRIC_RECONNECTS, SIDE_CONSUMER, 0), 0);
	assert_int_equal(metrics_value(METRIC_CONNECTED, SIDE_PUBLISHER, 0), 1);
}

static void a_process_shows_its_own_families_alone(void **state)
{
	(void)state;
	metrics_open(IN_ACCOUNT, "account-worker", &conf);
	write_all();
	assert_non_null(strstr(out.bytes, "boxoffice_messages_total"));
	assert_null(strstr(out.bytes, "boxoffice_requests_total"));
	assert_null(strstr(out.bytes, "boxoffice_gate_"));
	assert_null(strstr(out.bytes, "boxoffice_holds_"));
}

static void a_label_cannot_break_its_line(void **state)
{
	(void)state;
	snprintf(conf.name, sizeof conf.name, "a\"b\\c\nd");
	write_all();
	assert_non_null(strstr(out.bytes, "role=\"sample\",process=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

/* What no text may hold: help is printed as it stands. */
static void no_help_needs_escapes(void **state)
{
	static const char *const helps[] = {
#define METRICS_LABEL(symbol, count)
#define METRIC(symbol, name, type, where, a, b, buckets, help) help,
#include "metrics.def"
#undef METRIC
#undef METRICS_LABEL
	};

	(void)state;
	for (size_t i = 0; i < METRIC_COUNT; i++)
		assert_null(strpbrk(helps[i], "\n\\"));
}

static void *count_much(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		metrics_count(METRIC_REQUESTS, 1, ERR_OK);
		metrics_observe(METRIC_REQUEST_TIME, 1, i % 100);
	}
	return NULL;
}

static void nothing_is_lost_when_many_count_and_one_reads(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_much, NULL), 0);
	for (int i = 0; i < 20; i++)
		write_all();
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(metrics_value(METRIC_REQUESTS, 1, ERR_OK), THREADS * ROUNDS);
	assert_int_equal(metrics_value(METRIC_REQUEST_TIME, 1, 0), THREADS * ROUNDS);
	write_all();
	assert_shown("boxoffice_request_seconds_sum{route=\"/second\"}", "7.920000");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_counter_counts_from_zero),
		TEST(a_family_has_its_help_and_type_once_before_its_series),
		TEST(series_are_told_apart_by_their_labels),
		TEST(of_two_labels_those_series_show_that_were_counted),
		TEST(every_value_of_a_label_has_its_name),
		TEST(a_gauge_shows_once_it_is_set_and_until_it_is_unset),
		TEST(a_gauge_of_microseconds_shows_seconds),
		TEST(an_age_is_the_time_since),
		TEST(a_counter_kept_elsewhere_is_set),
		TEST(a_histogram_counts_up_to_each_bound),
		TEST(a_histogram_of_sizes_and_one_with_a_label),
		TEST(a_connection_after_a_lost_one_is_a_reconnect),
		TEST(a_process_shows_its_own_families_alone),
		TEST(a_label_cannot_break_its_line),
		TEST(no_help_needs_escapes),
		TEST(nothing_is_lost_when_many_count_and_one_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
