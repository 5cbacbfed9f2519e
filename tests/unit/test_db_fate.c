/* A job goes to the dead letters for its own value alone, never for the server's state. */
#include "unit.h"

#include "db_fate.h"

static void a_lost_connection_is_made_again(void **state)
{
	(void)state;
	assert_int_equal(db_fate(2006, "HY000"), ERR_DB_GONE);
	assert_int_equal(db_fate(2013, "HY000"), ERR_DB_GONE);
	assert_int_equal(db_fate(1927, "70100"), ERR_DB_GONE);
	assert_int_equal(db_fate(1159, "08S01"), ERR_DB_GONE);
}

static void a_server_that_takes_no_writes_is_left(void **state)
{
	(void)state;
	assert_int_equal(db_fate(1290, "HY000"), ERR_DB_GONE);
	assert_int_equal(db_fate(1836, "HY000"), ERR_DB_GONE);
}

static void a_conflict_is_tried_again(void **state)
{
	(void)state;
	assert_int_equal(db_fate(1213, "40001"), ERR_DB_CONFLICT);
	assert_int_equal(db_fate(1205, "HY000"), ERR_DB_CONFLICT);
	assert_int_equal(db_fate(1969, "70100"), ERR_DB_CONFLICT);
	assert_int_equal(db_fate(3101, "40000"), ERR_DB_CONFLICT);
}

static void a_second_row_of_a_unique_key_is_a_duplicate(void **state)
{
	(void)state;
	assert_int_equal(db_fate(1062, "23000"), ERR_DB_DUPLICATE);
}

static void a_bad_value_is_its_jobs_own_fault(void **state)
{
	(void)state;
	assert_int_equal(db_fate(1264, "22003"), ERR_DB_DATA);
	assert_int_equal(db_fate(1406, "22001"), ERR_DB_DATA);
	assert_int_equal(db_fate(1366, "HY000"), ERR_DB_DATA);
	assert_int_equal(db_fate(1452, "23000"), ERR_DB_DATA);
	assert_int_equal(db_fate(4025, "23000"), ERR_DB_DATA);
	assert_int_equal(db_fate(3819, "HY000"), ERR_DB_DATA);
	assert_int_equal(db_fate(4038, "HY000"), ERR_DB_DATA);
	assert_int_equal(db_fate(3669, "22003"), ERR_DB_DATA);
	assert_int_equal(db_fate(1153, "08S01"), ERR_DB_DATA);
}

static void the_servers_state_is_nobodys_fault(void **state)
{
	/* Too many prepared statements, a table under ALTER, a column not yet there, out of
	 * resources, an error of the storage engine or at the commit, no space, no right, a syntax
	 * error of ours, and a number that nobody knows. */
	static const struct {
		unsigned number;
		const char *sqlstate;
	} all[] = {{1461, "42000"}, {1412, "HY000"}, {1615, "HY000"}, {1054, "42S22"},
		   {1041, "HY000"}, {1037, "HY001"}, {1030, "HY000"}, {1180, "HY000"},
		   {1021, "HY000"}, {1142, "42000"}, {1146, "42S02"}, {1064, "42000"},
		   {9999, "HY000"}, {9999, ""}};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_int_equal(db_fate(all[i].number, all[i].sqlstate), ERR_DB_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_connection_is_made_again),
		cmocka_unit_test(a_server_that_takes_no_writes_is_left),
		cmocka_unit_test(a_conflict_is_tried_again),
		cmocka_unit_test(a_second_row_of_a_unique_key_is_a_duplicate),
		cmocka_unit_test(a_bad_value_is_its_jobs_own_fault),
		cmocka_unit_test(the_servers_state_is_nobodys_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
