/* Results: what is written is what PROTOCOL.md says, and comes back as it went in. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "reply.h"

#define ID "0123abcd-4567-89ef-8001-a0b1c2d3e4f5"
#define OK_RESULT "{\"id\":\"" ID "\",\"index\":0,\"ok\":true,\"data\":{\"balance\":1000}}"

static struct result *results;
static size_t count;

static int begin(void **state)
{
	(void)state;
	results = NULL;
	count = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(results);
	return 0;
}

static enum err decode(const char *body)
{
	enum err err;

	free(results);
	results = NULL;
	err = reply_decode(body, strlen(body), &results, &count);
	if (err)
		assert_null(results);
	return err;
}

static struct result make_result(enum err err, const char *data, const char *why)
{
	struct result result = {.outcome.err = err};

	assert_true(id_parse(ID, strlen(ID), &result.id));
	snprintf(result.outcome.data, sizeof(result.outcome.data), "%s", data);
	snprintf(result.outcome.why, sizeof(result.outcome.why), "%s", why);
	return result;
}

static void assert_encoded(const struct result *result, const char *expected)
{
	struct text text = {0};
	char whole[4096];

	snprintf(whole, sizeof(whole), "{\"v\":1,\"results\":[%s]}", expected);
	reply_encode(&text, &result, 1);
	assert_string_equal(text.bytes, whole);
	text_fini(&text);
}

static void a_success_is_written_as_documented(void **state)
{
	struct result result = make_result(ERR_OK, "{\"balance\":1000}", "");

	(void)state;
	assert_encoded(&result, OK_RESULT);
	result.outcome.data[0] = '\0';
	result.index = 2;
	result.outcome.replayed = true;
	assert_encoded(&result, "{\"id\":\"" ID "\",\"index\":2,\"ok\":true,\"replayed\":true}");
}

static void a_refusal_is_written_with_its_code_and_message(void **state)
{
	struct result result = make_result(ERR_UNKNOWN_USER, "", "");

	(void)state;
	assert_encoded(&result,
		       "{\"id\":\"" ID "\",\"index\":0,\"ok\":false,\"code\":\"unknown-user\","
		       "\"message\":\"there is no such user\"}");
	result = make_result(ERR_BAD_FIELD, "{\"missing\":5}", "\"x\" is wrong");
	assert_encoded(&result,
		       "{\"id\":\"" ID "\",\"index\":0,\"ok\":false,\"code\":\"bad-field\","
		       "\"message\":\"\\\"x\\\" is wrong\",\"data\":{\"missing\":5}}");
}

static void plumbing_is_not_told(void **state)
{
	struct result result = make_result(ERR_DB_GONE, "", "socket 7 closed");

	(void)state;
	assert_encoded(&result,
		       "{\"id\":\"" ID "\",\"index\":0,\"ok\":false,\"code\":\"unavailable\","
		       "\"message\":\"the service is busy: try again with the same key\"}");
}

static void an_id_that_could_not_be_read_is_null(void **state)
{
	struct result result = {.outcome.err = ERR_BAD_MESSAGE};

	(void)state;
	assert_encoded(&result, "{\"id\":null,\"index\":0,\"ok\":false,\"code\":\"bad-message\","
				"\"message\":\"the message is not a job envelope\"}");
}

static void results_come_back_as_they_went_in(void **state)
{
	struct result sent[] = {
		make_result(ERR_OK, "{\"name\":\"김😀\\\"/\",\"seat\":{\"id\":1},\"none\":null}",
			    ""),
		make_result(ERR_SEAT_HELD, "", ""),
		make_result(ERR_INSUFFICIENT_BALANCE, "{\"missing\":5}", "5 too few"),
	};
	struct text text = {0};

	(void)state;
	sent[1].index = 999;
	sent[1].outcome.replayed = true;
	reply_encode(&text, (const struct result *[]){&sent[0], &sent[1], &sent[2]}, 3);
	assert_int_equal(decode(text.bytes), ERR_OK);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(id_equal(&results[i].id, &sent[i].id));
		assert_int_equal(results[i].index, sent[i].index);
		assert_int_equal(results[i].outcome.err, sent[i].outcome.err);
		assert_int_equal(results[i].outcome.replayed, sent[i].outcome.replayed);
		assert_string_equal(results[i].outcome.data, sent[i].outcome.data);
		assert_string_equal(results[i].outcome.why, sent[i].outcome.why);
	}
	text_fini(&text);
}

static void the_longest_reasons_come_back_whole(void **state)
{
	struct result sent = make_result(ERR_BAD_FIELD, "", "");
	struct text text = {0};

	(void)state;
	memset(sent.outcome.why, '"', sizeof(sent.outcome.why) - 1);
	reply_encode(&text, (const struct result *[]){&sent}, 1);
	assert_int_equal(decode(text.bytes), ERR_OK);
	assert_string_equal(results[0].outcome.why, sent.outcome.why);
	text_fini(&text);
}

static void a_null_id_reads_as_zeroes(void **state)
{
	static const struct id none;

	(void)state;
	assert_int_equal(decode("{\"v\":1,\"results\":[{\"id\":null,\"index\":3,\"ok\":false,"
				"\"code\":\"bad-kind\"}]}"),
			 ERR_OK);
	assert_true(id_equal(&results[0].id, &none));
	assert_int_equal(results[0].index, 3);
	assert_int_equal(results[0].outcome.err, ERR_BAD_KIND);
}

static void a_code_of_a_newer_worker_reads_as_unavailable(void **state)
{
	(void)state;
	assert_int_equal(decode("{\"v\":1,\"results\":[{\"id\":\"" ID "\",\"index\":0,\"ok\":false,"
				"\"code\":\"not-yet-invented\",\"new\":1}]}"),
			 ERR_OK);
	assert_int_equal(results[0].outcome.err, ERR_UNAVAILABLE);
}

static void what_is_no_results_message_is_refused(void **state)
{
#define RESULTS(text) "{\"v\":1,\"results\":[" text "]}"
#define HEAD "{\"id\":\"" ID "\",\"index\":0,"
	static const char *const bad[] = {
		"",
		"null",
		"{}",
		"{\"v\":1}",
		"{\"results\":[" OK_RESULT "]}",
		"{\"v\":2,\"results\":[" OK_RESULT "]}",
		"{\"v\":1,\"results\":{}}",
		RESULTS(""),
		RESULTS("7"),
		RESULTS("null"),
		RESULTS(OK_RESULT ",{}"),
		RESULTS("{\"index\":0,\"ok\":true}"),
		RESULTS("{\"id\":7,\"index\":0,\"ok\":true}"),
		RESULTS("{\"id\":\"x\",\"index\":0,\"ok\":true}"),
		RESULTS("{\"id\":null,\"ok\":true}"),
		RESULTS("{\"id\":null,\"index\":-1,\"ok\":true}"),
		RESULTS("{\"id\":null,\"index\":1000,\"ok\":true}"),
		RESULTS(HEAD "\"ok\":1}"),
		RESULTS(HEAD "\"ok\":false}"),
		RESULTS(HEAD "\"ok\":false,\"code\":\"ok\"}"),
		RESULTS(HEAD "\"ok\":false,\"code\":7}"),
		RESULTS(HEAD "\"ok\":false,\"code\":\"closed\",\"message\":7}"),
		RESULTS(HEAD "\"ok\":true,\"data\":7}"),
		RESULTS(HEAD "\"ok\":true,\"data\":null}"),
		RESULTS(HEAD "\"ok\":true,\"ok\":true}"),
		RESULTS(HEAD "\"ok\":true,\"replayed\":1}"),
	};
#undef RESULTS
#undef HEAD

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (decode(bad[i]) != ERR_BAD_MESSAGE)
			fail_msg("taken: %s", bad[i]);
	}
}

/* The error of a result with a datum of so many bytes in all. */
static enum err decode_data(size_t length)
{
	static const char frame[] = "{\"a\":\"\"}";
	struct text text = {0};
	enum err err;

