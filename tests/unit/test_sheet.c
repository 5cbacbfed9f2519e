/* CSV as people write it, and what is not CSV. */
#include "sheet_sample.h"

static void fields_are_quoted_or_not(void **state)
{
	(void)state;
	open_text("a,b\n1,\"two, and \"\"more\"\"\"\n\"\", x \n");
	ASSERT_FIELDS("a", "b");
	assert_int_equal(row.number, 0);
	ASSERT_FIELDS("1", "two, and \"more\"");
	assert_int_equal(row.number, 1);
	ASSERT_FIELDS("", "x");
	assert_int_equal(sheet_next(sheet, &row), SHEET_END);
}

static void lines_end_either_way_and_the_last_one_without(void **state)
{
	(void)state;
	open_text("\xEF\xBB\xBF"
		  "a,b\r\n\r\n  \n1,2\r\n\n3,4");
	ASSERT_FIELDS("a", "b");
	ASSERT_FIELDS("1", "2");
	assert_int_equal(row.number, 1);
	assert_int_equal(row.line, 4);
	ASSERT_FIELDS("3", "4");
	assert_int_equal(row.number, 2);
	assert_int_equal(row.line, 6);
	assert_int_equal(row.end, sheet_size(sheet));
	assert_int_equal(sheet_next(sheet, &row), SHEET_END);
	assert_int_equal(sheet_next(sheet, &row), SHEET_END);
}

static void a_bad_line_harms_no_other(void **state)
{
	(void)state;
	open_text("a,b\n\"open,2\n3,4\nx\"y,5\n6,7\n8\r9\n10,11\n");
	ASSERT_FIELDS("a", "b");
	assert_fault("quote");
	ASSERT_FIELDS("3", "4");
	assert_fault("quote");
	ASSERT_FIELDS("6", "7");
	assert_fault("carriage return");
	ASSERT_FIELDS("10", "11");
	assert_int_equal(row.number, 6);
}

static void a_line_of_any_length_takes_bounded_memory(void **state)
{
	size_t length = 3 * 1024 * 1024;
	char *text = malloc(length);
	(void)state;
	assert_non_null(text);
	memset(text, 'x', length);
	memcpy(text, "a\n1\n", 4);
	memcpy(text + length - 5, "\n2\n3\n", 5);
	open_bytes(text, length);
	free(text);
	ASSERT_FIELDS("a");
	ASSERT_FIELDS("1");
	assert_fault("8,192");
	assert_true(row.raw_length <= SHEET_LINE_MAX);
	assert_int_equal(row.number, 2);
	ASSERT_FIELDS("2");
	ASSERT_FIELDS("3");
	assert_int_equal(row.end, (int64_t)length);
}

static void the_longest_line_is_taken(void **state)
{
	char text[2 * SHEET_LINE_MAX];
	(void)state;
	memset(text, 'x', sizeof text);
	text[SHEET_LINE_MAX - 1] = '\n';
	open_bytes(text, SHEET_LINE_MAX);
	assert_int_equal(sheet_next(sheet, &row), SHEET_ROW);
	assert_null(row.fault);
	assert_int_equal(row.fields[0].length, SHEET_LINE_MAX - 1);
	text[SHEET_LINE_MAX - 1] = 'x';
	text[SHEET_LINE_MAX] = '\n';
	open_bytes(text, SHEET_LINE_MAX + 1);
	assert_fault("8,192");
}

static void too_many_fields_are_a_fault(void **state)
{
	char text[SHEET_FIELDS_MAX + 2];
	(void)state;
	memset(text, ',', sizeof text);
	open_bytes(text, SHEET_FIELDS_MAX - 1);
	assert_int_equal(sheet_next(sheet, &row), SHEET_ROW);
	assert_null(row.fault);
	assert_int_equal(row.count, SHEET_FIELDS_MAX);
	open_bytes(text, SHEET_FIELDS_MAX);
	assert_fault("64");
}

static void utf16_is_told_from_csv(void **state)
{
	(void)state;
	open_bytes("\xFF\xFE"
		   "a\0\n\0",
		   6);
	assert_int_equal(sheet_next(sheet, &row), SHEET_BROKEN);
	assert_non_null(strstr(sheet_why(sheet), "UTF-16"));
}

static void a_zero_byte_does_not_end_a_field(void **state)
{
	(void)state;
	open_bytes("a\0b,c\n", 6);
	assert_int_equal(sheet_next(sheet, &row), SHEET_ROW);
	assert_int_equal(row.fields[0].length, 3);
}

static void what_cannot_be_opened_is_an_error(void **state)
{
	struct sheet *none = NULL;
	(void)state;
	assert_int_equal(sheet_open(&none, "/nonexistent/file"), ERR_SYSTEM);
	assert_int_equal(sheet_open(&none, "/tmp"), ERR_SYSTEM);
	assert_null(none);
}

static void a_field_is_written_in_quotes(void **state)
{
	struct text out = {0};
	(void)state;
	sheet_put_field(&out, "a \"b\"", 5);
	assert_string_equal(out.bytes, "\"a \"\"b\"\"\"");
	text_fini(&out);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_sheet)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fields_are_quoted_or_not),
		TEST(lines_end_either_way_and_the_last_one_without),
		TEST(a_bad_line_harms_no_other),
		TEST(a_line_of_any_length_takes_bounded_memory),
		TEST(the_longest_line_is_taken),
		TEST(too_many_fields_are_a_fault),
		TEST(utf16_is_told_from_csv),
		TEST(a_zero_byte_does_not_end_a_field),
		TEST(what_cannot_be_opened_is_an_error),
		TEST(a_field_is_written_in_quotes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
