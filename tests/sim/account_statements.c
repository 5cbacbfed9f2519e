/* What the statements of db_store.c, cash_store.c and account_store.c do. */
#include <stdio.h>
#include <string.h>

#include "session.h"

static struct record *find_job(const struct id *id)
{
	for (size_t i = 0; i < table_count(TABLE_JOB); i++) {
		struct record *record = table_record(TABLE_JOB, i);
		const struct job_row *row = table_committed(record);
		if (row && id_equal(&row->id, id))
			return record;
	}
	return NULL;
}

static enum err find_jobs(struct call *call)
{
	while (params_next(&call->params)) {
		struct id id = params_id(&call->params, "id");
		const struct record *record = find_job(&id);
		const struct job_row *row = record ? table_see(call->session, record) : NULL;
		if (!row)
			continue;
		result_next(call);
		result_id(call, &row->id);
		result_bytes(call, row->fingerprint, sizeof row->fingerprint);
		result_int(call, row->attempt);
		result_text(call, row->code);
		result_text(call, row->why);
		result_text(call, row->data);
	}
	return ERR_OK;
}

static void copy_text(char *out, size_t size, const char *text)
{
	if (strlen(text) >= size)
		kernel_fail("simulator", "a text is too long for its column: %s", text);
	snprintf(out, size, "%s", text);
}

