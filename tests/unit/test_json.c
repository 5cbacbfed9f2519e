/* JSON from outside: which texts are taken, which are refused, and why. */
#include "unit.h"

#include <string.h>

#include "json.h"
#include "text.h"

static char why[JSON_WHY_SIZE];

static enum err parse_length(const char *body, size_t length)
{
	struct json_object *object = NULL;
	enum err err;

	memset(why, '#', sizeof(why));
	err = json_parse_strict(body, length, &object, why);
	if (err) {
		assert_null(object);
		assert_non_null(memchr(why, '\0', sizeof(why)));
		assert_true(strlen(why) > 0);
		assert_true(text_is_plain_utf8(why, strlen(why), &(size_t){0}));
	}
	json_free(object);
	return err;
}

static enum err parse(const char *body)
{
	return parse_length(body, strlen(body));
}

static void an_object_is_taken_with_blanks_around_it(void **state)
{
	(void)state;
	assert_int_equal(parse("{}"), ERR_OK);
	assert_int_equal(
		parse(" \t\r\n{ \"a\" : [ 1 , -0.5e+3 , true , null , \"\\u00e9\\/\" ] }\n"),
		ERR_OK);
	assert_int_equal(parse("{\"a\":\"{]':,\\\"\\\\\"}"), ERR_OK);
}

static void what_is_not_one_json_object_is_a_bad_request(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"1",
		"null",
		"[]",
		"[{}]",
		"\"a\"",
		"{",
		"{\"a\":1",
		"{\"a\":1}}",
		"{\"a\":1}x",
		"{} {}",
		"{\"a\":1,}",
		"{,}",
		"{a:1}",
		"{'a':1}",
		"{'a\"b':1}",
		"{\"a\":'b'}",
		"{\"a\" 1}",
		"{\"a\":01}",
		"{\"a\":00}",
		"{\"a\":-01}",
		"{\"a\":1.}",
		"{\"a\":.5}",
		"{\"a\":+1}",
		"{\"a\":1e}",
		"{\"a\":-}",
		"{\"a\":0x1}",
		"{\"a\":NaN}",
		"{\"a\":nan}",
		"{\"a\":Infinity}",
		"{\"a\":-Infinity}",
		"{\"a\":True}",
		"{\"a\":tru}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\u12\"}",
		"{\"a\":\"x\ny\"}",
		"{\"a\":\"x",
		"/**/{\"a\":1}",
		"{\"a\":1}//",
		"{\"a\":1 /* */}",
		"\xef\xbb\xbf{}",
		"{\"a\":[1,]}",
		"{\"a\":[1 2]}",
		"{\"a\":1;\"b\":2}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i]) != ERR_BAD_REQUEST)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(parse_length("{}\0", 3), ERR_BAD_REQUEST);
	assert_int_equal(parse_length("{\"a\":\"\0\"}", 9), ERR_BAD_REQUEST);
}

static void the_length_ends_the_text(void **state)
{
	(void)state;
	assert_int_equal(parse_length("{\"a\":1}garbage", 7), ERR_OK);
	assert_int_equal(parse_length("{\"a\":1}", 6), ERR_BAD_REQUEST);
}

static void broken_utf8_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"a\":\"\xff\"}"), ERR_BAD_REQUEST);
	assert_non_null(strstr(why, "UTF-8"));
	assert_int_equal(parse("{\"a\":\"\xe2\x82\"}"), ERR_BAD_REQUEST);
	assert_int_equal(parse("{\"\xff\":1}"), ERR_BAD_REQUEST);
}

static void nesting_beyond_the_limit_is_refused(void **state)
{
	char deep[10000];

	(void)state;
	assert_int_equal(parse("{\"a\":[[[[[[1]]]]]]}"), ERR_OK);
	assert_int_equal(parse("{\"a\":[[[[[[[[1]]]]]]]]}"), ERR_BAD_REQUEST);
	assert_non_null(strstr(why, "8 levels"));
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	assert_int_equal(parse_length(deep, sizeof(deep)), ERR_BAD_REQUEST);
}

static void a_member_given_twice_is_refused_by_name(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"a\":1,\"amount\":1,\"amount\":2}"), ERR_BAD_FIELD);
	assert_string_equal(why, "member \"amount\" is given twice");
	assert_int_equal(parse("{\"a\":1,\"a\":1}"), ERR_BAD_FIELD);
	assert_int_equal(parse("{\"a\":null,\"a\":null}"), ERR_BAD_FIELD);
	assert_int_equal(parse("{\"a\":{\"x\":1},\"a\":2}"), ERR_BAD_FIELD);
	assert_int_equal(parse("{\"a\":2,\"a\":{\"x\":1}}"), ERR_BAD_FIELD);
}

