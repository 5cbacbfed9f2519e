/* The intake: messages become the jobs of a batch, and each job remembers where it came from. */
#include "worker_sample.h"

#include <stdlib.h>

#include "intake.h"

#define USER "\"userId\":\"11111111-2222-4333-8444-555555555555\""
#define ID1 "00000000-0000-0000-0000-000000000001"
#define ID2 "00000000-0000-0000-0000-000000000002"
#define CHARGE(id) "{\"id\":\"" id "\",\"kind\":\"charge\"," USER ",\"amount\":10}"
#define NO_AMOUNT(id) "{\"id\":\"" id "\",\"kind\":\"charge\"," USER "}"
#define ENVELOPE(jobs) "{\"v\":1,\"jobs\":[" jobs "]}"
#define MAX_JOBS 100

static struct intake intake;
static uint64_t tags;
static unsigned queue_set; /* where messages come from */

static int begin(void **state)
{
	(void)state;
	intake = (struct intake){0};
	tags = 0;
	queue_set = QUEUE_ACCOUNT;
	return 0;
}

static int end(void **state)
{
	(void)state;
	intake_fini(&intake);
	return 0;
}

static struct broker_delivery delivery_of(const char *body, size_t length, const char *reply_to)
{
	struct broker_delivery delivery = {.channel = 1, .tag = ++tags, .length = length};
	delivery.body = malloc(length + 1);
	assert_non_null(delivery.body);
	memcpy(delivery.body, body, length);
	delivery.body[length] = '\0';
	snprintf(delivery.reply_to, sizeof delivery.reply_to, "%s", reply_to);
	return delivery;
}

static bool offer(const char *body, const char *reply_to, size_t max_jobs)
{
	struct broker_delivery delivery = delivery_of(body, strlen(body), reply_to);
	bool is_taken = intake_add(&intake, &delivery, queue_set, max_jobs);
	if (!is_taken)
		broker_delivery_fini(&delivery); /* it stayed ours */
	return is_taken;
}

static void take_from(const char *account, const char *body)
{
	struct broker_delivery delivery = delivery_of(body, strlen(body), "");
	snprintf(delivery.account, sizeof delivery.account, "%s", account);
	assert_true(intake_add(&intake, &delivery, queue_set, MAX_JOBS));
}

static void take(const char *body)
{
	assert_true(offer(body, "", MAX_JOBS));
}

static const struct intake_item *last_item(void)
{
	return &intake.items[intake.item_count - 1];
}

static void assert_raw(const struct intake_item *item, const char *expected)
{
	assert_int_equal(item->raw_length, strlen(expected));
	assert_memory_equal(item->raw, expected, item->raw_length);
}

static void a_bare_job_is_one_item_and_one_entry(void **state)
{
	const struct id id = id_of(1);
	(void)state;
	take(CHARGE(ID1));
	assert_int_equal(intake.delivery_count, 1);
	assert_int_equal(intake.item_count, 1);
	assert_int_equal(intake.batch.count, 1);
	const struct intake_item *item = last_item();
	assert_int_equal(item->err, ERR_OK);
	assert_int_equal(item->entry, 0);
	assert_true(id_equal(&item->id, &id));
	assert_true(id_equal(&intake.batch.entries[0].job.id, &id));
	assert_int_equal(intake.batch.entries[0].job.amount, 10);
	assert_raw(item, CHARGE(ID1));
}

static void each_job_knows_its_message_and_place(void **state)
{
	static const size_t deliveries[] = {0, 1, 1, 2}, places[] = {0, 0, 1, 0};
	(void)state;
	take(CHARGE(ID1));
	take(ENVELOPE(CHARGE(ID1) ", " CHARGE(ID2)));
	take(CHARGE(ID2));
	assert_int_equal(intake.item_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(intake.items[i].delivery, deliveries[i]);
		assert_int_equal(intake.items[i].index, places[i]);
		assert_int_equal(intake.items[i].entry, i);
	}
	assert_raw(&intake.items[2], CHARGE(ID2));
}

static void a_bad_job_harms_no_other(void **state)
{
	(void)state;
	take(ENVELOPE(CHARGE(ID1) "," NO_AMOUNT(ID2) ",7," CHARGE(ID2)));
	assert_int_equal(intake.item_count, 4);
	assert_int_equal(intake.batch.count, 2);
	const struct id id = id_of(2), none = {{0}};
	const struct intake_item *bad = &intake.items[1];
	assert_int_equal(bad->err, ERR_BAD_FIELD);
	assert_non_null(strstr(bad->why, "amount"));
	assert_true(bad->entry == BATCH_NONE);
	assert_true(id_equal(&bad->id, &id));
	assert_raw(bad, NO_AMOUNT(ID2));
	assert_int_equal(intake.items[2].err, ERR_BAD_MESSAGE);
	assert_true(id_equal(&intake.items[2].id, &none));
	assert_raw(&intake.items[2], "7");
	assert_int_equal(intake.items[3].index, 3);
	assert_int_equal(intake.items[3].entry, 1);
}

