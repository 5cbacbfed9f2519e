/* The rules of the waiting room: issuing, leaving, signs of life. */
#include "worker_sample.h"

#include "gate_rules.h"

static struct gate_world world;
static struct batch_entry entry;
static uint64_t job_count;

static int begin(void **state)
{
	(void)state;
	world = (struct gate_world){.state = {.last_ticket = 40, .served = 30, .waiting = 10}};
	job_count = 0;
	const struct id users[] = {user_of(3), user_of(1), user_of(2), user_of(1)};
	gate_world_add_users(&world, users, 4);
	return 0;
}

static int end(void **state)
{
	(void)state;
	gate_world_fini(&world);
	return 0;
}

/* A user that there is, with a live ticket or none (0). Tickets in ascending order. */
static struct gate_ticket *add_user(int64_t user_id, int64_t ticket, enum ticket_status status)
{
	struct id uuid = user_of(user_id);
	struct queuer *queuer = gate_world_queuer(&world, &uuid);
	queuer->user_id = user_id;
	queuer->ticket_id = ticket;
	if (!ticket)
		return NULL;
	struct gate_ticket *added = gate_world_add_ticket(&world, ticket);
	added->user_id = user_id;
	added->place = ticket;
	added->status = status;
	added->expires_us = status == TICKET_ACTIVE ? NOW_US + 1 : 0;
	return added;
}

static enum err decide(const struct job *job)
{
	struct rules rules = gate_rules(&world);
	entry = entry_of(job);
	rules.decide(rules.world, &entry, NOW_US);
	rules.describe(rules.world, &entry);
	return entry.outcome.err;
}

static enum err leave(int64_t user_id, int64_t ticket)
{
	struct job job = job_of(++job_count, JOB_LEAVE);
	job.user = user_of(user_id);
	job.ticket = ticket;
	return decide(&job);
}

static void seen(int64_t ticket)
{
	struct job job = job_of(++job_count, JOB_SEEN);
	job.ticket = ticket;
	assert_int_equal(decide(&job), ERR_OK);
}

static enum err issue(int64_t user_id, bool resume)
{
	struct job job = job_of(++job_count, JOB_ISSUE);
	job.user = user_of(user_id);
	job.resume = resume;
	return decide(&job);
}

/* Issuing ------------------------------------------------------------------------------------ */

static void users_of_a_batch_are_there_once_each_and_found(void **state)
{
	struct id stranger = user_of(9);
	(void)state;
	assert_int_equal(world.queuer_count, 3);
	for (int64_t user = 1; user <= 3; user++) {
		struct id uuid = user_of(user);
		assert_true(id_equal(&gate_world_queuer(&world, &uuid)->uuid, &uuid));
	}
	assert_null(gate_world_queuer(&world, &stranger));
	gate_world_clear(&world);
	assert_null(gate_world_queuer(&world, &(struct id){{0}}));
}

static void tickets_are_numbered_in_order_without_gaps(void **state)
{
	(void)state;
	add_user(1, 0, TICKET_WAITING);
	add_user(2, 0, TICKET_WAITING);
	assert_int_equal(issue(2, false), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":41,\"status\":\"WAITING\"}");
	assert_int_equal(issue(1, false), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":42,\"status\":\"WAITING\"}");
	assert_int_equal(world.state.last_ticket, 42);
	assert_int_equal(world.state.waiting, 12);
	const struct gate_ticket *second = gate_world_ticket(&world, 42);
	assert_true(second->is_new);
	assert_true(id_equal(&second->job, &entry.job.id));
	assert_int_equal(second->place, 42);
	assert_int_equal(second->user_id, 1);
	assert_true(second->seen_us == NOW_US);
}

static void an_unknown_user_gets_no_ticket(void **state)
{
	(void)state;
	assert_int_equal(issue(1, false), ERR_UNKNOWN_USER); /* not in the database */
	assert_int_equal(issue(9, true), ERR_UNKNOWN_USER);
	assert_int_equal(world.state.last_ticket, 40);
}

