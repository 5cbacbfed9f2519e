/* Lanes: alone a job leaves at once, under load many leave together, and everybody is told. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "lanes.h"

#define COALESCE_US 20000
#define LANE 1

static int set_up(void **state)
{
	struct lanes *lanes;

	assert_int_equal(lanes_new(&lanes, 3, COALESCE_US), ERR_OK);
	*state = lanes;
	return 0;
}

static int tear_down(void **state)
{
	lanes_free(*state);
	return 0;
}

static struct job charge(uint8_t number)
{
	return (struct job){.id = {{number}}, .kind = JOB_CHARGE, .attempt = 1, .amount = 5};
}

#define DEADLINE_US 1000000

/* Those who were told, in order. */
static struct errand *heard[8];
static size_t heard_count;

static void hear(struct errand *errand)
{
	if (heard_count < sizeof heard / sizeof *heard)
		heard[heard_count] = errand;
	heard_count++;
}

static enum err enter_again(struct lanes *lanes, struct errand *errand, const struct job *job)
{
	*errand = (struct errand){
		.done = hear, .deadline_us = DEADLINE_US, .parcel = parcel_new(job, LANE)};
	assert_non_null(errand->parcel);
	return lanes_enter(lanes, errand);
}

/* One who waits for the job of this number; released at the end of its test. */
static void enter(struct lanes *lanes, struct errand *errand, uint8_t number)
{
	struct job job = charge(number);

	assert_int_equal(enter_again(lanes, errand, &job), ERR_OK);
}

static void tell(struct told *told)
{
	heard_count = 0;
	told_tell(told);
}

/* How many were told when so much time has passed. */
static size_t overdue(struct lanes *lanes, int64_t now_us)
{
	struct told told = {0};

	lanes_overdue(lanes, now_us, &told);
	tell(&told);
	return heard_count;
}

/* Nobody waits any more. */
static void release(struct lanes *lanes, struct errand *errands, size_t count)
{
	(void)overdue(lanes, INT64_MAX);
	for (size_t i = 0; i < count; i++)
		parcel_release(errands[i].parcel);
}

/* Takes a message and says it was published; NULL when none may leave. */
static struct parcel_message *send(struct lanes *lanes, int64_t now_us, uint64_t sequence)
{
	struct parcel_message *message = lanes_take(lanes, now_us);

	if (message != NULL)
		lanes_sent(message, sequence);
	return message;
}

/* A result of the lane's message-th message. Returns when that was taken. */
static int64_t answer(struct lanes *lanes, uint64_t message, uint8_t number)
{
	static const struct outcome outcome = {.data = "{\"balance\":5}"};
	struct id id = {{number}};
	struct told told = {0};
	int64_t sent_us;

	sent_us = lanes_settle(lanes, LANE, message, &id, &outcome, &told);
	tell(&told);
	return sent_us;
}

static int64_t confirm(struct lanes *lanes, uint64_t sequence, enum err err)
{
	struct told told = {0};
	int64_t sent_us;

	sent_us = lanes_confirm(lanes, sequence, err, &told);
	tell(&told);
	return sent_us;
}

static void fail_all(struct lanes *lanes)
{
	struct told told = {0};

	lanes_fail(lanes, &told);
	tell(&told);
}

static void a_job_alone_leaves_at_once(void **state)
{
	struct lanes *lanes = *state;
	struct parcel_message *message;
	struct errand errand;

	enter(lanes, &errand, 1);
	message = send(lanes, 0, 1);
	assert_non_null(message);
	assert_int_equal(message->count, 1);
	assert_int_equal(message->lane, LANE);
	assert_null(lanes_take(lanes, 0));
	assert_int_equal(lanes_due_us(lanes), INT64_MAX);
	release(lanes, &errand, 1);
}

