/* Ticks: what all who listen are told, and that a client can work out its place from it. */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tick.h"

static struct snapshot *snapshot;

static int begin(void **state)
{
	(void)state;
	snapshot = snapshot_new();
	assert_non_null(snapshot);
	snapshot->clock_us = 1000000;
	snapshot->gate = (struct snapshot_gate){.served = 10, .per_minute = 60};
	return 0;
}

static int end(void **state)
{
	(void)state;
	snapshot_release(snapshot);
	return 0;
}

/* A line from first to last without every nth place (0: none is missing). */
static void set_line(int64_t first, int64_t last, int64_t nth)
{
	line_release(snapshot->line);
	snapshot->line = line_new(last);
	assert_non_null(snapshot->line);
	for (int64_t place = first; place <= last; place++)
		if (nth == 0 || place % nth != 0)
			line_wait(snapshot->line, place);
	line_finish(snapshot->line);
}

static void a_tick_tells_the_line_and_the_news(void **state)
{
	struct text out = {0};

	(void)state;
	set_line(11, 18, 0);
	strcpy(snapshot->gate.message, "hello");
	tick_write(snapshot, &out);
	assert_string_equal(out.bytes,
			    "{\"at\":\"1970-01-01T00:00:01.000000Z\",\"served\":10,\"waiting\":8,"
			    "\"perMinute\":60,\"marks\":[[11,0],[12,1],[14,3],[18,7],[19,8]],"
			    "\"gate\":\"open\",\"sale\":{\"state\":\"available\"},"
			    "\"message\":\"hello\"}");
	text_fini(&out);
}

static void an_empty_line_has_its_end_alone(void **state)
{
	struct text out = {0};

	(void)state;
	set_line(11, 10, 0);
	tick_write(snapshot, &out);
	assert_non_null(strstr(out.bytes, "\"waiting\":0,"));
	assert_non_null(strstr(out.bytes, "\"marks\":[[11,0]]"));
	text_fini(&out);
}

/* As PROTOCOL.md tells a client to do. */
static int64_t ahead_of(const char *tick, int64_t number)
{
	char *at = strstr(tick, "\"marks\":[") + 9;
	int64_t last_place = 0, last_ahead = 0;

	while (*at == '[') {
		int64_t place = strtoll(at + 1, &at, 10);
		int64_t ahead = strtoll(at + 1, &at, 10);

		if (place > number) {
			int64_t most = last_ahead + number - last_place;

			return most < ahead - 1 ? most : ahead - 1;
		}
		last_place = place;
		last_ahead = ahead;
		at += at[1] == ',' ? 2 : 1;
	}
	return last_ahead + number - last_place;
}

static void a_client_works_out_its_place(void **state)
{
	(void)state;
	for (int64_t nth = 0; nth < 6; nth += 1 + (nth == 0)) {
		struct text out = {0};

		set_line(101, 3000, nth);
		tick_write(snapshot, &out);
		for (int64_t number = 101; number <= 3005; number++) {
			int64_t exact = line_ahead(snapshot->line, number);

			if (!line_has(snapshot->line, number))
				continue;
			/* Never less than it is, and exact where nobody left between two marks. */
			assert_true(ahead_of(out.bytes, number) >= exact);
			assert_true(ahead_of(out.bytes, number) <= 2 * exact + 1);
			if (nth == 0 || number > 3000)
				assert_int_equal(ahead_of(out.bytes, number), exact);
		}
		text_fini(&out);
	}
}

static void another_tick_has_another_sum(void **state)
{
	uint64_t sum;

	(void)state;
	set_line(11, 20, 0);
	sum = tick_sum(snapshot);
	snapshot->clock_us++;
	assert_true(tick_sum(snapshot) == sum);
	strcpy(snapshot->gate.message, "x");
	assert_true(tick_sum(snapshot) != sum);
	snapshot->gate.message[0] = '\0';
	snapshot->sale.state = SALE_SOLD_OUT;
	assert_true(tick_sum(snapshot) != sum);
	snapshot->sale.state = SALE_AVAILABLE;
	snapshot->gate.state = POLICY_PAUSED;
	assert_true(tick_sum(snapshot) != sum);
	snapshot->gate.state = POLICY_OPEN;
	set_line(11, 21, 0);
	assert_true(tick_sum(snapshot) != sum);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tick_tells_the_line_and_the_news),
		TEST(an_empty_line_has_its_end_alone),
		TEST(a_client_works_out_its_place),
		TEST(another_tick_has_another_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
