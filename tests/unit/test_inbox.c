/* The inbox: which jobs are done already. */
#include "worker_sample.h"

#include "inbox.h"

static struct batch batch;

static int begin(void **state)
{
	(void)state;
	batch_init(&batch);
	return 0;
}

static int end(void **state)
{
	(void)state;
	batch_fini(&batch);
	return 0;
}

/* Adds a charge; the amount is its content. */
static struct batch_entry *add(uint64_t id, int64_t amount, int attempt)
{
	struct job job = job_of(id, JOB_CHARGE);
	job.amount = amount;
	job.attempt = attempt;
	batch_add(&batch, &job);
	return &batch.entries[batch.count - 1];
}

/* The database has an outcome for the id of an entry, of the same content. */
static void put_stored(const struct batch_entry *entry, int attempt, enum err err, const char *data)
{
	struct outcome outcome = {.err = err};
	strcpy(outcome.data, data);
	inbox_put_stored(&batch, &entry->job.id, entry->fingerprint, attempt, &outcome);
}

/* The rules decided. */
static void decide(size_t index, enum err err)
{
	batch.entries[index].outcome.err = err;
	inbox_note(&batch, index);
}

static bool settle(size_t index)
{
	return inbox_settle(&batch, &batch.entries[index]);
}

static void equal_ids_share_what_is_known(void **state)
{
	(void)state;
	add(1, 1, 1);
	add(2, 1, 1);
	add(1, 1, 1);
	inbox_open(&batch);
	assert_int_equal(batch.known_count, 2);
	assert_int_equal(batch.entries[0].known, batch.entries[2].known);
	assert_int_not_equal(batch.entries[0].known, batch.entries[1].known);
	assert_true(inbox_has_work(&batch));
}

static void a_new_id_is_for_the_rules(void **state)
{
	(void)state;
	add(1, 1, 1);
	inbox_open(&batch);
	assert_false(settle(0));
	decide(0, ERR_OK);
	assert_true(inbox_must_store(&batch, 0));
}

static void a_stored_outcome_is_shared_without_the_rules(void **state)
{
	(void)state;
	const struct batch_entry *entry = add(1, 1, 1);
	inbox_open(&batch);
	put_stored(entry, 1, ERR_SEAT_HELD, "{\"a\":1}");
	assert_false(inbox_has_work(&batch));
	assert_true(settle(0));
	assert_false(inbox_must_store(&batch, 0));
	inbox_share(&batch);
	assert_int_equal(entry->outcome.err, ERR_SEAT_HELD);
	assert_string_equal(entry->outcome.data, "{\"a\":1}");
	assert_true(entry->outcome.replayed);
}

static void what_nobody_asked_for_is_ignored(void **state)
{
	(void)state;
	add(1, 1, 1);
	inbox_open(&batch);
	struct batch_entry other = batch.entries[0];
	other.job.id = id_of(2);
	put_stored(&other, 1, ERR_OK, "");
	assert_int_equal(batch.known_count, 1);
	assert_true(inbox_has_work(&batch));
}

static void a_later_look_replaces_an_earlier_one(void **state)
{
	(void)state;
	const struct batch_entry *entry = add(1, 1, 1);
	inbox_open(&batch);
	put_stored(entry, 1, ERR_SEAT_HELD, "");
	put_stored(entry, 2, ERR_OK, "");
	assert_true(settle(0));
	inbox_share(&batch);
	assert_int_equal(entry->outcome.err, ERR_OK);
}

static void other_content_under_a_stored_id_is_key_reused(void **state)
{
	(void)state;
	add(1, 1, 1);
	add(1, 2, 1);
	inbox_open(&batch);
	put_stored(&batch.entries[0], 1, ERR_OK, "{\"balance\":1}");
	assert_true(settle(0));
	assert_true(settle(1));
	inbox_share(&batch);
	assert_int_equal(batch.entries[0].outcome.err, ERR_OK);
	assert_int_equal(batch.entries[1].outcome.err, ERR_KEY_REUSED);
	assert_false(batch.entries[1].outcome.replayed);
	assert_string_equal(batch.entries[1].outcome.data, "");
	assert_false(inbox_must_store(&batch, 1));
}

static void other_content_with_a_higher_attempt_is_key_reused_all_the_same(void **state)
{
	(void)state;
	add(1, 1, 1);
	add(1, 2, 9);
	inbox_open(&batch);
	put_stored(&batch.entries[0], 1, ERR_UNKNOWN_USER, "");
	assert_true(settle(1));
	assert_int_equal(batch.entries[1].outcome.err, ERR_KEY_REUSED);
}

