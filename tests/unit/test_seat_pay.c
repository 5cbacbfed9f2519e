/* The rules of seats: paying. */
#include "seat_sample.h"

static void assert_untouched(int64_t user_id)
{
	assert_int_equal(account_of(user_id)->balance, MONEY);
	assert_false(account_of(user_id)->is_changed);
	assert_int_equal(world.payment_count, 0);
	assert_int_equal(world.ledger.posting_count, 0);
}

static void paying_makes_the_seat_mine_all_or_nothing(void **state)
{
	(void)state;
	reserve(1, 1);
	now_us += SECOND_US;
	assert_int_equal(pay(1, 1), ERR_OK);
	assert_int_equal(hold_on(1)->status, HOLD_PAID);
	assert_int_equal(ticket_of(1)->status, TICKET_FINISHED);
	assert_true(ticket_of(1)->is_changed);
	assert_int_equal(account_of(1)->balance, MONEY - PRICE);
	assert_int_equal(world.ledger.posting_count, 1);
	assert_int_equal(world.ledger.postings[0].amount, -PRICE);
	assert_true(id_equal(&world.ledger.postings[0].job, &last()->job.id));
	assert_int_equal(world.payment_count, 1);
	assert_true(id_equal(&world.payments[0].job, &last()->job.id));
	assert_string_equal(data_of(last()),
			    "{\"id\":701,\"seatNumber\":\"1\",\"concertName\":\"가을 \\\"밤\\\"\","
			    "\"openDate\":\"2026-11-23T10:00:00.000000Z\","
			    "\"closeDate\":\"2026-11-23T11:00:00.000000Z\",\"totalAmount\":1000,"
			    "\"status\":\"PAID\",\"created_at\":\"2026-11-22T10:00:01.000000Z\"}");
}

static void the_price_of_the_hold_is_what_is_paid(void **state)
{
	(void)state;
	reserve(1, 1);
	seat_world_seat(&world, 1)->price = 5 * PRICE;
	assert_int_equal(pay(1, 1), ERR_OK);
	assert_int_equal(account_of(1)->balance, MONEY - PRICE);
	assert_int_equal(world.payments[0].amount, PRICE);
}

static void a_hold_can_be_paid_until_its_last_microsecond(void **state)
{
	(void)state;
	reserve(1, 1);
	now_us += HOLD_US - 1;
	assert_int_equal(pay(1, 1), ERR_OK);
}

static void a_hold_cannot_be_paid_from_its_end_on(void **state)
{
	(void)state;
	reserve(1, 1);
	now_us += HOLD_US;
	ticket_of(1)->expires_us = now_us + 1;
	assert_int_equal(pay(1, 1), ERR_HOLD_EXPIRED);
	assert_int_equal(world.holds[0].status, HOLD_EXPIRED);
	assert_int_equal(ticket_of(1)->status, TICKET_ACTIVE);
	assert_untouched(1);
	assert_int_equal(pay(1, 1), ERR_HOLD_EXPIRED);
}

static void a_ticket_that_ended_with_its_hold_is_what_is_told(void **state)
{
	(void)state;
	reserve(1, 1);
	now_us += HOLD_US;
	assert_int_equal(pay(1, 1), ERR_TOKEN_EXPIRED);
	assert_untouched(1);
}

static void what_i_do_not_hold_i_cannot_pay_for(void **state)
{
	(void)state;
	assert_int_equal(pay(1, 1), ERR_NOT_HELD);
	reserve(2, 1);
	assert_int_equal(pay(1, 1), ERR_NOT_HELD);
	reserve(1, 2);
	cancel(1, 2);
	assert_int_equal(pay(1, 2), ERR_NOT_HELD);
	pay(2, 1);
	assert_int_equal(pay(1, 1), ERR_NOT_HELD); /* sold to another */
	assert_int_equal(account_of(1)->balance, MONEY);
}

