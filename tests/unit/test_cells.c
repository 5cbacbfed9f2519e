/* Cells: the rows of an INSERT. */
#include "unit.h"

#include <string.h>

#include "cells.h"

static struct cells cells;

static int begin(void **state)
{
	(void)state;
	cells = (struct cells){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	cells_fini(&cells);
	return 0;
}

static void nothing_is_no_row(void **state)
{
	(void)state;
	assert_int_equal(cells.count, 0);
	assert_int_equal(cells.column_count, 0);
}

static void values_go_to_their_columns(void **state)
{
	(void)state;
	const struct id id = {.bytes = {1, 2, 3}};
	const char *name = "name";
	cells_next(&cells);
	cells_int(&cells, -5);
	cells_string(&cells, name);
	cells_id(&cells, &id);
	assert_int_equal(cells.column_count, 3);
	assert_int_equal(cells.columns[0].kind, CELLS_NUMBER);
	assert_int_equal(cells.columns[0].numbers[0], -5);
	assert_int_equal(cells.columns[1].kind, CELLS_TEXT);
	assert_ptr_equal(cells.columns[1].texts[0], name);
	assert_int_equal(cells.columns[1].lengths[0], 4);
	assert_int_equal(cells.columns[2].kind, CELLS_BYTES);
	assert_ptr_equal(cells.columns[2].texts[0], id.bytes);
	assert_int_equal(cells.columns[2].lengths[0], sizeof id.bytes);
	for (size_t i = 0; i < cells.column_count; i++)
		assert_false(cells.columns[i].is_null[0]);
}

static void zero_may_stand_for_null(void **state)
{
	(void)state;
	for (int64_t value = 0; value < 2; value++) {
		cells_next(&cells);
		cells_int(&cells, value);
		cells_int_or_null(&cells, value);
	}
	assert_false(cells.columns[0].is_null[0]);
	assert_true(cells.columns[1].is_null[0]);
	assert_false(cells.columns[1].is_null[1]);
}

static void many_rows_stay_what_they_were(void **state)
{
	(void)state;
	for (int64_t i = 0; i < 1000; i++) {
		cells_next(&cells);
		cells_int(&cells, i);
		cells_bytes(&cells, "12345", (size_t)(i % 6));
	}
	assert_int_equal(cells.count, 1000);
	assert_int_equal(cells.column_count, 2);
	for (int64_t i = 0; i < 1000; i++) {
		assert_int_equal(cells.columns[0].numbers[i], i);
		assert_int_equal(cells.columns[1].lengths[i], i % 6);
	}
}

static void cleared_rows_may_have_other_columns(void **state)
{
	(void)state;
	cells_next(&cells);
	cells_string(&cells, "text");
	cells_int_or_null(&cells, 0);
	cells_clear(&cells);
	assert_int_equal(cells.count, 0);
	cells_next(&cells);
	cells_int(&cells, 7);
	assert_int_equal(cells.column_count, 1);
	assert_int_equal(cells.columns[0].kind, CELLS_NUMBER);
	assert_false(cells.columns[0].is_null[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_no_row, begin, end),
		cmocka_unit_test_setup_teardown(values_go_to_their_columns, begin, end),
		cmocka_unit_test_setup_teardown(zero_may_stand_for_null, begin, end),
		cmocka_unit_test_setup_teardown(many_rows_stay_what_they_were, begin, end),
		cmocka_unit_test_setup_teardown(cleared_rows_may_have_other_columns, begin, end),
	};
	return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
