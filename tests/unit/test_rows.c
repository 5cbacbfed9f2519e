/* Rows: the one parameter of every statement. */
#include "unit.h"

#include <string.h>

#include "rows.h"

static struct rows rows;

static int begin(void **state)
{
	(void)state;
	rows = (struct rows){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	rows_fini(&rows);
	return 0;
}

static void assert_rows(const char *expected)
{
	rows_end(&rows);
	assert_string_equal(rows.text.bytes, expected);
	assert_int_equal(rows.text.length, strlen(expected));
}

static void no_rows_are_an_empty_array(void **state)
{
	(void)state;
	assert_rows("[]");
}

static void each_row_is_an_object(void **state)
{
	(void)state;
	rows_next(&rows);
	rows_int(&rows, "a", 1);
	rows_string(&rows, "b", "x");
	rows_next(&rows);
	rows_int(&rows, "a", 2);
	rows_next(&rows);
	assert_int_equal(rows.count, 3);
	assert_rows("[{\"a\":1,\"b\":\"x\"},{\"a\":2},{}]");
}

static void integers_keep_their_value(void **state)
{
	(void)state;
	rows_next(&rows);
	rows_int(&rows, "least", INT64_MIN);
	rows_int(&rows, "most", INT64_MAX);
	rows_int(&rows, "none", 0);
	assert_rows("[{\"least\":-9223372036854775808,\"most\":9223372036854775807,\"none\":0}]");
}

/* MariaDB's JSON_TABLE makes an empty string of an escaped surrogate pair. */
static void text_stays_raw_utf8(void **state)
{
	(void)state;
	rows_next(&rows);
	rows_string(&rows, "t", "김😀 \"q\" \\ /");
	assert_rows("[{\"t\":\"김😀 \\\"q\\\" \\\\ /\"}]");
}

static void bytes_are_digits_for_unhex(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x0a, 0xff, 0x7f};
	struct id id = {
		{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 0, 0, 0, 0, 0x10}};
	(void)state;
	rows_next(&rows);
	rows_bytes(&rows, "b", bytes, sizeof bytes);
	rows_id(&rows, "id", &id);
	assert_rows("[{\"b\":\"000AFF7F\",\"id\":\"0123456789ABCDEF0000000000000010\"}]");
}

static void cleared_rows_begin_anew(void **state)
{
	(void)state;
	rows_next(&rows);
	rows_int(&rows, "a", 1);
	rows_end(&rows);
	rows_clear(&rows);
	assert_int_equal(rows.count, 0);
	rows_next(&rows);
	rows_int(&rows, "b", 2);
	assert_rows("[{\"b\":2}]");
}

static void bytes_of_any_length_become_digits(void **state)
{
	uint8_t bytes[100];
	(void)state;
	memset(bytes, 0x1F, sizeof bytes);
	rows_next(&rows);
	rows_bytes(&rows, "a", bytes, sizeof bytes);
	rows_end(&rows);
	assert_int_equal(rows.text.length, strlen("[{\"a\":\"\"}]") + 200);
	for (size_t i = 0; i < 100; i++)
		assert_memory_equal(rows.text.bytes + strlen("[{\"a\":\"") + 2 * i, "1F", 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void ids_are_sorted_once_each(void **state)
{
	int64_t ids[] = {7, 0, INT64_MAX, 3, 7, 1, 0, 3};

	(void)state;
	assert_int_equal(rows_sort_ids(ids, sizeof ids / sizeof *ids), 4);
	assert_int_equal(ids[0], 1);
	assert_int_equal(ids[1], 3);
	assert_int_equal(ids[2], 7);
	assert_int_equal(ids[3], INT64_MAX);
	assert_int_equal(rows_sort_ids(ids, 0), 0);
}

static void rows_end_once(void **state)
{
	(void)state;
	rows_next(&rows);
	rows_int(&rows, "id", 1);
	rows_end(&rows);
	assert_rows("[{\"id\":1}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_rows_are_an_empty_array),        TEST(each_row_is_an_object),
		TEST(integers_keep_their_value),         TEST(text_stays_raw_utf8),
		TEST(bytes_are_digits_for_unhex),        TEST(cleared_rows_begin_anew),
		TEST(ids_are_sorted_once_each),          TEST(rows_end_once),
		TEST(bytes_of_any_length_become_digits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
