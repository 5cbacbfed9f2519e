/* Batches, run on a database in memory: an outcome and its effect are there together or not at all,
 * and once only. */
#include "batch_sample.h"

static void steps_come_in_their_order(void **state)
{
	(void)state;
	add(1, 10);
	assert_int_equal(apply(), ERR_OK);
	assert_string_equal(steps, "bflcwsC"); /* the clock is read once the locks are held */
	assert_int_equal(apply(), ERR_OK);
	assert_string_equal(steps, "bfcC"); /* nothing to decide: no lock is taken */
	assert_true(batch.now_us == NOW_US);
}

static void a_job_takes_effect_once_however_often_it_comes(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		const struct outcome *outcome = run_one(1, 10, 1);
		assert_outcome(0, ERR_OK, i > 0);
		assert_string_equal(outcome->data, "{\"total\":10}");
	}
	assert_int_equal(committed.total, 10);
	assert_int_equal(decisions, 1);
}

static void repeats_in_one_batch_share_one_decision(void **state)
{
	(void)state;
	add(1, 10);
	add(2, 5);
	add(1, 10);
	add(1, 10);
	assert_int_equal(apply(), ERR_OK);
	assert_int_equal(committed.total, 15);
	assert_int_equal(committed.job_count, 2);
	for (size_t i = 0; i < 4; i++) {
		assert_outcome(i, ERR_OK, i >= 2);
		assert_string_equal(batch.entries[i].outcome.data, "{\"total\":15}");
	}
}

static void known_and_new_jobs_mix(void **state)
{
	(void)state;
	run_one(1, 10, 1);
	batch_clear(&batch);
	add(1, 10);
	add(2, 5);
	assert_int_equal(apply(), ERR_OK);
	assert_outcome(0, ERR_OK, true);
	assert_outcome(1, ERR_OK, false);
	assert_string_equal(batch.entries[0].outcome.data, "{\"total\":10}");
	assert_int_equal(committed.total, 15);
}

static void other_content_under_one_id_is_key_reused(void **state)
{
	(void)state;
	add(1, 10);
	add(1, 11);
	assert_int_equal(apply(), ERR_OK);
	assert_outcome(1, ERR_KEY_REUSED, false);
	run_one(1, 12, 1);
	assert_outcome(0, ERR_KEY_REUSED, false);
	run_one(1, 10, 1);
	assert_outcome(0, ERR_OK, true);
	assert_int_equal(committed.total, 10);
	assert_int_equal(committed.job_count, 1);
}

/* Every error of the project: either it settles and is replayed, or leaves no trace. */
static void a_refusal_is_stored_if_and_only_if_it_settles(void **state)
{
	(void)state;
	for (uint64_t err = ERR_OK + 1; err < ERR_COUNT; err++) {
		answer = (enum err)err;
		run_one(err, 10, 1);
		assert_outcome(0, (enum err)err, false);
		bool is_stored = row_of(&committed, &batch.entries[0].job.id) < committed.job_count;
		assert_int_equal(is_stored, err_settles((enum err)err));
		answer = ERR_OK;
		run_one(err, 10, 1);
		assert_outcome(0, is_stored ? (enum err)err : ERR_OK, is_stored);
	}
}

static void refusals_of_401_403_429_and_503_are_never_stored(void **state)
{
	(void)state;
	for (int err = ERR_OK + 1; err < ERR_COUNT; err++) {
		int http = err_http_status((enum err)err);
		if (http == 401 || http == 403 || http == 429 || http == 503)
			assert_false(err_settles((enum err)err));
		if (http == 402 || http == 409)
			assert_true(err_settles((enum err)err));
	}
}

static void a_refusal_that_settles_nothing_is_decided_for_each_repeat(void **state)
{
	(void)state;
	answer = ERR_CLOSED;
	add(1, 10);
	add(1, 10);
	add(1, 11);
	assert_int_equal(apply(), ERR_OK);
	assert_int_equal(decisions, 3);
	for (size_t i = 0; i < 3; i++)
		assert_outcome(i, ERR_CLOSED, false);
	assert_int_equal(committed.job_count, 0);
}

static void a_higher_attempt_is_decided_afresh(void **state)
{
	(void)state;
	answer = ERR_UNKNOWN_USER;
	run_one(1, 10, 1);
	answer = ERR_OK;
	run_one(1, 10, 1);
	assert_outcome(0, ERR_UNKNOWN_USER, true);
	run_one(1, 10, 3);
	assert_outcome(0, ERR_OK, false);
	answer = ERR_UNKNOWN_USER;
	run_one(1, 10, 4); /* a success is final */
	assert_outcome(0, ERR_OK, true);
	run_one(1, 10, 1);
	assert_outcome(0, ERR_OK, true);
	assert_int_equal(committed.total, 10);
	assert_int_equal(committed.job_count, 1);
	assert_int_equal(committed.jobs[0].attempt, 3);
}