static void what_is_no_envelope_is_kept_whole_with_its_reason(void **state)
{
	static const struct {
		const char *body;
		enum err err;
	} cases[] = {
		{"", ERR_BAD_MESSAGE},
		{"not json", ERR_BAD_MESSAGE},
		{"[" CHARGE(ID1) "]", ERR_BAD_MESSAGE},
		{"{\"v\":1,\"jobs\":[]}", ERR_BAD_MESSAGE},
		{"{\"v\":2,\"jobs\":[" CHARGE(ID1) "]}", ERR_BAD_VERSION},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		take(cases[i].body);
		assert_int_equal(last_item()->err, cases[i].err);
		assert_true(strlen(last_item()->why) > 0);
		assert_int_equal(last_item()->delivery, i);
		assert_raw(last_item(), cases[i].body);
	}
	assert_int_equal(intake.batch.count, 0);
}

static void zeroes_and_broken_text_are_kept_as_they_came(void **state)
{
	static const char body[] = "\xff\0{}";
	(void)state;
	struct broker_delivery delivery = delivery_of(body, sizeof body - 1, "");
	assert_true(intake_add(&intake, &delivery, QUEUE_ACCOUNT, MAX_JOBS));
	assert_int_equal(last_item()->err, ERR_BAD_MESSAGE);
	assert_int_equal(last_item()->raw_length, sizeof body - 1);
	assert_memory_equal(last_item()->raw, body, sizeof body - 1);
}

static void a_kind_of_another_queue_is_refused(void **state)
{
	(void)state;
	take("{\"id\":\"" ID1 "\",\"kind\":\"issue\"," USER "}");
	assert_int_equal(last_item()->err, ERR_BAD_KIND);
	assert_int_equal(intake.batch.count, 0);
}

static void answers_go_to_reply_queues_alone(void **state)
{
	static const struct {
		const char *reply_to;
		unsigned queue_set;
		enum err err;
	} cases[] = {
		{"", QUEUE_ACCOUNT, ERR_OK},
		{"reply.front.1", QUEUE_ACCOUNT, ERR_OK},
		{"reply.import.x", QUEUE_ACCOUNT, ERR_OK},
		{"account", QUEUE_ACCOUNT, ERR_BAD_REPLY_TO},
		{"reply", QUEUE_ACCOUNT, ERR_BAD_REPLY_TO},
		{"replyx.", QUEUE_ACCOUNT, ERR_BAD_REPLY_TO},
		{"", QUEUE_IMPORT, ERR_OK},
		{"reply.import.x", QUEUE_IMPORT, ERR_OK},
		{"reply.front.1", QUEUE_IMPORT, ERR_BAD_REPLY_TO}, /* not the importers' */
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		intake_clear(&intake);
		queue_set = cases[i].queue_set;
		assert_true(
			offer(ENVELOPE(CHARGE(ID1) "," CHARGE(ID2)), cases[i].reply_to, MAX_JOBS));
		assert_int_equal(last_item()->err, cases[i].err);
		assert_int_equal(intake.batch.count, cases[i].err ? 0 : 2);
		if (cases[i].err)
			assert_raw(last_item(), ENVELOPE(CHARGE(ID1) "," CHARGE(ID2)));
	}
}

static void what_is_no_envelope_is_answered_on_reply_queues_alone(void **state)
{
	(void)state;
	assert_true(offer("no envelope", "reply.front.1", MAX_JOBS));
	assert_int_equal(last_item()->err, ERR_BAD_MESSAGE);
	assert_true(offer("no envelope", "account", MAX_JOBS));
	assert_int_equal(last_item()->err, ERR_BAD_REPLY_TO);
	assert_raw(last_item(), "no envelope");
}

static void a_batch_takes_no_more_jobs_than_it_may(void **state)
{
	(void)state;
	assert_true(offer(ENVELOPE(CHARGE(ID1) "," CHARGE(ID2)), "", 3));
	assert_false(offer(ENVELOPE(CHARGE(ID1) "," CHARGE(ID2)), "", 3));
	assert_int_equal(intake.delivery_count, 1);
	assert_int_equal(intake.item_count, 2);
	assert_true(offer(CHARGE(ID2), "", 3));
	assert_false(offer(CHARGE(ID2), "", 3));
	assert_int_equal(intake.batch.count, 3);
}