static void jobs_gather_while_one_message_is_under_way(void **state)
{
	struct lanes *lanes = *state;
	struct parcel_message *message;
	struct errand errands[4];

	enter(lanes, &errands[0], 1);
	assert_non_null(send(lanes, 1000, 1));
	for (uint8_t i = 1; i < 4; i++)
		enter(lanes, &errands[i], (uint8_t)(i + 1));
	assert_null(send(lanes, 1000, 2));
	assert_int_equal(lanes_due_us(lanes), 1000 + COALESCE_US);
	answer(lanes, 1, 1);
	assert_true(lanes_answered(lanes, LANE, 1, 1));
	message = send(lanes, 1000, 2);
	assert_non_null(message);
	assert_int_equal(message->count, 3);
	release(lanes, errands, 4);
}

static void an_unanswered_message_holds_back_no_longer_than_its_time(void **state)
{
	struct lanes *lanes = *state;
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	assert_non_null(send(lanes, 1000, 1));
	enter(lanes, &errands[1], 2);
	assert_null(send(lanes, 1000 + COALESCE_US - 1, 2));
	assert_non_null(send(lanes, 1000 + COALESCE_US, 2));
	/* The late answer of the first frees nothing: the second is under way. */
	assert_false(lanes_answered(lanes, LANE, 1, 1));
	release(lanes, errands, 2);
}

static void one_lane_does_not_hold_back_another(void **state)
{
	struct lanes *lanes = *state;
	struct job job = charge(2);
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	assert_non_null(send(lanes, 0, 1));
	errands[1] = (struct errand){.done = hear, .parcel = parcel_new(&job, 0)};
	assert_int_equal(lanes_enter(lanes, &errands[1]), ERR_OK);
	assert_non_null(send(lanes, 0, 2));
	release(lanes, errands, 2);
}

static void a_message_keeps_to_its_limits(void **state)
{
	static struct errand errands[JOB_MAX_PER_MESSAGE + 1];
	struct lanes *lanes = *state;
	struct parcel_message *message;
	struct text body = {0};

	for (int i = 0; i <= JOB_MAX_PER_MESSAGE; i++) {
		struct job job = charge(0);

		memcpy(job.id.bytes, &i, sizeof i);
		assert_int_equal(enter_again(lanes, &errands[i], &job), ERR_OK);
	}
	message = send(lanes, 0, 1);
	assert_non_null(message);
	parcel_message_write(message, &body);
	assert_int_equal(message->count, JOB_MAX_PER_MESSAGE);
	assert_true(body.length <= JOB_MAX_MESSAGE_BYTES);
	release(lanes, errands, JOB_MAX_PER_MESSAGE + 1);
	text_fini(&body);
}

static void large_jobs_make_more_messages(void **state)
{
	static struct errand errands[600];
	struct lanes *lanes = *state;
	struct parcel_message *message;
	struct text body = {0};

	for (int i = 0; i < 600; i++) {
		struct job job = {.kind = JOB_REGISTER, .attempt = 1};

		memcpy(job.id.bytes, &i, sizeof i);
		memset(job.name, 'n', sizeof job.name - 1);
		assert_int_equal(enter_again(lanes, &errands[i], &job), ERR_OK);
	}
	message = send(lanes, 0, 1);
	assert_non_null(message);
	parcel_message_write(message, &body);
	assert_in_range(message->count, 1, 599);
	assert_true(body.length <= JOB_MAX_MESSAGE_BYTES);
	release(lanes, errands, 600);
	text_fini(&body);
}

static void a_body_is_an_envelope_that_workers_read(void **state)
{
	struct lanes *lanes = *state;
	struct parcel_message *message;
	struct job_entry *entries = NULL;
	struct errand errands[2];
	char why[JOB_WHY_SIZE];
	struct text body = {0};
	size_t count = 0;

	enter(lanes, &errands[0], 1);
	enter(lanes, &errands[1], 2);
	message = send(lanes, 0, 1);
	parcel_message_write(message, &body);
	assert_int_equal(job_decode(body.bytes, body.length, QUEUE_ACCOUNT, &entries, &count, why),
			 ERR_OK);
	assert_int_equal(count, 2);
	assert_int_equal(entries[1].err, ERR_OK);
	assert_true(id_equal(&entries[1].job.id, &errands[1].parcel->id));
	free(entries);
	text_fini(&body);
	release(lanes, errands, 2);
}

