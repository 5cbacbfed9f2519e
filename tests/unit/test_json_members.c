/* Members of JSON objects: types, limits, and what a refusal says. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

#define PLENTY 1024

static char why[JSON_WHY_SIZE];

static struct json_object *must_parse(const char *body)
{
	struct json_object *object = NULL;

	assert_int_equal(json_parse_strict(body, strlen(body), &object, why), ERR_OK);
	return object;
}

static void an_unknown_member_is_refused_by_name(void **state)
{
	static const char *const names[] = {"a", "b"};
	struct json_object *object = must_parse("{\"b\":1,\"a\":2}");

	(void)state;
	assert_int_equal(json_refuse_others(object, names, 2, why), ERR_OK);
	assert_int_equal(json_refuse_others(object, names, 1, why), ERR_BAD_FIELD);
	assert_string_equal(why, "member \"b\" is not known here");
	json_free(object);
}

static void a_hostile_name_is_not_repeated_in_the_reason(void **state)
{
	static const char *const bodies[] = {
		"{\"a\\nb\":1}",
		"{\"\xed\xa0\x80\":1}",
		"{\"\xc0\x80\":1}",
		"{\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxx\":1}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct json_object *object = must_parse(bodies[i]);

		assert_int_equal(json_refuse_others(object, NULL, 0, why), ERR_BAD_FIELD);
		assert_string_equal(why, "a member is not known here");
		json_free(object);
	}
}

static void a_member_that_is_null_is_there_but_is_no_value(void **state)
{
	struct json_object *object = must_parse("{\"a\":null}");
	int64_t number = 7;

	(void)state;
	assert_true(json_has(object, "a"));
	assert_false(json_has(object, "b"));
	assert_int_equal(json_get_int(object, "a", 1, 9, &number, why), ERR_BAD_FIELD);
	assert_string_equal(why, "a must be an integer");
	assert_int_equal(json_get_int(object, "b", 1, 9, &number, why), ERR_BAD_FIELD);
	assert_string_equal(why, "b is missing");
	assert_int_equal(number, 7);
	json_free(object);
}

static enum err read_int(const char *value, int64_t least, int64_t most, int64_t *number)
{
	char body[PLENTY];
	struct json_object *object;
	enum err err;

	snprintf(body, sizeof(body), "{\"n\":%s}", value);
	object = must_parse(body);
	err = json_get_int(object, "n", least, most, number, why);
	json_free(object);
	return err;
}

static void an_integer_is_taken_inside_its_limits(void **state)
{
	int64_t number = 0;

	(void)state;
	assert_int_equal(read_int("1", 1, 100, &number), ERR_OK);
	assert_int_equal(number, 1);
	assert_int_equal(read_int("100", 1, 100, &number), ERR_OK);
	assert_int_equal(number, 100);
	assert_int_equal(read_int("-5", -5, 5, &number), ERR_OK);
	assert_int_equal(number, -5);
	assert_int_equal(read_int("9007199254740991", 1, INT64_C(9007199254740991), &number),
			 ERR_OK);
	assert_true(number == INT64_C(9007199254740991));
}

static void what_is_no_integer_inside_the_limits_is_refused(void **state)
{
	static const char *const bad[] = {
		"0",
		"101",
		"-1",
		"1.0",
		"1e1",
		"1E0",
		"1.5",
		"\"1\"",
		"true",
		"[1]",
		"{}",
		"null",
		"-0.0",
		"9223372036854775807",
		"9223372036854775808",
		"18446744073709551615",
		"18446744073709551617",
		"99999999999999999999",
		"-99999999999999999999",
		"4294967297",
	};
	int64_t number = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_int(bad[i], 1, 100, &number) != ERR_BAD_FIELD)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(number, 7);
	assert_int_equal(read_int("101", 1, 100, &number), ERR_BAD_FIELD);
	assert_string_equal(why, "n must be 1 to 100");
}

static void an_integer_that_does_not_fit_is_refused_at_the_widest_limits(void **state)
{
	int64_t number;

	(void)state;
	assert_int_equal(read_int("99999999999999999999", INT64_MIN + 1, INT64_MAX - 1, &number),
			 ERR_BAD_FIELD);
	assert_int_equal(read_int("-99999999999999999999", INT64_MIN + 1, INT64_MAX - 1, &number),
			 ERR_BAD_FIELD);
}

static enum err read_text(const char *value, char out[static 17])
{
	char body[PLENTY];
	struct json_object *object;
	enum err err;

	snprintf(body, sizeof(body), "{\"t\":%s}", value);
	object = must_parse(body);
	err = json_get_text(object, "t", 1, 4, out, 17, why);
	json_free(object);
	return err;
}

static void a_text_is_measured_in_characters(void **state)
{
	char out[17];

	(void)state;
	assert_int_equal(read_text("\"😀😀😀😀\"", out), ERR_OK);
	assert_string_equal(out, "😀😀😀😀");
	assert_int_equal(read_text("\"a\"", out), ERR_OK);
	assert_string_equal(out, "a");
	assert_int_equal(read_text("\"\"", out), ERR_BAD_FIELD);
	assert_int_equal(read_text("\"abcde\"", out), ERR_BAD_FIELD);
	assert_string_equal(why, "t must have 1 to 4 characters");
	assert_string_equal(out, "a");
}

static void a_surrogate_pair_becomes_raw_utf8(void **state)
{
	char out[17];

	(void)state;
	assert_int_equal(read_text("\"\\ud83d\\uDE00\\uae40\"", out), ERR_OK);
	assert_string_equal(out, "😀김");
}

static void control_characters_and_false_utf8_are_refused_in_texts(void **state)
{
	static const char *const bad[] = {
		"\"\\n\"",     "\"\\t\"",      "\"\\u001f\"",      "\"\\u007f\"",
		"\"\\u0080\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "1",
		"true",        "null",         "[\"a\"]",
	};
	char out[17];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_text(bad[i], out), ERR_BAD_FIELD);
}

static void an_id_must_be_a_uuid(void **state)
{
	struct json_object *object = must_parse(
		"{\"a\":\"0123ABCD-4567-89ef-8001-a0b1c2d3e4f5\",\"b\":\"0123abcd\",\"c\":7}");
	struct id id = {{0}};

	(void)state;
	assert_int_equal(json_get_id(object, "a", &id, why), ERR_OK);
	assert_int_equal(id.bytes[15], 0xf5);
	assert_int_equal(json_get_id(object, "b", &id, why), ERR_BAD_FIELD);
	assert_string_equal(why, "b must be a UUID");
	assert_int_equal(json_get_id(object, "c", &id, why), ERR_BAD_FIELD);
	assert_int_equal(json_get_id(object, "d", &id, why), ERR_BAD_FIELD);
	assert_int_equal(id.bytes[15], 0xf5);
	json_free(object);
}

static void a_boolean_is_true_or_false_and_nothing_else(void **state)
{
	struct json_object *object = must_parse("{\"a\":true,\"b\":false,\"c\":1,\"d\":\"true\"}");
	bool value = false;

	(void)state;
	assert_int_equal(json_get_bool(object, "a", &value, why), ERR_OK);
	assert_true(value);
	assert_int_equal(json_get_bool(object, "c", &value, why), ERR_BAD_FIELD);
	assert_int_equal(json_get_bool(object, "d", &value, why), ERR_BAD_FIELD);
	assert_string_equal(why, "d must be true or false");
	assert_true(value);
	assert_int_equal(json_get_bool(object, "b", &value, why), ERR_OK);
	assert_false(value);
	json_free(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_member_is_refused_by_name),
		cmocka_unit_test(a_hostile_name_is_not_repeated_in_the_reason),
		cmocka_unit_test(a_member_that_is_null_is_there_but_is_no_value),
		cmocka_unit_test(an_integer_is_taken_inside_its_limits),
		cmocka_unit_test(what_is_no_integer_inside_the_limits_is_refused),
		cmocka_unit_test(an_integer_that_does_not_fit_is_refused_at_the_widest_limits),
		cmocka_unit_test(a_text_is_measured_in_characters),
		cmocka_unit_test(a_surrogate_pair_becomes_raw_utf8),
		cmocka_unit_test(control_characters_and_false_utf8_are_refused_in_texts),
		cmocka_unit_test(an_id_must_be_a_uuid),
		cmocka_unit_test(a_boolean_is_true_or_false_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
