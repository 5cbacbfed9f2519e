/* The rules of seats: reserve, cancel, expire. Paying: test_seat_pay.c. */
#include "seat_sample.h"

static void the_policy_comes_from_the_settings(void **state)
{
	struct conf conf;
	(void)state;
	conf_init(&conf);
	conf.hold_s = 7;
	conf.hold_cap_s = 9;
	struct hold_policy policy = hold_policy_from(&conf);
	assert_int_equal(policy.hold_us, 7000000);
	assert_int_equal(policy.cap_us, 9000000);
}

static void a_free_seat_is_held(void **state)
{
	(void)state;
	assert_int_equal(reserve(1, 2), ERR_OK);
	const struct hold *hold = hold_on(2);
	assert_non_null(hold);
	assert_int_equal(hold->status, HOLD_PENDING);
	assert_int_equal(hold->user_id, 1);
	assert_int_equal(hold->ticket_id, 11);
	assert_int_equal(hold->price, PRICE);
	assert_true(hold->created_us == NOW_US && hold->expires_us == NOW_US + HOLD_US);
	assert_true(id_equal(&hold->job, &last()->job.id));
	assert_string_equal(
		data_of(last()),
		"{\"id\":501,\"seat\":{\"id\":2,\"isActive\":false,\"seatNumber\":\"2\"},"
		"\"status\":\"PENDING\",\"price\":1000,"
		"\"created_at\":\"2026-11-22T10:00:00.000000Z\","
		"\"expires_at\":\"2026-11-22T10:05:00.000000Z\"}");
}

static void the_price_is_that_of_the_moment(void **state)
{
	(void)state;
	reserve(1, 1);
	seat_world_seat(&world, 1)->price = 5;
	assert_int_equal(reserve(1, 1), ERR_OK);
	assert_int_equal(hold_on(1)->price, PRICE);
}

static void a_seat_held_by_another_is_refused(void **state)
{
	(void)state;
	reserve(1, 1);
	assert_int_equal(reserve(2, 1), ERR_SEAT_HELD);
	assert_int_equal(hold_on(1)->user_id, 1);
	assert_int_equal(world.hold_count, 1);
	assert_string_equal(data_of(last()), "");
}

static void a_sold_seat_is_refused_to_its_buyer_too(void **state)
{
	(void)state;
	reserve(1, 1);
	pay(1, 1);
	assert_int_equal(reserve(2, 1), ERR_SEAT_SOLD);
	ticket_of(1)->status = TICKET_ACTIVE; /* as with a ticket of another day */
	assert_int_equal(reserve(1, 1), ERR_SEAT_SOLD);
}

static void my_own_live_hold_is_returned_not_extended(void **state)
{
	(void)state;
	reserve(1, 1);
	number_rows();
	now_us += HOLD_US - 1;
	assert_int_equal(reserve(1, 1), ERR_OK);
	assert_int_equal(world.hold_count, 1);
	assert_true(hold_on(1)->expires_us == NOW_US + HOLD_US);
	assert_false(hold_on(1)->is_changed);
	assert_non_null(strstr(data_of(last()), "{\"id\":501,"));
	assert_non_null(strstr(data_of(last()), "\"expires_at\":\"2026-11-22T10:05:00.000000Z\""));
}

static void my_own_hold_is_returned_though_the_sale_has_ended(void **state)
{
	(void)state;
	reserve(1, 1);
	seat_world_seat(&world, 1)->is_active = false;
	assert_int_equal(reserve(1, 1), ERR_OK);
}

static void a_hold_ends_exactly_at_its_time(void **state)
{
	(void)state;
	reserve(1, 1);
	number_rows();
	now_us += HOLD_US - 1;
	ticket_of(2)->expires_us = now_us + SECOND_US;
	assert_int_equal(reserve(2, 1), ERR_SEAT_HELD);
	now_us++;
	assert_int_equal(reserve(2, 1), ERR_OK);
	assert_int_equal(world.holds[0].status, HOLD_EXPIRED);
	assert_true(world.holds[0].is_changed);
	assert_int_equal(hold_on(1)->user_id, 2);
}

static void reserving_again_after_my_hold_ran_out_makes_a_new_one(void **state)
{
	(void)state;
	reserve(1, 1);
	now_us += HOLD_US;
	ticket_of(1)->expires_us = now_us + 1;
	assert_int_equal(reserve(1, 1), ERR_OK);
	assert_int_equal(world.hold_count, 2);
	assert_true(hold_on(1)->expires_us == now_us + HOLD_US);
}

static void one_ticket_holds_one_seat(void **state)
{
	(void)state;
	reserve(1, 1);
	assert_int_equal(reserve(1, 2), ERR_ALREADY_HOLDING);
	assert_null(hold_on(2));
	now_us += HOLD_US;
	ticket_of(1)->expires_us = now_us + 1;
	assert_int_equal(reserve(1, 2), ERR_OK); /* the other one is over, swept or not */
}