	text_puts(&text,
		  "{\"v\":1,\"results\":[{\"id\":null,\"index\":0,\"ok\":true,\"data\":{\"a\":\"");
	for (size_t i = strlen(frame); i < length; i++)
		text_putc(&text, 'x');
	text_puts(&text, "\"}}]}");
	err = decode(text.bytes);
	text_fini(&text);
	return err;
}

static void data_beyond_its_size_is_refused(void **state)
{
	(void)state;
	assert_int_equal(decode_data(OUTCOME_MAX - 1), ERR_OK);
	assert_int_equal(strlen(results[0].outcome.data), OUTCOME_MAX - 1);
	assert_int_equal(decode_data(OUTCOME_MAX), ERR_BAD_MESSAGE);
}

static void more_results_than_jobs_in_a_message_are_refused(void **state)
{
	struct result one = make_result(ERR_OK, "", "");
	const struct result *many[JOB_MAX_PER_MESSAGE + 1];
	struct text text = {0};

	(void)state;
	for (size_t i = 0; i < JOB_MAX_PER_MESSAGE + 1; i++)
		many[i] = &one;
	reply_encode(&text, many, JOB_MAX_PER_MESSAGE);
	assert_int_equal(decode(text.bytes), ERR_OK);
	assert_int_equal(count, JOB_MAX_PER_MESSAGE);
	text_clear(&text);
	reply_encode(&text, many, JOB_MAX_PER_MESSAGE + 1);
	assert_int_equal(decode(text.bytes), ERR_BAD_MESSAGE);
	text_fini(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_success_is_written_as_documented),
		TEST(a_refusal_is_written_with_its_code_and_message),
		TEST(plumbing_is_not_told),
		TEST(an_id_that_could_not_be_read_is_null),
		TEST(results_come_back_as_they_went_in),
		TEST(the_longest_reasons_come_back_whole),
		TEST(a_null_id_reads_as_zeroes),
		TEST(a_code_of_a_newer_worker_reads_as_unavailable),
		TEST(what_is_no_results_message_is_refused),
		TEST(data_beyond_its_size_is_refused),
		TEST(more_results_than_jobs_in_a_message_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
