#include "gate_rules.h"

#include <inttypes.h>
#include <stdio.h>

bool gate_ticket_is_over(const struct gate_ticket *ticket, int64_t now_us)
{
	bool is_late = ticket->show_up_us && ticket->show_up_us <= now_us;
	return (is_late || ticket->expires_us <= now_us) && ticket->hold_until_us <= now_us;
}

void gate_ticket_move(struct gate_state *state, struct gate_ticket *ticket, enum ticket_status to)
{
	if (ticket_is_in_line(ticket->status)) {
		ticket->out_seq = ++state->out_seq;
		state->waiting--;
	}
	ticket->status = to;
	ticket->is_changed = true;
}

static struct gate_ticket *live_ticket(struct gate_world *world, const struct queuer *queuer)
{
	return queuer->ticket_id ? gate_world_ticket(world, queuer->ticket_id) : NULL;
}

/* An admitted ticket whose time is over, but which no tick has ended yet, must not keep its user
 * from joining again. */
static void release_if_over(struct gate_world *world, struct queuer *queuer, int64_t now_us)
{
	struct gate_ticket *ticket = live_ticket(world, queuer);
	if (!ticket || ticket->status != TICKET_ACTIVE || !gate_ticket_is_over(ticket, now_us))
		return;
	gate_ticket_move(&world->state, ticket, TICKET_EXPIRED);
	queuer->ticket_id = 0;
}

void gate_draw_close_if_due(struct gate_draw *draw, int64_t last_ticket, int64_t now_us)
{
	if (!draw->id || draw->state != DRAW_JOINING || now_us < draw->opens_us)
		return;
	/* Without anybody in it there is nothing to draw. */
	draw->state = draw->first ? DRAW_CLOSED : DRAW_DRAWN;
	draw->last = draw->first ? last_ticket : 0;
	draw->is_changed = true;
}

/* Who joins a draw has no place until it is drawn. */
static void join_draw(struct gate_draw *draw, struct gate_ticket *ticket)
{
	ticket->place = 0;
	if (!draw->first) {
		draw->first = ticket->id;
		draw->is_changed = true;
	}
}

static void give_ticket(struct gate_world *world, struct queuer *queuer, const struct job *job,
			int64_t now_us)
{
	gate_draw_close_if_due(&world->draw, world->state.last_ticket, now_us);
	struct gate_ticket *ticket = gate_world_add_ticket(world, ++world->state.last_ticket);
	ticket->user_id = queuer->user_id;
	ticket->place = ticket->id;
	ticket->status = TICKET_WAITING;
	ticket->seen_us = now_us;
	ticket->job = job->id;
	ticket->is_new = true;
	if (world->draw.id && world->draw.state == DRAW_JOINING)
		join_draw(&world->draw, ticket);
	queuer->ticket_id = ticket->id;
	world->state.waiting++;
}

static enum err issue(struct gate_world *world, const struct job *job, struct outcome *outcome,
		      int64_t now_us)
{
	struct queuer *queuer = gate_world_queuer(world, &job->user);
	if (!queuer || !queuer->user_id)
		return ERR_UNKNOWN_USER;
	release_if_over(world, queuer, now_us);
	if (queuer->ticket_id && !job->resume)
		return ERR_ALREADY_ISSUED;
	if (!queuer->ticket_id && world->policy.state == POLICY_CLOSED) {
		snprintf(outcome->why, sizeof outcome->why, "%.*s", (int)sizeof outcome->why - 1,
			 world->policy.reason);
		return ERR_CLOSED;
	}
	if (!queuer->ticket_id && world->state.stock == GATE_STOCK_SOLD) {
		snprintf(outcome->why, sizeof outcome->why, "everything is sold");
		return ERR_CLOSED;
	}
	if (!queuer->ticket_id)
		give_ticket(world, queuer, job, now_us);
	const struct gate_ticket *ticket = live_ticket(world, queuer);
	/* One that was passed by is in the line again as soon as it shows a sign of life. */
	const char *status = ticket->status == TICKET_ACTIVE ? "ACTIVE" : "WAITING";
	snprintf(outcome->data, sizeof outcome->data, "{\"ticket\":%" PRId64 ",\"status\":\"%s\"}",
		 ticket->id, status);
	return ERR_OK;
}

/* Why a ticket that is not live cannot leave. */
static enum err refuse_leaving(const struct gate_ticket *ticket, int64_t now_us)
{
	switch (ticket->status) {
	case TICKET_LEFT:
		return ERR_TOKEN_LEFT;
	case TICKET_FINISHED:
		return ERR_TOKEN_FINISHED;
	case TICKET_EXPIRED:
		return ERR_TOKEN_EXPIRED;
	case TICKET_ACTIVE:
		if (ticket->hold_until_us > now_us)
			return ERR_ALREADY_HOLDING;
		return gate_ticket_is_over(ticket, now_us) ? ERR_TOKEN_EXPIRED : ERR_OK;
	case TICKET_WAITING:
	case TICKET_ASIDE:
		break;
	}
	return ERR_OK;
}

static enum err leave(struct gate_world *world, const struct job *job, struct outcome *outcome,
		      int64_t now_us)
{
	struct queuer *queuer = gate_world_queuer(world, &job->user);
	struct gate_ticket *ticket = gate_world_ticket(world, job->ticket);
	if (!queuer || !queuer->user_id || !ticket || ticket->user_id != queuer->user_id)
		return ERR_TOKEN_INVALID;
	enum err err = refuse_leaving(ticket, now_us);
	if (err)
		return err;
	gate_ticket_move(&world->state, ticket, TICKET_LEFT);
	world->state.departed++;
	queuer->ticket_id = 0;
	snprintf(outcome->data, sizeof outcome->data, "{\"status\":\"LEFT\"}");
	return ERR_OK;
}

/* A sign of life: who was passed by is back in its place, who was admitted has arrived. */
static enum err seen(struct gate_world *world, const struct job *job, int64_t now_us)
{
	struct gate_ticket *ticket = gate_world_ticket(world, job->ticket);
	if (!ticket)
		return ERR_OK;
	if (ticket_is_in_line(ticket->status)) {
		ticket->status = TICKET_WAITING;
		ticket->aside_us = 0;
	} else if (ticket->status == TICKET_ACTIVE && ticket->show_up_us &&
		   !gate_ticket_is_over(ticket, now_us)) {
		ticket->show_up_us = 0;
		ticket->arrived_us = now_us;
	} else {
		return ERR_OK;
	}
	ticket->seen_us = now_us;
	ticket->is_changed = true;
	return ERR_OK;
}

static void decide(void *world, struct batch_entry *entry, int64_t now_us)
{
	struct outcome *outcome = &entry->outcome;
	const struct job *job = &entry->job;
	if (job->kind == JOB_ISSUE)
		outcome->err = issue(world, job, outcome, now_us);
	else if (job->kind == JOB_LEAVE)
		outcome->err = leave(world, job, outcome, now_us);
	else if (job->kind == JOB_SEEN)
		outcome->err = seen(world, job, now_us);
	else
		outcome->err = ERR_BAD_KIND;
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
