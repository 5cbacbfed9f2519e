/* The users that an account worker remembers. */
#include "unit.h"

#include "known_users.h"

#define LIFE_MS 1000

static struct known_users users;

static int begin(void **state)
{
	(void)state;
	users = (struct known_users){.life_ms = LIFE_MS};
	return 0;
}

static int end(void **state)
{
	(void)state;
	known_users_fini(&users);
	return 0;
}

static struct id uuid_of(int64_t number)
{
	struct id id = {0};
	for (size_t i = 0; i < sizeof number; i++)
		id.bytes[i] = (uint8_t)(number >> 8 * i);
	return id;
}

static int64_t find(int64_t number, int64_t now_ms)
{
	const struct id uuid = uuid_of(number);
	return known_users_find(&users, &uuid, now_ms);
}

static void put(int64_t number, int64_t now_ms)
{
	const struct id uuid = uuid_of(number);
	known_users_put(&users, &uuid, number, now_ms);
}

static void nobody_is_known_at_first(void **state)
{
	(void)state;
	assert_int_equal(find(1, 0), 0);
}

static void who_was_put_is_found_until_the_time_is_over(void **state)
{
	(void)state;
	put(1, 500);
	assert_int_equal(find(1, 500), 1);
	assert_int_equal(find(1, 500 + LIFE_MS - 1), 1);
	assert_int_equal(find(1, 500 + LIFE_MS), 0);
	assert_int_equal(find(2, 500), 0);
}

static void zeroes_are_nobody(void **state)
{
	(void)state;
	put(1, 0);
	assert_int_equal(find(0, 0), 0);
}

static void who_is_put_again_has_its_time_anew(void **state)
{
	(void)state;
	put(1, 0);
	put(1, 600);
	assert_int_equal(find(1, 1500), 1);
}

static void without_a_life_nobody_is_remembered(void **state)
{
	(void)state;
	users.life_ms = 0;
	put(1, 0);
	assert_int_equal(find(1, 0), 0);
	assert_null(users.users);
}

/* As many as there is room for: some sets are full, and then one goes. Never one for another. */
static void most_of_a_full_house_is_found(void **state)
{
	(void)state;
	int64_t found = 0;
	for (int64_t i = 1; i <= KNOWN_USERS_MAX; i++)
		put(i, 0);
	for (int64_t i = 1; i <= KNOWN_USERS_MAX; i++) {
		int64_t number = find(i, 0);
		assert_true(number == 0 || number == i);
		found += number != 0;
	}
	assert_true(found > KNOWN_USERS_MAX * 8 / 10);
}

static void the_newest_are_kept(void **state)
{
	(void)state;
	for (int64_t i = 1; i <= 10 * KNOWN_USERS_MAX; i++)
		put(i, i / KNOWN_USERS_MAX);
	assert_int_equal(find(10 * KNOWN_USERS_MAX, 0), 10 * KNOWN_USERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_is_known_at_first, begin, end),
		cmocka_unit_test_setup_teardown(who_was_put_is_found_until_the_time_is_over, begin,
						end),
		cmocka_unit_test_setup_teardown(zeroes_are_nobody, begin, end),
		cmocka_unit_test_setup_teardown(who_is_put_again_has_its_time_anew, begin, end),
		cmocka_unit_test_setup_teardown(without_a_life_nobody_is_remembered, begin, end),
		cmocka_unit_test_setup_teardown(most_of_a_full_house_is_found, begin, end),
		cmocka_unit_test_setup_teardown(the_newest_are_kept, begin, end),
	};
	return cmocka_run_group_tests_name("known_users", tests, NULL, NULL);
}
