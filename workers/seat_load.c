/* The store of seats: what a batch looks at, loaded and locked. */
#include "seat_store.h"

#include <stdlib.h>

#include "mem.h"

/* clang-format off */
#define HOLD_COLUMNS                                                            \
	"r.id, r.job_id, r.seat_id, r.user_id, r.ticket_id, r.price,"            \
	" " SQL_US("r.created_at") ", " SQL_US("r.expires_at") ", r.status"

/* Locks seat by primary key, ascending: whoever changes a seat's reservations holds its row. */
static const struct db_query lock_seats = {
	"lock-seats",
	"SELECT s.id FROM " SQL_IDS_TO_LOCK_BY
	" STRAIGHT_JOIN seat s FORCE INDEX (PRIMARY) ON s.id = d.id"
	" FOR UPDATE"};

/* No locks: concert and schedule rows are everybody's. All by primary keys. */
static const struct db_query read_seats = {
	"read-seats",
	"SELECT s.id, s.price, s.is_active, s.seat_number, c.name,"
	" " SQL_US("h.open_at") ", " SQL_US("h.close_at") ","
	" " SQL_US("h.booking_start_at") ", " SQL_US("h.booking_end_at") ","
	" s.deleted_at IS NOT NULL OR h.deleted_at IS NOT NULL OR c.deleted_at IS NOT NULL"
	" FROM " SQL_IDS
	" STRAIGHT_JOIN seat s FORCE INDEX (PRIMARY) ON s.id = d.id"
	" STRAIGHT_JOIN concert_schedule h FORCE INDEX (PRIMARY) ON h.id = s.concert_schedule_id"
	" STRAIGHT_JOIN concert c FORCE INDEX (PRIMARY) ON c.id = h.concert_id"};

/* No locks: whoever changes a seat's reservations holds its row. By primary keys: what a payment
 * paid for, which may be over. */
static const struct db_query find_bought = {
	"find-bought",
	"SELECT " HOLD_COLUMNS " FROM " SQL_IDS
	" STRAIGHT_JOIN payment p FORCE INDEX (PRIMARY) ON p.id = d.id"
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (PRIMARY) ON r.id = p.reservation_id"};

/* Locks seat_reservation by seat_reservation_live_seat: at most one row for each seat. */
static const struct db_query lock_holds = {
	"lock-holds",
	"SELECT " HOLD_COLUMNS " FROM " SQL_IDS_TO_LOCK_BY
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (seat_reservation_live_seat)"
	" ON r.live_seat_id = d.id"
	" FOR UPDATE"};

/* Locks waiting_queue by primary key, ascending; the user's row is only read. */
static const struct db_query lock_tickets = {
	"lock-tickets",
	"SELECT w.id, w.user_id, w.status,"
	" " SQL_US("w.admitted_at") ", " SQL_US("w.expired_at") ","
	" (SELECT u.uuid FROM user u WHERE u.id = w.user_id)"
	" FROM " SQL_IDS_TO_LOCK_BY
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY) ON w.id = d.id"
	" FOR UPDATE"};

/* No locks: the ticket's row is held, so it gets no new hold meanwhile. By seat_reservation_ticket,
 * one row in general. */
static const struct db_query find_ticket_holds = {
	"find-ticket-holds",
	"SELECT " HOLD_COLUMNS " FROM " SQL_IDS
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (seat_reservation_ticket)"
	" ON r.ticket_id = d.id AND r.status = 'PENDING'"};

/* No locks. The newest hold of a user on a seat, by seat_reservation_seat_user. */
static const struct db_query find_past_holds = {
	"find-past-holds",
	"SELECT " HOLD_COLUMNS
	" FROM " SQL_ROWS(SQL_COLUMN("seat", "BIGINT") ", " SQL_COLUMN("user", "BIGINT"))
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (PRIMARY) ON r.id ="
	" (SELECT MAX(x.id) FROM seat_reservation x FORCE INDEX (seat_reservation_seat_user)"
	" WHERE x.seat_id = d.seat AND x.user_id = d.user)"};

/* No locks: a payment never changes while its reservation's row is held. By payment_reservation, the payer by
 * primary key. */
