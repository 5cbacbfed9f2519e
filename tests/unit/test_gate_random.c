/* The waiting room over random days: never more in than the policy allows, and nobody is overtaken,
 * while an operator changes the policy. */
#include "worker_sample.h"

#include "gate_rules.h"

#define TICKETS_MAX 4000
#define TICKS 600
#define SEEDS 30
#define WINDOW_US (20 * SECOND_US)

struct visitor {
	enum ticket_status status;
	int64_t admitted_us, expires_us, hold_until_us;
};

static struct visitor visitors[TICKETS_MAX]; /* ticket number is index + 1 */
static int64_t visitor_count;
static struct gate_tick tick;
static int64_t now_us;
static unsigned admissions, held_over;

static int64_t count_active(void)
{
	int64_t active = 0;
	for (int64_t i = 0; i < visitor_count; i++)
		active += visitors[i].status == TICKET_ACTIVE;
	return active;
}

/* As the store counts: whoever was admitted less than a window ago. */
static int64_t count_window(void)
{
	int64_t admitted = 0;
	for (int64_t i = 0; i < visitor_count; i++)
		admitted += visitors[i].admitted_us > now_us - WINDOW_US;
	return admitted;
}

static void load(void)
{
	tick.due_count = tick.line_count = 0;
	tick.active = count_active();
	tick.in_window = count_window();
	tick.state.waiting = 0;
	for (int64_t i = 0; i < visitor_count; i++) {
		const struct visitor *visitor = &visitors[i];
		if (visitor->status == TICKET_WAITING) {
			tick.state.waiting++;
			if (tick.line_count < GATE_TICK_MAX)
				tick.line[tick.line_count++] = i + 1;
		} else if (visitor->status == TICKET_ACTIVE && visitor->expires_us <= now_us &&
			   tick.due_count < GATE_TICK_MAX) {
			tick.due[tick.due_count].id = i + 1;
			tick.due[tick.due_count].expires_us = visitor->expires_us;
			tick.due[tick.due_count++].hold_until_us = visitor->hold_until_us;
		}
	}
}

static void write_tick(void)
{
	for (size_t i = 0; i < tick.expired_count; i++) {
		struct visitor *visitor = &visitors[tick.expired[i] - 1];
		assert_int_equal(visitor->status, TICKET_ACTIVE);
		assert_true(visitor->expires_us <= now_us && visitor->hold_until_us <= now_us);
		visitor->status = TICKET_EXPIRED;
	}
	for (size_t i = 0; i < tick.admitted_count; i++) {
		struct visitor *visitor = &visitors[tick.line[i] - 1];
		assert_int_equal(visitor->status, TICKET_WAITING);
		*visitor = (struct visitor){.status = TICKET_ACTIVE,
					    .admitted_us = now_us,
					    .expires_us = now_us + 10 * SECOND_US};
	}
}

/* Everybody up to the one served last has been in, or has left; nobody behind has. */
static void check_line(void)
{
	int64_t waiting = 0;
	for (int64_t i = 0; i < visitor_count; i++) {
		if (visitors[i].admitted_us)
			assert_true(i + 1 <= tick.state.served);
		if (visitors[i].status == TICKET_WAITING) {
			assert_true(i + 1 > tick.state.served);
			waiting++;
		}
		if (visitors[i].status == TICKET_ACTIVE && visitors[i].expires_us <= now_us) {
			assert_true(visitors[i].hold_until_us > now_us);
			held_over++;
		}
	}
	assert_int_equal(tick.state.waiting, waiting);
}

static void run_tick(void)
{
	const int64_t served = tick.state.served;
	load();
	gate_tick_decide(&tick, now_us);
	write_tick();
	admissions += (unsigned)tick.admitted_count;
	assert_true(tick.state.served >= served);
	assert_int_equal(tick.state.active, count_active());
	check_line();
	if (!tick.admitted_count)
		return;
	/* A limit lowered meanwhile throws nobody out, but lets nobody in either. */
	assert_int_equal(tick.policy.state, GATE_OPEN);
	if (tick.policy.max_active)
		assert_true(count_active() <= tick.policy.max_active);
	if (tick.policy.window_limit)
		assert_true(count_window() <= tick.policy.window_limit);
}

static void change_policy(uint64_t *seed)
{
	static const enum gate_openness states[] = {GATE_OPEN, GATE_OPEN,   GATE_OPEN,
						    GATE_OPEN, GATE_PAUSED, GATE_CLOSED};
	tick.policy.state = states[chance(seed, 6)];
	tick.policy.max_active = (int64_t)chance(seed, 60);
	tick.policy.window_limit = (int64_t)chance(seed, 60);
}

/* People come, buy, hold a seat, and leave the line. */
static void let_people_act(uint64_t *seed)
{
	for (uint64_t arriving = chance(seed, 12); arriving && visitor_count < TICKETS_MAX;
	     arriving--)
		visitors[visitor_count++] = (struct visitor){.status = TICKET_WAITING};
	for (int i = 0; i < 5 && visitor_count; i++) {
		struct visitor *visitor = &visitors[chance(seed, (uint64_t)visitor_count)];
		if (visitor->status == TICKET_WAITING)
			visitor->status = chance(seed, 2) ? TICKET_WAITING : TICKET_EXPIRED;
		else if (visitor->status == TICKET_ACTIVE && chance(seed, 2))
			visitor->status = TICKET_FINISHED;
		else if (visitor->status == TICKET_ACTIVE)
			visitor->hold_until_us = now_us + 15 * SECOND_US;
	}
}

static void run_seed(uint64_t seed)
{
	visitor_count = 0;
	tick = (struct gate_tick){0};
	now_us = NOW_US;
	change_policy(&seed);
	for (int i = 0; i < TICKS; i++) {
		let_people_act(&seed);
		if (chance(&seed, 50) == 0)
			change_policy(&seed);
		run_tick();
		now_us += (int64_t)chance(&seed, (uint64_t)(2 * SECOND_US));
	}
}

static void no_day_breaks_the_policy(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed * 104729);
	assert_true(admissions > 1000);
	assert_true(held_over > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_day_breaks_the_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