static void a_shortage_is_told_in_numbers(void **state)
{
	(void)state;
	account_of(1)->balance = PRICE - 1;
	reserve(1, 1);
	assert_int_equal(pay(1, 1), ERR_INSUFFICIENT_BALANCE);
	assert_string_equal(last()->outcome.data, "{\"balance\":999,\"price\":1000,\"missing\":1}");
	assert_string_equal(data_of(last()), "{\"balance\":999,\"price\":1000,\"missing\":1}");
	assert_int_equal(hold_on(1)->status, HOLD_PENDING);
	assert_int_equal(ticket_of(1)->status, TICKET_ACTIVE);
	assert_int_equal(world.payment_count, 0);
	account_of(1)->balance = PRICE;
	assert_int_equal(pay(1, 1), ERR_OK);
	assert_int_equal(account_of(1)->balance, 0);
}

static void my_own_payment_is_returned_whatever_became_of_my_ticket(void **state)
{
	static const enum ticket_status statuses[] = {TICKET_FINISHED, TICKET_EXPIRED,
						      TICKET_WAITING, TICKET_ACTIVE};
	char answer[OUTCOME_MAX];
	(void)state;
	reserve(1, 1);
	pay(1, 1);
	strcpy(answer, data_of(last()));
	now_us += 10 * HOLD_US;
	account_of(1)->balance = 0;
	for (size_t i = 0; i < 4; i++) {
		ticket_of(1)->status = statuses[i];
		assert_int_equal(pay(1, 1), ERR_OK);
		assert_string_equal(data_of(last()), answer);
	}
	assert_int_equal(world.payment_count, 1);
	assert_int_equal(world.ledger.posting_count, 1);
}

static void two_payments_in_one_batch_are_one(void **state)
{
	(void)state;
	reserve(1, 1);
	pay(1, 1);
	assert_int_equal(pay(1, 1), ERR_OK);
	assert_int_equal(entries[1].subject, entries[2].subject);
	assert_string_equal(data_of(&entries[1]), data_of(&entries[2]));
	assert_int_equal(account_of(1)->balance, MONEY - PRICE);
	assert_int_equal(world.payment_count, 1);
}

static void a_finished_ticket_buys_nothing_more(void **state)
{
	(void)state;
	reserve(1, 1);
	pay(1, 1);
	assert_int_equal(reserve(1, 2), ERR_TOKEN_FINISHED);
	assert_int_equal(pay(1, 2), ERR_TOKEN_FINISHED);
	assert_int_equal(cancel(1, 1), ERR_TOKEN_FINISHED);
	assert_int_equal(account_of(1)->balance, MONEY - PRICE);
}

/* One after the other held the seat; both pay at the same instant. */
static void of_two_holders_the_later_one_gets_the_seat(void **state)
{
	(void)state;
	reserve(1, 1);
	now_us += HOLD_US;
	ticket_of(1)->expires_us = ticket_of(2)->expires_us = now_us + 1;
	assert_int_equal(reserve(2, 1), ERR_OK);
	assert_int_equal(pay(1, 1), ERR_HOLD_EXPIRED);
	assert_int_equal(pay(2, 1), ERR_OK);
	assert_int_equal(pay(1, 1), ERR_HOLD_EXPIRED);
	assert_int_equal(account_of(1)->balance, MONEY);
	assert_int_equal(account_of(2)->balance, MONEY - PRICE);
}

static void an_expiry_and_a_payment_meet_in_either_order(void **state)
{
	(void)state;
	for (int pay_first = 0; pay_first <= 1; pay_first++) {
		end(state);
		begin(state);
		reserve(1, 1);
		const struct id job = last()->job.id;
		now_us += HOLD_US;
		ticket_of(1)->expires_us = now_us + 1;
		if (!pay_first)
			assert_int_equal(expire(1, job), ERR_OK);
		assert_int_equal(pay(1, 1), ERR_HOLD_EXPIRED);
		assert_int_equal(expire(1, job), ERR_OK);
		assert_null(hold_on(1));
		assert_untouched(1);
	}
}

static void pays_of_one_user_never_overdraw(void **state)
{
	(void)state;
	add_ticket(21, 1);
	add_ticket(22, 1);
	for (int64_t i = 0; i < 3; i++) {
		int64_t ticket = i ? 20 + i : 11;
		assert_int_equal(run_ticket(JOB_RESERVE, 1, ticket, i + 1), ERR_OK);
		assert_int_equal(run_ticket(JOB_PAY, 1, ticket, i + 1),
				 i < 2 ? ERR_OK : ERR_INSUFFICIENT_BALANCE);
	}
	assert_int_equal(account_of(1)->balance, MONEY - 2 * PRICE);
}