static const struct db_query find_payments = {
	"find-payments",
	"SELECT d.slot, p.id, p.job_id, p.total_amount, " SQL_US("p.created_at") ","
	" p.seat_number, p.concert_name, " SQL_US("p.open_date") ", " SQL_US("p.close_date") ","
	" p.refund_job_id, (SELECT u.uuid FROM user u WHERE u.id = p.user_id)"
	" FROM " SQL_ROWS(SQL_COLUMN("slot", "INT") ", " SQL_COLUMN("id", "BIGINT"))
	" STRAIGHT_JOIN payment p FORCE INDEX (payment_reservation) ON p.reservation_id = d.id"};
/* clang-format on */

const struct db_query *const seat_load_queries[] = {
	&lock_seats,        &read_seats,      &find_bought,   &lock_holds, &lock_tickets,
	&find_ticket_holds, &find_past_holds, &find_payments, NULL};

static int64_t seat_of(const struct job *job)
{
	return job->seat;
}

static int64_t ticket_of(const struct job *job)
{
	return job->ticket;
}

/* Puts the distinct ids that a batch's jobs name into the rows, ascending: the order in which locks
 * are taken. */
static void gather_ids(struct rows *rows, const struct batch *batch,
		       int64_t (*id_of)(const struct job *))
{
	int64_t *ids = mem_array(NULL, batch->count, sizeof *ids);
	for (size_t i = 0; i < batch->count; i++)
		ids[i] = id_of(&batch->entries[i].job);
	size_t count = rows_sort_ids(ids, batch->count);
	rows_clear(rows);
	for (size_t i = 0; i < count; i++) {
		rows_next(rows);
		rows_int(rows, "id", ids[i]);
	}
	free(ids);
}

static enum err take_nothing(void *arg, const struct db_row *row)
{
	(void)arg;
	(void)row;
	return ERR_OK;
}

static enum err take_seat(void *arg, const struct db_row *row)
{
	struct seat *seat = seat_world_add_seat(arg, db_row_int(row, 0));
	seat->price = db_row_int(row, 1);
	seat->is_active = db_row_int(row, 2) != 0;
	db_row_text(row, 3, seat->number, sizeof seat->number);
	db_row_text(row, 4, seat->concert_name, sizeof seat->concert_name);
	seat->open_us = db_row_int(row, 5);
	seat->close_us = db_row_int(row, 6);
	seat->booking_start_us = db_row_int(row, 7);
	seat->booking_end_us = db_row_int(row, 8);
	seat->is_deleted = db_row_int(row, 9) != 0;
	return ERR_OK;
}

static size_t add_hold(struct seat_world *world, const struct db_row *row)
{
	char status[16];
	db_row_text(row, 8, status, sizeof status);
	const struct hold hold = {.id = db_row_int(row, 0),
				  .job = db_row_id(row, 1),
				  .seat_id = db_row_int(row, 2),
				  .user_id = db_row_int(row, 3),
				  .ticket_id = db_row_int(row, 4),
				  .price = db_row_int(row, 5),
				  .created_us = db_row_int(row, 6),
				  .expires_us = db_row_int(row, 7),
				  .status = hold_status_from(status),
				  .was = hold_status_from(status)};
	return seat_world_add_hold(world, &hold);
}

static enum err take_hold(void *arg, const struct db_row *row)
{
	add_hold(arg, row);
	return ERR_OK;
}

/* A ticket has one hold in time at most; of several PENDING ones that is the one that ends last. */
static enum err take_ticket_hold(void *arg, const struct db_row *row)
{
	struct seat_world *world = arg;
	size_t index = add_hold(world, row);
	struct ticket *ticket = seat_world_ticket(world, world->holds[index].ticket_id);
	if (ticket && (ticket->hold == WORLD_NONE ||
		       world->holds[ticket->hold].expires_us < world->holds[index].expires_us))
		ticket->hold = index;
	return ERR_OK;
}

static enum err take_ticket(void *arg, const struct db_row *row)
{
	struct ticket *ticket = seat_world_add_ticket(arg, db_row_int(row, 0));
	char status[16];
	db_row_text(row, 2, status, sizeof status);
	ticket->user_id = db_row_int(row, 1);
	ticket->status = ticket_status_from(status);
	ticket->admitted_us = db_row_int(row, 3);
	ticket->expires_us = db_row_int(row, 4);
	ticket->user = db_row_id(row, 5);
	return ERR_OK;
}

