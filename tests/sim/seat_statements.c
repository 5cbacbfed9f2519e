/* What the statements of seat_store.c, seat_load.c and seat_write.c do. */
#include <string.h>

#include "session.h"

#define SHOW_OPENS_US INT64_C(1900000000000000) /* of the one concert that there is */
#define SHOW_CLOSES_US INT64_C(1900007200000000)

static struct record *find_row(const struct session *session, enum table table, int64_t id)
{
	for (size_t i = 0; i < table_count(table); i++) {
		struct record *record = table_record(table, i);
		const int64_t *row = table_see(session, record);
		if (row && *row == id)
			return record;
	}
	return NULL;
}

static bool is_live(const struct hold_row *hold)
{
	return hold->status == HOLD_PENDING || hold->status == HOLD_PAID;
}

/* Locks the row that find_row() would find: to be changed, or as the SELECT says. The row's record,
 * unless it is gone by then. */
static enum err lock_row(struct session *session, enum table table, int64_t id, struct record **out)
{
	*out = find_row(session, table, id);
	enum err err = *out ? table_lock(session, *out) : ERR_OK;
	if (!err && *out && !table_see(session, *out))
		*out = NULL;
	return err;
}

static enum err select_row(struct call *call, enum table table, struct record **out)
{
	int64_t id = params_int(&call->params, "id");
	if (call->is_for_update)
		return lock_row(call->session, table, id, out);
	*out = find_row(call->session, table, id);
	return ERR_OK;
}

static enum err lock_seats(struct call *call)
{
	while (params_next(&call->params)) {
		struct record *seat;
		enum err err = select_row(call, TABLE_SEAT, &seat);
		if (err)
			return err;
		if (!seat)
			continue;
		result_next(call);
		result_int(call, params_int(&call->params, "id"));
	}
	return ERR_OK;
}

static enum err read_seats(struct call *call)
{
	while (params_next(&call->params)) {
		const struct record *record =
			find_row(call->session, TABLE_SEAT, params_int(&call->params, "id"));
		const struct seat_row *seat = record ? table_see(call->session, record) : NULL;
		if (!seat)
			continue;
		result_next(call);
		result_int(call, seat->id);
		result_int(call, seat->price);
		result_int(call, seat->is_active);
		result_text(call, "A1");
		result_text(call, "The \"Seeds\"");
		result_int(call, SHOW_OPENS_US);
		result_int(call, SHOW_CLOSES_US);
		result_int(call, 0); /* always on sale */
		result_int(call, SHOW_OPENS_US);
		result_int(call, 0);
	}
	return ERR_OK;
}

static void put_hold(struct call *call, const struct hold_row *hold)
{
	result_next(call);
	result_int(call, hold->id);
	result_id(call, &hold->job);
	result_int(call, hold->seat);
	result_int(call, hold->user);
	result_int(call, hold->ticket);
	result_int(call, hold->price);
	result_int(call, hold->created_us);
	result_int(call, hold->expires_us);
	result_text(call, hold_status_name(hold->status));
}

static enum err find_bought(struct call *call)
{
	while (params_next(&call->params)) {
		const struct record *found =
			find_row(call->session, TABLE_PAYMENT, params_int(&call->params, "id"));
		const struct payment_row *payment = found ? table_see(call->session, found) : NULL;
		const struct record *hold =
			payment ? find_row(call->session, TABLE_HOLD, payment->hold) : NULL;
		if (hold)
			put_hold(call, table_see(call->session, hold));
	}
	return ERR_OK;
}

/* A row that another transaction is about to make live, or to end, is waited for. */
static struct record *find_live(const struct session *session, int64_t seat)
{
	for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
		struct record *record = table_record(TABLE_HOLD, i);
		const struct hold_row *committed = table_committed(record);
		const struct hold_row *pending = record->is_dirty ? record->pending : NULL;
		bool is_it = (committed && committed->seat == seat && is_live(committed)) ||
			     (pending && pending->seat == seat && is_live(pending));
		if (is_it && (record->locker != session || !pending || is_live(pending)))
			return record;
	}
	return NULL;
}

static enum err lock_holds(struct call *call)
{
	while (params_next(&call->params)) {
		int64_t seat = params_int(&call->params, "id");
		struct record *record = find_live(call->session, seat);
		while (record) {
			enum err err = call_lock(call, record);
			if (err)
				return err;
			const struct hold_row *hold = table_see(call->session, record);
			if (hold && is_live(hold)) {
				put_hold(call, hold);
				break;
			}
			record = find_live(call->session, seat);
		}
	}
	return ERR_OK;
}