static void a_seat_is_on_sale_in_its_time_alone(void **state)
{
	static const struct {
		int64_t start, end;
		bool is_active;
		enum err err;
	} cases[] = {
		{0, 1, true, ERR_OK},
		{0, 1, false, ERR_NOT_ON_SALE},
		{1, 2, true, ERR_NOT_ON_SALE},
		{-1, 0, true, ERR_NOT_ON_SALE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seat *seat = seat_world_seat(&world, 1);
		seat->booking_start_us = NOW_US + cases[i].start;
		seat->booking_end_us = NOW_US + cases[i].end;
		seat->is_active = cases[i].is_active;
		assert_int_equal(reserve(1, 1), cases[i].err);
		cancel(1, 1);
	}
}

static void an_unknown_seat_is_refused(void **state)
{
	(void)state;
	assert_int_equal(reserve(1, 99), ERR_UNKNOWN_SEAT);
	assert_int_equal(cancel(1, 99), ERR_UNKNOWN_SEAT);
	assert_int_equal(pay(1, 99), ERR_UNKNOWN_SEAT);
	assert_int_equal(expire(99, id_of(1)), ERR_OK);
}

/* Reserve and cancel look at the ticket before all else. */
static void only_an_admitted_ticket_may_act(void **state)
{
	static const struct {
		enum ticket_status status;
		enum err err;
	} cases[] = {
		{TICKET_WAITING, ERR_NOT_ADMITTED},
		{TICKET_EXPIRED, ERR_TOKEN_EXPIRED},
		{TICKET_FINISHED, ERR_TOKEN_FINISHED},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ticket_of(1)->status = cases[i].status;
		assert_int_equal(reserve(1, 1), cases[i].err);
		assert_int_equal(reserve(1, 99), cases[i].err);
		assert_int_equal(cancel(1, 1), cases[i].err);
		assert_int_equal(cancel(1, 99), cases[i].err);
		assert_int_equal(pay(1, 1), cases[i].err);
		assert_null(hold_on(1));
	}
}

static void a_ticket_of_nobody_or_of_another_is_invalid(void **state)
{
	static const enum job_kind kinds[] = {JOB_RESERVE, JOB_CANCEL, JOB_PAY};
	(void)state;
	reserve(2, 1);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(run_ticket(kinds[i], 1, 99, 1), ERR_TOKEN_INVALID);
		assert_int_equal(run_ticket(kinds[i], 1, 12, 1), ERR_TOKEN_INVALID);
	}
	assert_int_equal(hold_on(1)->status, HOLD_PENDING);
}

static void a_ticket_ends_exactly_at_its_time(void **state)
{
	(void)state;
	now_us = ticket_of(1)->expires_us - 1;
	assert_int_equal(reserve(1, 1), ERR_OK);
	now_us++;
	assert_int_equal(reserve(2, 2), ERR_TOKEN_EXPIRED);
	assert_int_equal(cancel(2, 2), ERR_TOKEN_EXPIRED);
	assert_int_equal(pay(2, 2), ERR_TOKEN_EXPIRED);
}

static void a_hold_lengthens_its_tickets_life(void **state)
{
	(void)state;
	reserve(1, 1);
	assert_true(ticket_of(1)->expires_us == NOW_US + HOLD_US);
	assert_true(ticket_of(1)->is_changed);
	assert_int_equal(ticket_of(1)->status, TICKET_ACTIVE);
}

static void a_ticket_that_lives_longer_is_left_alone(void **state)
{
	(void)state;
	ticket_of(1)->expires_us = NOW_US + 2 * HOLD_US;
	reserve(1, 1);
	assert_true(ticket_of(1)->expires_us == NOW_US + 2 * HOLD_US);
	assert_false(ticket_of(1)->is_changed);
}

static void the_cap_ends_a_chain_of_holds(void **state)
{
	(void)state;
	const int64_t cap_us = ticket_of(1)->admitted_us + CAP_US;
	int chain = 0;
	for (; reserve(1, 1) == ERR_OK; chain++) {
		assert_true(now_us < cap_us);
		assert_true(ticket_of(1)->expires_us == now_us + HOLD_US);
		assert_int_equal(cancel(1, 1), ERR_OK);
		now_us = ticket_of(1)->expires_us - 1;
	}
	assert_int_equal(last()->outcome.err, ERR_TOKEN_EXPIRED);
	assert_true(now_us >= cap_us && now_us < cap_us + HOLD_US);
	assert_in_range(chain, 12, 13);
}

