/* The queue check. */
#include "admission.h"

#include "clock.h"

/* The low bits of a fine clock: enough to spread polls, and free. */
static uint32_t jitter(void)
{
	return (uint32_t)((uint64_t)clock_us() * 2654435761u >> 16);
}

static struct place waiting(const struct snapshot *snapshot, int64_t place_number)
{
	const struct snapshot_gate *gate = &snapshot->gate;
	const struct place_facts facts = {
		.number = place_number,
		.ahead = line_ahead(snapshot->line, place_number),
		.waiting = line_count(snapshot->line),
		.per_minute = gate->state == POLICY_OPEN ? gate->per_minute : 0,
		.is_near = place_number <= gate->near,
		.jitter = jitter(),
	};

	return place_waiting(&facts);
}

static struct place in_draw(const struct snapshot *snapshot, int64_t time_us)
{
	int64_t opens_us = snapshot->draw.opens_us;
	struct place place = place_in_draw(opens_us - time_us, jitter());

	place.opens_us = opens_us;
	return place;
}

enum admission admission_judge(const struct snapshot *snapshot, const struct queue_token *token,
			       int64_t now_us, struct place *place)
{
	const struct snapshot_ticket *ticket = snapshot_ticket(snapshot, token->ticket);
	int64_t time_us = snapshot_time_us(snapshot, now_us);
	int64_t place_number = snapshot_place(snapshot, token->ticket, time_us);

	if (ticket != NULL && !id_equal(&ticket->user, &token->user))
		return ADMISSION_FOREIGN;
	if (ticket != NULL && ticket->expires_us > time_us) {
		*place = place_active(place_number, ticket->expires_us);
		place->sign_counts = ticket->is_expected;
	} else if (!line_has(snapshot->line, place_number ? place_number : token->ticket)) {
		return ADMISSION_GONE;
	} else if (place_number == 0) {
		*place = in_draw(snapshot, time_us);
	} else {
		*place = waiting(snapshot, place_number);
	}
	place_tell(place, snapshot);
	return place->active ? ADMISSION_ACTIVE : ADMISSION_WAITING;
}

static enum err judge_newest(const struct front *front, const struct queue_token *token,
			     enum admission *admission, struct place *place)
{
	struct snapshot *snapshot = snapshots_hold(front->snapshots);

	if (snapshot == NULL)
		return ERR_UNAVAILABLE;
	*admission = admission_judge(snapshot, token, clock_us(), place);
	snapshot_release(snapshot);
	return ERR_OK;
}

struct place admission_guess(const struct front *front, int64_t number, bool is_active)
{
	struct snapshot *snapshot = snapshots_hold(front->snapshots);
	struct place place = place_active(number, 0);
	int64_t place_number, time_us;

	if (snapshot == NULL)
		return is_active ? place : place_in_draw(0, jitter());
	time_us = snapshot_time_us(snapshot, clock_us());
	place_number = snapshot_place(snapshot, number, time_us);
	if (is_active)
		place.number = place_number;
	else
		place = place_number ? waiting(snapshot, place_number) : in_draw(snapshot, time_us);
	place_tell(&place, snapshot);
	snapshot_release(snapshot);
	return place;
}

/* What the ticket's row says, once no snapshot knows it as live. */
static enum err look_up(const struct front *front, const struct queue_token *token,
			struct place *place)
{
	struct lookup_ticket ticket;
	enum err err = lookup_ticket(front->lookup, token->ticket, &ticket);

	if (err == ERR_NOT_FOUND || (err == ERR_OK && !id_equal(&ticket.user, &token->user)))
		return ERR_TOKEN_INVALID;
	if (err != ERR_OK)
		return err;
	switch (ticket.status) {
	case TICKET_WAITING:
	case TICKET_ASIDE:
		*place = admission_guess(front, token->ticket, false);
		return ERR_OK;
	case TICKET_ACTIVE:
		if (!ticket.is_live)
			return ERR_TOKEN_EXPIRED;
		*place = admission_guess(front, token->ticket, true);
		place->expires_us = ticket.expires_us;
		return ERR_OK;
	case TICKET_EXPIRED:
		return ERR_TOKEN_EXPIRED;
	case TICKET_FINISHED:
		return ERR_TOKEN_FINISHED;
	case TICKET_LEFT:
		return ERR_TOKEN_LEFT;
	}
	return ERR_TOKEN_INVALID;
}

/* Before it says that a ticket is not live, it waits for a fresh snapshot and looks the ticket up.
 */
static enum err find(const struct front *front, const struct queue_token *token,
		     int64_t deadline_us, struct place *place)
{
	enum admission admission = ADMISSION_GONE;
	enum err err = judge_newest(front, token, &admission, place);

	if (err == ERR_OK && admission == ADMISSION_GONE &&
	    snapshots_refresh(front->snapshots, deadline_us))
		err = judge_newest(front, token, &admission, place);
	if (err != ERR_OK)
		return err;
	switch (admission) {
	case ADMISSION_ACTIVE:
	case ADMISSION_WAITING:
		return ERR_OK;
	case ADMISSION_FOREIGN:
		return ERR_TOKEN_INVALID;
	case ADMISSION_GONE:
		break;
	}
	return look_up(front, token, place);
}

enum err admission_find(const struct front *front, const struct queue_token *token,
			int64_t deadline_us, struct place *place)
{
	enum err err = find(front, token, deadline_us, place);

	if (err == ERR_OK && place->sign_counts)
		signs_note(front->signs, token->ticket, place->active);
	return err;
}

enum err admission_check(const struct front *front, const struct queue_token *token,
			 int64_t deadline_us, struct place *place)
{
	enum err err = admission_find(front, token, deadline_us, place);

	/* The other front may have seen the admission already: nobody is refused by an old
	 * snapshot. */
	if (err == ERR_OK && !place->active && snapshots_refresh(front->snapshots, deadline_us))
		err = admission_find(front, token, deadline_us, place);
	return err == ERR_OK && !place->active ? ERR_NOT_ADMITTED : err;
}
