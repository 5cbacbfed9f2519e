/* The rules of the waiting room: issuing, the allowance, the tick. */
#include "worker_sample.h"

#include "gate_rules.h"

static struct gate_world world;
static struct gate_tick tick;
static struct batch_entry entry;
static uint64_t job_count;

static int begin(void **state)
{
	(void)state;
	world = (struct gate_world){.state = {.last_ticket = 40, .served = 30, .waiting = 10}};
	tick = (struct gate_tick){.state = world.state};
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

/* A user that there is, with a live ticket or none (0). */
static struct queuer *add_user(int64_t user_id, int64_t ticket, enum ticket_status status)
{
	struct id uuid = user_of(user_id);
	struct queuer *queuer = gate_world_find(&world, &uuid);
	queuer->user_id = user_id;
	queuer->ticket_id = ticket;
	queuer->status = status;
	queuer->expires_us = status == TICKET_ACTIVE ? NOW_US + 1 : 0;
	return queuer;
}

static enum err issue(int64_t user_id, bool resume)
{
	struct rules rules = gate_rules(&world);
	struct job job = job_of(++job_count, JOB_ISSUE);
	job.user = user_of(user_id);
	job.resume = resume;
	entry = entry_of(&job);
	rules.decide(rules.world, &entry, NOW_US);
	rules.describe(rules.world, &entry);
	return entry.outcome.err;
}

/* Issuing ------------------------------------------------------------------------------------ */

static void users_of_a_batch_are_there_once_each_and_found(void **state)
{
	struct id stranger = user_of(9);
	(void)state;
	assert_int_equal(world.count, 3);
	for (int64_t user = 1; user <= 3; user++) {
		struct id uuid = user_of(user);
		assert_true(id_equal(&gate_world_find(&world, &uuid)->uuid, &uuid));
	}
	assert_null(gate_world_find(&world, &stranger));
	gate_world_clear(&world);
	assert_null(gate_world_find(&world, &(struct id){{0}}));
}

static void tickets_are_numbered_in_order_without_gaps(void **state)
{
	(void)state;
	const struct queuer *first = add_user(1, 0, TICKET_WAITING);
	add_user(2, 0, TICKET_WAITING);
	assert_int_equal(issue(2, false), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":41,\"status\":\"WAITING\"}");
	assert_int_equal(issue(1, false), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":42,\"status\":\"WAITING\"}");
	assert_int_equal(world.state.last_ticket, 42);
	assert_int_equal(world.state.waiting, 12);
	assert_true(first->is_new);
	assert_true(id_equal(&first->job, &entry.job.id));
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
	add_user(1, 35, TICKET_WAITING);
	add_user(2, 30, TICKET_ACTIVE);
	assert_int_equal(issue(1, false), ERR_ALREADY_ISSUED);
	assert_string_equal(entry.outcome.data, "");
	assert_int_equal(issue(1, true), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":35,\"status\":\"WAITING\"}");
	assert_int_equal(issue(2, false), ERR_ALREADY_ISSUED);
	assert_int_equal(issue(2, true), ERR_OK);
	assert_string_equal(entry.outcome.data, "{\"ticket\":30,\"status\":\"ACTIVE\"}");
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
	struct queuer *queuer = add_user(1, 30, TICKET_ACTIVE);
	queuer->expires_us = NOW_US;
	assert_int_equal(issue(1, false), ERR_OK);
	assert_int_equal(queuer->released, 30);
	assert_int_equal(queuer->ticket_id, 41);
	assert_string_equal(entry.outcome.data, "{\"ticket\":41,\"status\":\"WAITING\"}");
}

static void a_closed_line_gives_no_new_ticket_but_old_ones_back(void **state)
{
	(void)state;
	world.policy.state = GATE_CLOSED;
	add_user(1, 0, TICKET_WAITING);
	add_user(2, 35, TICKET_WAITING);
	assert_int_equal(issue(1, false), ERR_CLOSED);
	assert_int_equal(issue(1, true), ERR_CLOSED);
	assert_int_equal(issue(2, true), ERR_OK);
	assert_int_equal(issue(2, false), ERR_ALREADY_ISSUED);
	assert_int_equal(issue(3, false), ERR_UNKNOWN_USER);
	assert_int_equal(world.state.last_ticket, 40);
}

static void a_paused_line_goes_on_giving_tickets(void **state)
{
	(void)state;
	world.policy.state = GATE_PAUSED;
	add_user(1, 0, TICKET_WAITING);
	assert_int_equal(issue(1, false), ERR_OK);
}

static void jobs_of_other_queues_are_refused(void **state)
{
	struct rules rules = gate_rules(&world);
	(void)state;
	for (unsigned kind = 0; kind < JOB_KIND_COUNT; kind++) {
		struct job job = job_of(1, (enum job_kind)kind);
		if (job_kind_queues(job.kind) & QUEUE_GATE)
			continue;
		entry = entry_of(&job);
		rules.decide(rules.world, &entry, NOW_US);
		assert_int_equal(entry.outcome.err, ERR_BAD_KIND);
	}
}

/* The allowance ------------------------------------------------------------------------------ */

static void the_smaller_limit_counts(void **state)
{
	static const struct {
		enum gate_openness state;
		int64_t max_active, window_limit, active, in_window, waiting, allowed;
	} cases[] = {
		{GATE_OPEN, 0, 0, 500, 500, 70, 70},  /* no limit: all who wait */
		{GATE_OPEN, 100, 0, 60, 0, 70, 40},   /* places */
		{GATE_OPEN, 100, 0, 60, 0, 30, 30},   /* more places than people */
		{GATE_OPEN, 100, 0, 100, 0, 70, 0},   /* full */
		{GATE_OPEN, 100, 0, 130, 0, 70, 0},   /* more in than a lowered limit allows */
		{GATE_OPEN, 0, 50, 900, 20, 70, 30},  /* window */
		{GATE_OPEN, 0, 50, 0, 50, 70, 0},     /* window used up */
		{GATE_OPEN, 0, 50, 0, 80, 70, 0},     /* a lowered window */
		{GATE_OPEN, 100, 50, 60, 20, 70, 30}, /* the smaller: the window */
		{GATE_OPEN, 100, 50, 80, 20, 70, 20}, /* the smaller: the places */
		{GATE_OPEN, 100, 50, 0, 0, 0, 0},     /* nobody waits */
		{GATE_PAUSED, 100, 0, 0, 0, 70, 0},   {GATE_PAUSED, 0, 0, 0, 0, 70, 0},
		{GATE_CLOSED, 100, 0, 0, 0, 70, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct gate_policy policy = {.state = cases[i].state,
						   .max_active = cases[i].max_active,
						   .window_limit = cases[i].window_limit};
		assert_int_equal(gate_allowance(&policy, cases[i].active, cases[i].in_window,
						cases[i].waiting),
				 cases[i].allowed);
	}
}

/* Ticking ------------------------------------------------------------------------------------ */

static void add_due(int64_t id, int64_t expires_us, int64_t hold_until_us)
{
	tick.due[tick.due_count].id = id;
	tick.due[tick.due_count].expires_us = expires_us;
	tick.due[tick.due_count++].hold_until_us = hold_until_us;
}

static void the_first_of_the_line_are_admitted(void **state)
{
	(void)state;
	tick.policy.max_active = 5;
	tick.active = 3;
	tick.state.per_minute = 7;
	for (int64_t id = 31; id <= 40; id++)
		if (id != 32) /* one that left */
			tick.line[tick.line_count++] = id;
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.admitted_count, 2);
	assert_int_equal(tick.state.served, 33);
	assert_int_equal(tick.active, 5);
	assert_int_equal(tick.state.active, 5);
	assert_int_equal(tick.state.waiting, 8);
	assert_int_equal(tick.state.per_minute, 9);
	assert_true(tick.state.ticked_us == NOW_US);
}

static void a_tick_without_a_line_moves_nothing(void **state)
{
	(void)state;
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.admitted_count, 0);
	assert_int_equal(tick.state.served, 30);
	assert_true(tick.state.ticked_us == NOW_US);
}

