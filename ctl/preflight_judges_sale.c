/* What the sale must be like: the gate, the seats, the draw. */
#include "preflight_judges.h"

#include <inttypes.h>
#include <string.h>

#define TICK_US INT64_C(2000000)

enum preflight_state judge_gate_ticks(const struct preflight_facts *facts, struct text *measured)
{
	const struct gate_numbers *numbers = &facts->gate_now.numbers;
	int64_t age_us = numbers->now_us - numbers->ticked_us;
	int64_t most_us = TICK_US + facts->conf->gate_tick_ms * 3000;

	text_printf(measured, "the last tick was %" PRId64 " ms ago, %" PRId64 " are allowed",
		    age_us / 1000, most_us / 1000);
	return preflight_passed_if(age_us <= most_us);
}

enum preflight_state judge_gate_policy(const struct preflight_facts *facts, struct text *measured)
{
	const struct preflight_gate *gate = &facts->gate_now;

	if (!gate->has_policy) {
		text_puts(measured, "there is none");
		return PREFLIGHT_FAILED;
	}
	if (gate->why[0] != '\0') {
		text_puts(measured, gate->why);
		return PREFLIGHT_FAILED;
	}
	if (gate->numbers.state != gate->policy.state) {
		text_printf(measured, "it says %s, and the gate is %s",
			    policy_state_name(gate->policy.state),
			    policy_state_name(gate->numbers.state));
		return PREFLIGHT_FAILED;
	}
	text_printf(measured,
		    "max_active = %" PRId64 ", window_limit = %" PRId64 " in %" PRId64 " s",
		    gate->policy.max_active, gate->policy.window_limit, gate->policy.window_s);
	return PREFLIGHT_PASSED;
}

enum preflight_state judge_gate_state(const struct preflight_facts *facts, struct text *measured)
{
	enum policy_state state = facts->gate_now.numbers.state;

	text_printf(measured, "%s, to be %s", policy_state_name(state),
		    facts->gate != NULL ? facts->gate : "open or paused");
	return preflight_passed_if(facts->gate != NULL
					   ? strcmp(facts->gate, policy_state_name(state)) == 0
					   : state != POLICY_CLOSED);
}

enum preflight_state judge_seats_free(const struct preflight_facts *facts, struct text *measured)
{
	text_printf(measured, "%" PRId64 " seats of %" PRId64 " schedules", facts->catalogue.seats,
		    facts->catalogue.schedules);
	return preflight_passed_if(facts->catalogue.seats > 0);
}

static void put_time(struct text *measured, int64_t us)
{
	char text[TIME_TEXT_SIZE];

	time_format(us, text);
	text_puts(measured, text);
}

enum preflight_state judge_booking_times(const struct preflight_facts *facts, struct text *measured)
{
	const struct preflight_catalogue *catalogue = &facts->catalogue;

	if (catalogue->bookable == 0) {
		text_puts(measured, "the booking of every schedule with free seats is over");
		return PREFLIGHT_FAILED;
	}
	text_printf(measured, "%" PRId64 " schedules, booking %s ", catalogue->bookable,
		    catalogue->begins_us <= catalogue->now_us ? "runs since" : "begins at");
	put_time(measured, catalogue->begins_us);
	return PREFLIGHT_PASSED;
}

/* Who is let in before booking begins can reserve nothing, and loses the turn. */
enum preflight_state judge_draw_planned(const struct preflight_facts *facts, struct text *measured)
{
	const struct preflight_draw *draw = &facts->draw;

	if (!draw->is_live) {
		text_puts(measured, "none is planned");
		return PREFLIGHT_PASSED;
	}
	text_printf(measured, "%s, opens at ", draw_state_name(draw->state));
	put_time(measured, draw->opens_us);
	if (!facts->is_known[FROM_CATALOGUE]) {
		text_puts(measured, "; when booking begins is not known");
		return PREFLIGHT_UNKNOWN;
	}
	if (facts->catalogue.bookable > 0) {
		text_puts(measured, ", booking begins at ");
		put_time(measured, facts->catalogue.begins_us);
	}
	return preflight_passed_if(draw->state == DRAW_JOINING && draw->opens_us > draw->now_us &&
				   facts->catalogue.bookable > 0 &&
				   draw->opens_us >= facts->catalogue.begins_us);
}
