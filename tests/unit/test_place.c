/* Places in line: honest numbers, and "unknown" where nothing is known. */
#include "unit.h"

#include <stdbool.h>

#include "place.h"

static void the_place_counts_from_the_last_one_served(void **state)
{
	(void)state;
	assert_int_equal(place_waiting(11, 10, 0, 0).position, 1);
	assert_int_equal(place_waiting(110, 10, 0, 0).position, 100);
	assert_int_equal(place_waiting(5, 10, 0, 0).position, 1);
}

static void the_wait_is_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(place_waiting(1, 0, 60, 0).eta_s, 1);
	assert_int_equal(place_waiting(1, 0, 7, 0).eta_s, 9);
	assert_int_equal(place_waiting(100, 0, 10, 0).eta_s, 600);
	assert_int_equal(place_waiting(INT64_C(9007199254740991), 0, 1, 0).eta_s,
			 INT64_C(9007199254740991) * 60);
}

static void without_a_rate_the_wait_is_unknown(void **state)
{
	struct place place = place_waiting(7, 0, 0, 0);
	struct text out = {0};

	(void)state;
	assert_false(place.eta_known);
	place.poll_ms = 1140;
	place_write(&place, &out);
	assert_string_equal(out.bytes, "\"status\":\"WAITING\",\"position\":7,\"ahead\":6,"
				       "\"etaSeconds\":null,\"etaKnown\":false,"
				       "\"pollAfterMs\":1140,\"expiresAt\":null");
	text_fini(&out);
}

static void polls_are_spread_and_bounded(void **state)
{
	(void)state;
	for (uint32_t jitter = 0; jitter < 3000; jitter += 7) {
		int64_t near_ms = place_waiting(1, 0, 1, jitter).poll_ms;
		int64_t far_ms = place_waiting(1000000, 0, 1, jitter).poll_ms;

		assert_in_range(near_ms, PLACE_POLL_LEAST_MS, 1100);
		assert_in_range(far_ms, 8000, PLACE_POLL_MOST_MS);
	}
	assert_int_not_equal(place_waiting(500, 0, 1, 1).poll_ms,
			     place_waiting(500, 0, 1, 1000).poll_ms);
}

static void an_admitted_ticket_says_when_it_ends(void **state)
{
	struct place place = place_active(1000000);
	struct text out = {0};

	(void)state;
	place_write(&place, &out);
	assert_string_equal(out.bytes,
			    "\"status\":\"ACTIVE\",\"position\":0,\"ahead\":0,\"etaSeconds\":0,"
			    "\"etaKnown\":true,\"pollAfterMs\":10000,"
			    "\"expiresAt\":\"1970-01-01T00:00:01.000000Z\"");
	text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_place_counts_from_the_last_one_served),
		cmocka_unit_test(the_wait_is_rounded_up),
		cmocka_unit_test(without_a_rate_the_wait_is_unknown),
		cmocka_unit_test(polls_are_spread_and_bounded),
		cmocka_unit_test(an_admitted_ticket_says_when_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
