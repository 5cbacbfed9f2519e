/* What the statements of gate_state.c, gate_store.c, gate_tickets.c, gate_tick_store.c and
 * gate_numbers.c do, and those of gate_draw.c where there is no draw. */
#include <string.h>

#include "session.h"

#define RATE_US (300 * SECOND_US)

static const struct ticket_row *see_ticket(const struct session *session, size_t nth)
{
	return table_see(session, table_record(TABLE_TICKET, nth));
}

/* The one row ------------------------------------------------------------------------------------
 */

static const char *stock_name(const struct gate_row *gate)
{
	return gate_stock_name(gate->stock);
}

static void put_state(struct call *call)
{
	const struct gate_row *gate = table_see(call->session, table_record(TABLE_GATE, 0));
	result_next(call);
	result_int(call, gate->last_ticket);
	result_int(call, gate->served);
	result_int(call, gate->waiting);
	result_int(call, gate->active);
	result_int(call, gate->per_minute);
	result_int(call, gate->ticked_us);
	result_int(call, gate->out_seq);
	result_int(call, gate->near);
	result_int(call, gate->reclaimed);
	result_int(call, gate->abandoned);
	result_int(call, gate->departed);
	result_text(call, stock_name(gate));
}

static enum err lock_state(struct call *call)
{
	enum err err = call_lock(call, table_record(TABLE_GATE, 0));
	if (!err)
		put_state(call);
	return err;
}

static enum err lock_state_nowait(struct call *call)
{
	if (table_is_locked(call->session, table_record(TABLE_GATE, 0)))
		return ERR_DB_CONFLICT;
	return lock_state(call);
}

static enum err update_state(struct call *call)
{
	const struct params *params = &call->params;
	struct record *record = table_record(TABLE_GATE, 0);
	while (params_next(&call->params)) {
		enum err err = table_lock(call->session, record);
		if (err)
			return err;
		struct gate_row *gate = table_change(call->session, record);
		*gate = (struct gate_row){.id = 1,
					  .last_ticket = params_int(params, "last"),
					  .served = params_int(params, "served"),
					  .waiting = params_int(params, "waiting"),
					  .active = params_int(params, "active"),
					  .per_minute = params_int(params, "rate"),
					  .ticked_us = params_int(params, "ticked"),
					  .out_seq = params_int(params, "seq"),
					  .near = params_int(params, "near"),
					  .reclaimed = params_int(params, "reclaimed"),
					  .abandoned = params_int(params, "abandoned"),
					  .departed = params_int(params, "departed"),
					  .stock = gate_stock_from(params_text(params, "stock"))};
		call->affected++;
	}
	return ERR_OK;
}

static void put_policy(struct call *call, const struct policy_row *row)
{
	result_next(call);
	result_int(call, row->id);
	result_text(call, policy_state_name(row->policy.state));
#define POLICY(name, least, most, help) result_int(call, row->policy.name);
#include "policy.def"
#undef POLICY
	result_text(call, row->policy.counts_arrivals ? "arrivals" : "releases");
	result_text(call, row->policy.reason);
	result_text(call, row->policy.message);
}

static enum err read_policies(struct call *call)
{
	size_t count = table_count(TABLE_POLICY);
	for (size_t i = count; i-- && count - i <= 5;) {
		const struct policy_row *row =
			table_see(call->session, table_record(TABLE_POLICY, i));
		if (i == count - 1)
			call->session->policy = &row->policy;
		put_policy(call, row);
	}
	return ERR_OK;
}

/* There is a policy from the beginning. */
static enum err insert_first_policy(struct call *call)
{
	(void)call;
	return ERR_OK;
}

/* No draw is planned: what it decides is decided by its own tests. */
static enum err find_no_draw(struct call *call)
{
	(void)call;
	return ERR_OK;
}

/* Tickets ----------------------------------------------------------------------------------------
 */

static bool is_live(const struct ticket_row *ticket)
{
	return ticket_is_in_line(ticket->status) || ticket->status == TICKET_ACTIVE;
}

static int64_t live_ticket_of(const struct session *session, int64_t user)
{
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *ticket = see_ticket(session, i);
		if (ticket && ticket->user == user && is_live(ticket))
			return ticket->id;
	}
	return 0;
}

static enum err find_queuers(struct call *call)
{
	while (params_next(&call->params)) {
		struct id uuid = params_id(&call->params, "uuid");
		for (size_t i = 0; i < table_count(TABLE_USER); i++) {
			const struct user_row *user =
				table_see(call->session, table_record(TABLE_USER, i));
			if (!user || !id_equal(&user->uuid, &uuid))
				continue;
			result_next(call);
			result_id(call, &user->uuid);
			result_int(call, user->id);
			result_int_or_null(call, live_ticket_of(call->session, user->id));
		}
	}
	return ERR_OK;
}