static enum err insert_jobs(struct call *call)
{
	for (size_t i = 0; i < call->cells->count; i++) {
		struct job_row row = {.id = call_id(call, i, 0), .attempt = call_int(call, i, 2)};
		copy_text(row.kind, sizeof row.kind, call_text(call, i, 1));
		memcpy(row.fingerprint, call_text(call, i, 3), sizeof row.fingerprint);
		copy_text(row.code, sizeof row.code, call_text(call, i, 4));
		copy_text(row.why, sizeof row.why, call_text(call, i, 5));
		copy_text(row.data, sizeof row.data, call_text(call, i, 6));
		enum err err = table_insert(call->session, TABLE_JOB, &row);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

static enum err update_jobs(struct call *call)
{
	while (params_next(&call->params)) {
		struct id id = params_id(&call->params, "id");
		struct record *record = find_job(&id);
		enum err err = record ? table_lock(call->session, record) : ERR_OK;
		if (err)
			return err;
		const struct job_row *row = record ? table_see(call->session, record) : NULL;
		if (!row || row->attempt >= params_int(&call->params, "nth"))
			continue;
		struct job_row *changed = table_change(call->session, record);
		changed->attempt = params_int(&call->params, "nth");
		copy_text(changed->code, sizeof changed->code, params_text(&call->params, "code"));
		copy_text(changed->why, sizeof changed->why, params_text(&call->params, "why"));
		copy_text(changed->data, sizeof changed->data, params_text(&call->params, "data"));
		call->affected++;
	}
	return ERR_OK;
}

/* A simulated run is shorter than a day: nothing is old enough. */
static enum err prune_jobs(struct call *call)
{
	(void)call;
	return ERR_OK;
}

static enum err read_clock(struct call *call)
{
	call->session->clock_us = call->now_us;
	call->session->clock_locks = call->session->lock_count;
	result_next(call);
	result_int(call, call->now_us);
	return ERR_OK;
}

static const struct user_row *user_by_uuid(const struct session *session, const struct id *uuid)
{
	for (size_t i = 0; i < table_count(TABLE_USER); i++) {
		const struct user_row *row = table_see(session, table_record(TABLE_USER, i));
		if (row && id_equal(&row->uuid, uuid))
			return row;
	}
	return NULL;
}

static const struct user_row *user_by_number(const struct session *session, int64_t id)
{
	for (size_t i = 0; i < table_count(TABLE_USER); i++) {
		const struct user_row *row = table_see(session, table_record(TABLE_USER, i));
		if (row && row->id == id)
			return row;
	}
	return NULL;
}

static const struct history_row *history_by_job(const struct session *session, const struct id *job)
{
	for (size_t i = 0; i < table_count(TABLE_HISTORY); i++) {
		const struct history_row *row = table_see(session, table_record(TABLE_HISTORY, i));
		if (row && id_equal(&row->job, job))
			return row;
	}
	return NULL;
}

static const struct history_row *history_by_number(const struct session *session, int64_t id)
{
	for (size_t i = 0; i < table_count(TABLE_HISTORY); i++) {
		const struct history_row *row = table_see(session, table_record(TABLE_HISTORY, i));
		if (row && row->id == id)
			return row;
	}
	return NULL;
}

static const struct history_row *reversal_of(const struct session *session, int64_t id)
{
	for (size_t i = 0; i < table_count(TABLE_HISTORY); i++) {
		const struct history_row *row = table_see(session, table_record(TABLE_HISTORY, i));
		if (row && row->reverses == id)
			return row;
	}
	return NULL;
}

/* The payment that a job made, or that it refunded. */
static const struct payment_row *payment_of(const struct session *session, const struct id *job,
					    bool is_refund)
{
	for (size_t i = 0; i < table_count(TABLE_PAYMENT); i++) {
		const struct payment_row *row = table_see(session, table_record(TABLE_PAYMENT, i));
		if (row && (is_refund ? row->is_refunded && id_equal(&row->refund_job, job)
				      : id_equal(&row->job, job)))
			return row;
	}
	return NULL;
}

static const struct hold_row *hold_by_number(const struct session *session, int64_t id)
{
	for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
		const struct hold_row *row = table_see(session, table_record(TABLE_HOLD, i));
		if (row && row->id == id)
			return row;
	}
	return NULL;
}

static enum err find_postings(struct call *call)
{
	while (params_next(&call->params)) {
		struct id job = params_id(&call->params, "id");
		const struct history_row *row = history_by_job(call->session, &job);
		if (!row)
			continue;
		const struct payment_row *paid = payment_of(call->session, &job, false);
		const struct payment_row *refunded = payment_of(call->session, &job, true);
		const struct hold_row *hold =
			paid ? hold_by_number(call->session, paid->hold) : NULL;
		const struct history_row *charge =
			row->reverses ? history_by_number(call->session, row->reverses) : NULL;
		result_next(call);
		result_id(call, &row->job);
		result_int(call, row->amount);
		result_int(call, row->balance_after);
		result_text(call, row->memo);
		result_id(call, &user_by_number(call->session, row->user)->uuid);
		result_int_or_null(call, hold ? hold->seat : 0);
		result_int_or_null(call, refunded ? refunded->id : 0);
		if (charge)
			result_id(call, &charge->job);
		else
			result_null(call);
	}
	return ERR_OK;
}

static enum err find_reserves(struct call *call)
{
	while (params_next(&call->params)) {
		struct id job = params_id(&call->params, "id");
		for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
			const struct hold_row *row =
				table_see(call->session, table_record(TABLE_HOLD, i));
			if (!row || !id_equal(&row->job, &job))
				continue;
			result_next(call);
			result_id(call, &row->job);
		}
	}
	return ERR_OK;
}

/* Users and cash ---------------------------------------------------------------------------------
 */

static enum err find_users(struct call *call)
{
	while (params_next(&call->params)) {
		struct id uuid = params_id(&call->params, "uuid");
		const struct user_row *row = user_by_uuid(call->session, &uuid);
		if (!row)
			continue;
		result_next(call);
		result_id(call, &row->uuid);
		result_int(call, row->id);
		result_int(call, 0); /* nobody is deleted */
	}
	return ERR_OK;
}

