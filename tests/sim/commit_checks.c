/* Invariants of state: of what a transaction is about to commit, row by row, and of all afterwards.
 */
#include <stdlib.h>
#include <string.h>

#include "clients.h"
#include "invariants.h"
#include "kernel.h"
#include "tables.h"

#define USERS_MAX 512

/* Has this session locked this row, before it read the clock by which it judged? */
static bool has_locked(const struct session *session, enum table table, int64_t number)
{
	for (size_t i = 0; i < table_count(table); i++) {
		const struct record *record = table_record(table, i);
		const int64_t *row = table_see(session, record);
		if (row && *row == number)
			return record->locker == session && record->nth <= session->clock_locks;
	}
	return false;
}

/* Rows that a session sees -------------------------------------------------------------------- */

static const struct job_row *see_job(const struct session *session, const struct id *id)
{
	for (size_t i = table_count(TABLE_JOB); i--;) {
		const struct job_row *row = table_see(session, table_record(TABLE_JOB, i));
		if (row && id_equal(&row->id, id))
			return row;
	}
	return NULL;
}

static size_t count_history(const struct session *session, const struct id *job,
			    const struct history_row **found)
{
	size_t count = 0;
	for (size_t i = 0; i < table_count(TABLE_HISTORY); i++) {
		const struct history_row *row = table_see(session, table_record(TABLE_HISTORY, i));
		if (!row || !id_equal(&row->job, job))
			continue;
		*found = row;
		count++;
	}
	return count;
}

static const struct hold_row *see_hold(const struct session *session, int64_t id)
{
	for (size_t i = table_count(TABLE_HOLD); i--;) {
		const struct hold_row *row = table_see(session, table_record(TABLE_HOLD, i));
		if (row && row->id == id)
			return row;
	}
	return NULL;
}

static const struct payment_row *see_payment(const struct session *session, int64_t hold)
{
	for (size_t i = table_count(TABLE_PAYMENT); i--;) {
		const struct payment_row *row = table_see(session, table_record(TABLE_PAYMENT, i));
		if (row && row->hold == hold)
			return row;
	}
	return NULL;
}

static const struct ticket_row *see_ticket(const struct session *session, int64_t id)
{
	for (size_t i = table_count(TABLE_TICKET); i--;) {
		const struct ticket_row *row = table_see(session, table_record(TABLE_TICKET, i));
		if (row && row->id == id)
			return row;
	}
	return NULL;
}

/* Row by row ----------------------------------------------------------------------------------- */

static bool moves_money(const char *kind)
{
	return strcmp(kind, "charge") == 0 || strcmp(kind, "pay") == 0 ||
	       strcmp(kind, "refund") == 0 || strcmp(kind, "reverse") == 0;
}

/* A job's row and its effect come together; a success is final. A payment or a refund that is there
 * already is told again to another job. */
static void check_job(const struct session *session, const struct job_row *old,
		      const struct job_row *new)
{
	const struct history_row *history = NULL;
	size_t effects = count_history(session, &new->id, &history);
	bool is_ok = strcmp(new->code, "ok") == 0;
	if (old && (strcmp(old->code, "ok") == 0 || new->attempt <= old->attempt))
		kernel_fail("outcome-is-final", "the outcome %s of a %s becomes %s", old->code,
			    old->kind, new->code);
	if (effects > 1)
		kernel_fail("effect-once", "a %s took effect %zu times", new->kind, effects);
	if (!is_ok && effects)
		kernel_fail("effect-with-outcome", "a %s is refused, %s, but took effect",
			    new->kind, new->code);
	if (is_ok && !effects && (strcmp(new->kind, "charge") == 0))
		kernel_fail("effect-with-outcome", "a charge is granted without effect");
	if (!moves_money(new->kind) && effects)
		kernel_fail("effect-with-outcome", "a %s moves money", new->kind);
	for (size_t i = 0; i < table_count(TABLE_JOB) && !old; i++) {
		const struct job_row *other = table_committed(table_record(TABLE_JOB, i));
		if (other && id_equal(&other->id, &new->id))
			kernel_fail("effect-once", "a %s is stored twice", new->kind);
	}
}

