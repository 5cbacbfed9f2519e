/* Places in line: honest numbers, and "unknown" where nothing is known. */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"

static struct place waiting(int64_t ahead, int64_t per_minute)
{
	return place_waiting(&(struct place_facts){
		.ahead = ahead, .waiting = ahead + 1, .per_minute = per_minute, .is_near = true});
}

static void the_wait_is_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(waiting(0, 60).position, 1);
	assert_int_equal(waiting(0, 60).eta_s, 1);
	assert_int_equal(waiting(0, 7).eta_s, 9);
	assert_int_equal(waiting(99, 10).eta_s, 600);
	assert_int_equal(waiting(INT64_C(9007199254740990), 1).eta_s,
			 INT64_C(9007199254740991) * 60);
}

static void without_a_rate_the_wait_is_unknown(void **state)
{
	struct place place = waiting(6, 0);
	struct text out = {0};

	(void)state;
	assert_false(place.eta_known);
	place.poll_ms = 1140;
	place_write(&place, &out);
	assert_string_equal(
		out.bytes,
		"\"status\":\"WAITING\",\"number\":0,\"position\":7,\"ahead\":6,"
		"\"etaSeconds\":null,\"etaKnown\":false,"
		"\"pollAfterMs\":1140,\"expiresAt\":null,\"opensAt\":null,\"gate\":\"open\","
		"\"sale\":{\"state\":\"available\"},\"message\":null");
	text_fini(&out);
}

static void polls_are_spread_and_bounded(void **state)
{
	struct place_facts facts = {.ahead = 500, .waiting = 1000};

	(void)state;
	for (facts.jitter = 0; facts.jitter < 3000; facts.jitter += 7) {
		facts.ahead = 0; /* 1,020 ms and an eighth */
		assert_in_range(place_waiting(&facts).poll_ms, PLACE_POLL_LEAST_MS, 1148);
		facts.ahead = 1000000;
		assert_in_range(place_waiting(&facts).poll_ms, 8750, PLACE_POLL_NEAR_MS);
	}
	facts.jitter = 1;
	int64_t one = place_waiting(&facts).poll_ms;
	facts.jitter = 1000;
	assert_int_not_equal(place_waiting(&facts).poll_ms, one);
}

/* A tenth of the wait that is left. */
static void who_waits_long_asks_seldom(void **state)
{
	struct place_facts facts = {.ahead = 99, .waiting = 100000, .per_minute = 100};

	(void)state;
	assert_int_equal(place_waiting(&facts).poll_ms, 6000);
	facts.ahead = 4;
	assert_int_equal(place_waiting(&facts).poll_ms, PLACE_POLL_LEAST_MS);
	facts.ahead = 50000;
	assert_int_equal(place_waiting(&facts).poll_ms, 17500); /* 100,000 come to 5,000 a second */
	facts.waiting = 1000000;
	assert_int_equal(place_waiting(&facts).poll_ms, PLACE_POLL_MOST_MS / 8 * 7);
	facts.per_minute = 0;
	assert_int_equal(place_waiting(&facts).poll_ms, PLACE_POLL_MOST_MS / 8 * 7);
	facts.is_near = true; /* where a poll is a sign of life */
	assert_int_equal(place_waiting(&facts).poll_ms, PLACE_POLL_NEAR_MS / 8 * 7);
	assert_int_equal(place_retry_after_s(&(struct place){.poll_ms = 1001}), 2);
}

static void an_admitted_ticket_says_when_it_ends(void **state)
{
	struct place place = place_active(3, 1000000);
	struct text out = {0};

	(void)state;
	place_write(&place, &out);
	assert_string_equal(
		out.bytes,
		"\"status\":\"ACTIVE\",\"number\":3,\"position\":0,\"ahead\":0,\"etaSeconds\":0,"
		"\"etaKnown\":true,\"pollAfterMs\":10000,"
		"\"expiresAt\":\"1970-01-01T00:00:01.000000Z\",\"opensAt\":null,\"gate\":\"open\","
		"\"sale\":{\"state\":\"available\"},\"message\":null");
	text_fini(&out);
}

static void what_all_are_told_is_in_it(void **state)
{
	struct snapshot *snapshot = snapshot_new();
	struct place place = waiting(0, 0);
	struct text out = {0};

	(void)state;
	assert_non_null(snapshot);
	snapshot->gate.state = POLICY_PAUSED;
	strcpy(snapshot->gate.message, "back \"soon\"");
	snapshot->sale = (struct snapshot_sale){SALE_ALL_HELD, 3, 2000000};
	place_tell(&place, snapshot);
	snapshot_release(snapshot);
	place_write(&place, &out);
	assert_non_null(strstr(out.bytes,
			       "\"gate\":\"paused\",\"sale\":{\"state\":\"all-held\",\"held\":3,"
			       "\"nextAt\":\"1970-01-01T00:00:02.000000Z\"},"
			       "\"message\":\"back \\\"soon\\\"\""));
	text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wait_is_rounded_up),
		cmocka_unit_test(without_a_rate_the_wait_is_unknown),
		cmocka_unit_test(polls_are_spread_and_bounded),
		cmocka_unit_test(who_waits_long_asks_seldom),
		cmocka_unit_test(an_admitted_ticket_says_when_it_ends),
		cmocka_unit_test(what_all_are_told_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