static struct record *find_ticket(const struct session *session, int64_t id)
{
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *ticket = see_ticket(session, i);
		if (ticket && ticket->id == id)
			return table_record(TABLE_TICKET, i);
	}
	return NULL;
}

static int64_t hold_until(const struct session *session, int64_t ticket)
{
	int64_t until_us = 0;
	for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
		const struct hold_row *hold = table_see(session, table_record(TABLE_HOLD, i));
		if (hold && hold->ticket == ticket && hold->status == HOLD_PENDING &&
		    hold->expires_us > until_us)
			until_us = hold->expires_us;
	}
	return until_us;
}

static void put_ticket(struct call *call, const struct ticket_row *ticket)
{
	result_next(call);
	result_int(call, ticket->id);
	result_int(call, ticket->user);
	result_int_or_null(call, ticket->place);
	result_text(call, ticket_status_name(ticket->status));
	result_int_or_null(call, ticket->admitted_us);
	result_int_or_null(call, ticket->expires_us);
	result_int_or_null(call, ticket->show_up_us);
	result_int_or_null(call, ticket->arrived_us);
	result_int_or_null(call, ticket->seen_us);
	result_int_or_null(call, ticket->aside_us);
	result_int_or_null(call, ticket->out_seq);
	result_int_or_null(call, hold_until(call->session, ticket->id));
}

static enum err lock_tickets(struct call *call)
{
	while (params_next(&call->params)) {
		struct record *record = find_ticket(call->session, params_int(&call->params, "id"));
		enum err err = record ? call_lock(call, record) : ERR_OK;
		if (err)
			return err;
		if (record && table_see(call->session, record))
			put_ticket(call, table_see(call->session, record));
	}
	return ERR_OK;
}

static enum err update_tickets(struct call *call)
{
	const struct params *params = &call->params;
	while (params_next(&call->params)) {
		struct record *record = find_ticket(call->session, params_int(params, "id"));
		enum err err = record ? table_lock(call->session, record) : ERR_OK;
		if (err)
			return err;
		if (!record || !table_see(call->session, record))
			continue;
		struct ticket_row *ticket = table_change(call->session, record);
		ticket->status = ticket_status_from(params_text(params, "status"));
		ticket->admitted_us = params_int(params, "admitted");
		ticket->expires_us = params_int(params, "expires");
		ticket->show_up_us = params_int(params, "late");
		ticket->arrived_us = params_int(params, "arrived");
		ticket->seen_us = params_int(params, "seen");
		ticket->aside_us = params_int(params, "aside");
		ticket->out_seq = params_int(params, "seq");
		err = table_check_keys(call->session, record);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

static enum err insert_tickets(struct call *call)
{
	for (size_t i = 0; i < call->cells->count; i++) {
		const struct ticket_row row = {.id = call_int(call, i, 0),
					       .user = call_int(call, i, 1),
					       .place = call_int(call, i, 2),
					       .job = call_id(call, i, 3),
					       .status = ticket_status_from(call_text(call, i, 4)),
					       .seen_us = call_int(call, i, 5),
					       .out_seq = call_int(call, i, 6)};
		enum err err = table_insert(call->session, TABLE_TICKET, &row);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

/* Ticks ------------------------------------------------------------------------------------------
 */

/* The generated column due_at. */
static int64_t due_us(const struct ticket_row *ticket)
{
	if (ticket->status == TICKET_ASIDE)
		return ticket->aside_us;
	return ticket->show_up_us && ticket->show_up_us < ticket->expires_us ? ticket->show_up_us
									     : ticket->expires_us;
}

static enum err find_due_ones(struct call *call, enum ticket_status status)
{
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *ticket = see_ticket(call->session, i);
		if (!ticket || ticket->status != status || due_us(ticket) > call->now_us)
			continue;
		result_next(call);
		result_int(call, ticket->id);
	}
	return ERR_OK;
}

static enum err find_due(struct call *call)
{
	return find_due_ones(call, TICKET_ACTIVE);
}

static enum err find_abandoned(struct call *call)
{
	return find_due_ones(call, TICKET_ASIDE);
}

static enum err count_admitted(struct call *call)
{
	int64_t active = 0, recent = 0, since_us = 0;
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *ticket = see_ticket(call->session, i);
		if (!ticket)
			continue;
		active += ticket->status == TICKET_ACTIVE;
		if (ticket->admitted_us <= call->now_us - RATE_US)
			continue;
		recent++;
		if (!since_us || ticket->admitted_us < since_us)
			since_us = ticket->admitted_us;
	}
	result_next(call);
	result_int(call, active);
	result_int(call, recent);
	result_int_or_null(call, since_us);
	return ERR_OK;
}

static enum err count_within(struct call *call, bool of_arrivals)
{
	int64_t count = 0;
	if (!params_next(&call->params))
		return ERR_DB_DATA;
	int64_t from_us = call->now_us - params_int(&call->params, "window") * SECOND_US;
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *ticket = see_ticket(call->session, i);
		count += ticket &&
			 (of_arrivals ? ticket->arrived_us : ticket->admitted_us) > from_us;
	}
	result_next(call);
	result_int(call, count);
	return ERR_OK;
}

static enum err count_released(struct call *call)
{
	call->session->window_us = call->now_us;
	return count_within(call, false);
}

static enum err count_arrived(struct call *call)
{
	return count_within(call, true);
}

static enum err count_expected(struct call *call)
{
	int64_t expected = 0, judged = 0, came = 0;
	if (!params_next(&call->params))
		return ERR_DB_DATA;
	int64_t from_us = call->now_us - params_int(&call->params, "span") * SECOND_US;
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *ticket = see_ticket(call->session, i);
		if (!ticket || ticket->admitted_us <= from_us)
			continue;
		expected += ticket->status == TICKET_ACTIVE && ticket->show_up_us > call->now_us;
		judged += ticket->arrived_us || ticket->status == TICKET_EXPIRED;
		came += ticket->arrived_us != 0;
	}
	result_next(call);
	result_int(call, expected);
	result_int(call, judged);
	result_int(call, came);
	return ERR_OK;
}

