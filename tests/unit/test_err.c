/* Errors: the table of err.def holds together. */
#include "unit.h"

#include <string.h>

#include "err.h"

static void every_code_leads_back_to_its_own_error(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++)
		assert_int_equal(err_from_code(err_code((enum err)i)), i);
}

static void a_code_that_is_none_of_ours_finds_no_error(void **state)
{
	(void)state;
	assert_int_equal(err_from_code("no-such-code"), ERR_COUNT);
	assert_int_equal(err_from_code(""), ERR_COUNT);
}

static void codes_are_lower_case_words_with_dashes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		const char *code = err_code((enum err)i);

		assert_true(strlen(code) > 0);
		assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz-"), strlen(code));
	}
}

static void every_error_has_a_sentence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++)
		assert_true(strlen(err_message((enum err)i)) > 0);
}

static void only_decisions_are_stored(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		int status = err_http_status((enum err)i);

		if (err_settles((enum err)i))
			assert_true(status == 200 || status == 402 || status == 404 ||
				    status == 409);
		if (err_class_of((enum err)i) == ERR_CLASS_CONFLICT)
			assert_true(err_settles((enum err)i));
	}
	assert_true(err_settles(ERR_SEAT_HELD));
	assert_false(err_settles(ERR_NOT_ADMITTED));
}

static void plumbing_is_shown_as_unavailable(void **state)
{
	static const enum err plumbing[] = {
		ERR_DB_GONE,          ERR_DB_CONFLICT,   ERR_DB_DUPLICATE,  ERR_DB_REFUSED,
		ERR_DB_DATA,          ERR_BROKER_GONE,   ERR_BROKER_NACKED, ERR_BROKER_RETURNED,
		ERR_BROKER_CANCELLED, ERR_TIMEOUT,       ERR_MEMORY,        ERR_CONF,
		ERR_SYSTEM,           ERR_BROKER_DENIED,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(plumbing) / sizeof(plumbing[0]); i++)
		assert_int_equal(err_public(plumbing[i]), ERR_UNAVAILABLE);
}

static void what_is_no_plumbing_is_shown_as_it_is(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_DB_GONE; i++)
		assert_int_equal(err_public((enum err)i), i);
}

static void nothing_that_a_client_sees_is_a_500(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		int status = err_http_status(err_public((enum err)i));

		assert_true(status == 503 || (status >= 200 && status < 500));
	}
}

static void an_unknown_number_is_read_as_an_error_of_ours(void **state)
{
	(void)state;
	assert_string_equal(err_code(ERR_COUNT), "system");
	assert_int_equal(err_public(ERR_COUNT), ERR_UNAVAILABLE);
	assert_int_equal(err_http_status((enum err)12345), 503);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_leads_back_to_its_own_error),
		cmocka_unit_test(a_code_that_is_none_of_ours_finds_no_error),
		cmocka_unit_test(codes_are_lower_case_words_with_dashes),
		cmocka_unit_test(every_error_has_a_sentence),
		cmocka_unit_test(only_decisions_are_stored),
		cmocka_unit_test(plumbing_is_shown_as_unavailable),
		cmocka_unit_test(what_is_no_plumbing_is_shown_as_it_is),
		cmocka_unit_test(nothing_that_a_client_sees_is_a_500),
		cmocka_unit_test(an_unknown_number_is_read_as_an_error_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
