/* Log lines: one write each, and no value can break out of its place. */
#include "unit.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "log.h"

static struct capture capture;
static char line[2 * PIPE_BUF];

static int begin(void **state)
{
	(void)state;
	capture_begin(&capture);
	return log_open("test", "info") == ERR_OK ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	capture_end(&capture);
	return 0;
}

/* What stands after the timestamp of the next line. */
static const char *next_line(void)
{
	size_t length = capture_next(&capture, line, sizeof(line));

	assert_true(length > strlen("ts=2026-11-22T23:59:59.123456Z "));
	assert_ptr_equal(memchr(line, '\n', length), line + length - 1);
	assert_memory_equal(line, "ts=20", 5);
	return strchr(line, ' ') + 1;
}

static void assert_no_more_lines(void)
{
	assert_int_equal(capture_next(&capture, line, sizeof(line)), 0);
}

static void an_event_is_one_line_in_one_write(void **state)
{
	(void)state;
	log_info("batch-done", LOG_I("jobs", 200), LOG_S("queue", "seat.3"),
		 LOG_ERR(ERR_SEAT_HELD));
	assert_string_equal(next_line(), "level=info proc=test event=batch-done jobs=200 "
					 "queue=seat.3 err=seat-held\n");
	assert_no_more_lines();
}

static void values_are_quoted_only_where_needed(void **state)
{
	(void)state;
	log_info("e", LOG_S("a", "with space"), LOG_S("b", ""), LOG_S("c", "x=y"), LOG_S("d", NULL),
		 LOG_S("e", "김치"));
	assert_string_equal(
		next_line(),
		"level=info proc=test event=e a=\"with space\" b=\"\" c=\"x=y\" d=\"\" e=김치\n");
}

static void a_hostile_value_cannot_forge_a_line_or_a_field(void **state)
{
	(void)state;
	log_info("e", LOG_S("a", "x\nts=1 level=error"), LOG_S("b", "\" ok=true \\"),
		 LOG_S("c", "\r\x1b[2J\xc2\x85\xff\x7f"));
	assert_string_equal(next_line(), "level=info proc=test event=e "
					 "a=\"x\\nts=1 level=error\" "
					 "b=\"\\\" ok=true \\\\\" "
					 "c=\"\\x0d\\x1b[2J\\xc2\\x85\\xff\\x7f\"\n");
	assert_no_more_lines();
}

static void a_span_is_written_in_milliseconds(void **state)
{
	(void)state;
	log_info("e", LOG_US("a_ms", 2413), LOG_US("b_ms", 7), LOG_US("c_ms", -1500),
		 LOG_US("d_ms", INT64_MIN));
	assert_string_equal(next_line(), "level=info proc=test event=e a_ms=2.413 b_ms=0.007 "
					 "c_ms=-1.500 d_ms=-9223372036854775.808\n");
}

static void lines_below_the_level_are_not_written(void **state)
{
	(void)state;
	log_debug("quiet", LOG_I("n", 1));
	assert_no_more_lines();
	assert_int_equal(log_open("test", "error"), ERR_OK);
	log_warn("quiet", LOG_I("n", 1));
	assert_no_more_lines();
	log_error("loud", LOG_I("n", 1));
	assert_string_equal(next_line(), "level=error proc=test event=loud n=1\n");
	assert_int_equal(log_open("test", "debug"), ERR_OK);
	log_debug("loud", LOG_I("n", 1));
	assert_string_equal(next_line(), "level=debug proc=test event=loud n=1\n");
}

static void a_process_tells_of_its_life_at_every_level(void **state)
{
	(void)state;
	assert_int_equal(log_open("unit", "error"), ERR_OK);
	log_warn("e", LOG_I("a", 1));
	log_notice("ready", LOG_I("a", 2));
	assert_non_null(strstr(next_line(), "level=notice proc=unit event=ready a=2\n"));
	assert_int_equal(log_open("unit", "notice"), ERR_CONF);
	assert_int_equal(log_open("unit", "info"), ERR_OK);
}

/* All that was written so far, in however many writes. */
static const char *all_lines(void)
{
	static char all[4096];
	size_t length = 0;

	while (capture_next(&capture, all + length, sizeof(all) - length) > 0)
		length += strlen(all + length);
	return all;
}

static void gathered_lines_come_in_order_with_the_next_warning(void **state)
{
	const char *all;

	(void)state;
	assert_int_equal(log_gather(), ERR_OK);
	log_info("first", LOG_I("a", 1));
	log_info("second", LOG_I("a", 2));
	log_warn("third", LOG_I("a", 3));
	all = all_lines();
	assert_non_null(strstr(all, "event=first "));
	assert_true(strstr(all, "event=first ") < strstr(all, "event=second "));
	assert_true(strstr(all, "event=second ") < strstr(all, "event=third "));
	log_info("fourth", LOG_I("a", 4));
	log_gather_end();
	assert_non_null(strstr(all_lines(), "event=fourth "));
	log_info("fifth", LOG_I("a", 5));
	assert_non_null(strstr(next_line(), "event=fifth "));
}

static void an_unknown_level_is_refused_and_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(log_open("other", "verbose"), ERR_CONF);
	assert_int_equal(log_open("other", ""), ERR_CONF);
	log_info("e", LOG_I("n", 1));
	assert_string_equal(next_line(), "level=info proc=test event=e n=1\n");
}

/* Long values of every length around the limit, plain and to be quoted: sanitizers watch. */
static void a_line_too_long_is_cut_and_says_so(void **state)
{
	static const char *const ends[] = {"", " ", "\n", "\"", "김"};
	char value[PIPE_BUF + 64];

	(void)state;
	for (size_t length = PIPE_BUF - 200; length < PIPE_BUF + 32; length++) {
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			const char *rest;

			memset(value, 'x', length);
			memcpy(value + length, ends[i], strlen(ends[i]) + 1);
			log_info("e", LOG_S("a", value), LOG_S("b", ends[i]), LOG_S("c", ends[i]));
			rest = next_line();
			assert_true(strlen(line) <= PIPE_BUF);
			assert_non_null(strchr(rest, '\n'));
			if (length >= PIPE_BUF)
				assert_non_null(strstr(rest, " cut=true\n"));
		}
	}
}

static void a_short_line_is_not_marked_as_cut(void **state)
{
	(void)state;
	log_info("e", LOG_S("a", "short"));
	assert_null(strstr(next_line(), "cut"));
}

static void a_user_id_is_masked_but_for_its_first_digits(void **state)
{
	struct id user;
	char out[16];

	(void)state;
	assert_true(id_parse("0123abcd-4567-89ef-8001-a0b1c2d3e4f5", 36, &user));
	log_mask_user(&user, out);
	assert_string_equal(out, "0123abcd…");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_is_one_line_in_one_write),
		TEST(values_are_quoted_only_where_needed),
		TEST(a_hostile_value_cannot_forge_a_line_or_a_field),
		TEST(a_span_is_written_in_milliseconds),
		TEST(lines_below_the_level_are_not_written),
		TEST(a_process_tells_of_its_life_at_every_level),
		TEST(gathered_lines_come_in_order_with_the_next_warning),
		TEST(an_unknown_level_is_refused_and_changes_nothing),
		TEST(a_line_too_long_is_cut_and_says_so),
		TEST(a_short_line_is_not_marked_as_cut),
		TEST(a_user_id_is_masked_but_for_its_first_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
