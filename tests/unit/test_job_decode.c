/* Jobs from outside: good messages, bad ones, limits. */
#include "job_sample.h"

#include <stdio.h>

static void an_envelope_gives_its_jobs_in_order(void **state)
{
	const struct job *job;

	(void)state;
	assert_int_equal(decode("{\"v\":1,\"jobs\":[" GOOD ",{\"id\":\"" USER
				"\",\"kind\":\"expire\","
				"\"seatId\":50,\"hold\":\"" ID "\"}]}"),
			 ERR_OK);
	assert_int_equal(count, 2);
	job = &entries[0].job;
	assert_int_equal(entries[0].err, ERR_OK);
	assert_true(entries[0].has_id);
	assert_int_equal(job->kind, JOB_CHARGE);
	assert_id(&job->id, ID);
	assert_id(&job->user, USER);
	assert_int_equal(job->amount, 1000);
	assert_int_equal(job->attempt, 1);
	assert_string_equal(job->memo, "");
	assert_string_equal(job->request_id, "");
	job = &entries[1].job;
	assert_int_equal(entries[1].err, ERR_OK);
	assert_int_equal(job->kind, JOB_EXPIRE);
	assert_int_equal(job->seat, 50);
	assert_id(&job->hold, ID);
}

static void a_bare_job_is_taken_with_and_without_version(void **state)
{
	(void)state;
	assert_int_equal(decode_one(GOOD), ERR_OK);
	assert_int_equal(decode_one(CHARGE "1000,\"v\":1}"), ERR_OK);
	assert_int_equal(decode(CHARGE "1000,\"v\":2}"), ERR_BAD_VERSION);
	/* Inside an envelope the version stands outside. */
	assert_int_equal(decode("{\"v\":1,\"jobs\":[" CHARGE "1000,\"v\":1}]}"), ERR_OK);
	assert_int_equal(entries[0].err, ERR_BAD_FIELD);
}

static void a_job_is_taken_only_by_its_queues(void **state)
{
	(void)state;
	assert_int_equal(decode_length(GOOD, strlen(GOOD), QUEUE_ACCOUNT), ERR_OK);
	assert_int_equal(entries[0].err, ERR_OK);
	assert_int_equal(decode_length(GOOD, strlen(GOOD), QUEUE_IMPORT), ERR_OK);
	assert_int_equal(entries[0].err, ERR_OK);
	assert_int_equal(decode_length(GOOD, strlen(GOOD), QUEUE_SEAT), ERR_OK);
	assert_int_equal(entries[0].err, ERR_BAD_KIND);
	assert_true(entries[0].has_id);
	assert_string_equal(entries[0].why, "kind \"charge\" is not taken by this queue");
}

static void what_is_no_envelope_is_refused_whole(void **state)
{
	static const struct {
		const char *body;
		enum err err;
	} bad[] = {
		{"", ERR_BAD_MESSAGE},
		{"hello", ERR_BAD_MESSAGE},
		{"[]", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"jobs\":[", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"jobs\":[]}", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"jobs\":{}}", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"jobs\":null}", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"jobs\":[" GOOD "],\"x\":1}", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"v\":1,\"jobs\":[" GOOD "]}", ERR_BAD_MESSAGE},
		{"{\"jobs\":[],\"v\":1,\"jobs\":[" GOOD "]}", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"jobs\\u0000\":[],\"jobs\":[" GOOD "]}", ERR_BAD_MESSAGE},
		{"{\"v\\u0000\":1,\"jobs\":[" GOOD "]}", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"jobs\":[" GOOD "]}x", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"jobs\":[" CHARGE "01}]}", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"jobs\":[" CHARGE "1,\"memo\":\"\xff\"}]}", ERR_BAD_MESSAGE},
		{"{\"jobs\":[" GOOD "]}", ERR_BAD_VERSION},
		{"{\"v\":2,\"jobs\":[" GOOD "]}", ERR_BAD_VERSION},
		{"{\"v\":\"1\",\"jobs\":[" GOOD "]}", ERR_BAD_VERSION},
		{"{\"v\":1.0,\"jobs\":[" GOOD "]}", ERR_BAD_VERSION},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (decode(bad[i].body) != bad[i].err)
			fail_msg("not refused as %s: %s", err_code(bad[i].err), bad[i].body);
	}
	assert_int_equal(decode("{\"\\u0076\":1,\"\\u006aobs\":[" GOOD "]}"), ERR_OK);
}