static const struct id *uuid_of(const struct session *session, int64_t user)
{
	static const struct id none;
	const struct record *record = find_row(session, TABLE_USER, user);
	const struct user_row *row = record ? table_see(session, record) : NULL;
	return row ? &row->uuid : &none;
}

static enum err lock_tickets(struct call *call)
{
	while (params_next(&call->params)) {
		struct record *record;
		enum err err = select_row(call, TABLE_TICKET, &record);
		if (err)
			return err;
		if (!record)
			continue;
		const struct ticket_row *ticket = table_see(call->session, record);
		result_next(call);
		result_int(call, ticket->id);
		result_int(call, ticket->user);
		result_text(call, ticket_status_name(ticket->status));
		result_int_or_null(call, ticket->admitted_us);
		result_int_or_null(call, ticket->expires_us);
		result_id(call, uuid_of(call->session, ticket->user));
	}
	return ERR_OK;
}

static enum err find_ticket_holds(struct call *call)
{
	while (params_next(&call->params)) {
		int64_t ticket = params_int(&call->params, "id");
		for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
			const struct hold_row *hold =
				table_see(call->session, table_record(TABLE_HOLD, i));
			if (hold && hold->ticket == ticket && hold->status == HOLD_PENDING)
				put_hold(call, hold);
		}
	}
	return ERR_OK;
}

static enum err find_past_holds(struct call *call)
{
	while (params_next(&call->params)) {
		const struct hold_row *newest = NULL;
		for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
			const struct hold_row *hold =
				table_see(call->session, table_record(TABLE_HOLD, i));
			if (hold && hold->seat == params_int(&call->params, "seat") &&
			    hold->user == params_int(&call->params, "user") &&
			    (!newest || hold->id > newest->id))
				newest = hold;
		}
		if (newest)
			put_hold(call, newest);
	}
	return ERR_OK;
}

static void put_payment(struct call *call, const struct payment_row *payment)
{
	result_next(call);
	result_int(call, params_int(&call->params, "slot"));
	result_int(call, payment->id);
	result_id(call, &payment->job);
	result_int(call, payment->amount);
	result_int(call, payment->created_us);
	result_text(call, "A1");
	result_text(call, "The \"Seeds\"");
	result_int(call, payment->open_us);
	result_int(call, payment->close_us);
	if (payment->is_refunded)
		result_id(call, &payment->refund_job);
	else
		result_null(call);
	result_id(call, uuid_of(call->session, payment->user));
}

static enum err find_payments(struct call *call)
{
	while (params_next(&call->params)) {
		for (size_t i = 0; i < table_count(TABLE_PAYMENT); i++) {
			const struct payment_row *payment =
				table_see(call->session, table_record(TABLE_PAYMENT, i));
			if (payment && payment->hold == params_int(&call->params, "id"))
				put_payment(call, payment);
		}
	}
	return ERR_OK;
}

/* Writing ----------------------------------------------------------------------------------------
 */