static void check_history(const struct session *session, const struct history_row *old,
			  const struct history_row *new)
{
	const struct job_row *job = see_job(session, &new->job);
	const struct history_row *same = NULL;
	if (old)
		kernel_fail("history-stays", "a row of the history is changed");
	if (!has_locked(session, TABLE_CASH, new->user))
		kernel_fail("locks", "money of a user moves without the lock on it");
	if (!job || strcmp(job->code, "ok") != 0)
		kernel_fail("effect-with-outcome", "money moves without an outcome");
	if (count_history(session, &new->job, &same) > 1)
		kernel_fail("effect-once", "a job moves money twice");
	for (size_t i = 0; i < table_count(TABLE_HISTORY) && new->reverses; i++) {
		const struct history_row *other =
			table_see(session, table_record(TABLE_HISTORY, i));
		if (other && other != new && other->reverses == new->reverses)
			kernel_fail("reversed-once", "a charge is taken back twice");
		if (other && other->id == new->reverses && other->amount != -new->amount)
			kernel_fail("reversed-once", "not what was charged is taken back");
	}
}

/* The moment by which it is judged: read after the lock that it is about. */
static void check_clock(const struct session *session, int64_t written_us, const char *what)
{
	if (!session->clock_us || written_us != session->clock_us)
		kernel_fail("database-clock", "%s is judged by another clock", what);
}

static void check_transition(const struct session *session, enum hold_status old,
			     const struct hold_row *new)
{
	static const bool may[][HOLD_REFUNDED + 1] = {
		[HOLD_PENDING] = {[HOLD_PAID] = true,
				  [HOLD_CANCELLED] = true,
				  [HOLD_EXPIRED] = true,
				  [HOLD_REFUNDED] = true},
		[HOLD_PAID] = {[HOLD_REFUNDED] = true},
		[HOLD_REFUNDED] = {false},
	};
	bool is_over = session->clock_us >= new->expires_us;
	if (!may[old][new->status])
		kernel_fail(old == HOLD_PAID ? "paid-stays" : "hold-ends-once",
			    "a hold that is %s becomes %s", hold_status_name(old),
			    hold_status_name(new->status));
	if (old == HOLD_PENDING && is_over != (new->status == HOLD_EXPIRED))
		kernel_fail("hold-ends-in-time", "a hold becomes %s %lld us after its end",
			    hold_status_name(new->status),
			    (long long)(session->clock_us - new->expires_us));
}

static void check_new_hold(const struct session *session, const struct hold_row *new)
{
	const struct ticket_row *ticket = see_ticket(session, new->ticket);
	if (new->expires_us != session->clock_us + SIM_HOLD_S * SECOND_US)
		kernel_fail("hold-ends-in-time", "a hold lasts too short or too long");
	if (!ticket || ticket->user != new->user ||
	    (ticket->status != TICKET_ACTIVE && ticket->status != TICKET_FINISHED))
		kernel_fail("only-admitted", "a seat is held without an admission");
	if (ticket && ticket->status == TICKET_ACTIVE &&
	    ticket->expires_us < new->expires_us &&new->status == HOLD_PENDING)
		kernel_fail("hold-is-covered", "a ticket ends before its hold");
	for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
		const struct hold_row *other = table_see(session, table_record(TABLE_HOLD, i));
		if (other && other != new && other->ticket == new->ticket &&
		    other->status == HOLD_PENDING &&new->status == HOLD_PENDING &&
		    other->expires_us > session->clock_us)
			kernel_fail("one-hold-a-ticket", "a ticket holds two seats");
	}
}

static void check_hold(const struct session *session, const struct hold_row *old,
		       const struct hold_row *new)
{
	const struct payment_row *payment = see_payment(session, new->id);
	check_clock(session, new->updated_us, "a hold");
	if (!has_locked(session, TABLE_SEAT, new->seat))
		kernel_fail("locks", "a seat's hold changes without the lock on the seat");
	if (old)
		check_transition(session, old->status, new);
	else
		check_new_hold(session, new);
	if (new->status == HOLD_PAID && !payment)
		kernel_fail("sold-is-paid", "a seat is sold without a payment");
}

static const struct history_row *history_of(const struct session *session, const struct id *job)
{
	const struct history_row *history = NULL;
	return count_history(session, job, &history) ? history : NULL;
}