static void one_id_under_way_is_shared(void **state)
{
	struct lanes *lanes = *state;
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	enter(lanes, &errands[1], 1);
	assert_ptr_equal(errands[1].parcel, errands[0].parcel);
	assert_false(errands[0].is_repeat);
	assert_true(errands[1].is_repeat);
	assert_int_equal(send(lanes, 0, 1)->count, 1);
	answer(lanes, 1, 1);
	assert_int_equal(heard_count, 2);
	assert_int_equal(errands[0].err, ERR_OK);
	assert_int_equal(errands[1].err, ERR_OK);
	assert_string_equal(errands[0].parcel->outcome.data, "{\"balance\":5}");
	release(lanes, errands, 2);
}

static void one_id_with_other_content_does_not_enter(void **state)
{
	struct lanes *lanes = *state;
	struct job other = charge(1);
	struct errand errands[2];

	other.amount = 6;
	enter(lanes, &errands[0], 1);
	assert_int_equal(enter_again(lanes, &errands[1], &other), ERR_KEY_REUSED);
	assert_int_equal(send(lanes, 0, 1)->count, 1);
	answer(lanes, 1, 1);
	assert_int_equal(heard_count, 1);
	assert_ptr_equal(heard[0], &errands[0]);
	release(lanes, errands, 2);
}

static void confirm_and_answer_tell_when_their_message_was_taken(void **state)
{
	struct lanes *lanes = *state;
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	assert_non_null(send(lanes, 1000, 1));
	enter(lanes, &errands[1], 2);
	assert_non_null(send(lanes, 1000 + COALESCE_US, 2));
	assert_int_equal(answer(lanes, 1, 1), 1000);
	assert_int_equal(confirm(lanes, 2, ERR_OK), 1000 + COALESCE_US);
	assert_int_equal(answer(lanes, 2, 2), 1000 + COALESCE_US);
	assert_int_equal(confirm(lanes, 1, ERR_OK), 1000);
	assert_int_equal(confirm(lanes, 1, ERR_OK), 0); /* not its own, or not any more */
	assert_int_equal(answer(lanes, 2, 2), 0);
	release(lanes, errands, 2);
}

static void the_answer_may_come_before_the_confirm(void **state)
{
	struct lanes *lanes = *state;
	struct errand errand;

	enter(lanes, &errand, 1);
	assert_non_null(send(lanes, 0, 7));
	answer(lanes, 1, 1);
	assert_int_equal(heard_count, 1);
	confirm(lanes, 7, ERR_OK);
	assert_int_equal(heard_count, 0);
	assert_int_equal(errand.err, ERR_OK);
	assert_int_equal(errand.parcel->state, PARCEL_ANSWERED);
	release(lanes, &errand, 1);
}

static void a_confirm_reaches_its_own_message(void **state)
{
	struct lanes *lanes = *state;
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	assert_non_null(send(lanes, 0, 1));
	enter(lanes, &errands[1], 2);
	assert_non_null(send(lanes, COALESCE_US, 2));
	confirm(lanes, 2, ERR_OK);
	assert_int_equal(errands[0].parcel->state, PARCEL_SENT);
	assert_int_equal(errands[1].parcel->state, PARCEL_CONFIRMED);
	assert_int_equal(heard_count, 0);
	confirm(lanes, 1, ERR_BROKER_NACKED);
	assert_int_equal(heard_count, 1);
	assert_int_equal(errands[0].err, ERR_UNAVAILABLE);
	confirm(lanes, 9, ERR_OK);
	release(lanes, errands, 2);
}

