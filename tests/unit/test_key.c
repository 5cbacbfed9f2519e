/* Idempotency keys: the same three give the same job id, anything else another. */
#include "unit.h"

#include <string.h>

#include "key.h"

#define USER "11111111-1111-4111-8111-111111111111"
#define OTHER "22222222-2222-4222-8222-222222222222"
#define CALL "POST /payment"

static bool same(struct id a, struct id b)
{
	return id_equal(&a, &b);
}

static void a_repeat_meets_its_job(void **state)
{
	(void)state;
	assert_true(same(key_to_job_id(USER, CALL, "k"), key_to_job_id(USER, CALL, "k")));
}

static void user_call_and_key_all_count(void **state)
{
	struct id id = key_to_job_id(USER, CALL, "k");

	(void)state;
	assert_false(same(id, key_to_job_id(OTHER, CALL, "k")));
	assert_false(same(id, key_to_job_id(USER, "POST /reservation", "k")));
	assert_false(same(id, key_to_job_id(USER, CALL, "K")));
}

static void a_key_we_made_keeps_its_time(void **state)
{
	struct id made = id_ordered();
	char key[ID_TEXT_SIZE];
	struct id id;

	(void)state;
	id_format(&made, key);
	id = key_to_job_id(USER, CALL, key);
	assert_memory_equal(id.bytes, made.bytes, 6);
	assert_int_equal(id.bytes[6] >> 4, 8);
	assert_int_equal(id.bytes[8] >> 6, 2);
	assert_true(same(id, key_to_job_id(USER, CALL, key)));
}

static void a_time_ordered_key_is_scoped_like_any_other(void **state)
{
	struct id made = id_ordered();
	char key[ID_TEXT_SIZE];

	(void)state;
	id_format(&made, key);
	assert_false(same(key_to_job_id(USER, CALL, key), key_to_job_id(OTHER, CALL, key)));
	assert_false(same(key_to_job_id(USER, CALL, key), made));
}

static void other_uuids_are_plain_keys(void **state)
{
	struct id id = key_to_job_id(USER, CALL, OTHER);

	(void)state;
	assert_int_equal(id.bytes[6] >> 4, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeat_meets_its_job),
		cmocka_unit_test(user_call_and_key_all_count),
		cmocka_unit_test(a_key_we_made_keeps_its_time),
		cmocka_unit_test(a_time_ordered_key_is_scoped_like_any_other),
		cmocka_unit_test(other_uuids_are_plain_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
