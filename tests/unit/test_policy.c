/* Policies: what makes no sense is refused with the reason, and changes nothing. */
#include "unit.h"

#include <string.h>

#include "policy.h"

static struct conf conf;
static struct policy policy;
static char why[POLICY_WHY_SIZE];

static int begin(void **state)
{
	(void)state;
	conf_init(&conf);
	policy = policy_from_conf(&conf);
	return 0;
}

static void the_settings_are_a_policy_that_makes_sense(void **state)
{
	(void)state;
	assert_int_equal(policy.state, POLICY_OPEN);
	assert_int_equal(policy.max_active, 500);
	assert_int_equal(policy.quiet_s, 60);
	assert_int_equal(policy_check(&policy, &conf, why), ERR_OK);
}

static void states_have_names(void **state)
{
	(void)state;
	for (unsigned each = POLICY_OPEN; each <= POLICY_CLOSED; each++)
		assert_int_equal(policy_state_from(policy_state_name((enum policy_state)each)),
				 each);
	assert_int_equal(policy_state_from("ajar"), POLICY_CLOSED);
}

static void numbers_are_set_by_name(void **state)
{
	(void)state;
	assert_int_equal(policy_set(&policy, "window_limit", "70", why), ERR_OK);
	assert_int_equal(policy.window_limit, 70);
	assert_int_equal(policy_set(&policy, "counts", "arrivals", why), ERR_OK);
	assert_true(policy.counts_arrivals);
	assert_int_equal(policy_set(&policy, "counts", "releases", why), ERR_OK);
	assert_false(policy.counts_arrivals);
}

static void what_is_no_number_or_beyond_its_limits_is_not_set(void **state)
{
	static const char *const values[] = {"",        "-1",  " 1",   "1 ",
					     "1000001", "1.5", "0x10", "99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		assert_int_equal(policy_set(&policy, "max_active", values[i], why), ERR_CONF);
		assert_string_equal(why, "max_active takes a number from 0 to 1000000");
	}
	assert_int_equal(policy_set(&policy, "window_s", "0", why), ERR_CONF);
	assert_int_equal(policy_set(&policy, "counts", "heads", why), ERR_CONF);
	assert_int_equal(policy_set(&policy, "speed", "1", why), ERR_CONF);
	assert_string_equal(why, "a policy has no speed");
	assert_int_equal(policy.max_active, 500);
}

#define REFUSED(...)                                                                               \
	do {                                                                                       \
		struct policy bad = policy;                                                        \
                                                                                                   \
		__VA_ARGS__;                                                                       \
		why[0] = '\0';                                                                     \
		assert_int_equal(policy_check(&bad, &conf, why), ERR_CONF);                        \
		assert_true(strlen(why) > 0);                                                      \
	} while (0)

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	REFUSED(bad.max_active = bad.window_limit = 0);
	REFUSED(bad.show_up_s = bad.active_s + 1);
	REFUSED(bad.show_up_s = POLICY_LEAST_SHOW_UP_S - 1);
	REFUSED(bad.quiet_s = POLICY_LEAST_QUIET_S - 1);
	REFUSED(bad.counts_arrivals = true); /* of no window */
	REFUSED(bad.counts_arrivals = true; bad.window_limit = 10; bad.show_up_s = 0);
	REFUSED(bad.window_s = 0);
	REFUSED(bad.active_s = 86401);
}

static void what_is_at_its_limit_makes_sense(void **state)
{
	(void)state;
	policy.show_up_s = policy.active_s;
	policy.quiet_s = POLICY_LEAST_QUIET_S;
	policy.max_active = 0;
	policy.window_limit = 1000000;
	policy.counts_arrivals = true;
	assert_int_equal(policy_check(&policy, &conf, why), ERR_OK);
}

static void ceilings_of_the_deployment_hold(void **state)
{
	(void)state;
	conf.gate_ceiling_active = 500;
	assert_int_equal(policy_check(&policy, &conf, why), ERR_OK);
	policy.window_limit = 100;
	REFUSED(bad.max_active = 501);
	REFUSED(bad.max_active = 0);
	conf.gate_ceiling_per_minute = 100;
	assert_int_equal(policy_check(&policy, &conf, why), ERR_OK); /* 100 in 60 s */
	REFUSED(bad.window_limit = 101);
	REFUSED(bad.window_s = 59);
	REFUSED(bad.window_limit = 0);
	REFUSED(bad.counts_arrivals = true); /* may release twice as many */
	policy.window_limit = 50;
	policy.counts_arrivals = true;
	assert_int_equal(policy_check(&policy, &conf, why), ERR_OK);
}

static void count_number(void *arg, const char *name, int64_t value, const char *help)
{
	unsigned *count = arg;

	assert_non_null(help);
	if (strcmp(name, "grace_s") == 0)
		assert_int_equal(value, 300);
	++*count;
}

static void its_numbers_are_told(void **state)
{
	unsigned count = 0;

	(void)state;
	policy_each_number(&policy, count_number, &count);
	assert_int_equal(count, 7);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_settings_are_a_policy_that_makes_sense),
		TEST(states_have_names),
		TEST(numbers_are_set_by_name),
		TEST(what_is_no_number_or_beyond_its_limits_is_not_set),
		TEST(what_makes_no_sense_is_refused),
		TEST(what_is_at_its_limit_makes_sense),
		TEST(ceilings_of_the_deployment_hold),
		TEST(its_numbers_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
