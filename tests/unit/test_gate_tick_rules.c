/* A tick: the allowance, the rate, whose time is over, who is passed by, who is admitted. */
#include "worker_sample.h"

#include "gate_tick_rules.h"

static struct gate_tick tick;

static int begin(void **state)
{
	(void)state;
	tick = (struct gate_tick){
		.state = {.last_ticket = 40, .served = 30, .waiting = 10, .near = 40},
		.policy = {.max_active = 100, .window_s = 60, .active_s = 600},
		.near_span = 100};
	return 0;
}

static struct gate_ticket *add_waiting(int64_t place, int64_t silent_s)
{
	struct gate_ticket *ticket = &tick.line.items[tick.line.count++];
	*ticket = (struct gate_ticket){.id = place,
				       .place = place,
				       .status = TICKET_WAITING,
				       .seen_us = NOW_US - silent_s * SECOND_US};
	return ticket;
}

static struct gate_ticket *add_due(int64_t id, int64_t expires_us, int64_t hold_until_us)
{
	struct gate_ticket *ticket = &tick.due.items[tick.due.count++];
	*ticket = (struct gate_ticket){.id = id,
				       .place = id,
				       .status = TICKET_ACTIVE,
				       .expires_us = expires_us,
				       .hold_until_us = hold_until_us};
	return ticket;
}

/* The allowance ------------------------------------------------------------------------------ */

static void the_smaller_limit_counts(void **state)
{
	static const struct {
		enum policy_state state;
		int64_t max_active, window_limit, active, released, allowed;
	} cases[] = {
		{POLICY_OPEN, 100, 0, 60, 0, 40},   /* places */
		{POLICY_OPEN, 100, 0, 100, 0, 0},   /* full */
		{POLICY_OPEN, 100, 0, 130, 0, 0},   /* more in than a lowered limit allows */
		{POLICY_OPEN, 0, 50, 900, 20, 30},  /* window */
		{POLICY_OPEN, 0, 50, 0, 50, 0},     /* window used up */
		{POLICY_OPEN, 0, 50, 0, 80, 0},     /* a lowered window */
		{POLICY_OPEN, 100, 50, 60, 20, 30}, /* the smaller: the window */
		{POLICY_OPEN, 100, 50, 80, 20, 20}, /* the smaller: the places */
		{POLICY_PAUSED, 100, 0, 0, 0, 0},   {POLICY_PAUSED, 0, 50, 0, 0, 0},
		{POLICY_CLOSED, 100, 0, 0, 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		tick.policy.state = cases[i].state;
		tick.policy.max_active = cases[i].max_active;
		tick.policy.window_limit = cases[i].window_limit;
		tick.active = cases[i].active;
		tick.released = cases[i].released;
		assert_int_equal(gate_allowance(&tick), cases[i].allowed);
	}
}

static void a_window_of_arrivals_lets_in_more_for_those_who_do_not_come(void **state)
{
	static const struct {
		int64_t arrived, expected, judged, came, released, allowed;
	} cases[] = {
		{0, 0, 0, 0, 0, 70},       /* nothing is known: all are taken to come */
		{0, 70, 0, 0, 70, 0},      /* all of them are on their way */
		{40, 30, 0, 0, 70, 0},     /* or here */
		{49, 0, 999, 699, 70, 30}, /* 30 % did not come: 21 more arrivals, 30 releases */
		{0, 0, 999, 699, 0, 100},  /* 70 arrivals, 100 releases */
		{0, 0, 999, 99, 0, 140},   /* most never come: no more than twice the limit */
		{0, 0, 999, 99, 135, 5},   /* in one window */
		{70, 0, 999, 699, 90, 0},  /* all have arrived */
		{90, 0, 999, 699, 90, 0},  /* and more, after the limit was lowered */
	};
	(void)state;
	tick.policy.max_active = 0;
	tick.policy.window_limit = 70;
	tick.policy.counts_arrivals = true;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		tick.arrived = cases[i].arrived;
		tick.expected = cases[i].expected;
		tick.judged = cases[i].judged;
		tick.came = cases[i].came;
		tick.released = cases[i].released;
		assert_int_equal(gate_allowance(&tick), cases[i].allowed);
	}
}

static void while_no_seat_is_free_nobody_is_admitted(void **state)
{
	(void)state;
	add_waiting(31, 0);
	tick.state.stock = GATE_STOCK_HELD;
	assert_int_equal(gate_allowance(&tick), 0);
	tick.state.stock = GATE_STOCK_SOLD;
	assert_int_equal(gate_allowance(&tick), 0);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.line.items[0].status, TICKET_WAITING);
	tick.state.stock = GATE_STOCK_FREE;
	assert_int_equal(gate_allowance(&tick), 100);
}