static void a_live_ticket_is_given_back_to_who_asks_for_it(void **state)
{
	(void)state;
	add_user(2, 30, TICKET_ACTIVE);
	add_user(1, 35, TICKET_WAITING);
	add_user(3, 36, TICKET_ASIDE);
	assert_int_equal(issue(1, false), ERR_ALREADY_ISSUED);
	assert_string_equal(entry.outcome.data, "");
	assert_int_equal(issue(1, true), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":35,\"status\":\"WAITING\"}");
	assert_int_equal(issue(2, false), ERR_ALREADY_ISSUED);
	assert_int_equal(issue(2, true), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":30,\"status\":\"ACTIVE\"}");
	assert_int_equal(issue(3, true), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":36,\"status\":\"WAITING\"}");
	assert_int_equal(world.state.last_ticket, 40);
}

static void one_user_gets_one_ticket_in_a_batch(void **state)
{
	(void)state;
	add_user(1, 0, TICKET_WAITING);
	assert_int_equal(issue(1, true), ERR_OK); /* nothing to resume: a new one */
	assert_int_equal(issue(1, false), ERR_ALREADY_ISSUED);
	assert_int_equal(issue(1, true), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":41,\"status\":\"WAITING\"}");
	assert_int_equal(world.state.last_ticket, 41);
}

static void a_ticket_whose_time_is_over_keeps_nobody_out(void **state)
{
	(void)state;
	struct gate_ticket *ticket = add_user(1, 30, TICKET_ACTIVE);
	ticket->expires_us = NOW_US;
	ticket->hold_until_us = NOW_US + 1;
	assert_int_equal(issue(1, false), ERR_ALREADY_ISSUED); /* who holds a seat is in */
	ticket->hold_until_us = NOW_US;
	assert_int_equal(issue(1, false), ERR_OK);
	assert_int_equal(gate_world_ticket(&world, 30)->status, TICKET_EXPIRED);
	assert_string_equal(entry.outcome.data, "{\"ticket\":41,\"status\":\"WAITING\"}");
	assert_int_equal(world.state.waiting, 11);
	assert_int_equal(world.state.out_seq, 0); /* it had been taken out at its admission */
}

static void who_did_not_show_up_may_join_again(void **state)
{
	(void)state;
	struct gate_ticket *ticket = add_user(1, 30, TICKET_ACTIVE);
	ticket->show_up_us = NOW_US + 1;
	assert_int_equal(issue(1, false), ERR_ALREADY_ISSUED);
	ticket->show_up_us = NOW_US;
	assert_int_equal(issue(1, false), ERR_OK);
}

static void a_closed_line_gives_no_new_ticket_but_old_ones_back(void **state)
{
	(void)state;
	world.policy.state = POLICY_CLOSED;
	strcpy(world.policy.reason, "back at noon");
	add_user(1, 0, TICKET_WAITING);
	add_user(2, 35, TICKET_WAITING);
	assert_int_equal(issue(1, false), ERR_CLOSED);
	assert_string_equal(entry.outcome.why, "back at noon");
	assert_int_equal(issue(1, true), ERR_CLOSED);
	assert_int_equal(issue(2, true), ERR_OK);
	assert_int_equal(issue(2, false), ERR_ALREADY_ISSUED);
	assert_int_equal(issue(3, false), ERR_UNKNOWN_USER);
	assert_int_equal(world.state.last_ticket, 40);
}

static void a_sold_out_line_is_closed(void **state)
{
	(void)state;
	add_user(1, 0, TICKET_WAITING);
	add_user(2, 35, TICKET_WAITING);
	world.state.stock = GATE_STOCK_SOLD;
	assert_int_equal(issue(1, false), ERR_CLOSED);
	assert_string_equal(entry.outcome.why, "everything is sold");
	assert_int_equal(issue(2, true), ERR_OK);
	world.state.stock = GATE_STOCK_HELD;
	assert_int_equal(issue(1, false), ERR_OK);
}

static void a_paused_line_goes_on_giving_tickets(void **state)
{
	(void)state;
	world.policy.state = POLICY_PAUSED;
	add_user(1, 0, TICKET_WAITING);
	assert_int_equal(issue(1, false), ERR_OK);
}

static void jobs_of_other_queues_are_refused(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < JOB_KIND_COUNT; kind++) {
		struct job job = job_of(1, (enum job_kind)kind);
		if (job_kind_queues(job.kind) & QUEUE_GATE)
			continue;
		assert_int_equal(decide(&job), ERR_BAD_KIND);
	}
}