static void check_payment(const struct session *session, const struct payment_row *old,
			  const struct payment_row *new)
{
	const struct hold_row *hold = see_hold(session, new->hold);
	const struct history_row *debit = history_of(session, &new->job);
	const struct ticket_row *ticket = hold ? see_ticket(session, hold->ticket) : NULL;
	if (!hold || hold->price != new->amount || hold->user != new->user)
		kernel_fail("sold-is-paid", "a payment is not its hold's price");
	if (!hold || hold->status != (new->is_refunded ? HOLD_REFUNDED : HOLD_PAID))
		kernel_fail("sold-is-paid", "a payment and its hold disagree");
	if (!debit || debit->amount != -new->amount || debit->user != new->user)
		kernel_fail("paid-once", "a payment is not what was debited");
	if (!ticket || ticket->status != TICKET_FINISHED)
		kernel_fail("paid-ends-ticket", "a payment leaves its ticket alive");
	if (old && old->is_refunded)
		kernel_fail("refunded-once", "a payment is refunded twice");
	if (new->is_refunded) {
		const struct history_row *credit = history_of(session, &new->refund_job);
		if (!credit || credit->amount != new->amount || credit->user != new->user)
			kernel_fail("refunded-once", "a refund is not what was paid");
	}
	for (size_t i = 0; i < table_count(TABLE_PAYMENT); i++) {
		const struct payment_row *other =
			table_see(session, table_record(TABLE_PAYMENT, i));
		if (other && other != new && other->hold == new->hold)
			kernel_fail("paid-once", "a hold is paid for twice");
	}
}

static void check_new_ticket(const struct session *session, const struct ticket_row *new)
{
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *other = table_see(session, table_record(TABLE_TICKET, i));
		bool is_live = other &&
			       (ticket_is_in_line(other->status) || other->status == TICKET_ACTIVE);
		if (is_live && other != new && other->user == new->user &&
		    (ticket_is_in_line(new->status)))
			kernel_fail("one-ticket-a-user", "a user has two places in the line");
	}
}

static void check_ticket(const struct session *session, const struct ticket_row *old,
			 const struct ticket_row *new)
{
	bool is_gate = has_locked(session, TABLE_GATE, 1);
	if (!old)
		check_new_ticket(session, new);
	if ((!old || ticket_is_in_line(old->status)) && !is_gate)
		kernel_fail("locks", "the line changes without the lock on it");
	if (!old || old->status == new->status)
		return;
	if (old->status == TICKET_FINISHED || old->status == TICKET_EXPIRED ||
	    old->status == TICKET_LEFT)
		kernel_fail("ticket-ends-once", "a ticket that is %s becomes %s",
			    ticket_status_name(old->status), ticket_status_name(new->status));
	bool is_in_time = old->expires_us > session->clock_us &&
			  (!old->show_up_us || old->show_up_us > session->clock_us);
	if (old->status == TICKET_ACTIVE && new->status == TICKET_EXPIRED && is_in_time)
		kernel_fail("ticket-in-time", "an admission ends before its time");
	for (size_t i = 0; i < table_count(TABLE_HOLD) && new->status == TICKET_EXPIRED; i++) {
		const struct hold_row *hold = table_see(session, table_record(TABLE_HOLD, i));
		if (hold && hold->ticket == new->id && hold->status == HOLD_PENDING &&
		    hold->expires_us > session->clock_us)
			kernel_fail("hold-keeps-ticket", "a ticket ends while it holds a seat");
	}
}

/* Admissions of a transaction: no more than the policy lets in, and nobody is passed who waits. The
 * window ends when it was counted: a tick that takes long counts later than it admits. */
