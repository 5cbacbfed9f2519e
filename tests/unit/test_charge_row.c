/* Headers and rows: what is taken, and what is said of what is not. */
#include "sheet_sample.h"

#include "charge_row.h"

#define USER "11111111-2222-4333-8444-555555555555"

static struct charge_file file;
static struct job job;
static char why[JOB_WHY_SIZE];

static enum err read_header(const char *header, char reason[static COLUMNS_WHY_SIZE])
{
	open_text(header);
	assert_int_equal(sheet_next(sheet, &row), SHEET_ROW);
	return columns_read(&file.columns, &row, reason);
}

/* Reads one row under a header. */
static enum err read_row(const char *header, const char *line)
{
	char text[2 * SHEET_LINE_MAX];
	char reason[COLUMNS_WHY_SIZE];
	int64_t number;
	snprintf(text, sizeof text, "%s\n%s\n", header, line);
	assert_int_equal(read_header(text, reason), ERR_OK);
	charge_source_init(&file.source,
			   columns_has(&file.columns, COLUMN_REFERENCE) ? CHARGE_BY_REFERENCE
									: CHARGE_BY_ROW,
			   "payroll");
	file.attempt = 1;
	assert_int_equal(sheet_next(sheet, &row), SHEET_ROW);
	enum err err = charge_row_number(&file, &row, &number, why);
	return err ? err : charge_row_read(&file, &row, number, &job, why);
}

static void assert_refused(const char *line, const char *part)
{
	assert_int_equal(read_row("user,amount,ref,memo", line), ERR_BAD_FIELD);
	assert_non_null(strstr(why, part));
}

static void columns_are_found_by_any_spelling(void **state)
{
	static const char *const headers[] = {
		"userId,amount,reference,memo", "USER_ID,Amount,ref,note",
		"x,user id,KRW,Transaction-ID,memo", "사용자,금액,거래번호,메모",
		"메모,참조,충전금액,사용자id"};
	char reason[COLUMNS_WHY_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		assert_int_equal(read_header(headers[i], reason), ERR_OK);
		for (unsigned c = COLUMN_USER; c <= COLUMN_MEMO; c++)
			assert_true(columns_has(&file.columns, (enum column)c));
		assert_false(columns_has(&file.columns, COLUMN_ROW));
	}
}

static void a_header_that_does_not_do_is_refused(void **state)
{
	static const struct {
		const char *header, *part;
	} bad[] = {
		{"amount,ref", "\"userId\""},
		{"user,ref", "\"amount\""},
		{"user,amount,uuid", "two columns for \"userId\""},
		{"user;amount;ref", "commas"},
		{"user,amount,\xff", "UTF-8"},
		{"user,amount,\"x", "quote"},
	};
	char reason[COLUMNS_WHY_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(read_header(bad[i].header, reason), ERR_BAD_FIELD);
		assert_non_null(strstr(reason, bad[i].part));
	}
}

static void a_good_row_is_a_job(void **state)
{
	char id[ID_TEXT_SIZE];
	(void)state;
	assert_int_equal(read_row("user,amount,ref,memo", USER ",1000,A-000123,\"May, 김\""),
			 ERR_OK);
	assert_int_equal(job.kind, JOB_CHARGE);
	assert_int_equal(job.amount, 1000);
	assert_int_equal(job.attempt, 1);
	assert_string_equal(job.memo, "May, 김");
	id_format(&job.id, id);
	assert_string_equal(id, "b49d0300-0000-81ec-983a-0c19fded351c");
	id_format(&job.user, id);
	assert_string_equal(id, USER);
}

static void without_a_memo_the_history_names_the_row(void **state)
{
	(void)state;
	assert_int_equal(read_row("user,amount,ref", USER ",1,A-1"), ERR_OK);
	assert_string_equal(job.memo, "payroll A-1");
	assert_int_equal(read_row("user,amount", USER ",1"), ERR_OK);
	assert_string_equal(job.memo, "payroll 1");
}

static void the_row_of_a_rejects_file_keeps_its_number(void **state)
{
	char id[ID_TEXT_SIZE];
	(void)state;
	assert_int_equal(read_row("row,code,reason,user,amount", "7,bad-field,\"x\"," USER ",5"),
			 ERR_OK);
	id_format(&job.id, id);
	assert_string_equal(id, "0bcccd00-0000-801d-b317-21ed14f26a3b");
	assert_int_equal(read_row("row,user,amount", "0," USER ",5"), ERR_BAD_FIELD);
	assert_non_null(strstr(why, "column row"));
}