/* Joining a draw ----------------------------------------------------------------------------- */

static void who_joins_a_draw_has_no_place(void **state)
{
	(void)state;
	world.draw = (struct gate_draw){.id = 1, .opens_us = NOW_US + 1};
	add_user(1, 0, TICKET_WAITING);
	add_user(2, 0, TICKET_WAITING);
	assert_int_equal(issue(1, false), ERR_OK);
	assert_int_equal(issue(2, false), ERR_OK);
	assert_int_equal(gate_world_ticket(&world, 41)->place, 0);
	assert_int_equal(gate_world_ticket(&world, 42)->place, 0);
	assert_int_equal(world.draw.first, 41);
	assert_true(world.draw.is_changed);
	assert_int_equal(world.draw.state, DRAW_JOINING);
}

static void at_the_opening_the_roster_is_closed_and_numbers_are_live(void **state)
{
	(void)state;
	world.draw = (struct gate_draw){.id = 1, .opens_us = NOW_US, .first = 35};
	add_user(1, 0, TICKET_WAITING);
	assert_int_equal(issue(1, false), ERR_OK);
	assert_int_equal(gate_world_ticket(&world, 41)->place, 41);
	assert_int_equal(world.draw.state, DRAW_CLOSED);
	assert_int_equal(world.draw.last, 40);
	assert_true(world.draw.is_changed);
}

static void a_draw_that_nobody_joined_is_over_at_once(void **state)
{
	struct gate_draw draw = {.id = 1, .opens_us = NOW_US};
	(void)state;
	gate_draw_close_if_due(&draw, 40, NOW_US - 1);
	assert_false(draw.is_changed);
	gate_draw_close_if_due(&draw, 40, NOW_US);
	assert_int_equal(draw.state, DRAW_DRAWN);
	assert_int_equal(draw.last, 0);
	draw = (struct gate_draw){.id = 0};
	gate_draw_close_if_due(&draw, 40, NOW_US);
	assert_false(draw.is_changed);
}

/* Leaving ------------------------------------------------------------------------------------ */

static void who_leaves_is_out_of_the_line(void **state)
{
	(void)state;
	add_user(1, 35, TICKET_WAITING);
	world.state.out_seq = 7;
	assert_int_equal(leave(1, 35), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"status\":\"LEFT\"}");
	const struct gate_ticket *ticket = gate_world_ticket(&world, 35);
	assert_int_equal(ticket->status, TICKET_LEFT);
	assert_true(ticket->is_changed);
	assert_int_equal(ticket->out_seq, 8);
	assert_int_equal(world.state.out_seq, 8);
	assert_int_equal(world.state.waiting, 9);
	assert_int_equal(world.state.departed, 1);
	assert_int_equal(leave(1, 35), ERR_TOKEN_LEFT);
}

static void who_left_may_join_and_leave_in_the_same_batch(void **state)
{
	(void)state;
	add_user(1, 35, TICKET_WAITING);
	assert_int_equal(leave(1, 35), ERR_OK);
	assert_int_equal(issue(1, false), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":41,\"status\":\"WAITING\"}");
	assert_int_equal(leave(1, 41), ERR_OK);
	assert_true(gate_world_ticket(&world, 41)->is_new);
	assert_int_equal(gate_world_ticket(&world, 41)->out_seq, 2);
	assert_int_equal(issue(1, true), ERR_OK);
	assert_int_equal(world.state.last_ticket, 42);
	assert_int_equal(world.state.waiting, 10);
}

static void only_its_user_takes_a_ticket_out(void **state)
{
	(void)state;
	add_user(1, 35, TICKET_WAITING);
	add_user(2, 0, TICKET_WAITING);
	assert_int_equal(leave(2, 35), ERR_TOKEN_INVALID);
	assert_int_equal(leave(1, 36), ERR_TOKEN_INVALID);
	assert_int_equal(leave(9, 35), ERR_TOKEN_INVALID);
	assert_int_equal(gate_world_ticket(&world, 35)->status, TICKET_WAITING);
}

