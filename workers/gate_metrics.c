#include "gate_metrics.h"

#include "clock.h"
#include "gate_numbers.h"
#include "gate_state.h"
#include "metrics.h"

#define NUMBERS_AGE_US INT64_C(1000000)
/* After so long without a tick of its own another gate worker has taken over. */
#define STANDBY_US INT64_C(5000000)

static void set_numbers(const struct gate_numbers *numbers)
{
	metrics_set(METRIC_GATE_WAITING, 0, numbers->waiting);
	metrics_set(METRIC_GATE_ASIDE, 0, numbers->aside);
	metrics_set(METRIC_GATE_ACTIVE, 0, numbers->active);
	metrics_set(METRIC_GATE_EXPECTED, 0, numbers->expected);
	metrics_set(METRIC_GATE_SERVED, 0, numbers->served);
	metrics_set(METRIC_GATE_LAST_TICKET, 0, numbers->last_ticket);
	metrics_set(METRIC_GATE_PER_MINUTE, 0, numbers->per_minute);
	metrics_set(METRIC_GATE_RECLAIMED, 0, numbers->reclaimed);
	metrics_set(METRIC_GATE_ABANDONED, 0, numbers->abandoned);
	metrics_set(METRIC_GATE_DEPARTED, 0, numbers->departed);
	metrics_set(METRIC_GATE_OLDEST, 0,
		    numbers->oldest_us ? numbers->now_us - numbers->oldest_us : 0);
	metrics_set(METRIC_GATE_TICK_AGE, 0, clock_us() - (numbers->now_us - numbers->ticked_us));
	metrics_set_state(METRIC_GATE_STATE, numbers->state);
	metrics_set_state(METRIC_GATE_STOCK, numbers->stock);
	metrics_set_state(METRIC_GATE_DRAW, numbers->has_draw ? numbers->draw + 1 : 0);
}

static void set_limits(const struct policy *policy)
{
#define POLICY(name, least, most, help)                                                            \
	metrics_set(METRIC_GATE_LIMIT, METRICS_LIMIT_##name, policy->name);
#include "policy.def"
#undef POLICY
}

/* What cannot be read stays as it was, but for the age of the last tick, which goes on. */
static void read_numbers(struct gate_tick_store *store)
{
	struct gate_numbers numbers;
	struct policy policy;
	if (gate_numbers_read(store->base.db, &numbers) == ERR_OK)
		set_numbers(&numbers);
	if (gate_state_read_policy(&store->base, store->conf, &policy) == ERR_OK)
		set_limits(&policy);
}

static enum metrics_tick outcome_of(enum err err)
{
	if (err == ERR_OK)
		return TICK_RUN;
	return err == ERR_TIMEOUT || err == ERR_DB_CONFLICT ? TICK_SKIPPED : TICK_FAILED;
}

void gate_metrics_note(struct gate_metrics *metrics, struct gate_tick_store *store, enum err err)
{
	int64_t now_us = clock_us();
	metrics_count(METRIC_GATE_TICKS, outcome_of(err), 0);
	if (err == ERR_OK) {
		metrics->ticked_us = now_us;
		metrics_set(METRIC_GATE_ALLOWANCE, 0, store->tick.allowed);
	} else if (now_us - metrics->ticked_us > STANDBY_US) {
		metrics_unset(METRIC_GATE_ALLOWANCE, 0);
	}
	if (metrics->read_us && now_us - metrics->read_us < NUMBERS_AGE_US)
		return;
	metrics->read_us = now_us;
	read_numbers(store);
}
