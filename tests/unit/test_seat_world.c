/* The world of seats: what is added is found again. */
#include "worker_sample.h"

#include "seat_world.h"

static struct seat_world world;

static int begin(void **state)
{
	(void)state;
	world = (struct seat_world){.policy = {.hold_us = 300, .cap_us = 3600}};
	return 0;
}

static int end(void **state)
{
	(void)state;
	seat_world_fini(&world);
	return 0;
}

static size_t add_hold(int64_t id, int64_t seat, int64_t user, enum hold_status status)
{
	const struct hold hold = {.id = id,
				  .job = id_of((uint64_t)id + 100),
				  .seat_id = seat,
				  .user_id = user,
				  .status = status};
	return seat_world_add_hold(&world, &hold);
}

static void statuses_go_to_the_database_and_back(void **state)
{
	(void)state;
	for (unsigned i = HOLD_PENDING; i <= HOLD_EXPIRED; i++)
		assert_int_equal(hold_status_from(hold_status_name((enum hold_status)i)), i);
	assert_string_equal(hold_status_name(HOLD_CANCELLED), "CANCELLED");
}

static void an_empty_world_has_nothing(void **state)
{
	(void)state;
	assert_null(seat_world_seat(&world, 1));
	assert_null(seat_world_ticket(&world, 1));
}

static void many_seats_and_tickets_are_all_found(void **state)
{
	(void)state;
	for (int64_t id = 2; id <= 1000; id += 2) {
		seat_world_add_seat(&world, id)->price = id * 10;
		seat_world_add_ticket(&world, id)->user_id = id * 100;
	}
	for (int64_t id = 2; id <= 1000; id += 2) {
		assert_int_equal(seat_world_seat(&world, id)->price, id * 10);
		assert_int_equal(seat_world_ticket(&world, id)->user_id, id * 100);
		assert_null(seat_world_seat(&world, id + 1));
		assert_null(seat_world_ticket(&world, id - 1));
	}
}

static void a_new_seat_is_free_and_a_new_ticket_holds_nothing(void **state)
{
	(void)state;
	const struct seat *seat = seat_world_add_seat(&world, 1);
	assert_null(seat_world_live_hold(&world, seat));
	assert_null(seat_world_hold_of(&world, seat, 1));
	assert_true(seat_world_add_ticket(&world, 1)->hold == WORLD_NONE);
}

static void only_pending_and_paid_holds_take_a_seat(void **state)
{
	static const bool is_live[] = {[HOLD_PENDING] = true,
				       [HOLD_PAID] = true,
				       [HOLD_CANCELLED] = false,
				       [HOLD_EXPIRED] = false};
	(void)state;
	for (unsigned status = HOLD_PENDING; status <= HOLD_EXPIRED; status++) {
		const struct seat *seat = seat_world_add_seat(&world, (int64_t)status + 1);
		add_hold((int64_t)status + 1, seat->id, 7, (enum hold_status)status);
		assert_int_equal(seat_world_live_hold(&world, seat) != NULL, is_live[status]);
		assert_non_null(seat_world_hold_of(&world, seat, 7));
	}
}

static void the_newest_hold_of_a_user_is_found_behind_others(void **state)
{
	(void)state;
	const struct seat *seat = seat_world_add_seat(&world, 1);
	add_hold(1, 1, 7, HOLD_CANCELLED);
	add_hold(2, 1, 7, HOLD_EXPIRED);
	add_hold(3, 1, 8, HOLD_PENDING);
	assert_int_equal(seat_world_hold_of(&world, seat, 7)->id, 2);
	assert_int_equal(seat_world_hold_of(&world, seat, 8)->id, 3);
	assert_null(seat_world_hold_of(&world, seat, 9));
	assert_int_equal(seat_world_live_hold(&world, seat)->id, 3);
}

static void a_hold_found_twice_is_there_once(void **state)
{
	(void)state;
	seat_world_add_seat(&world, 1);
	size_t first = add_hold(1, 1, 7, HOLD_PENDING);
	add_hold(2, 1, 8, HOLD_EXPIRED);
	assert_int_equal(add_hold(1, 1, 7, HOLD_PENDING), first);
	assert_int_equal(world.hold_count, 2);
}

static void holds_made_in_a_batch_are_not_taken_for_each_other(void **state)
{
	(void)state;
	seat_world_add_seat(&world, 1);
	assert_int_not_equal(add_hold(0, 1, 7, HOLD_CANCELLED), add_hold(0, 1, 8, HOLD_PENDING));
	assert_int_equal(world.hold_count, 2);
}

static void a_hold_on_a_seat_that_is_not_here_is_kept(void **state)
{
	(void)state;
	const struct seat *seat = seat_world_add_seat(&world, 1);
	size_t hold = add_hold(1, 99, 7, HOLD_PENDING);
	assert_int_equal(world.holds[hold].seat_id, 99);
	assert_null(seat_world_live_hold(&world, seat));
}

static void a_payment_is_found_by_its_hold(void **state)
{
	(void)state;
	seat_world_add_seat(&world, 1);
	for (int64_t i = 1; i <= 200; i++) {
		size_t hold = add_hold(i, 1, 7, HOLD_PAID);
		if (i % 2) {
			struct payment *payment = seat_world_add_payment(&world, hold);
			payment->id = i * 10;
			assert_int_equal(payment->hold, hold);
		}
	}
	for (size_t i = 0; i < 200; i++) {
		size_t payment = world.holds[i].payment;
		if (i % 2)
			assert_int_equal(payment, WORLD_NONE);
		else
			assert_int_equal(world.payments[payment].id, (int64_t)(i + 1) * 10);
	}
}

static void a_cleared_world_keeps_its_policy_alone(void **state)
{
	struct id user = user_of(7);
	(void)state;
	seat_world_add_seat(&world, 1);
	seat_world_add_ticket(&world, 1);
	seat_world_add_payment(&world, add_hold(1, 1, 7, HOLD_PAID));
	ledger_account(&world.ledger, &user);
	seat_world_clear(&world);
	assert_null(seat_world_seat(&world, 1));
	assert_null(seat_world_ticket(&world, 1));
	assert_int_equal(world.hold_count, 0);
	assert_int_equal(world.payment_count, 0);
	assert_null(ledger_find(&world.ledger, &user));
	assert_int_equal(world.policy.hold_us, 300);
	assert_null(seat_world_live_hold(&world, seat_world_add_seat(&world, 1)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(statuses_go_to_the_database_and_back),
		TEST(an_empty_world_has_nothing),
		TEST(many_seats_and_tickets_are_all_found),
		TEST(a_new_seat_is_free_and_a_new_ticket_holds_nothing),
		TEST(only_pending_and_paid_holds_take_a_seat),
		TEST(the_newest_hold_of_a_user_is_found_behind_others),
		TEST(a_hold_found_twice_is_there_once),
		TEST(holds_made_in_a_batch_are_not_taken_for_each_other),
		TEST(a_hold_on_a_seat_that_is_not_here_is_kept),
		TEST(a_payment_is_found_by_its_hold),
		TEST(a_cleared_world_keeps_its_policy_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