static void a_bad_job_harms_no_other(void **state)
{
	static const struct {
		const char *job;
		enum err err;
		bool has_id;
	} bad[] = {
		{"7", ERR_BAD_MESSAGE, false},
		{"null", ERR_BAD_MESSAGE, false},
		{"[" GOOD "]", ERR_BAD_MESSAGE, false},
		{"{}", ERR_BAD_FIELD, false},
		{CHARGE "1,\"amount\":2}", ERR_BAD_FIELD, false},
		{CHARGE "1,\"memo\":\"\\ud800\"}", ERR_BAD_FIELD, false},
		{CHARGE "1,\"memo\\u0000\":\"x\"}", ERR_BAD_FIELD, false},
		{CHARGE "0}", ERR_BAD_FIELD, true},
		{CHARGE "1,\"jobs\":[{\"jobs\":[]}]}", ERR_BAD_FIELD, true},
		{HEAD "\"fly\"}", ERR_BAD_KIND, true},
		{HEAD "7}", ERR_BAD_KIND, true},
		{"{\"id\":\"" ID "\"}", ERR_BAD_KIND, true},
		{"{\"id\":\"00000000-0000-0000-0000-000000000000\",\"kind\":\"expire\"}",
		 ERR_BAD_FIELD, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char body[2048];

		snprintf(body, sizeof(body), "{\"v\":1,\"jobs\":[%s,%s,%s]}", GOOD, bad[i].job,
			 CHARGE "7}");
		assert_int_equal(decode(body), ERR_OK);
		assert_int_equal(count, 3);
		assert_int_equal(entries[0].err, ERR_OK);
		if (entries[1].err != bad[i].err || entries[1].has_id != bad[i].has_id)
			fail_msg("%s: %s", bad[i].job, err_code(entries[1].err));
		assert_true(strlen(entries[1].why) > 0);
		assert_int_equal(entries[2].err, ERR_OK);
		assert_int_equal(entries[2].job.amount, 7);
	}
}

static void amounts_are_held_to_their_limits(void **state)
{
	(void)state;
	assert_int_equal(decode_one(CHARGE "1}"), ERR_OK);
	assert_int_equal(decode_one(CHARGE "100000000}"), ERR_OK);
	assert_int_equal(decode_one(CHARGE "0}"), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "-1}"), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "100000001}"), ERR_BAD_FIELD);
	assert_string_equal(entries[0].why, "amount must be 1 to 100000000");
	assert_int_equal(decode_one(CHARGE "1.0}"), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "1e3}"), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "\"1\"}"), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "99999999999999999999}"), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "4294967296000000001}"), ERR_BAD_FIELD);
}

static void ids_of_rows_are_held_to_their_limits(void **state)
{
	static const char *const fields[] = {"ticket\":5,\"seatId", "seatId\":5,\"ticket"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		static const struct {
			const char *value;
			enum err err;
		} values[] = {
			{"1", ERR_OK},
			{"9007199254740991", ERR_OK},
			{"0", ERR_BAD_FIELD},
			{"9007199254740992", ERR_BAD_FIELD},
			{"99999999999999999999", ERR_BAD_FIELD},
		};

		for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
			char body[512];

			snprintf(body, sizeof(body),
				 HEAD "\"reserve\",\"userId\":\"" USER "\",\"%s\":%s}", fields[i],
				 values[j].value);
			assert_int_equal(decode_one(body), values[j].err);
		}
	}
}

/* The error of a job that ends with so many times one character in a member of that name. */
static enum err decode_repeated(const char *start, const char *character, size_t times)
{
	struct text text = {0};
	enum err err;

	text_puts(&text, start);
	for (size_t i = 0; i < times; i++)
		text_puts(&text, character);
	text_puts(&text, "\"}");
	err = decode_one(text.bytes);
	text_fini(&text);
	return err;
}