static void a_payer_without_an_account_has_no_money(void **state)
{
	(void)state;
	add_ticket(21, 9);
	run_ticket(JOB_RESERVE, 9, 21, 1);
	assert_int_equal(run_ticket(JOB_PAY, 9, 21, 1), ERR_INSUFFICIENT_BALANCE);
}

static enum err give_back(uint64_t id, int64_t seat, int64_t payment)
{
	struct job job = job_of(id, JOB_REFUND);
	job.seat = seat;
	job.payment = payment;
	return run_job(&job);
}

static void a_refund_gives_the_money_back_once_and_frees_the_seat(void **state)
{
	(void)state;
	reserve(1, 1);
	pay(1, 1);
	number_rows();
	assert_int_equal(give_back(9, 1, 701), ERR_OK);
	assert_string_equal(
		last()->outcome.data,
		"{\"id\":701,\"amount\":1000,\"balance\":2500,\"status\":\"REFUNDED\"}");
	assert_int_equal(give_back(9, 1, 701), ERR_OK);
	assert_int_equal(give_back(10, 1, 701), ERR_ALREADY_REFUNDED);
	assert_int_equal(account_of(1)->balance, MONEY);
	assert_int_equal(world.ledger.posting_count, 2);
	assert_true(world.payments[0].is_changed && world.payments[0].is_refunded);
	assert_true(id_equal(&world.payments[0].refund_job, &world.ledger.postings[1].job));
	assert_int_equal(world.holds[0].status, HOLD_REFUNDED);
	assert_null(hold_on(1));
	assert_int_equal(ticket_of(1)->status, TICKET_FINISHED);
	assert_int_equal(reserve(2, 1), ERR_OK);
}

static void a_refund_names_a_payment_of_its_seat(void **state)
{
	(void)state;
	reserve(1, 1);
	pay(1, 1);
	number_rows();
	assert_int_equal(give_back(9, 2, 701), ERR_UNKNOWN_PAYMENT);
	assert_int_equal(give_back(9, 1, 702), ERR_UNKNOWN_PAYMENT);
	assert_int_equal(hold_on(1)->status, HOLD_PAID);
}

static void a_refund_does_not_pass_the_limit_of_a_balance(void **state)
{
	(void)state;
	reserve(1, 1);
	pay(1, 1);
	number_rows();
	account_of(1)->balance = JOB_MAX_BALANCE - PRICE + 1;
	assert_int_equal(give_back(9, 1, 701), ERR_BALANCE_LIMIT);
	assert_int_equal(hold_on(1)->status, HOLD_PAID);
	account_of(1)->balance--;
	assert_int_equal(give_back(9, 1, 701), ERR_OK);
}

static void a_seat_that_was_taken_off_is_refunded(void **state)
{
	(void)state;
	reserve(1, 1);
	pay(1, 1);
	number_rows();
	seat_world_seat(&world, 1)->is_deleted = true;
	assert_int_equal(give_back(9, 1, 701), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paying_makes_the_seat_mine_all_or_nothing),
		TEST(the_price_of_the_hold_is_what_is_paid),
		TEST(a_hold_can_be_paid_until_its_last_microsecond),
		TEST(a_hold_cannot_be_paid_from_its_end_on),
		TEST(a_ticket_that_ended_with_its_hold_is_what_is_told),
		TEST(what_i_do_not_hold_i_cannot_pay_for),
		TEST(a_shortage_is_told_in_numbers),
		TEST(my_own_payment_is_returned_whatever_became_of_my_ticket),
		TEST(two_payments_in_one_batch_are_one),
		TEST(a_finished_ticket_buys_nothing_more),
		TEST(of_two_holders_the_later_one_gets_the_seat),
		TEST(an_expiry_and_a_payment_meet_in_either_order),
		TEST(pays_of_one_user_never_overdraw),
		TEST(a_payer_without_an_account_has_no_money),
		TEST(a_refund_gives_the_money_back_once_and_frees_the_seat),
		TEST(a_refund_names_a_payment_of_its_seat),
		TEST(a_refund_does_not_pass_the_limit_of_a_balance),
		TEST(a_seat_that_was_taken_off_is_refunded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
