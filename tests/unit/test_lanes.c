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

static struct parcel *enter(struct lanes *lanes, uint8_t number)
{
	struct job job = charge(number);
	struct parcel *fresh = parcel_new(&job, LANE);

	assert_non_null(fresh);
	assert_ptr_equal(lanes_enter(lanes, fresh), fresh);
	return fresh;
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
	struct rings rings = {0};
	int64_t sent_us;

	sent_us = lanes_settle(lanes, LANE, message, &id, &outcome, &rings);
	rings_fini(&rings);
	return sent_us;
}

static int64_t confirm(struct lanes *lanes, uint64_t sequence, enum err err)
{
	struct rings rings = {0};
	int64_t sent_us;

	sent_us = lanes_confirm(lanes, sequence, err, &rings);
	rings_fini(&rings);
	return sent_us;
}

static void fail_all(struct lanes *lanes)
{
	struct rings rings = {0};

	lanes_fail(lanes, &rings);
	rings_fini(&rings);
}

static void a_job_alone_leaves_at_once(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *parcel = enter(lanes, 1);
	struct parcel_message *message = send(lanes, 0, 1);

	assert_non_null(message);
	assert_int_equal(message->count, 1);
	assert_int_equal(message->lane, LANE);
	assert_null(lanes_take(lanes, 0));
	assert_int_equal(lanes_due_us(lanes), INT64_MAX);
	lanes_leave(lanes, parcel);
}

static void jobs_gather_while_one_message_is_under_way(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *parcels[4];
	struct parcel_message *message;

	parcels[0] = enter(lanes, 1);
	assert_non_null(send(lanes, 1000, 1));
	for (uint8_t i = 1; i < 4; i++)
		parcels[i] = enter(lanes, (uint8_t)(i + 1));
	assert_null(send(lanes, 1000, 2));
	assert_int_equal(lanes_due_us(lanes), 1000 + COALESCE_US);
	answer(lanes, 1, 1);
	assert_true(lanes_answered(lanes, LANE, 1, 1));
	message = send(lanes, 1000, 2);
	assert_non_null(message);
	assert_int_equal(message->count, 3);
	for (int i = 0; i < 4; i++)
		lanes_leave(lanes, parcels[i]);
}

static void an_unanswered_message_holds_back_no_longer_than_its_time(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *first = enter(lanes, 1);
	struct parcel *second;

	assert_non_null(send(lanes, 1000, 1));
	second = enter(lanes, 2);
	assert_null(send(lanes, 1000 + COALESCE_US - 1, 2));
	assert_non_null(send(lanes, 1000 + COALESCE_US, 2));
	/* The late answer of the first frees nothing: the second is under way. */
	assert_false(lanes_answered(lanes, LANE, 1, 1));
	lanes_leave(lanes, first);
	lanes_leave(lanes, second);
}

static void one_lane_does_not_hold_back_another(void **state)
{
	struct lanes *lanes = *state;
	struct job job = charge(2);
	struct parcel *first = enter(lanes, 1);
	struct parcel *other;

	assert_non_null(send(lanes, 0, 1));
	other = parcel_new(&job, 0);
	assert_ptr_equal(lanes_enter(lanes, other), other);
	assert_non_null(send(lanes, 0, 2));
	lanes_leave(lanes, first);
	lanes_leave(lanes, other);
}

static void a_message_keeps_to_its_limits(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *parcels[JOB_MAX_PER_MESSAGE + 1];
	struct parcel_message *message;
	struct text body = {0};

	for (int i = 0; i <= JOB_MAX_PER_MESSAGE; i++) {
		struct job job = charge(0);

		memcpy(job.id.bytes, &i, sizeof i);
		parcels[i] = parcel_new(&job, LANE);
		assert_ptr_equal(lanes_enter(lanes, parcels[i]), parcels[i]);
	}
	message = send(lanes, 0, 1);
	assert_non_null(message);
	parcel_message_write(message, &body);
	assert_int_equal(message->count, JOB_MAX_PER_MESSAGE);
	assert_true(body.length <= JOB_MAX_MESSAGE_BYTES);
	for (int i = 0; i <= JOB_MAX_PER_MESSAGE; i++)
		lanes_leave(lanes, parcels[i]);
	text_fini(&body);
}