static void a_repeat_is_found_however_it_is_spelled_and_wherever_it_is(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"a\":1,\"\\u0061\":2}"), ERR_BAD_FIELD);
	assert_string_equal(why, "a member is given twice");
	assert_int_equal(parse("{\"o\":{\"a\":1,\"a\":2}}"), ERR_BAD_FIELD);
	assert_int_equal(parse("{\"o\":[0,{\"a\":1,\"a\":2}]}"), ERR_BAD_FIELD);
	assert_int_equal(parse("{\"\":1,\"\":2}"), ERR_BAD_FIELD);
}

static void names_that_only_look_repeated_are_taken(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"), ERR_OK);
	assert_int_equal(parse("{\"a\":\"\\\"a\\\":1,\\\"a\\\":2\"}"), ERR_OK);
	assert_int_equal(parse("{\"a\\\\\":1,\"a\":\":\",\"A\":\"::\"}"), ERR_OK);
	assert_int_equal(parse("{\"a\":[{\"a\":1},{\"a\":2}]}"), ERR_OK);
}

static void a_repeat_among_very_many_members_is_found(void **state)
{
	struct text body = {0};

	(void)state;
	text_puts(&body, "{\"n0\":0");
	for (int i = 1; i < 5000; i++)
		text_printf(&body, ",\"n%d\":%d", i, i);
	text_puts(&body, "}");
	assert_int_equal(parse_length(body.bytes, body.length), ERR_OK);
	body.length--;
	text_puts(&body, ",\"n4000\":1}");
	assert_int_equal(parse_length(body.bytes, body.length), ERR_BAD_FIELD);
	text_fini(&body);
}

static void half_a_surrogate_pair_is_refused(void **state)
{
	static const char *const bad[] = {
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\uDBFFx\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"\\ud800\\ud800\\udc00\"}",
		"{\"a\":\"\\udc00\\ud800\"}",
		"{\"a\":\"\\ud800\\\\udc00\"}",
		"{\"\\ud800\":1}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i]), ERR_BAD_FIELD);
		assert_non_null(strstr(why, "surrogate"));
	}
	/* No escape at all: a backslash, and then text. */
	assert_int_equal(parse("{\"a\":\"\\\\ud800\"}"), ERR_OK);
}

static void a_nul_escape_is_refused_in_names_and_values(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"a\":\"x\\u0000y\"}"), ERR_BAD_FIELD);
	assert_int_equal(parse("{\"amount\\u0000x\":1}"), ERR_BAD_FIELD);
	assert_non_null(strstr(why, "\\u0000"));
	assert_int_equal(parse("{\"a\":\"\\\\u0000\"}"), ERR_OK);
}

/* The scanner meets only what json-c took, but must stay inside any text (sanitizers watch). */
static void the_scanner_stays_inside_any_text(void **state)
{
	static const char text[] =
		"{\"a\\u00e9\\ud83d\\ude00\":[1.5e-3,true,null,{\"b\":\"\\\"\"}]}";
	struct json_part part;

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		char *copy = test_malloc(length + 1);
		char *cut = copy + 1;
		struct json_cursor cursor;

		memcpy(cut, text, length);
		if (length < sizeof(text) - 1)
			assert_true(json_scan(cut, length).malformed);
		json_cursor_init(&cursor, cut, length);
		while (json_cursor_next(&cursor, &part))
			;
		json_find_repeat(cut, length, &part);
		test_free(copy);
	}
	assert_false(json_scan(text, sizeof(text) - 1).malformed);
	assert_int_equal(json_scan(text, sizeof(text) - 1).members, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_taken_with_blanks_around_it),
		cmocka_unit_test(what_is_not_one_json_object_is_a_bad_request),
		cmocka_unit_test(the_length_ends_the_text),
		cmocka_unit_test(broken_utf8_is_refused),
		cmocka_unit_test(nesting_beyond_the_limit_is_refused),
		cmocka_unit_test(a_member_given_twice_is_refused_by_name),
		cmocka_unit_test(a_repeat_is_found_however_it_is_spelled_and_wherever_it_is),
		cmocka_unit_test(names_that_only_look_repeated_are_taken),
		cmocka_unit_test(a_repeat_among_very_many_members_is_found),
		cmocka_unit_test(half_a_surrogate_pair_is_refused),
		cmocka_unit_test(a_nul_escape_is_refused_in_names_and_values),
		cmocka_unit_test(the_scanner_stays_inside_any_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