static void what_is_unconfirmed_fails_with_the_broker(void **state)
{
	struct lanes *lanes = *state;
	struct errand errands[3];

	enter(lanes, &errands[0], 1);
	assert_non_null(send(lanes, 0, 1));
	confirm(lanes, 1, ERR_OK);
	enter(lanes, &errands[1], 2);
	assert_non_null(send(lanes, COALESCE_US, 2));
	enter(lanes, &errands[2], 3);
	fail_all(lanes);
	assert_int_equal(heard_count, 2);
	assert_int_equal(errands[0].parcel->state, PARCEL_CONFIRMED);
	assert_int_equal(errands[1].err, ERR_UNAVAILABLE);
	assert_int_equal(errands[2].err, ERR_UNAVAILABLE);
	release(lanes, errands, 3);
}

static void a_repeat_after_a_failure_starts_afresh(void **state)
{
	struct lanes *lanes = *state;
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	assert_non_null(send(lanes, 0, 1));
	fail_all(lanes);
	enter(lanes, &errands[1], 1);
	assert_false(errands[1].is_repeat);
	assert_non_null(send(lanes, 0, 2));
	release(lanes, errands, 2);
}

static void what_nobody_waits_for_is_not_sent(void **state)
{
	struct lanes *lanes = *state;
	struct errand errand;

	enter(lanes, &errand, 1);
	assert_int_equal(overdue(lanes, DEADLINE_US), 1);
	assert_int_equal(errand.err, ERR_UNAVAILABLE);
	assert_null(lanes_take(lanes, 0));
	answer(lanes, 1, 1);
	assert_int_equal(heard_count, 0);
	release(lanes, &errand, 1);
}

static void whose_time_is_over_is_told_how_far_its_job_came(void **state)
{
	struct lanes *lanes = *state;
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	assert_non_null(send(lanes, 0, 1));
	confirm(lanes, 1, ERR_OK);
	enter(lanes, &errands[1], 2);
	assert_non_null(send(lanes, COALESCE_US, 2));
	assert_int_equal(overdue(lanes, DEADLINE_US - 1), 0);
	assert_int_equal(overdue(lanes, DEADLINE_US), 2);
	assert_int_equal(errands[0].err, ERR_TIMEOUT);
	assert_int_equal(errands[1].err, ERR_UNAVAILABLE);
	assert_int_equal(lanes_deadline_us(lanes), INT64_MAX);
	release(lanes, errands, 2);
}

static void the_soonest_is_told_first(void **state)
{
	static const int64_t deadlines_us[] = {30, 10, 20};
	struct lanes *lanes = *state;
	struct errand errands[3];

	for (uint8_t i = 0; i < 3; i++) {
		struct job job = charge(i);

		errands[i] = (struct errand){.done = hear,
					     .deadline_us = deadlines_us[i],
					     .parcel = parcel_new(&job, LANE)};
		assert_int_equal(lanes_enter(lanes, &errands[i]), ERR_OK);
	}
	assert_int_equal(lanes_deadline_us(lanes), 10);
	assert_int_equal(overdue(lanes, 25), 2);
	assert_ptr_equal(heard[0], &errands[1]);
	assert_ptr_equal(heard[1], &errands[2]);
	assert_int_equal(lanes_deadline_us(lanes), 30);
	assert_int_equal(overdue(lanes, 30), 1);
	release(lanes, errands, 3);
}

/* One of two goes; the other is still answered. */
static void who_goes_takes_nothing_from_who_stays(void **state)
{
	struct lanes *lanes = *state;
	struct job job = charge(1);
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	errands[1] = (struct errand){
		.done = hear, .deadline_us = 2 * DEADLINE_US, .parcel = parcel_new(&job, LANE)};
	assert_int_equal(lanes_enter(lanes, &errands[1]), ERR_OK);
	assert_int_equal(overdue(lanes, DEADLINE_US), 1);
	assert_ptr_equal(heard[0], &errands[0]);
	assert_non_null(send(lanes, 0, 1));
	answer(lanes, 1, 1);
	assert_int_equal(heard_count, 1);
	assert_int_equal(errands[1].err, ERR_OK);
	release(lanes, errands, 2);
}