static enum err insert_users(struct call *call)
{
	for (size_t i = 0; i < call->cells->count; i++) {
		const struct user_row row = {.id = table_next_id(TABLE_USER),
					     .uuid = call_id(call, i, 0),
					     .job = call_id(call, i, 2)};
		enum err err = table_insert(call->session, TABLE_USER, &row);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

static enum err insert_cash(struct call *call)
{
	for (size_t i = 0; i < call->cells->count; i++) {
		const struct cash_row row = {.user = call_int(call, i, 0)};
		enum err err = table_insert(call->session, TABLE_CASH, &row);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

static struct record *find_cash(int64_t user)
{
	for (size_t i = 0; i < table_count(TABLE_CASH); i++) {
		struct record *record = table_record(TABLE_CASH, i);
		const struct cash_row *row =
			record->is_committed ? record->committed : record->pending;
		if (row->user == user)
			return record;
	}
	return NULL;
}

static enum err lock_cash(struct call *call)
{
	while (params_next(&call->params)) {
		struct record *record = find_cash(params_int(&call->params, "user"));
		if (!record)
			continue;
		enum err err = call_lock(call, record);
		if (err)
			return err;
		const struct cash_row *row = table_see(call->session, record);
		if (!row)
			continue;
		result_next(call);
		result_int(call, params_int(&call->params, "slot"));
		result_int(call, row->balance);
	}
	return ERR_OK;
}

static enum err update_cash(struct call *call)
{
	while (params_next(&call->params)) {
		struct record *record = find_cash(params_int(&call->params, "user"));
		if (!record)
			continue;
		enum err err = table_lock(call->session, record);
		if (err)
			return err;
		if (!table_see(call->session, record))
			continue;
		struct cash_row *row = table_change(call->session, record);
		row->balance = params_int(&call->params, "balance");
		if (row->balance < 0)
			return ERR_DB_DATA; /* cash_balance_in_range */
		call->affected++;
	}
	return ERR_OK;
}

static enum err insert_history(struct call *call)
{
	for (size_t i = 0; i < call->cells->count; i++) {
		struct history_row row = {.id = table_next_id(TABLE_HISTORY),
					  .user = call_int(call, i, 0),
					  .job = call_id(call, i, 1),
					  .amount = call_int(call, i, 2),
					  .balance_after = call_int(call, i, 3),
					  .reverses = call_int(call, i, 5)};
		copy_text(row.memo, sizeof row.memo, call_text(call, i, 4));
		if (row.amount == 0)
			return ERR_DB_DATA; /* cash_history_amount_not_zero */
		enum err err = table_insert(call->session, TABLE_HISTORY, &row);
		if (err)
			return err;
		call->affected++;
	}
	return ERR_OK;
}

static enum err find_charges(struct call *call)
{
	while (params_next(&call->params)) {
		struct id job = params_id(&call->params, "id");
		const struct history_row *row = history_by_job(call->session, &job);
		if (!row)
			continue;
		const struct history_row *reversal = reversal_of(call->session, row->id);
		result_next(call);
		result_int(call, row->id);
		result_id(call, &row->job);
		result_id(call, &user_by_number(call->session, row->user)->uuid);
		result_int(call, row->amount);
		result_int(call, payment_of(call->session, &row->job, true) != NULL);
		if (reversal)
			result_id(call, &reversal->job);
		else
			result_null(call);
	}
	return ERR_OK;
}

const struct statement account_statements[] = {
	{"find-jobs", find_jobs, false},
	{"find-postings", find_postings, false},
	{"find-reserves", find_reserves, false},
	{"insert-jobs", insert_jobs, true},
	{"update-jobs", update_jobs, true},
	{"prune-jobs", prune_jobs, true},
	{"read-clock", read_clock, false},
	{"find-users", find_users, false},
	{"insert-users", insert_users, true},
	{"insert-cash", insert_cash, true},
	{"lock-cash", lock_cash, false},
	{"update-cash", update_cash, true},
	{"insert-history", insert_history, true},
	{"find-charges", find_charges, false},
	{NULL, NULL, false},
};