static enum err take_payment(void *arg, const struct db_row *row)
{
	struct payment *payment = seat_world_add_payment(arg, (size_t)db_row_int(row, 0));
	payment->id = db_row_int(row, 1);
	payment->job = db_row_id(row, 2);
	payment->amount = db_row_int(row, 3);
	payment->created_us = db_row_int(row, 4);
	db_row_text(row, 5, payment->seat_number, sizeof payment->seat_number);
	db_row_text(row, 6, payment->concert_name, sizeof payment->concert_name);
	payment->open_us = db_row_int(row, 7);
	payment->close_us = db_row_int(row, 8);
	payment->is_refunded = !db_row_is_null(row, 9);
	payment->refund_job = db_row_id(row, 9);
	payment->payer = db_row_id(row, 10);
	return ERR_OK;
}

/* What refunds name. Before the live holds, which are newer. */
static enum err load_bought(struct seat_store *store, const struct batch *batch)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->entries[i].job.kind != JOB_REFUND)
			continue;
		rows_next(rows);
		rows_int(rows, "id", batch->entries[i].job.payment);
	}
	return db_store_select(&store->base, &find_bought, take_hold, &store->world);
}

static enum err load_seats(struct seat_store *store, const struct batch *batch)
{
	struct rows *rows = &store->base.rows;
	gather_ids(rows, batch, seat_of);
	enum err err = db_store_select(&store->base, &lock_seats, take_nothing, NULL);
	if (!err)
		err = db_store_select(&store->base, &read_seats, take_seat, &store->world);
	if (!err)
		err = load_bought(store, batch);
	gather_ids(rows, batch, seat_of);
	if (!err)
		err = db_store_select(&store->base, &lock_holds, take_hold, &store->world);
	return err;
}

static enum err load_tickets(struct seat_store *store, const struct batch *batch)
{
	struct rows *rows = &store->base.rows;
	gather_ids(rows, batch, ticket_of);
	enum err err = db_store_select(&store->base, &lock_tickets, take_ticket, &store->world);
	if (!err)
		err = db_store_select(&store->base, &find_ticket_holds, take_ticket_hold,
				      &store->world);
	return err;
}

static bool asks_for_past(const struct job *job)
{
	return job->kind == JOB_PAY || job->kind == JOB_CANCEL;
}

/* What became of the payer's earlier hold, and of seats that are paid for already. */
static enum err load_past(struct seat_store *store, const struct batch *batch)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < batch->count; i++) {
		const struct job *job = &batch->entries[i].job;
		const struct ticket *ticket = seat_world_ticket(&store->world, job->ticket);
		if (!asks_for_past(job) || !ticket)
			continue;
		rows_next(rows);
		rows_int(rows, "seat", job->seat);
		rows_int(rows, "user", ticket->user_id);
	}
	enum err err = db_store_select(&store->base, &find_past_holds, take_hold, &store->world);
	if (err)
		return err;
	rows_clear(rows);
	for (size_t i = 0; i < store->world.hold_count; i++) {
		const struct hold *hold = &store->world.holds[i];
		if (hold->status != HOLD_PAID && hold->status != HOLD_REFUNDED)
			continue;
		rows_next(rows);
		rows_int(rows, "slot", (int64_t)i);
		rows_int(rows, "id", store->world.holds[i].id);
	}
	return db_store_select(&store->base, &find_payments, take_payment, &store->world);
}

static void add_account(struct seat_store *store, const struct id *user, int64_t user_id)
{
	struct account *account = ledger_account(&store->world.ledger, user);
	account->user_id = user_id;
	account->exists = true;
}

static enum err load_cash(struct seat_store *store, const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct job *job = &batch->entries[i].job;
		const struct ticket *ticket = seat_world_ticket(&store->world, job->ticket);
		const struct payment *payment =
			job->kind == JOB_REFUND ? seat_world_payment(&store->world, job->payment)
						: NULL;
		if (job->kind == JOB_PAY && ticket)
			add_account(store, &ticket->user, ticket->user_id);
		else if (payment)
			add_account(store, &payment->payer,
				    store->world.holds[payment->hold].user_id);
	}
	return cash_store_lock(&store->base, &store->world.ledger);
}

enum err seat_store_load(void *self, const struct batch *batch)
{
	struct seat_store *store = self;
	seat_world_clear(&store->world);
	enum err err = load_seats(store, batch);
	if (!err)
		err = load_tickets(store, batch);
	if (!err)
		err = load_past(store, batch);
	return err ? err : load_cash(store, batch);
}
