/* Moments as people name them. */
#include "unit.h"

#include <string.h>

#include "moment.h"

static void a_local_time_is_a_moment(void **state)
{
	char why[MOMENT_WHY_SIZE];
	int64_t us = 0;

	(void)state;
	assert_int_equal(moment_read("2026-12-01 20:00", "Asia/Seoul", &us, why), ERR_OK);
	assert_true(us == INT64_C(1796122800) * 1000000);
	assert_int_equal(moment_read("2026-12-01 11:00:00", "UTC", &us, why), ERR_OK);
	assert_true(us == INT64_C(1796122800) * 1000000);
	assert_int_equal(moment_read("2026-07-01 12:00:30", "Europe/Berlin", &us, why), ERR_OK);
	assert_true(us == INT64_C(1782900030) * 1000000);
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const texts[] = {"",
					    "soon",
					    "2026-12-01",
					    "20:00",
					    "2026-13-01 20:00",
					    "2026-12-01 25:00",
					    "2026-02-30 12:00",
					    "2026-12-01 20:00 +09",
					    "2026-12-01T20:00"};
	char why[MOMENT_WHY_SIZE];
	int64_t us = 7;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		why[0] = '\0';
		assert_int_equal(moment_read(texts[i], "UTC", &us, why), ERR_CONF);
		assert_true(strlen(why) > 0);
	}
	assert_true(us == 7);
}

static void a_time_that_the_clocks_leave_out_is_refused(void **state)
{
	char why[MOMENT_WHY_SIZE];
	int64_t us;

	(void)state;
	assert_int_equal(moment_read("2026-03-29 02:30", "Europe/Berlin", &us, why), ERR_CONF);
	assert_string_equal(why, "there is no 2026-03-29 02:30 in Europe/Berlin");
}

static void a_zone_that_is_not_known_is_not_taken_for_another(void **state)
{
	static const char *const zones[] = {"",     "Asia/Soul", "../etc/passwd", "/etc/passwd",
					    "Asia", "KST-9"};
	char why[MOMENT_WHY_SIZE];
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
		assert_int_equal(moment_read("2026-12-01 20:00", zones[i], &us, why), ERR_CONF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_local_time_is_a_moment),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(a_time_that_the_clocks_leave_out_is_refused),
		cmocka_unit_test(a_zone_that_is_not_known_is_not_taken_for_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