static void attempts_of_one_batch_end_in_one_row(void **state)
{
	(void)state;
	answer = ERR_UNKNOWN_USER;
	for (int attempt = 1; attempt <= 3; attempt++)
		add_attempt(1, 10, attempt);
	add_attempt(1, 10, 2);
	assert_int_equal(apply(), ERR_OK);
	assert_int_equal(decisions, 3);
	assert_outcome(3, ERR_UNKNOWN_USER, true);
	assert_int_equal(committed.job_count, 1);
	assert_int_equal(committed.jobs[0].attempt, 3);
}

/* Whatever fails wherever: nothing happened, and the same batch can be run again. */
static void a_failure_at_any_step_leaves_nothing(void **state)
{
	static const enum err failures[] = {ERR_DB_GONE, ERR_DB_CONFLICT, ERR_DB_DUPLICATE,
					    ERR_DB_REFUSED, ERR_DB_DATA};
	(void)state;
	add(1, 10);
	add(1, 10);
	add(2, 5);
	for (failing = BEGIN; failing < STEP_COUNT; failing++) {
		for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
			committed = (struct contents){0};
			failure = failures[i];
			assert_int_equal(apply(), failures[i]);
			assert_int_equal(strchr(steps, 'R') != NULL, failing != BEGIN);
			assert_int_equal(committed.job_count, 0);
			assert_int_equal(committed.total, 0);
			assert_int_equal(apply(), ERR_OK);
			assert_int_equal(committed.job_count, 2);
			assert_int_equal(committed.total, 15);
			assert_outcome(0, ERR_OK, false);
			assert_outcome(1, ERR_OK, true);
		}
	}
}

static void a_failure_while_answers_are_looked_up_is_told_too(void **state)
{
	static const enum step used[] = {BEGIN, FIND, CLOCK, COMMIT};
	(void)state;
	run_one(1, 10, 1);
	for (size_t i = 0; i < 4; i++) {
		failing = used[i];
		failure = ERR_DB_GONE;
		assert_int_equal(apply(), ERR_DB_GONE);
		assert_int_equal(apply(), ERR_OK);
		assert_outcome(0, ERR_OK, true);
	}
	assert_int_equal(committed.total, 10);
}

static void a_rival_who_was_faster_is_found_on_the_second_try(void **state)
{
	(void)state;
	rival_is_quick = true;
	add(1, 10);
	assert_int_equal(apply(), ERR_DB_DUPLICATE);
	assert_int_equal(apply(), ERR_OK);
	assert_outcome(0, ERR_OK, true);
	assert_string_equal(batch.entries[0].outcome.data, "{\"total\":10}");
	assert_int_equal(committed.total, 10);
}

static void an_expiry_leaves_no_row_and_is_decided_each_time(void **state)
{
	struct job job = job_of(1, JOB_EXPIRE);
	(void)state;
	batch_add(&batch, &job);
	for (size_t i = 1; i <= 3; i++) {
		assert_int_equal(apply(), ERR_OK);
		assert_int_equal(decisions, i);
		assert_outcome(0, ERR_OK, false);
	}
	assert_int_equal(committed.job_count, 0);
}

static void a_cleared_batch_begins_anew(void **state)
{
	(void)state;
	for (uint64_t id = 1; id <= 1000; id++)
		add(id, 1);
	batch.look_deep = true;
	batch_clear(&batch);
	assert_int_equal(batch.count, 0);
	assert_false(batch.look_deep);
	for (uint64_t id = 1; id <= 100; id++)
		add(id, 1);
	assert_int_equal(apply(), ERR_OK);
	assert_int_equal(committed.job_count, 100);
	assert_int_equal(committed.total, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(steps_come_in_their_order),
		TEST(a_job_takes_effect_once_however_often_it_comes),
		TEST(repeats_in_one_batch_share_one_decision),
		TEST(known_and_new_jobs_mix),
		TEST(other_content_under_one_id_is_key_reused),
		TEST(a_refusal_is_stored_if_and_only_if_it_settles),
		TEST(refusals_of_401_403_429_and_503_are_never_stored),
		TEST(a_refusal_that_settles_nothing_is_decided_for_each_repeat),
		TEST(a_higher_attempt_is_decided_afresh),
		TEST(attempts_of_one_batch_end_in_one_row),
		TEST(a_failure_at_any_step_leaves_nothing),
		TEST(a_failure_while_answers_are_looked_up_is_told_too),
		TEST(a_rival_who_was_faster_is_found_on_the_second_try),
		TEST(an_expiry_leaves_no_row_and_is_decided_each_time),
		TEST(a_cleared_batch_begins_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
