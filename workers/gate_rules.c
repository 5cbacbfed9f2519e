#include "gate_rules.h"

#include <inttypes.h>
#include <stdio.h>

/* An admitted ticket whose time is over, but which no tick has ended yet, must not keep its user
 * from joining again. */
static void release_if_overdue(struct queuer *queuer, int64_t now_us)
{
	if (!queuer->ticket_id || queuer->status != TICKET_ACTIVE || now_us < queuer->expires_us)
		return;
	queuer->released = queuer->ticket_id;
	queuer->ticket_id = 0;
}

static void give_ticket(struct gate_world *world, struct queuer *queuer, const struct job *job)
{
	queuer->ticket_id = ++world->state.last_ticket;
	queuer->status = TICKET_WAITING;
	queuer->is_new = true;
	queuer->job = job->id;
	world->state.waiting++;
}

static enum err issue(struct gate_world *world, const struct job *job, int64_t now_us)
{
	struct queuer *queuer = gate_world_find(world, &job->user);
	if (!queuer || !queuer->user_id)
		return ERR_UNKNOWN_USER;
	release_if_overdue(queuer, now_us);
	if (queuer->ticket_id)
		return job->resume ? ERR_OK : ERR_ALREADY_ISSUED;
	if (world->policy.state == GATE_CLOSED)
		return ERR_CLOSED;
	give_ticket(world, queuer, job);
	return ERR_OK;
}

static void decide(void *world, struct batch_entry *entry, int64_t now_us)
{
	struct outcome *outcome = &entry->outcome;
	if (entry->job.kind != JOB_ISSUE) {
		outcome->err = ERR_BAD_KIND;
		return;
	}
	outcome->err = issue(world, &entry->job, now_us);
	if (outcome->err)
		return;
	const struct queuer *queuer = gate_world_find(world, &entry->job.user);
	snprintf(outcome->data, sizeof outcome->data, "{\"ticket\":%" PRId64 ",\"status\":\"%s\"}",
		 queuer->ticket_id, ticket_status_name(queuer->status));
}

static void describe(void *world, struct batch_entry *entry)
{
	(void)world; /* decide() has said all: a ticket's number is known before it is written */
	(void)entry;
}

struct rules gate_rules(struct gate_world *world)
{
	return (struct rules){.world = world, .decide = decide, .describe = describe};
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t gate_allowance(const struct gate_policy *policy, int64_t active, int64_t in_window,
		       int64_t waiting)
{
	if (policy->state != GATE_OPEN)
		return 0;
	int64_t allowed = waiting;
	if (policy->max_active)
		allowed = smaller(allowed, policy->max_active - active);
	if (policy->window_limit)
		allowed = smaller(allowed, policy->window_limit - in_window);
	return allowed > 0 ? allowed : 0;
}

void gate_tick_decide(struct gate_tick *tick, int64_t now_us)
{
	tick->expired_count = 0;
	for (size_t i = 0; i < tick->due_count; i++)
		if (tick->due[i].expires_us <= now_us && tick->due[i].hold_until_us <= now_us)
			tick->expired[tick->expired_count++] = tick->due[i].id;
	tick->active -= (int64_t)tick->expired_count;
	int64_t allowed = gate_allowance(&tick->policy, tick->active, tick->in_window,
					 (int64_t)tick->line_count);
	tick->admitted_count = (size_t)allowed;
	if (allowed)
		tick->state.served = tick->line[allowed - 1];
	tick->active += allowed;
	tick->state.active = tick->active;
	tick->state.waiting -= allowed;
	tick->state.per_minute += allowed;
	tick->state.ticked_us = now_us;
}