static enum err update_holds(struct call *call)
{
	while (params_next(&call->params)) {
		struct record *record;
		enum err err = lock_row(call->session, TABLE_HOLD, params_int(&call->params, "id"),
					&record);
		if (err)
			return err;
		const struct hold_row *hold = record ? table_see(call->session, record) : NULL;
		if (!hold ||
		    strcmp(hold_status_name(hold->status), params_text(&call->params, "was")) != 0)
			continue;
		struct hold_row *changed = table_change(call->session, record);
		changed->status = hold_status_from(params_text(&call->params, "status"));
		changed->updated_us = params_int(&call->params, "now");
		err = table_check_keys(call->session, record);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

static enum err insert_holds(struct call *call)
{
	for (size_t i = 0; i < call->cells->count; i++) {
		const struct hold_row row = {.id = table_next_id(TABLE_HOLD),
					     .seat = call_int(call, i, 0),
					     .user = call_int(call, i, 1),
					     .ticket = call_int(call, i, 2),
					     .job = call_id(call, i, 3),
					     .status = hold_status_from(call_text(call, i, 4)),
					     .price = call_int(call, i, 5),
					     .expires_us = call_int(call, i, 6),
					     .created_us = call_int(call, i, 7),
					     .updated_us = call_int(call, i, 8)};
		enum err err = table_insert(call->session, TABLE_HOLD, &row);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

static enum err find_hold_ids(struct call *call)
{
	while (params_next(&call->params)) {
		struct id job = params_id(&call->params, "job");
		for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
			const struct hold_row *hold =
				table_see(call->session, table_record(TABLE_HOLD, i));
			if (!hold || !id_equal(&hold->job, &job))
				continue;
			result_next(call);
			result_int(call, params_int(&call->params, "slot"));
			result_int(call, hold->id);
		}
	}
	return ERR_OK;
}

static enum err insert_payments(struct call *call)
{
	for (size_t i = 0; i < call->cells->count; i++) {
		const struct payment_row row = {.id = table_next_id(TABLE_PAYMENT),
						.user = call_int(call, i, 0),
						.hold = call_int(call, i, 1),
						.job = call_id(call, i, 2),
						.open_us = call_int(call, i, 5),
						.close_us = call_int(call, i, 6),
						.amount = call_int(call, i, 7),
						.created_us = call_int(call, i, 8)};
		enum err err = table_insert(call->session, TABLE_PAYMENT, &row);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

static enum err update_payments(struct call *call)
{
	while (params_next(&call->params)) {
		struct record *record;
		enum err err = lock_row(call->session, TABLE_PAYMENT,
					params_int(&call->params, "id"), &record);
		if (err)
			return err;
		const struct payment_row *row = record ? table_see(call->session, record) : NULL;
		if (!row || row->is_refunded)
			continue;
		struct payment_row *changed = table_change(call->session, record);
		changed->is_refunded = true;
		changed->refund_job = params_id(&call->params, "job");
		err = table_check_keys(call->session, record);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

static enum err find_payment_ids(struct call *call)
{
	while (params_next(&call->params)) {
		struct id job = params_id(&call->params, "job");
		for (size_t i = 0; i < table_count(TABLE_PAYMENT); i++) {
			const struct payment_row *payment =
				table_see(call->session, table_record(TABLE_PAYMENT, i));
			if (!payment || !id_equal(&payment->job, &job))
				continue;
			result_next(call);
			result_int(call, params_int(&call->params, "slot"));
			result_int(call, payment->id);
		}
	}
	return ERR_OK;
}

static enum err update_tickets(struct call *call)
{
	while (params_next(&call->params)) {
		struct record *record;
		enum err err = lock_row(call->session, TABLE_TICKET,
					params_int(&call->params, "id"), &record);
		if (err)
			return err;
		if (!record)
			continue;
		struct ticket_row *changed = table_change(call->session, record);
		changed->status = ticket_status_from(params_text(&call->params, "status"));
		changed->expires_us = params_int(&call->params, "expires");
		err = table_check_keys(call->session, record);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

/* The sweeper ------------------------------------------------------------------------------------
 */

static enum err find_overdue(struct call *call)
{
	for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
		const struct record *record = table_record(TABLE_HOLD, i);
		const struct hold_row *hold = table_see(call->session, record);
		if (!hold || hold->status != HOLD_PENDING || hold->expires_us > call->now_us ||
		    table_is_locked(call->session, record))
			continue;
		result_next(call);
		result_id(call, &hold->job);
		result_int(call, hold->seat);
	}
	return ERR_OK;
}

static enum err count_holds(struct call *call)
{
	int64_t live = 0, overdue = 0;
	for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
		const struct hold_row *hold = table_see(call->session, table_record(TABLE_HOLD, i));
		if (!hold || hold->status != HOLD_PENDING)
			continue;
		live += hold->expires_us > call->now_us;
		overdue += hold->expires_us <= call->now_us;
	}
	result_next(call);
	result_int(call, live);
	result_int(call, overdue);
	result_int(call, 0); /* for a gauge alone */
	return ERR_OK;
}

const struct statement seat_statements[] = {
	{"lock-seats", lock_seats, false},
	{"read-seats", read_seats, false},
	{"find-bought", find_bought, false},
	{"lock-holds", lock_holds, false},
	{"lock-tickets", lock_tickets, false},
	{"find-ticket-holds", find_ticket_holds, false},
	{"find-past-holds", find_past_holds, false},
	{"find-payments", find_payments, false},
	{"update-holds", update_holds, true},
	{"insert-holds", insert_holds, true},
	{"find-hold-ids", find_hold_ids, false},
	{"insert-payments", insert_payments, true},
	{"update-payments", update_payments, true},
	{"find-payment-ids", find_payment_ids, false},
	{"update-tickets", update_tickets, true},
	{"find-overdue", find_overdue, false},
	{"count-holds", count_holds, false},
	{NULL, NULL, false},
};