/* It may have had other content under the same key. */
static void an_earlier_sending_does_not_answer_a_later_one(void **state)
{
	struct lanes *lanes = *state;
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	assert_non_null(send(lanes, 0, 1));
	assert_int_equal(overdue(lanes, DEADLINE_US), 1);
	enter(lanes, &errands[1], 1);
	answer(lanes, 1, 1);
	assert_int_equal(errands[1].parcel->state, PARCEL_GATHERED);
	assert_non_null(send(lanes, COALESCE_US, 2));
	answer(lanes, 1, 1);
	assert_int_equal(errands[1].parcel->state, PARCEL_SENT);
	answer(lanes, 2, 1);
	assert_int_equal(errands[1].parcel->state, PARCEL_ANSWERED);
	release(lanes, errands, 2);
}

/* Two wait for one job, one of them for no more than the confirm. */
static void a_confirm_is_told_to_those_alone_who_want_it(void **state)
{
	struct lanes *lanes = *state;
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	enter(lanes, &errands[1], 1);
	errands[1].at_confirm = true;
	assert_non_null(send(lanes, 0, 1));
	confirm(lanes, 1, ERR_OK);
	assert_int_equal(heard_count, 1);
	assert_ptr_equal(heard[0], &errands[1]);
	assert_int_equal(errands[1].err, ERR_TIMEOUT);
	answer(lanes, 1, 1);
	assert_int_equal(heard_count, 1);
	assert_ptr_equal(heard[0], &errands[0]);
	release(lanes, errands, 2);
}

/* Told at its confirm it is gone; its id starts afresh, and a late answer finds nobody. */
static void who_was_told_at_the_confirm_leaves_nothing_behind(void **state)
{
	struct lanes *lanes = *state;
	struct errand errands[2];

	enter(lanes, &errands[0], 1);
	errands[0].at_confirm = true;
	assert_non_null(send(lanes, 0, 1));
	confirm(lanes, 1, ERR_OK);
	assert_int_equal(heard_count, 1);
	parcel_release(errands[0].parcel);
	answer(lanes, 1, 1);
	assert_int_equal(heard_count, 0);
	enter(lanes, &errands[1], 1);
	assert_false(errands[1].is_repeat);
	release(lanes, &errands[1], 1);
}

static void a_messages_time_is_known_without_anybody_waiting(void **state)
{
	struct lanes *lanes = *state;
	struct errand errand;

	enter(lanes, &errand, 1);
	assert_non_null(send(lanes, 77, 1));
	assert_int_equal(overdue(lanes, DEADLINE_US), 1);
	assert_int_equal(lanes_sent_us(lanes, LANE, 1), 77);
	assert_int_equal(lanes_sent_us(lanes, LANE, 2), 0);
	assert_int_equal(lanes_sent_us(lanes, 99, 1), 0);
	release(lanes, &errand, 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_job_alone_leaves_at_once),
		TEST(jobs_gather_while_one_message_is_under_way),
		TEST(an_unanswered_message_holds_back_no_longer_than_its_time),
		TEST(one_lane_does_not_hold_back_another),
		TEST(a_message_keeps_to_its_limits),
		TEST(large_jobs_make_more_messages),
		TEST(a_body_is_an_envelope_that_workers_read),
		TEST(one_id_under_way_is_shared),
		TEST(one_id_with_other_content_does_not_enter),
		TEST(confirm_and_answer_tell_when_their_message_was_taken),
		TEST(the_answer_may_come_before_the_confirm),
		TEST(a_confirm_reaches_its_own_message),
		TEST(what_is_unconfirmed_fails_with_the_broker),
		TEST(a_repeat_after_a_failure_starts_afresh),
		TEST(what_nobody_waits_for_is_not_sent),
		TEST(whose_time_is_over_is_told_how_far_its_job_came),
		TEST(the_soonest_is_told_first),
		TEST(who_goes_takes_nothing_from_who_stays),
		TEST(an_earlier_sending_does_not_answer_a_later_one),
		TEST(a_confirm_is_told_to_those_alone_who_want_it),
		TEST(who_was_told_at_the_confirm_leaves_nothing_behind),
		TEST(a_messages_time_is_known_without_anybody_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
