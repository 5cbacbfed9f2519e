/* Growing text, JSON strings, UTF-8, times. */
#include "unit.h"

#include <string.h>

#include "text.h"

static void appended_pieces_stand_in_order(void **state)
{
	struct text text = {0};

	(void)state;
	text_add(&text, "abXX", 2);
	text_puts(&text, "cd");
	text_putc(&text, 'e');
	text_int(&text, -12);
	text_printf(&text, "%s=%d", "n", 7);
	assert_string_equal(text.bytes, "abcde-12n=7");
	assert_int_equal(text.length, strlen("abcde-12n=7"));
	text_fini(&text);
}

static void appending_nothing_still_ends_the_text(void **state)
{
	struct text text = {0};

	(void)state;
	text_puts(&text, "");
	assert_non_null(text.bytes);
	assert_string_equal(text.bytes, "");
	text_fini(&text);
}

static void a_text_grows_past_any_first_size(void **state)
{
	struct text text = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		text_putc(&text, (char)('a' + i % 26));
	text_printf(&text, "%5000d", 1);
	assert_int_equal(text.length, 105000);
	assert_int_equal(text.bytes[99999], 'a' + 99999 % 26);
	assert_int_equal(text.bytes[104999], '1');
	assert_int_equal(text.bytes[105000], '\0');
	text_fini(&text);
}

static void clearing_empties_but_keeps_the_memory(void **state)
{
	struct text text = {0};
	size_t capacity;

	(void)state;
	text_puts(&text, "something");
	capacity = text.capacity;
	text_clear(&text);
	assert_string_equal(text.bytes, "");
	assert_int_equal(text.length, 0);
	assert_int_equal(text.capacity, capacity);
	text_fini(&text);
	text_clear(&text);
	assert_null(text.bytes);
}

static void integers_of_either_end_are_written_whole(void **state)
{
	struct text text = {0};

	(void)state;
	text_int(&text, INT64_MIN);
	text_putc(&text, ' ');
	text_int(&text, 0);
	text_putc(&text, ' ');
	text_int(&text, INT64_MAX);
	assert_string_equal(text.bytes, "-9223372036854775808 0 9223372036854775807");
	text_fini(&text);
}

static void json_strings_escape_what_must_be_and_nothing_else(void **state)
{
	struct text text = {0};

	(void)state;
	text_json_string(&text, "a\"b\\c\n\t\r\b\f\x01\x1f/김😀\x7f");
	assert_string_equal(text.bytes, "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f/김😀\x7f\"");
	text_clear(&text);
	text_json_string(&text, "");
	assert_string_equal(text.bytes, "\"\"");
	text_fini(&text);
}

static void plain_utf8_is_counted_in_characters(void **state)
{
	size_t chars = 99;

	(void)state;
	assert_true(text_is_plain_utf8("", 0, &chars));
	assert_int_equal(chars, 0);
	assert_true(text_is_plain_utf8("aé김😀", strlen("aé김😀"), &chars));
	assert_int_equal(chars, 4);
	/* The ends of every range. */
	assert_true(text_is_plain_utf8("\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"
				       "\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
				       24, &chars));
	assert_int_equal(chars, 8);
}

static void what_is_no_plain_utf8_is_refused(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xfe",
		"\xc3",
		"\xe2\x82",
		"\xf0\x9f\x98",
		"\xe2\x28\xa1",
		"\xc3\x28",
		"\xf0\x9f\x28\x80",
		"a\nb",
		"\x1f",
		"\x7f",
		"\xc2\x80",
		"\xc2\x9f",
		"\t",
	};
	size_t chars = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_plain_utf8(bad[i], strlen(bad[i]), &chars));
	assert_false(text_is_plain_utf8("a\0b", 3, &chars));
	assert_int_equal(chars, 99);
}

static void a_character_cut_by_the_length_is_not_read_beyond(void **state)
{
	(void)state;
	assert_int_equal(text_plain_char("\xe2\x82\xac", 3), 3);
	assert_int_equal(text_plain_char("\xe2\x82\xac", 2), 0);
	assert_int_equal(text_plain_char("x", 0), 0);
}

static void assert_time(int64_t time_us, const char *expected)
{
	char text[TIME_TEXT_SIZE];

	time_format(time_us, text);
	assert_string_equal(text, expected);
}

static void times_are_utc_with_microseconds(void **state)
{
	(void)state;
	assert_time(0, "1970-01-01T00:00:00.000000Z");
	assert_time(INT64_C(1795391999123456), "2026-11-22T23:59:59.123456Z");
	assert_time(INT64_C(951782400000001), "2000-02-29T00:00:00.000001Z");
	assert_time(-1, "1969-12-31T23:59:59.999999Z");
}

static void hexadecimal_digits_have_their_value(void **state)
{
	(void)state;
	assert_int_equal(text_hex_value('0'), 0);
	assert_int_equal(text_hex_value('9'), 9);
	assert_int_equal(text_hex_value('a'), 10);
	assert_int_equal(text_hex_value('F'), 15);
	assert_int_equal(text_hex_value('g'), -1);
	assert_int_equal(text_hex_value('/'), -1);
	assert_int_equal(text_hex_value('\0'), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appended_pieces_stand_in_order),
		cmocka_unit_test(appending_nothing_still_ends_the_text),
		cmocka_unit_test(a_text_grows_past_any_first_size),
		cmocka_unit_test(clearing_empties_but_keeps_the_memory),
		cmocka_unit_test(integers_of_either_end_are_written_whole),
		cmocka_unit_test(json_strings_escape_what_must_be_and_nothing_else),
		cmocka_unit_test(plain_utf8_is_counted_in_characters),
		cmocka_unit_test(what_is_no_plain_utf8_is_refused),
		cmocka_unit_test(a_character_cut_by_the_length_is_not_read_beyond),
		cmocka_unit_test(times_are_utc_with_microseconds),
		cmocka_unit_test(hexadecimal_digits_have_their_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