static void large_jobs_make_more_messages(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *parcels[600];
	struct parcel_message *message;
	struct text body = {0};

	for (int i = 0; i < 600; i++) {
		struct job job = {.kind = JOB_REGISTER, .attempt = 1};

		memcpy(job.id.bytes, &i, sizeof i);
		memset(job.name, 'n', sizeof job.name - 1);
		parcels[i] = parcel_new(&job, LANE);
		assert_ptr_equal(lanes_enter(lanes, parcels[i]), parcels[i]);
	}
	message = send(lanes, 0, 1);
	assert_non_null(message);
	parcel_message_write(message, &body);
	assert_in_range(message->count, 1, 599);
	assert_true(body.length <= JOB_MAX_MESSAGE_BYTES);
	for (int i = 0; i < 600; i++)
		lanes_leave(lanes, parcels[i]);
	text_fini(&body);
}

static void a_body_is_an_envelope_that_workers_read(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *first = enter(lanes, 1);
	struct parcel *second = enter(lanes, 2);
	struct parcel_message *message = send(lanes, 0, 1);
	struct job_entry *entries = NULL;
	char why[JOB_WHY_SIZE];
	struct text body = {0};
	size_t count = 0;

	parcel_message_write(message, &body);
	assert_int_equal(job_decode(body.bytes, body.length, QUEUE_ACCOUNT, &entries, &count, why),
			 ERR_OK);
	assert_int_equal(count, 2);
	assert_int_equal(entries[1].err, ERR_OK);
	assert_true(id_equal(&entries[1].job.id, &second->id));
	free(entries);
	text_fini(&body);
	lanes_leave(lanes, first);
	lanes_leave(lanes, second);
}

static void one_id_under_way_is_shared(void **state)
{
	struct lanes *lanes = *state;
	struct job job = charge(1);
	struct parcel *first = enter(lanes, 1);
	struct parcel *again = parcel_new(&job, LANE);

	assert_ptr_equal(lanes_enter(lanes, again), first);
	parcel_release(again);
	assert_int_equal(send(lanes, 0, 1)->count, 1);
	answer(lanes, 1, 1);
	assert_int_equal(atomic_load(&first->state), PARCEL_ANSWERED);
	assert_string_equal(first->outcome.data, "{\"balance\":5}");
	lanes_leave(lanes, first);
	lanes_leave(lanes, first);
}

static void confirm_and_answer_tell_when_their_message_was_taken(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *first = enter(lanes, 1);
	struct parcel *second;

	assert_non_null(send(lanes, 1000, 1));
	second = enter(lanes, 2);
	assert_non_null(send(lanes, 1000 + COALESCE_US, 2));
	assert_int_equal(answer(lanes, 1, 1), 1000);
	assert_int_equal(confirm(lanes, 2, ERR_OK), 1000 + COALESCE_US);
	assert_int_equal(answer(lanes, 2, 2), 1000 + COALESCE_US);
	assert_int_equal(confirm(lanes, 1, ERR_OK), 1000);
	assert_int_equal(confirm(lanes, 1, ERR_OK), 0); /* not its own, or not any more */
	assert_int_equal(answer(lanes, 2, 2), 0);
	lanes_leave(lanes, first);
	lanes_leave(lanes, second);
}

static void the_answer_may_come_before_the_confirm(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *parcel = enter(lanes, 1);

	assert_non_null(send(lanes, 0, 7));
	answer(lanes, 1, 1);
	confirm(lanes, 7, ERR_OK);
	assert_int_equal(atomic_load(&parcel->state), PARCEL_ANSWERED);
	lanes_leave(lanes, parcel);
}

static void a_confirm_reaches_its_own_message(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *first = enter(lanes, 1);
	struct parcel *second;

	assert_non_null(send(lanes, 0, 1));
	second = enter(lanes, 2);
	assert_non_null(send(lanes, COALESCE_US, 2));
	confirm(lanes, 2, ERR_OK);
	assert_int_equal(atomic_load(&first->state), PARCEL_SENT);
	assert_int_equal(atomic_load(&second->state), PARCEL_CONFIRMED);
	confirm(lanes, 1, ERR_BROKER_NACKED);
	assert_int_equal(atomic_load(&first->state), PARCEL_FAILED);
	confirm(lanes, 9, ERR_OK);
	lanes_leave(lanes, first);
	lanes_leave(lanes, second);
}