static void a_higher_attempt_is_decided_afresh_after_a_refusal_alone(void **state)
{
	static const struct {
		int stored, asked;
		enum err err;
		bool is_settled;
	} cases[] = {
		{1, 1, ERR_UNKNOWN_USER, true},
		{1, 2, ERR_UNKNOWN_USER, false},
		{3, 2, ERR_UNKNOWN_USER, true},
		{1, 2, ERR_OK, true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		batch_clear(&batch);
		const struct batch_entry *entry = add(1, 1, cases[i].asked);
		inbox_open(&batch);
		put_stored(entry, cases[i].stored, cases[i].err, "");
		assert_int_equal(inbox_has_work(&batch), !cases[i].is_settled);
		assert_int_equal(settle(0), cases[i].is_settled);
	}
}

static void a_new_attempt_replaces_the_stored_refusal(void **state)
{
	(void)state;
	const struct batch_entry *entry = add(1, 1, 2);
	inbox_open(&batch);
	put_stored(entry, 1, ERR_UNKNOWN_USER, "");
	decide(0, ERR_OK);
	assert_true(inbox_must_store(&batch, 0));
	assert_true(batch.known[entry->known].is_stored);
	add(2, 1, 1);
	inbox_open(&batch);
	assert_false(batch.known[batch.entries[0].known].is_stored);
}

static void of_several_attempts_the_last_decision_is_stored(void **state)
{
	(void)state;
	for (int attempt = 1; attempt <= 3; attempt++)
		add(1, 1, attempt);
	inbox_open(&batch);
	decide(0, ERR_UNKNOWN_USER);
	assert_false(settle(1));
	decide(1, ERR_OK);
	assert_true(settle(2));
	assert_false(inbox_must_store(&batch, 0));
	assert_true(inbox_must_store(&batch, 1));
	assert_false(inbox_must_store(&batch, 2));
}

static void a_refusal_that_settles_nothing_leaves_no_trace(void **state)
{
	(void)state;
	add(1, 1, 1);
	add(1, 2, 1);
	inbox_open(&batch);
	decide(0, ERR_NOT_ADMITTED);
	assert_false(inbox_must_store(&batch, 0));
	assert_false(settle(1));
	assert_true(inbox_has_work(&batch));
}

static void it_leaves_a_stored_refusal_as_it_was(void **state)
{
	(void)state;
	add(1, 1, 2);
	add(1, 1, 1);
	inbox_open(&batch);
	put_stored(&batch.entries[0], 1, ERR_SEAT_HELD, "");
	assert_false(settle(0));
	decide(0, ERR_TOKEN_EXPIRED);
	assert_false(inbox_must_store(&batch, 0));
	assert_true(settle(1));
	inbox_share(&batch);
	assert_int_equal(batch.entries[0].outcome.err, ERR_TOKEN_EXPIRED);
	assert_int_equal(batch.entries[1].outcome.err, ERR_SEAT_HELD);
}

static void an_expiry_is_decided_but_never_stored(void **state)
{
	struct job job = job_of(1, JOB_EXPIRE);
	(void)state;
	batch_add(&batch, &job);
	inbox_open(&batch);
	decide(0, ERR_OK);
	assert_false(inbox_must_store(&batch, 0));
}

static void a_repeat_shares_what_is_written_after_it_was_settled(void **state)
{
	(void)state;
	add(1, 1, 1);
	add(1, 1, 1);
	inbox_open(&batch);
	decide(0, ERR_OK);
	assert_true(settle(1));
	strcpy(batch.entries[0].outcome.data, "{\"id\":7}");
	inbox_share(&batch);
	assert_string_equal(batch.entries[1].outcome.data, "{\"id\":7}");
	assert_true(batch.entries[1].outcome.replayed);
	assert_false(batch.entries[0].outcome.replayed);
}

static void thousands_of_ids_are_told_apart(void **state)
{
	(void)state;
	for (uint64_t id = 1; id <= 2000; id++)
		add(id % 1000 + 1, 1, 1);
	inbox_open(&batch);
	assert_int_equal(batch.known_count, 1000);
	for (size_t i = 0; i < batch.count; i++)
		assert_true(id_equal(&batch.known[batch.entries[i].known].id,
				     &batch.entries[i].job.id));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_ids_share_what_is_known),
		TEST(a_new_id_is_for_the_rules),
		TEST(a_stored_outcome_is_shared_without_the_rules),
		TEST(what_nobody_asked_for_is_ignored),
		TEST(a_later_look_replaces_an_earlier_one),
		TEST(other_content_under_a_stored_id_is_key_reused),
		TEST(other_content_with_a_higher_attempt_is_key_reused_all_the_same),
		TEST(a_higher_attempt_is_decided_afresh_after_a_refusal_alone),
		TEST(a_new_attempt_replaces_the_stored_refusal),
		TEST(of_several_attempts_the_last_decision_is_stored),
		TEST(a_refusal_that_settles_nothing_leaves_no_trace),
		TEST(it_leaves_a_stored_refusal_as_it_was),
		TEST(an_expiry_is_decided_but_never_stored),
		TEST(a_repeat_shares_what_is_written_after_it_was_settled),
		TEST(thousands_of_ids_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