static void the_rate_is_that_of_the_last_minutes(void **state)
{
	(void)state;
	assert_int_equal(gate_rate(0, 0, NOW_US), 0);
	assert_int_equal(gate_rate(7, NOW_US - SECOND_US, NOW_US),
			 7); /* no rush of a first second */
	assert_int_equal(gate_rate(7, NOW_US - 60 * SECOND_US, NOW_US), 7);
	assert_int_equal(gate_rate(500, NOW_US - 300 * SECOND_US, NOW_US), 100);
	assert_int_equal(gate_rate(1, NOW_US - 300 * SECOND_US, NOW_US), 1); /* rounded up */
}

/* Admitting ---------------------------------------------------------------------------------- */

static void the_first_of_the_line_are_admitted(void **state)
{
	(void)state;
	tick.policy.max_active = 5;
	tick.policy.show_up_s = 60;
	tick.active = 3;
	tick.recent = 7;
	tick.recent_since_us = NOW_US - 30 * SECOND_US;
	for (int64_t place = 31; place <= 40; place++)
		if (place != 32) /* one that left */
			add_waiting(place, 0);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.allowed, 2);
	assert_int_equal(tick.admitted, 2);
	assert_int_equal(tick.state.served, 33);
	assert_int_equal(tick.active, 5);
	assert_int_equal(tick.state.active, 5);
	assert_int_equal(tick.state.waiting, 8);
	assert_int_equal(tick.state.per_minute, 9);
	assert_true(tick.state.ticked_us == NOW_US);
	const struct gate_ticket *first = &tick.line.items[0], *third = &tick.line.items[2];
	assert_int_equal(first->status, TICKET_ACTIVE);
	assert_true(first->is_changed && !third->is_changed);
	assert_true(first->admitted_us == NOW_US);
	assert_true(first->expires_us == NOW_US + 600 * SECOND_US);
	assert_true(first->show_up_us == NOW_US + 60 * SECOND_US);
	assert_int_equal(first->out_seq, 1);
	assert_int_equal(tick.line.items[1].out_seq, 2);
	assert_int_equal(tick.state.out_seq, 2);
}

static void without_a_time_to_show_up_nobody_is_late(void **state)
{
	(void)state;
	add_waiting(31, 0);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.line.items[0].show_up_us, 0);
}

static void a_tick_without_a_line_moves_nothing(void **state)
{
	(void)state;
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.admitted, 0);
	assert_int_equal(tick.state.served, 30);
	assert_int_equal(tick.state.per_minute, 0);
	assert_true(tick.state.ticked_us == NOW_US);
}

/* Whose time is over ------------------------------------------------------------------------- */

static void who_is_over_time_makes_room_in_the_same_tick(void **state)
{
	(void)state;
	tick.policy.max_active = 2;
	tick.active = 2;
	add_due(29, NOW_US, 0);
	add_waiting(31, 0);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.expired, 1);
	assert_int_equal(tick.due.items[0].status, TICKET_EXPIRED);
	assert_int_equal(tick.admitted, 1);
	assert_int_equal(tick.active, 2);
	assert_int_equal(tick.state.reclaimed, 0);
}

static void a_hold_keeps_its_ticket_alive(void **state)
{
	(void)state;
	tick.active = 5;
	add_due(25, NOW_US - 5, NOW_US + 1); /* holds a seat a little longer */
	add_due(26, NOW_US - 5, NOW_US);     /* its hold ends now */
	add_due(27, NOW_US + 1, 0);          /* was lengthened since it was found */
	add_due(28, NOW_US, 0);
	add_due(29, NOW_US + 9, NOW_US + 9)->show_up_us = NOW_US; /* its calls came another way */
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.expired, 2);
	assert_int_equal(tick.due.items[1].status, TICKET_EXPIRED);
	assert_int_equal(tick.due.items[3].status, TICKET_EXPIRED);
	assert_int_equal(tick.active, 3);
}

static void a_no_show_is_reclaimed(void **state)
{
	(void)state;
	tick.active = 2;
	add_due(25, NOW_US + 100, 0)->show_up_us = NOW_US;
	add_due(26, NOW_US + 100, 0)->show_up_us = NOW_US + 1;
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.expired, 1);
	assert_int_equal(tick.due.items[0].status, TICKET_EXPIRED);
	assert_int_equal(tick.state.reclaimed, 1);
	assert_int_equal(tick.active, 1);
}