static void check_admissions(const struct session *session)
{
	const struct policy *policy = session->policy;
	size_t active = 0, admitted = 0;
	int64_t released = 0, last_place = 0;
	for (const struct record *r = session->locked; r; r = r->next_locked) {
		const struct ticket_row *old = r->committed, *new = r->pending;
		if (r->table != TABLE_TICKET || !r->is_dirty || !r->is_committed ||
		    old->status != TICKET_WAITING || new->status != TICKET_ACTIVE)
			continue;
		admitted++;
		last_place = new->place > last_place ? new->place : last_place;
	}
	if (!admitted || !policy)
		return;
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *row = table_see(session, table_record(TABLE_TICKET, i));
		if (!row)
			continue;
		active += row->status == TICKET_ACTIVE;
		released += row->admitted_us > session->window_us - policy->window_s * SECOND_US;
		if (row->status == TICKET_WAITING && row->place && row->place < last_place)
			kernel_fail("first-come", "place %lld is admitted before place %lld",
				    (long long)last_place, (long long)row->place);
	}
	if (policy->max_active && active > (size_t)policy->max_active)
		kernel_fail("admission", "%zu are active, %lld may be", active,
			    (long long)policy->max_active);
	if (policy->window_limit && released > policy->window_limit)
		kernel_fail("admission", "%lld were let in within a window, %lld may be",
			    (long long)released, (long long)policy->window_limit);
	if (policy->state != POLICY_OPEN)
		kernel_fail("admission", "somebody is let in while it is %s",
			    policy_state_name(policy->state));
}

void invariants_before_commit(const struct session *session)
{
	for (const struct record *r = session->locked; r && !kernel.failed; r = r->next_locked) {
		const void *old = table_committed(r);
		if (!r->is_dirty)
			continue;
		switch (r->table) {
		case TABLE_JOB:
			check_job(session, old, r->pending);
			break;
		case TABLE_HISTORY:
			check_history(session, old, r->pending);
			break;
		case TABLE_HOLD:
			check_hold(session, old, r->pending);
			break;
		case TABLE_PAYMENT:
			check_payment(session, old, r->pending);
			break;
		case TABLE_TICKET:
			check_ticket(session, old, r->pending);
			break;
		default:
			break;
		}
	}
	check_admissions(session);
}

/* All ------------------------------------------------------------------------------------------ */

static void check_money(void)
{
	int64_t sums[USERS_MAX] = {0};
	for (size_t i = 0; i < table_count(TABLE_HISTORY); i++) {
		const struct history_row *row = table_committed(table_record(TABLE_HISTORY, i));
		if (!row)
			continue;
		if (row->user >= USERS_MAX)
			abort();
		sums[row->user] += row->amount;
		if (sums[row->user] != row->balance_after)
			kernel_fail("balance-is-history",
				    "a balance was %lld, its history says %lld",
				    (long long)row->balance_after, (long long)sums[row->user]);
	}
	for (size_t i = 0; i < table_count(TABLE_CASH); i++) {
		const struct cash_row *row = table_committed(table_record(TABLE_CASH, i));
		if (row && row->balance != sums[row->user])
			kernel_fail("balance-is-history",
				    "a balance is %lld, its history says %lld",
				    (long long)row->balance, (long long)sums[row->user]);
		if (row && row->balance < 0)
			kernel_fail("balance-not-negative", "a balance is %lld",
				    (long long)row->balance);
	}
}

static void check_seats(void)
{
	size_t live[SEATS_COUNT + 1] = {0};
	for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
		const struct hold_row *row = table_committed(table_record(TABLE_HOLD, i));
		if (row && (row->status == HOLD_PENDING || row->status == HOLD_PAID) &&
		    ++live[row->seat] > 1)
			kernel_fail("one-hold-a-seat", "seat %lld is taken twice",
				    (long long)row->seat);
	}
}

static void check_line(void)
{
	const struct gate_row *gate = table_committed(table_record(TABLE_GATE, 0));
	int64_t count = 0, waiting = 0, highest = 0;
	for (size_t i = 0; i < table_count(TABLE_TICKET); i++) {
		const struct ticket_row *row = table_committed(table_record(TABLE_TICKET, i));
		if (!row)
			continue;
		count++;
		waiting += ticket_is_in_line(row->status);
		highest = row->id > highest ? row->id : highest;
	}
	if (highest != count || gate->last_ticket != count)
		kernel_fail("numbers-without-gaps", "%lld tickets, the highest is %lld, of %lld",
			    (long long)count, (long long)highest, (long long)gate->last_ticket);
	if (gate->waiting != waiting)
		kernel_fail("line-is-counted", "%lld wait, %lld are counted", (long long)waiting,
			    (long long)gate->waiting);
}

void invariants_after_commit(void)
{
	check_money();
	check_seats();
	check_line();
}