static void the_first_message_always_fits(void **state)
{
	(void)state;
	assert_true(offer(ENVELOPE(CHARGE(ID1) "," CHARGE(ID2)), "", 1));
	assert_int_equal(intake.batch.count, 2);
}

static void a_batch_takes_no_more_bytes_than_it_may(void **state)
{
	const size_t length = JOB_MAX_MESSAGE_BYTES;
	(void)state;
	char *body = malloc(length + 1);
	memset(body, ' ', length);
	memcpy(body, CHARGE(ID1), strlen(CHARGE(ID1)));
	body[length] = '\0';
	for (size_t i = 0; i < INTAKE_MAX_BYTES / length; i++)
		take(body);
	assert_int_equal(intake.bytes, INTAKE_MAX_BYTES);
	assert_false(offer(CHARGE(ID1), "", MAX_JOBS));
	intake_clear(&intake);
	assert_true(offer(CHARGE(ID1), "", MAX_JOBS));
	free(body);
}

static void a_message_that_is_too_large_is_refused_but_taken(void **state)
{
	const size_t length = INTAKE_MAX_BYTES + 1;
	(void)state;
	char *body = malloc(length + 1);
	memset(body, ' ', length);
	body[length] = '\0';
	take(body);
	assert_int_equal(last_item()->err, ERR_MESSAGE_TOO_LARGE);
	assert_int_equal(last_item()->raw_length, length);
	free(body);
}

static void a_cleared_intake_begins_anew(void **state)
{
	(void)state;
	for (int i = 0; i < 80; i++)
		take(CHARGE(ID1));
	assert_int_equal(intake.batch.count, 80);
	intake_clear(&intake);
	assert_int_equal(intake.delivery_count + intake.item_count + intake.bytes, 0);
	assert_int_equal(intake.batch.count, 0);
	take(CHARGE(ID2));
	assert_int_equal(last_item()->delivery, 0);
	assert_int_equal(last_item()->entry, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#define REVERSE "{\"id\":\"" ID2 "\",\"kind\":\"reverse\"," USER ",\"charge\":\"" ID1 "\"}"

static void an_operators_job_is_taken_from_the_operator_alone(void **state)
{
	(void)state;
	static const char *const others[] = {"", "front", "operators", "operato"};
	intake.operator_account = "operator";
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		take_from(others[i], ENVELOPE(REVERSE));
		assert_int_equal(last_item()->err, ERR_NOT_OPERATOR);
		assert_int_equal(intake.batch.count, 0);
	}
	take_from("operator", ENVELOPE(REVERSE));
	assert_int_equal(last_item()->err, ERR_OK);
	assert_int_equal(intake.batch.count, 1);
}

static void without_an_operator_nobody_passes_for_one(void **state)
{
	(void)state;
	intake.operator_account = "";
	take_from("", ENVELOPE(REVERSE));
	assert_int_equal(last_item()->err, ERR_NOT_OPERATOR);
	intake.operator_account = NULL;
	take_from("operator", ENVELOPE(REVERSE));
	assert_int_equal(last_item()->err, ERR_NOT_OPERATOR);
}

static void anothers_operators_job_harms_no_other(void **state)
{
	(void)state;
	intake.operator_account = "operator";
	take_from("front", ENVELOPE(CHARGE(ID1) "," REVERSE));
	assert_int_equal(intake.batch.count, 1);
	assert_int_equal(intake.items[0].err, ERR_OK);
	assert_int_equal(intake.items[1].err, ERR_NOT_OPERATOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bare_job_is_one_item_and_one_entry),
		TEST(each_job_knows_its_message_and_place),
		TEST(a_bad_job_harms_no_other),
		TEST(what_is_no_envelope_is_kept_whole_with_its_reason),
		TEST(zeroes_and_broken_text_are_kept_as_they_came),
		TEST(a_kind_of_another_queue_is_refused),
		TEST(answers_go_to_reply_queues_alone),
		TEST(what_is_no_envelope_is_answered_on_reply_queues_alone),
		TEST(a_batch_takes_no_more_jobs_than_it_may),
		TEST(the_first_message_always_fits),
		TEST(a_batch_takes_no_more_bytes_than_it_may),
		TEST(a_message_that_is_too_large_is_refused_but_taken),
		TEST(a_cleared_intake_begins_anew),
		TEST(an_operators_job_is_taken_from_the_operator_alone),
		TEST(without_an_operator_nobody_passes_for_one),
		TEST(anothers_operators_job_harms_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
