#include "gate_tick_rules.h"

#include "gate_rules.h"

#define MINUTE_US INT64_C(60000000)

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* So that arrived + expected arrivals + (releases now) x (share that comes) = limit. Until somebody
 * was judged, all are taken to come: (came + 1) / (judged + 1). */
static int64_t window_of_arrivals(const struct gate_tick *tick)
{
	int64_t came = tick->came + 1, judged = tick->judged + 1;
	int64_t wanted = tick->policy.window_limit - tick->arrived - tick->expected * came / judged;
	int64_t releases = larger(wanted, 0) * judged / came;
	return smaller(releases, 2 * tick->policy.window_limit - tick->released);
}

int64_t gate_allowance(const struct gate_tick *tick)
{
	const struct policy *policy = &tick->policy;
	if (policy->state != POLICY_OPEN || tick->state.stock != GATE_STOCK_FREE)
		return 0;
	int64_t allowed = INT64_MAX;
	if (policy->max_active)
		allowed = policy->max_active - tick->active;
	if (policy->window_limit && policy->counts_arrivals)
		allowed = smaller(allowed, window_of_arrivals(tick));
	else if (policy->window_limit)
		allowed = smaller(allowed, policy->window_limit - tick->released);
	return larger(allowed, 0);
}

int64_t gate_rate(int64_t count, int64_t since_us, int64_t now_us)
{
	int64_t span_us = larger(now_us - since_us, MINUTE_US);
	if (!count || !since_us)
		return 0;
	return (count * MINUTE_US + span_us - 1) / span_us;
}

static void end_what_is_over(struct gate_tick *tick, int64_t now_us)
{
	for (size_t i = 0; i < tick->due.count; i++) {
		struct gate_ticket *ticket = &tick->due.items[i];
		bool is_aside = ticket->status == TICKET_ASIDE;
		/* While nobody is admitted everybody's place is kept. */
		if (is_aside ? tick->policy.state != POLICY_OPEN || ticket->aside_us > now_us
			     : !gate_ticket_is_over(ticket, now_us))
			continue;
		bool is_no_show = !is_aside && ticket->show_up_us && ticket->expires_us > now_us;
		gate_ticket_move(&tick->state, ticket, TICKET_EXPIRED);
		tick->expired++;
		tick->active -= !is_aside;
		tick->state.abandoned += is_aside;
		tick->state.reclaimed += is_no_show;
	}
}

static bool is_silent(const struct gate_tick *tick, const struct gate_ticket *ticket,
		      int64_t now_us)
{
	return tick->policy.quiet_s && ticket->place <= tick->state.near &&
	       now_us - ticket->seen_us > tick->policy.quiet_s * INT64_C(1000000);
}

/* It keeps its place for the grace, and is the first of the line as soon as it comes back. */
static void pass_by(struct gate_tick *tick, struct gate_ticket *ticket, int64_t now_us)
{
	ticket->status = TICKET_ASIDE;
	ticket->aside_us = now_us + tick->policy.grace_s * INT64_C(1000000);
	ticket->is_changed = true;
	tick->aside++;
}

static void admit(struct gate_tick *tick, struct gate_ticket *ticket, int64_t now_us)
{
	const struct policy *policy = &tick->policy;
	gate_ticket_move(&tick->state, ticket, TICKET_ACTIVE);
	ticket->admitted_us = now_us;
	ticket->expires_us = now_us + policy->active_s * INT64_C(1000000);
	if (policy->show_up_s)
		ticket->show_up_us = now_us + policy->show_up_s * INT64_C(1000000);
	tick->state.served = larger(tick->state.served, ticket->place);
	tick->admitted++;
}

/* Whoever comes near the head has the whole time of silence from now on: further back nobody is
 * asked to give signs of life. */
static void start_clocks(struct gate_tick *tick)
{
	int64_t head = tick->line.count ? tick->line.items[0].place : tick->state.served;
	int64_t near = smaller(larger(head, tick->state.served) + tick->near_span,
			       tick->state.last_ticket);
	tick->clocks_from = tick->state.near;
	tick->state.near = larger(tick->state.near, near);
}

void gate_tick_decide(struct gate_tick *tick, int64_t now_us)
{
	tick->admitted = tick->expired = tick->aside = 0;
	gate_draw_close_if_due(&tick->draw, tick->state.last_ticket, now_us);
	end_what_is_over(tick, now_us);
	tick->allowed = gate_allowance(tick);
	for (size_t i = 0; i < tick->line.count && (int64_t)tick->admitted < tick->allowed; i++) {
		if (is_silent(tick, &tick->line.items[i], now_us))
			pass_by(tick, &tick->line.items[i], now_us);
		else
			admit(tick, &tick->line.items[i], now_us);
	}
	start_clocks(tick);
	tick->active += (int64_t)tick->admitted;
	tick->state.active = tick->active;
	if (tick->admitted && !tick->recent_since_us)
		tick->recent_since_us = now_us;
	tick->state.per_minute =
		gate_rate(tick->recent + (int64_t)tick->admitted, tick->recent_since_us, now_us);
	tick->state.ticked_us = now_us;
}