static void beyond_the_cap_a_hold_within_the_tickets_own_time_is_granted(void **state)
{
	(void)state;
	ticket_of(1)->admitted_us = NOW_US - CAP_US;
	assert_int_equal(reserve(1, 1), ERR_TOKEN_EXPIRED); /* it would need more */
	assert_null(hold_on(1));
	ticket_of(1)->expires_us = NOW_US + HOLD_US;
	assert_int_equal(reserve(1, 1), ERR_OK);
	assert_false(ticket_of(1)->is_changed);
}

static void a_cancelled_hold_frees_the_seat(void **state)
{
	(void)state;
	reserve(1, 1);
	assert_int_equal(cancel(1, 1), ERR_OK);
	assert_string_equal(data_of(last()), "{\"id\":501,\"status\":\"CANCELLED\"}");
	assert_null(hold_on(1));
	assert_int_equal(world.holds[0].status, HOLD_CANCELLED);
	assert_int_equal(reserve(1, 2), ERR_OK);
}

static void what_i_do_not_hold_i_cannot_cancel(void **state)
{
	(void)state;
	assert_int_equal(cancel(1, 1), ERR_NOT_HELD);
	reserve(2, 1);
	assert_int_equal(cancel(1, 1), ERR_NOT_HELD);
	assert_int_equal(hold_on(1)->user_id, 2);
	cancel(2, 1);
	assert_int_equal(cancel(2, 1), ERR_NOT_HELD);
}

static void a_sold_seat_cannot_be_cancelled(void **state)
{
	(void)state;
	reserve(1, 1);
	pay(1, 1);
	ticket_of(1)->status = TICKET_ACTIVE;
	assert_int_equal(cancel(1, 1), ERR_NOT_HELD);
	assert_int_equal(hold_on(1)->status, HOLD_PAID);
}

static void a_hold_that_ran_out_cannot_be_cancelled(void **state)
{
	(void)state;
	reserve(1, 1);
	now_us += HOLD_US;
	ticket_of(1)->expires_us = now_us + 1;
	assert_int_equal(cancel(1, 1), ERR_HOLD_EXPIRED);
	assert_int_equal(world.holds[0].status, HOLD_EXPIRED);
	assert_int_equal(cancel(1, 1), ERR_HOLD_EXPIRED);
	assert_string_equal(data_of(last()), "{\"seatState\":\"free\"}");
	ticket_of(2)->expires_us = now_us + 1;
	reserve(2, 1);
	assert_int_equal(cancel(1, 1), ERR_HOLD_EXPIRED); /* though another holds it now */
	assert_string_equal(data_of(last()), "{\"seatState\":\"held\"}");
	assert_int_equal(pay(2, 1), ERR_OK);
	assert_int_equal(pay(1, 1), ERR_HOLD_EXPIRED);
	assert_string_equal(data_of(last()), "{\"seatState\":\"sold\"}");
}

static void a_seat_that_went_off_sale_with_the_hold_is_not_free(void **state)
{
	(void)state;
	reserve(1, 1);
	now_us += HOLD_US;
	ticket_of(1)->expires_us = now_us + 1;
	seat_world_seat(&world, 1)->is_active = false;
	assert_int_equal(pay(1, 1), ERR_HOLD_EXPIRED);
	assert_string_equal(data_of(last()), "{\"seatState\":\"closed\"}");
}

static void reserve_cancel_and_reserve_by_another_in_one_batch(void **state)
{
	(void)state;
	assert_int_equal(reserve(1, 1), ERR_OK);
	assert_int_equal(reserve(2, 1), ERR_SEAT_HELD);
	assert_int_equal(cancel(1, 1), ERR_OK);
	assert_int_equal(reserve(2, 1), ERR_OK);
	assert_int_equal(reserve(1, 1), ERR_SEAT_HELD);
	assert_int_equal(world.hold_count, 2);
	assert_int_equal(hold_on(1)->user_id, 2);
	assert_non_null(strstr(data_of(&entries[0]), "{\"id\":501,"));
	assert_non_null(strstr(data_of(&entries[2]), "{\"id\":501,"));
	assert_non_null(strstr(data_of(&entries[3]), "{\"id\":502,"));
}

static void an_expiry_ends_a_hold_whose_time_is_over(void **state)
{
	(void)state;
	reserve(1, 1);
	const struct id job = last()->job.id;
	now_us += HOLD_US - 1;
	assert_int_equal(expire(1, job), ERR_OK);
	assert_int_equal(hold_on(1)->status, HOLD_PENDING); /* too early */
	now_us++;
	assert_int_equal(expire(1, job), ERR_OK);
	assert_null(hold_on(1));
	assert_int_equal(world.holds[0].status, HOLD_EXPIRED);
	assert_true(world.holds[0].is_changed);
	assert_int_equal(expire(1, job), ERR_OK);
	assert_string_equal(data_of(last()), "");
}