/* The number that a line of a file is rejected under. */
static int64_t rejected_as(const char *header, const char *line)
{
	int64_t number = -1;
	assert_int_equal(read_row(header, line), ERR_BAD_FIELD);
	assert_int_equal(charge_row_number(&file, &row, &number, why), ERR_BAD_FIELD);
	return number;
}

static void a_line_that_is_rejected_again_keeps_its_number(void **state)
{
	static const char header[] = "row,code,reason,user,amount";
	(void)state;
	assert_int_equal(rejected_as(header, "7,bad-field,x," USER ",1,000"), 7);
	assert_int_equal(rejected_as(header, "7,bad-field,x," USER ",\"5"), 7);
	assert_int_equal(rejected_as("user,amount", USER ",1,000"), 1);
}

static void a_number_that_cannot_be_read_is_not_made_up(void **state)
{
	static const char header[] = "row,code,reason,user,amount";
	(void)state;
	assert_int_equal(rejected_as(header, ",bad-field,x," USER ",5"), 0);
	assert_non_null(strstr(why, "column row"));
	assert_int_equal(rejected_as(header, "seven,bad-field,x," USER ",5"), 0);
	assert_int_equal(rejected_as(header, "\"7,bad-field,x," USER ",5"), 0);
	/* A comma before it has moved it. */
	assert_int_equal(rejected_as("amount,row,user", "1,500,7," USER), 0);
}

static void amounts_are_digits_alone(void **state)
{
	static const struct {
		const char *amount, *part;
	} bad[] = {
		{"\"1,000\"", "thousands"},
		{"1'000", "thousands"},
		{"1 000", "thousands"},
		{"1000.00", "decimals"},
		{"-5", "sign"},
		{"+5", "sign"},
		{"(5)", "sign"},
		{"₩5", "currency"},
		{"5원", "currency"},
		{"1e3", "currency"},
		{"0", "1 to 100"},
		{"007", "leading"},
		{"100000001", "1 to 100"},
		{"99999999999999999999", "1 to 100"},
		{"", "missing"},
	};
	char line[256];
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(line, sizeof line, USER ",%s,A1,m", bad[i].amount);
		assert_refused(line, bad[i].part);
		assert_non_null(strstr(why, "column amount"));
	}
	assert_int_equal(read_row("user,amount,ref", USER ",100000000,A"), ERR_OK);
	assert_int_equal(job.amount, 100000000);
}

static void fields_out_of_their_limits_are_named(void **state)
{
	char line[2048];
	char many[512];
	(void)state;
	assert_refused("nobody,5,A1,m", "column userId: it is not a UUID");
	assert_refused(",5,A1,m", "column userId: it is missing");
	assert_refused(USER ",5,,m", "column reference");
	assert_refused(USER ",5,A1,\xff", "column memo");
	assert_refused(USER ",5,A\x01,m", "column reference");
	assert_refused(USER ",1,000,A1,m", "5 fields, the header 4");
	assert_refused(USER ",5,A1", "3 fields, the header 4");
	memset(many, 'x', sizeof many);
	snprintf(line, sizeof line, USER ",5,%.101s,m", many);
	assert_refused(line, "1 to 100 characters");
	snprintf(line, sizeof line, USER ",5,A1,%.201s", many);
	assert_refused(line, "0 to 200 characters");
	snprintf(line, sizeof line, USER ",5,%.100s,%.200s", many, many);
	assert_int_equal(read_row("user,amount,ref,memo", line), ERR_OK);
}

static void a_user_id_is_never_shown(void **state)
{
	(void)state;
	assert_refused("11111111-2222-4333-8444-55555555555,5,A1,m", "userId");
	assert_null(strstr(why, "11111111"));
}

#define TEST(name) cmocka_unit_test_teardown(name, close_sheet)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(columns_are_found_by_any_spelling),
		TEST(a_header_that_does_not_do_is_refused),
		TEST(a_good_row_is_a_job),
		TEST(without_a_memo_the_history_names_the_row),
		TEST(the_row_of_a_rejects_file_keeps_its_number),
		TEST(a_line_that_is_rejected_again_keeps_its_number),
		TEST(a_number_that_cannot_be_read_is_not_made_up),
		TEST(amounts_are_digits_alone),
		TEST(fields_out_of_their_limits_are_named),
		TEST(a_user_id_is_never_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