/* Tickets are in the order of their numbers, and without a draw these are the places. */
static enum err read_line(struct call *call)
{
	if (!params_next(&call->params))
		return ERR_DB_DATA;
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *ticket = see_ticket(call->session, i);
		if (!ticket || ticket->status != TICKET_WAITING || ticket->place < 1 ||
		    ticket->place > params_int(&call->params, "most"))
			continue;
		result_next(call);
		result_int(call, ticket->id);
		result_int(call, ticket->place);
		result_int_or_null(call, ticket->seen_us);
	}
	return ERR_OK;
}

static enum err read_stock(struct call *call)
{
	bool has_free = false, has_held = false, has_sold = false;
	for (size_t s = 0; s < table_count(TABLE_SEAT); s++) {
		const struct seat_row *seat = table_see(call->session, table_record(TABLE_SEAT, s));
		bool is_held = false, is_sold = false;
		for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
			const struct hold_row *hold =
				table_see(call->session, table_record(TABLE_HOLD, i));
			if (!hold || hold->seat != seat->id)
				continue;
			is_held |= hold->status == HOLD_PENDING && hold->expires_us > call->now_us;
			is_sold |= hold->status == HOLD_PAID;
		}
		has_free |= !is_held && !is_sold;
		has_held |= is_held;
		has_sold |= is_sold;
	}
	result_next(call);
	result_int(call, has_free);
	result_int(call, has_held);
	result_int(call, has_sold);
	return ERR_OK;
}

static enum err start_clocks(struct call *call)
{
	const struct gate_row *gate = table_see(call->session, table_record(TABLE_GATE, 0));
	if (!params_next(&call->params))
		return ERR_OK;
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *ticket = see_ticket(call->session, i);
		struct record *record = table_record(TABLE_TICKET, i);
		if (!ticket || ticket->status != TICKET_WAITING || ticket->place <= gate->near ||
		    ticket->place > params_int(&call->params, "near"))
			continue;
		enum err err = table_lock(call->session, record);
		if (err)
			return err;
		struct ticket_row *changed = table_change(call->session, record);
		changed->seen_us = call->now_us;
		call->affected++;
	}
	return ERR_OK;
}

static enum err gate_numbers(struct call *call)
{
	const struct gate_row *gate = table_see(call->session, table_record(TABLE_GATE, 0));
	result_next(call);
	result_int(call, call->now_us);
	result_int(call, gate->ticked_us);
	result_text(call, "open");
	result_int(call, gate->last_ticket);
	result_int(call, gate->served);
	result_int(call, gate->per_minute);
	result_int(call, gate->waiting);
	result_int(call, gate->active);
	for (size_t i = 8; i < 14; i++)
		result_int(call, 0); /* for gauges alone */
	result_text(call, stock_name(gate));
	result_null(call);
	return ERR_OK;
}

const struct statement gate_statements[] = {
	{"lock-state", lock_state, false},
	{"lock-state-nowait", lock_state_nowait, false},
	{"update-state", update_state, true},
	{"read-policies", read_policies, false},
	{"insert-first-policy", insert_first_policy, true},
	{"lock-draw", find_no_draw, false},
	{"read-draw", find_no_draw, false},
	{"find-queuers", find_queuers, false},
	{"lock-gate-tickets", lock_tickets, false},
	{"update-gate-tickets", update_tickets, true},
	{"insert-tickets", insert_tickets, true},
	{"find-due", find_due, false},
	{"find-abandoned", find_abandoned, false},
	{"count-admitted", count_admitted, false},
	{"count-released", count_released, false},
	{"count-arrived", count_arrived, false},
	{"count-expected", count_expected, false},
	{"read-line", read_line, false},
	{"read-stock", read_stock, false},
	{"start-clocks", start_clocks, true},
	{"gate-numbers", gate_numbers, false},
	{NULL, NULL, false},
};