static void who_is_over_time_makes_room_in_the_same_tick(void **state)
{
	(void)state;
	tick.policy.max_active = 2;
	tick.active = 2;
	add_due(29, NOW_US, 0);
	tick.line[tick.line_count++] = 31;
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.expired_count, 1);
	assert_int_equal(tick.expired[0], 29);
	assert_int_equal(tick.admitted_count, 1);
	assert_int_equal(tick.active, 2);
}

static void a_hold_keeps_its_ticket_alive(void **state)
{
	(void)state;
	tick.active = 4;
	add_due(25, NOW_US - 5, NOW_US + 1); /* holds a seat a little longer */
	add_due(26, NOW_US - 5, NOW_US);     /* its hold ends now */
	add_due(27, NOW_US + 1, 0);          /* was lengthened since it was found */
	add_due(28, NOW_US, 0);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.expired_count, 2);
	assert_int_equal(tick.expired[0], 26);
	assert_int_equal(tick.expired[1], 28);
	assert_int_equal(tick.active, 2);
}

static void time_runs_out_in_a_paused_room_too(void **state)
{
	(void)state;
	tick.policy.state = GATE_PAUSED;
	tick.active = 1;
	add_due(29, NOW_US, 0);
	gate_tick_decide(&tick, NOW_US);
	assert_int_equal(tick.expired_count, 1);
	assert_int_equal(tick.state.active, 0);
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
		TEST(a_closed_line_gives_no_new_ticket_but_old_ones_back),
		TEST(a_paused_line_goes_on_giving_tickets),
		TEST(jobs_of_other_queues_are_refused),
		TEST(the_smaller_limit_counts),
		TEST(the_first_of_the_line_are_admitted),
		TEST(a_tick_without_a_line_moves_nothing),
		TEST(who_is_over_time_makes_room_in_the_same_tick),
		TEST(a_hold_keeps_its_ticket_alive),
		TEST(time_runs_out_in_a_paused_room_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
