/* Jobs: encoding, fingerprints, the table of kinds. */
#include "job_sample.h"

#include <stdio.h>

static void every_kind_comes_back_from_its_own_encoding(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < JOB_KIND_COUNT; kind++) {
		struct job job = {.id = id_random(),
				  .kind = (enum job_kind)kind,
				  .attempt = 3,
				  .request_id = "req-1"};
		unsigned fields = job_kind_fields(job.kind) | job_kind_optional(job.kind);
		struct text text = {0};
		struct text again = {0};

		if (fields & FIELD_USER)
			job.user = id_random();
		if (fields & FIELD_NAME)
			snprintf(job.name, sizeof(job.name), "김 \"quoted\" \\ 😀");
		if (fields & FIELD_AMOUNT)
			job.amount = JOB_MAX_AMOUNT;
		if (fields & FIELD_MEMO)
			snprintf(job.memo, sizeof(job.memo), "메모");
		if (fields & FIELD_RESUME)
			job.resume = true;
		if (fields & FIELD_TICKET)
			job.ticket = JOB_MAX_ID;
		if (fields & FIELD_SEAT)
			job.seat = 1;
		if (fields & FIELD_HOLD)
			job.hold = id_random();
		if (fields & FIELD_PAYMENT)
			job.payment = JOB_MAX_ID;
		if (fields & FIELD_CHARGE)
			job.charge = id_random();
		job_encode(&text, &job);
		assert_int_equal(decode_length(text.bytes, text.length, job_kind_queues(job.kind)),
				 ERR_OK);
		assert_string_equal(entries[0].why, "");
		assert_int_equal(entries[0].err, ERR_OK);
		assert_memory_equal(&entries[0].job.user, &job.user, sizeof(job.user));
		assert_memory_equal(&entries[0].job.hold, &job.hold, sizeof(job.hold));
		assert_memory_equal(&entries[0].job.charge, &job.charge, sizeof(job.charge));
		assert_true(entries[0].job.ticket == job.ticket);
		assert_true(entries[0].job.payment == job.payment);
		assert_string_equal(entries[0].job.name, job.name);
		job_encode(&again, &entries[0].job);
		assert_string_equal(again.bytes, text.bytes);
		text_fini(&text);
		text_fini(&again);
	}
}

static void an_encoded_envelope_is_as_documented(void **state)
{
	struct text text = {0};

	(void)state;
	assert_int_equal(decode_one(CHARGE "1000,\"memo\":\"\\uae40\\ud83d\\ude00\"}"), ERR_OK);
	job_encode_envelope(&text, (const struct job *[]){&entries[0].job, &entries[0].job}, 2);
	assert_string_equal(text.bytes,
			    "{\"v\":1,\"jobs\":[" CHARGE "1000,\"memo\":\"김😀\"}," CHARGE
			    "1000,\"memo\":\"김😀\"}]}");
	assert_int_equal(decode_length(text.bytes, text.length, QUEUE_IMPORT), ERR_OK);
	assert_int_equal(count, 2);
	text_fini(&text);
}

static void fingerprint_of(const char *body, uint8_t digest[static FINGERPRINT_SIZE])
{
	assert_int_equal(decode_one(body), ERR_OK);
	job_fingerprint(&entries[0].job, digest);
}

static void assert_same_fingerprint(const char *a, const char *b, bool same)
{
	uint8_t digests[2][FINGERPRINT_SIZE];

	fingerprint_of(a, digests[0]);
	fingerprint_of(b, digests[1]);
	assert_int_equal(memcmp(digests[0], digests[1], FINGERPRINT_SIZE) == 0, same);
}

#define RESERVE HEAD "\"reserve\",\"userId\":\"" USER "\","

static void a_repeat_has_the_same_fingerprint_whatever_else_differs(void **state)
{
	(void)state;
	assert_same_fingerprint(CHARGE "1}", CHARGE "1,\"attempt\":2,\"requestId\":\"r\"}", true);
	assert_same_fingerprint(CHARGE "1}", CHARGE "1,\"memo\":\"\"}", true);
	assert_same_fingerprint(RESERVE "\"seatId\":1,\"ticket\":1}",
				RESERVE "\"ticket\":2,\"seatId\":1}", true);
}

static void other_content_has_another_fingerprint(void **state)
{
	(void)state;
	assert_same_fingerprint(CHARGE "1}", CHARGE "2}", false);
	assert_same_fingerprint(CHARGE "1}", CHARGE "1,\"memo\":\"m\"}", false);
	assert_same_fingerprint(RESERVE "\"seatId\":1,\"ticket\":1}",
				RESERVE "\"seatId\":2,\"ticket\":1}", false);
	assert_same_fingerprint(RESERVE "\"seatId\":1,\"ticket\":1}",
				HEAD "\"reserve\",\"userId\":\"" ID "\",\"seatId\":1,\"ticket\":1}",
				false);
	assert_same_fingerprint(RESERVE "\"seatId\":1,\"ticket\":1}",
				HEAD "\"pay\",\"userId\":\"" USER "\",\"seatId\":1,\"ticket\":1}",
				false);
	assert_same_fingerprint(HEAD "\"issue\",\"userId\":\"" USER "\"}",
				HEAD "\"issue\",\"userId\":\"" USER "\",\"resume\":true}", false);
}

static void the_fingerprint_of_a_stored_job_never_changes(void **state)
{
	static const char digits[] =
		"618bbe35ded3d685e24a600f597bb4030ea8150b1fd05d7e4ec86a069c4e2fcb";
	uint8_t digest[FINGERPRINT_SIZE];
	char text[2 * FINGERPRINT_SIZE + 1];

	(void)state;
	fingerprint_of(CHARGE "1000,\"memo\":\"m\"}", digest);
	for (size_t i = 0; i < FINGERPRINT_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, digits);
}

static void expire_and_seen_leave_no_row(void **state)
{
	(void)state;
	for (unsigned i = 0; i < JOB_KIND_COUNT; i++)
		assert_int_equal(job_kind_stores((enum job_kind)i),
				 i != JOB_EXPIRE && i != JOB_SEEN);
}

static void the_protocol_shows_the_table_of_kinds(void **state)
{
	FILE *file = fopen(TOP_SRCDIR "/PROTOCOL.md", "r");
	struct text kinds = {0};
	struct text protocol = {0};
	char piece[4096];
	size_t length;

	(void)state;
	if (!file) {
		fail_msg("PROTOCOL.md cannot be read");
		return;
	}
	while ((length = fread(piece, 1, sizeof(piece), file)) > 0)
		text_add(&protocol, piece, length);
	fclose(file);
	text_puts(&kinds, "\n\n");
	job_print_kinds(&kinds);
	text_putc(&kinds, '\n');
	assert_true(protocol.bytes && strstr(protocol.bytes, kinds.bytes));
	text_fini(&kinds);
	text_fini(&protocol);
}

static void the_content_is_the_head_of_the_fingerprint(void **state)
{
	const uint8_t fingerprint[FINGERPRINT_SIZE] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd};

	(void)state;
	assert_int_equal(job_content(fingerprint), INT64_C(0x0123456789ab));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_kind_comes_back_from_its_own_encoding),
		TEST(an_encoded_envelope_is_as_documented),
		TEST(a_repeat_has_the_same_fingerprint_whatever_else_differs),
		TEST(other_content_has_another_fingerprint),
		TEST(the_fingerprint_of_a_stored_job_never_changes),
		TEST(expire_and_seen_leave_no_row),
		TEST(the_protocol_shows_the_table_of_kinds),
		cmocka_unit_test(the_content_is_the_head_of_the_fingerprint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