static void time_runs_out_in_a_paused_room_too(void **state)
{
	(void)state;
	tick.policy.state = POLICY_PAUSED;
	tick.active = 1;
	add_due(29, NOW_US, 0);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.expired, 1);
	assert_int_equal(tick.state.active, 0);
}

/* Passing by --------------------------------------------------------------------------------- */

static void who_is_silent_is_passed_by_and_the_next_is_admitted(void **state)
{
	(void)state;
	tick.policy.max_active = 1;
	tick.policy.quiet_s = 60;
	tick.policy.grace_s = 300;
	add_waiting(31, 61);
	add_waiting(32, 60);
	add_waiting(33, 0);
	gate_tick_decide(&tick, NOW_US);
	const struct gate_ticket *line = tick.line.items;
	assert_int_equal(line[0].status, TICKET_ASIDE);
	assert_true(line[0].aside_us == NOW_US + 300 * SECOND_US && line[0].is_changed);
	assert_int_equal(line[0].out_seq, 0); /* its place still counts */
	assert_int_equal(line[1].status, TICKET_ACTIVE);
	assert_int_equal(line[2].status, TICKET_WAITING);
	assert_int_equal(tick.aside, 1);
	assert_int_equal(tick.admitted, 1);
	assert_int_equal(tick.state.waiting, 9);
	assert_int_equal(tick.state.served, 32);
}

static void while_nobody_is_admitted_nobody_is_passed_by(void **state)
{
	(void)state;
	tick.policy.quiet_s = 60;
	tick.active = 100;
	add_waiting(31, 1000);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.line.items[0].status, TICKET_WAITING);
}

static void far_from_the_head_silence_says_nothing(void **state)
{
	(void)state;
	tick.policy.quiet_s = 60;
	tick.state.near = 30;
	add_waiting(31, 1000);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.line.items[0].status, TICKET_ACTIVE);
}

static void who_comes_near_has_the_whole_time_of_silence(void **state)
{
	(void)state;
	tick.state =
		(struct gate_state){.last_ticket = 500, .served = 30, .waiting = 470, .near = 120};
	tick.active = 100;
	add_waiting(31, 0);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.clocks_from, 120);
	assert_int_equal(tick.state.near, 131);
	tick.line.items[0].place = 450; /* all before it left: the head has jumped */
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.clocks_from, 131);
	assert_int_equal(tick.state.near, 500); /* no further than the line */
	tick.line.count = 0;
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.state.near, 500); /* never back */
}

static void who_does_not_come_back_in_time_is_out(void **state)
{
	(void)state;
	struct gate_ticket *ticket = add_due(25, 0, 0);
	ticket->status = TICKET_ASIDE;
	ticket->aside_us = NOW_US;
	tick.policy.state = POLICY_PAUSED; /* places are kept */
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(ticket->status, TICKET_ASIDE);
	tick.policy.state = POLICY_OPEN;
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(ticket->status, TICKET_EXPIRED);
	assert_int_equal(ticket->out_seq, 1);
	assert_int_equal(tick.state.abandoned, 1);
	assert_int_equal(tick.state.waiting, 9);
	assert_int_equal(tick.active, 0);
}

static void who_came_back_is_the_first_of_the_line(void **state)
{
	(void)state;
	tick.policy.max_active = 1;
	add_waiting(12, 0);
	add_waiting(31, 0);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.line.items[0].status, TICKET_ACTIVE);
	assert_int_equal(tick.state.served, 30); /* the line itself did not move */
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_smaller_limit_counts),
		TEST(a_window_of_arrivals_lets_in_more_for_those_who_do_not_come),
		TEST(while_no_seat_is_free_nobody_is_admitted),
		TEST(the_rate_is_that_of_the_last_minutes),
		TEST(the_first_of_the_line_are_admitted),
		TEST(without_a_time_to_show_up_nobody_is_late),
		TEST(a_tick_without_a_line_moves_nothing),
		TEST(who_is_over_time_makes_room_in_the_same_tick),
		TEST(a_hold_keeps_its_ticket_alive),
		TEST(a_no_show_is_reclaimed),
		TEST(time_runs_out_in_a_paused_room_too),
		TEST(who_is_silent_is_passed_by_and_the_next_is_admitted),
		TEST(while_nobody_is_admitted_nobody_is_passed_by),
		TEST(far_from_the_head_silence_says_nothing),
		TEST(who_comes_near_has_the_whole_time_of_silence),
		TEST(who_does_not_come_back_in_time_is_out),
		TEST(who_came_back_is_the_first_of_the_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