static void names_are_held_to_their_limits(void **state)
{
	static const char start[] = HEAD "\"register\",\"userId\":\"" USER "\",\"name\":\"";

	(void)state;
	assert_int_equal(decode_repeated(start, "😀", 0), ERR_BAD_FIELD);
	assert_int_equal(decode_repeated(start, "😀", 1), ERR_OK);
	assert_int_equal(decode_repeated(start, "😀", JOB_NAME_CHARS), ERR_OK);
	assert_int_equal(strlen(entries[0].job.name), 4 * JOB_NAME_CHARS);
	assert_int_equal(decode_repeated(start, "😀", JOB_NAME_CHARS + 1), ERR_BAD_FIELD);
	assert_string_equal(entries[0].why, "name must have 1 to 100 characters");
}

static void memos_are_held_to_their_limits(void **state)
{
	static const char start[] = CHARGE "1,\"memo\":\"";

	(void)state;
	assert_int_equal(decode_repeated(start, "é", 0), ERR_OK);
	assert_int_equal(decode_repeated(start, "é", JOB_MEMO_CHARS), ERR_OK);
	assert_int_equal(strlen(entries[0].job.memo), 2 * JOB_MEMO_CHARS);
	assert_int_equal(decode_repeated(start, "é", JOB_MEMO_CHARS + 1), ERR_BAD_FIELD);
	assert_int_equal(decode_repeated(start, "\\n", 1), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "1,\"memo\":null}"), ERR_BAD_FIELD);
}

/* Dead letters carry it: each job's own bytes, whatever became of it. */
static void each_entry_knows_its_own_text(void **state)
{
	static const char *const jobs[] = {GOOD, "{ \"x\" : [1, \"]\"] }", "7"};
	struct text text = {0};

	(void)state;
	text_printf(&text, "{\"v\":1,\"jobs\":[ %s ,%s,\n%s]}", jobs[0], jobs[1], jobs[2]);
	assert_int_equal(decode(text.bytes), ERR_OK);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		assert_int_equal(entries[i].raw_length, strlen(jobs[i]));
		assert_memory_equal(entries[i].raw, jobs[i], strlen(jobs[i]));
	}
	text_fini(&text);
	assert_int_equal(decode_one(GOOD), ERR_OK);
	assert_memory_equal(entries[0].raw, GOOD, entries[0].raw_length);
}

static void attempt_and_request_id_are_held_to_their_limits(void **state)
{
	char body[512];

	(void)state;
	assert_int_equal(decode_one(CHARGE "1,\"attempt\":1000,\"requestId\":\"r-~!\"}"), ERR_OK);
	assert_int_equal(entries[0].job.attempt, 1000);
	assert_string_equal(entries[0].job.request_id, "r-~!");
	assert_int_equal(decode_one(CHARGE "1,\"attempt\":0}"), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "1,\"attempt\":1001}"), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "1,\"attempt\":\"1\"}"), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "1,\"requestId\":\"a b\"}"), ERR_BAD_FIELD);
	assert_int_equal(decode_one(CHARGE "1,\"requestId\":\"é\"}"), ERR_BAD_FIELD);
	snprintf(body, sizeof(body), CHARGE "1,\"requestId\":\"%064d\"}", 1);
	assert_int_equal(decode_one(body), ERR_OK);
	snprintf(body, sizeof(body), CHARGE "1,\"requestId\":\"%065d\"}", 1);
	assert_int_equal(decode_one(body), ERR_BAD_FIELD);
}

static void each_missing_field_of_each_kind_is_named(void **state)
{
	static const char *const values[] = {
		"\"" USER "\"", "\"name\"", "1",          "\"memo\"", "true", "1", "1",
		"\"" ID "\"",   "1",        "\"" ID "\"",
	};

	(void)state;
	for (unsigned kind = 0; kind < JOB_KIND_COUNT; kind++) {
		for (unsigned absent = FIELD_USER; absent <= FIELD_CHARGE; absent <<= 1) {
			unsigned must = job_kind_fields((enum job_kind)kind);
			struct text text = {0};
			char expected[64];

			if (!(must & absent))
				continue;
			text_printf(&text, HEAD "\"%s\"", job_kind_name((enum job_kind)kind));
			for (unsigned i = 0; 1u << i <= FIELD_CHARGE; i++) {
				enum field_set field = (enum field_set)(1u << i);

				if ((must & field) && field != absent)
					text_printf(&text, ",\"%s\":%s", job_field_name(field),
						    values[i]);
			}
			text_putc(&text, '}');
			assert_int_equal(decode_one(text.bytes), ERR_BAD_FIELD);
			snprintf(expected, sizeof(expected), "%s is missing",
				 job_field_name((enum field_set)absent));
			assert_string_equal(entries[0].why, expected);
			text_fini(&text);
		}
	}
}