static void an_admitted_ticket_leaves_unless_it_holds_a_seat(void **state)
{
	(void)state;
	struct gate_ticket *ticket = add_user(1, 20, TICKET_ACTIVE);
	ticket->hold_until_us = NOW_US + 1;
	assert_int_equal(leave(1, 20), ERR_ALREADY_HOLDING);
	ticket->hold_until_us = NOW_US;
	assert_int_equal(leave(1, 20), ERR_OK);
	assert_int_equal(world.state.waiting, 10); /* it was not in the line any more */
	assert_int_equal(world.state.out_seq, 0);
}

static void what_is_over_cannot_leave(void **state)
{
	(void)state;
	struct gate_ticket *ticket = add_user(1, 20, TICKET_ACTIVE);
	ticket->expires_us = NOW_US;
	assert_int_equal(leave(1, 20), ERR_TOKEN_EXPIRED);
	ticket->status = TICKET_EXPIRED;
	assert_int_equal(leave(1, 20), ERR_TOKEN_EXPIRED);
	ticket->status = TICKET_FINISHED;
	assert_int_equal(leave(1, 20), ERR_TOKEN_FINISHED);
	assert_false(ticket->is_changed);
}

/* Signs of life ------------------------------------------------------------------------------ */

static void who_was_passed_by_comes_back_to_its_place(void **state)
{
	(void)state;
	struct gate_ticket *ticket = add_user(1, 25, TICKET_ASIDE);
	ticket->aside_us = NOW_US - 1; /* its grace is over, but no tick has said so */
	seen(25);
	assert_int_equal(ticket->status, TICKET_WAITING);
	assert_int_equal(ticket->place, 25);
	assert_true(ticket->seen_us == NOW_US && ticket->aside_us == 0);
	assert_int_equal(world.state.waiting, 10);
	assert_int_equal(world.state.out_seq, 0);
}

static void the_first_call_of_an_admitted_ticket_is_its_arrival(void **state)
{
	(void)state;
	struct gate_ticket *ticket = add_user(1, 20, TICKET_ACTIVE);
	ticket->show_up_us = NOW_US + 1;
	seen(20);
	assert_int_equal(ticket->show_up_us, 0);
	assert_true(ticket->arrived_us == NOW_US);
	ticket->is_changed = false;
	seen(20);
	assert_false(ticket->is_changed); /* the second says nothing new */
}

static void a_sign_of_life_comes_too_late_for_what_is_over(void **state)
{
	(void)state;
	struct gate_ticket *ticket = add_user(1, 20, TICKET_ACTIVE);
	ticket->show_up_us = NOW_US;
	seen(20);
	assert_false(ticket->is_changed);
	ticket->status = TICKET_LEFT;
	seen(20);
	seen(99);
	assert_false(ticket->is_changed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(users_of_a_batch_are_there_once_each_and_found),
		TEST(tickets_are_numbered_in_order_without_gaps),
		TEST(an_unknown_user_gets_no_ticket),
		TEST(a_live_ticket_is_given_back_to_who_asks_for_it),
		TEST(one_user_gets_one_ticket_in_a_batch),
		TEST(a_ticket_whose_time_is_over_keeps_nobody_out),
		TEST(who_did_not_show_up_may_join_again),
		TEST(a_closed_line_gives_no_new_ticket_but_old_ones_back),
		TEST(a_sold_out_line_is_closed),
		TEST(a_paused_line_goes_on_giving_tickets),
		TEST(jobs_of_other_queues_are_refused),
		TEST(who_joins_a_draw_has_no_place),
		TEST(at_the_opening_the_roster_is_closed_and_numbers_are_live),
		TEST(a_draw_that_nobody_joined_is_over_at_once),
		TEST(who_leaves_is_out_of_the_line),
		TEST(who_left_may_join_and_leave_in_the_same_batch),
		TEST(only_its_user_takes_a_ticket_out),
		TEST(an_admitted_ticket_leaves_unless_it_holds_a_seat),
		TEST(what_is_over_cannot_leave),
		TEST(who_was_passed_by_comes_back_to_its_place),
		TEST(the_first_call_of_an_admitted_ticket_is_its_arrival),
		TEST(a_sign_of_life_comes_too_late_for_what_is_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