static void what_is_unconfirmed_fails_with_the_broker(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *confirmed = enter(lanes, 1);
	struct parcel *sent, *gathered;

	assert_non_null(send(lanes, 0, 1));
	confirm(lanes, 1, ERR_OK);
	sent = enter(lanes, 2);
	assert_non_null(send(lanes, COALESCE_US, 2));
	gathered = enter(lanes, 3);
	fail_all(lanes);
	assert_int_equal(atomic_load(&confirmed->state), PARCEL_CONFIRMED);
	assert_int_equal(atomic_load(&sent->state), PARCEL_FAILED);
	assert_int_equal(atomic_load(&gathered->state), PARCEL_FAILED);
	lanes_leave(lanes, confirmed);
	lanes_leave(lanes, sent);
	lanes_leave(lanes, gathered);
}

static void a_repeat_after_a_failure_starts_afresh(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *failed = enter(lanes, 1);
	struct parcel *again;

	assert_non_null(send(lanes, 0, 1));
	fail_all(lanes);
	again = enter(lanes, 1);
	assert_non_null(send(lanes, 0, 2));
	lanes_leave(lanes, failed);
	lanes_leave(lanes, again);
}

static void what_nobody_waits_for_is_not_sent(void **state)
{
	struct lanes *lanes = *state;

	lanes_leave(lanes, enter(lanes, 1));
	assert_null(lanes_take(lanes, 0));
	answer(lanes, 1, 1);
}

/* It may have had other content under the same key. */
static void an_earlier_sending_does_not_answer_a_later_one(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *first = enter(lanes, 1);
	struct parcel *again;

	assert_non_null(send(lanes, 0, 1));
	lanes_leave(lanes, first);
	again = enter(lanes, 1);
	answer(lanes, 1, 1);
	assert_int_equal(atomic_load(&again->state), PARCEL_GATHERED);
	assert_non_null(send(lanes, COALESCE_US, 2));
	answer(lanes, 1, 1);
	assert_int_equal(atomic_load(&again->state), PARCEL_SENT);
	answer(lanes, 2, 1);
	assert_int_equal(atomic_load(&again->state), PARCEL_ANSWERED);
	lanes_leave(lanes, again);
}

static int posts(sem_t *semaphore)
{
	int value = -1;

	assert_int_equal(sem_getvalue(semaphore, &value), 0);
	return value;
}

/* Two wait for one job, one of them for no more than the confirm. */
static void a_confirm_is_told_to_those_alone_who_want_it(void **state)
{
	struct lanes *lanes = *state;
	struct parcel *parcel = enter(lanes, 1);
	struct job job = charge(1);
	struct parcel *again = parcel_new(&job, LANE);

	assert_ptr_equal(lanes_enter(lanes, again), parcel);
	parcel_release(again);
	parcel->confirm_waiters = 1;
	assert_non_null(send(lanes, 0, 1));
	confirm(lanes, 1, ERR_OK);
	assert_int_equal(posts(&parcel->confirmed), 1);
	assert_int_equal(posts(&parcel->answered), 0);
	answer(lanes, 1, 1);
	assert_int_equal(posts(&parcel->confirmed), 2);
	assert_int_equal(posts(&parcel->answered), 1);
	lanes_leave(lanes, parcel);
	lanes_leave(lanes, parcel);
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
		TEST(confirm_and_answer_tell_when_their_message_was_taken),
		TEST(the_answer_may_come_before_the_confirm),
		TEST(a_confirm_reaches_its_own_message),
		TEST(what_is_unconfirmed_fails_with_the_broker),
		TEST(a_repeat_after_a_failure_starts_afresh),
		TEST(what_nobody_waits_for_is_not_sent),
		TEST(an_earlier_sending_does_not_answer_a_later_one),
		TEST(a_confirm_is_told_to_those_alone_who_want_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