static void a_member_that_the_kind_does_not_know_is_named(void **state)
{
	(void)state;
	assert_int_equal(decode_one(CHARGE "1,\"token\":\"x\"}"), ERR_BAD_FIELD);
	assert_string_equal(entries[0].why, "member \"token\" is not known here");
	/* Known to another kind is not known to this one. */
	assert_int_equal(decode_one(CHARGE "1,\"seatId\":1}"), ERR_BAD_FIELD);
	assert_string_equal(entries[0].why, "member \"seatId\" is not known here");
}

/* A message of so many equal jobs, padded with blanks to length bytes at least. */
static void make_message(struct text *text, size_t jobs, size_t length)
{
	text_clear(text);
	text_puts(text, "{\"v\":1,\"jobs\":[");
	for (size_t i = 0; i < jobs; i++)
		text_puts(text, i ? "," GOOD : GOOD);
	text_puts(text, "]");
	while (text->length + 1 < length)
		text_putc(text, ' ');
	text_puts(text, "}");
}

static void a_message_is_held_to_its_limits(void **state)
{
	struct text text = {0};

	(void)state;
	make_message(&text, JOB_MAX_PER_MESSAGE, 0);
	assert_int_equal(decode_length(text.bytes, text.length, QUEUE_ANY), ERR_OK);
	assert_int_equal(count, JOB_MAX_PER_MESSAGE);
	assert_int_equal(entries[JOB_MAX_PER_MESSAGE - 1].err, ERR_OK);
	make_message(&text, JOB_MAX_PER_MESSAGE + 1, 0);
	assert_int_equal(decode_length(text.bytes, text.length, QUEUE_ANY), ERR_MESSAGE_TOO_LARGE);
	make_message(&text, 1, JOB_MAX_MESSAGE_BYTES);
	assert_int_equal(text.length, JOB_MAX_MESSAGE_BYTES);
	assert_int_equal(decode_length(text.bytes, text.length, QUEUE_ANY), ERR_OK);
	make_message(&text, 1, JOB_MAX_MESSAGE_BYTES + 1);
	assert_int_equal(decode_length(text.bytes, text.length, QUEUE_ANY), ERR_MESSAGE_TOO_LARGE);
	text_fini(&text);
}

/* Every prefix, and every byte changed: sanitizers and valgrind watch, whatever the verdict. */
static void a_damaged_message_never_leads_astray(void **state)
{
	static const char body[] = "{\"v\":1,\"jobs\":[" CHARGE "1,\"memo\":\"\\ud83d\\ude00\"}]}";
	static const char bytes[] = "\"\\{}[]:,'0u\xff";
	char *copy = test_malloc(sizeof(body));

	(void)state;
	for (size_t length = 0; length < sizeof(body) - 1; length++) {
		memcpy(copy + 1, body, length);
		assert_int_not_equal(decode_length(copy + 1, length, QUEUE_ANY), ERR_OK);
	}
	for (size_t at = 0; at < sizeof(body) - 1; at++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			memcpy(copy, body, sizeof(body));
			copy[at] = bytes[i];
			if (decode_length(copy, sizeof(body) - 1, QUEUE_ANY) == ERR_OK)
				assert_int_equal(count, 1);
		}
	}
	test_free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_envelope_gives_its_jobs_in_order),
		TEST(a_bare_job_is_taken_with_and_without_version),
		TEST(a_job_is_taken_only_by_its_queues),
		TEST(what_is_no_envelope_is_refused_whole),
		TEST(a_bad_job_harms_no_other),
		TEST(amounts_are_held_to_their_limits),
		TEST(ids_of_rows_are_held_to_their_limits),
		TEST(names_are_held_to_their_limits),
		TEST(memos_are_held_to_their_limits),
		TEST(each_entry_knows_its_own_text),
		TEST(attempt_and_request_id_are_held_to_their_limits),
		TEST(each_missing_field_of_each_kind_is_named),
		TEST(a_member_that_the_kind_does_not_know_is_named),
		TEST(a_message_is_held_to_its_limits),
		TEST(a_damaged_message_never_leads_astray),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