/* What the metrics count once the batch is committed. */
static void an_entry_says_which_hold_it_began_ended_or_settled(void **state)
{
	(void)state;
	reserve(1, 1);
	assert_true(last()->starts_hold && !last()->ends_hold && !last()->settles_hold);
	reserve(1, 1); /* my own, returned */
	assert_true(!last()->starts_hold && !last()->ends_hold && !last()->settles_hold);
	pay(1, 1);
	assert_true(!last()->starts_hold && !last()->ends_hold && last()->settles_hold);
	pay(1, 1); /* paid for, returned */
	assert_false(last()->settles_hold);
	reserve(2, 2);
	cancel(2, 2);
	assert_true(last()->settles_hold);
	ticket_of(2)->expires_us = now_us + 2 * HOLD_US;
	reserve(2, 2);
	const struct id job = last()->job.id;
	now_us += HOLD_US;
	cancel(2, 2); /* too late: it ends the hold all the same */
	assert_true(last()->ends_hold && !last()->settles_hold);
	expire(2, job);
	assert_false(last()->ends_hold);
	ticket_of(3)->expires_us = now_us + HOLD_US;
	reserve(3, 3);
	const struct id third = last()->job.id;
	now_us += HOLD_US;
	expire(3, third);
	assert_true(last()->ends_hold);
}

static void an_expiry_that_names_another_hold_does_nothing(void **state)
{
	(void)state;
	reserve(1, 1);
	const struct id first = last()->job.id;
	cancel(1, 1);
	reserve(2, 1);
	now_us += HOLD_US;
	assert_int_equal(expire(1, first), ERR_OK);
	assert_int_equal(hold_on(1)->status, HOLD_PENDING);
	assert_int_equal(world.holds[0].status, HOLD_CANCELLED);
}

static void an_expiry_leaves_a_paid_seat(void **state)
{
	(void)state;
	reserve(1, 1);
	const struct id job = last()->job.id;
	pay(1, 1);
	now_us += 2 * HOLD_US;
	assert_int_equal(expire(1, job), ERR_OK);
	assert_int_equal(hold_on(1)->status, HOLD_PAID);
}

static void jobs_of_other_queues_are_refused(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < JOB_KIND_COUNT; kind++)
		if (!(job_kind_queues((enum job_kind)kind) & QUEUE_SEAT))
			assert_int_equal(run((enum job_kind)kind, 1, 1), ERR_BAD_KIND);
}

static void the_longest_names_fit_into_an_answer(void **state)
{
	(void)state;
	struct seat *seat = seat_world_seat(&world, 1);
	memset(seat->number, '"', 8);
	seat->number[8] = '\0';
	memset(seat->concert_name, '\x01', 200);
	seat->concert_name[200] = '\0';
	seat->price = 1;
	reserve(1, 1);
	assert_in_range(strlen(data_of(last())), 1, OUTCOME_MAX - 1);
	pay(1, 1);
	assert_in_range(strlen(data_of(last())), 1200, OUTCOME_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_policy_comes_from_the_settings),
		TEST(a_free_seat_is_held),
		TEST(the_price_is_that_of_the_moment),
		TEST(a_seat_held_by_another_is_refused),
		TEST(a_sold_seat_is_refused_to_its_buyer_too),
		TEST(my_own_live_hold_is_returned_not_extended),
		TEST(my_own_hold_is_returned_though_the_sale_has_ended),
		TEST(a_hold_ends_exactly_at_its_time),
		TEST(reserving_again_after_my_hold_ran_out_makes_a_new_one),
		TEST(one_ticket_holds_one_seat),
		TEST(a_seat_is_on_sale_in_its_time_alone),
		TEST(an_unknown_seat_is_refused),
		TEST(only_an_admitted_ticket_may_act),
		TEST(a_ticket_of_nobody_or_of_another_is_invalid),
		TEST(a_ticket_ends_exactly_at_its_time),
		TEST(a_hold_lengthens_its_tickets_life),
		TEST(a_ticket_that_lives_longer_is_left_alone),
		TEST(the_cap_ends_a_chain_of_holds),
		TEST(beyond_the_cap_a_hold_within_the_tickets_own_time_is_granted),
		TEST(a_cancelled_hold_frees_the_seat),
		TEST(what_i_do_not_hold_i_cannot_cancel),
		TEST(a_sold_seat_cannot_be_cancelled),
		TEST(a_hold_that_ran_out_cannot_be_cancelled),
		TEST(a_seat_that_went_off_sale_with_the_hold_is_not_free),
		TEST(reserve_cancel_and_reserve_by_another_in_one_batch),
		TEST(an_expiry_ends_a_hold_whose_time_is_over),
		TEST(an_entry_says_which_hold_it_began_ended_or_settled),
		TEST(an_expiry_that_names_another_hold_does_nothing),
		TEST(an_expiry_leaves_a_paid_seat),
		TEST(jobs_of_other_queues_are_refused),
		TEST(the_longest_names_fit_into_an_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
