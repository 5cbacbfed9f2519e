/* The store of seats: what the rules changed, written back. */
#include "seat_store.h"

/* clang-format off */
/* Changes seat_reservation by primary key; the status guards against whoever was faster. */
static const struct db_query update_holds = {
	"update-holds",
	"UPDATE " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", "
			   SQL_COLUMN("status", "VARCHAR(16)") ", "
			   SQL_COLUMN("was", "VARCHAR(16)") ", "
			   SQL_COLUMN("now", "BIGINT"))
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (PRIMARY)"
	" ON r.id = d.id AND r.status = d.was"
	" SET r.status = d.status, r.updated_at = " SQL_TIME("d.now")};

/* Inserts one row for each new hold; a second live one on a seat is ERR_DB_DUPLICATE. */
static const struct db_query insert_holds = {
	"insert-holds",
	"INSERT INTO seat_reservation (seat_id, user_id, ticket_id, job_id, status, price,"
	" expires_at, created_at, updated_at)"
	" VALUES (?, ?, ?, ?, ?, ?, " SQL_TIME("?") ", " SQL_TIME("?") ", " SQL_TIME("?") ")"};

/* No locks. By seat_reservation_job: numbers of a bulk insert need not be consecutive. */
static const struct db_query find_hold_ids = {
	"find-hold-ids",
	"SELECT d.slot, r.id FROM " SQL_ROWS(SQL_COLUMN("slot", "INT") ", " SQL_COLUMN("job", "CHAR(32)"))
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (seat_reservation_job)"
	" ON r.job_id = UNHEX(d.job)"};

/* Inserts one row for each payment; a second one for a reservation is ERR_DB_DUPLICATE. */
static const struct db_query insert_payments = {
	"insert-payments",
	"INSERT INTO payment (user_id, reservation_id, job_id, seat_number, concert_name,"
	" open_date, close_date, total_amount, status, created_at, updated_at)"
	" VALUES (?, ?, ?, ?, ?, " SQL_TIME("?") ", " SQL_TIME("?") ", ?, 'PAID',"
	" " SQL_TIME("?") ", " SQL_TIME("?") ")"};

/* Changes payment by primary key; the status guards against a second refund. */
static const struct db_query update_payments = {
	"update-payments",
	"UPDATE " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", "
			   SQL_COLUMN("job", "CHAR(32)") ", "
			   SQL_COLUMN("now", "BIGINT"))
	" STRAIGHT_JOIN payment p FORCE INDEX (PRIMARY) ON p.id = d.id AND p.status = 'PAID'"
	" SET p.status = 'REFUNDED', p.refund_job_id = UNHEX(d.job),"
	" p.updated_at = " SQL_TIME("d.now")};

/* No locks. By payment_job. */
static const struct db_query find_payment_ids = {
	"find-payment-ids",
	"SELECT d.slot, p.id FROM " SQL_ROWS(SQL_COLUMN("slot", "INT") ", " SQL_COLUMN("job", "CHAR(32)"))
	" STRAIGHT_JOIN payment p FORCE INDEX (payment_job) ON p.job_id = UNHEX(d.job)"};

/* Changes waiting_queue by primary key: rows that lock-tickets has locked. */
static const struct db_query update_tickets = {
	"update-tickets",
	"UPDATE " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", "
			   SQL_COLUMN("status", "VARCHAR(16)") ", "
			   SQL_COLUMN("expires", "BIGINT") ", "
			   SQL_COLUMN("now", "BIGINT"))
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY) ON w.id = d.id"
	" SET w.status = d.status, w.expired_at = " SQL_TIME("d.expires") ","
	" w.updated_at = " SQL_TIME("d.now")};
/* clang-format on */

const struct db_query *const seat_write_queries[] = {
	&update_holds,    &insert_holds,     &find_hold_ids,  &insert_payments,
	&update_payments, &find_payment_ids, &update_tickets, NULL};

static enum err write_changed_holds(struct seat_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < store->world.hold_count; i++) {
		const struct hold *hold = &store->world.holds[i];
		if (!hold->is_changed || !hold->id)
			continue;
		rows_next(rows);
		rows_int(rows, "id", hold->id);
		rows_string(rows, "status", hold_status_name(hold->status));
		rows_string(rows, "was", hold_status_name(hold->was));
		rows_int(rows, "now", now_us);
	}
	return db_store_run(&store->base, &update_holds, rows->count);
}

static enum err take_hold_id(void *arg, const struct db_row *row)
{
	struct seat_world *world = arg;
	world->holds[db_row_int(row, 0)].id = db_row_int(row, 1);
	return ERR_OK;
}

static enum err write_new_holds(struct seat_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	struct cells *cells = &store->base.cells;
	rows_clear(rows);
	cells_clear(cells);
	for (size_t i = 0; i < store->world.hold_count; i++) {
		const struct hold *hold = &store->world.holds[i];
		if (hold->id)
			continue;
		rows_next(rows);
		rows_int(rows, "slot", (int64_t)i);
		rows_id(rows, "job", &hold->job);
		cells_next(cells);
		cells_int(cells, hold->seat_id);
		cells_int(cells, hold->user_id);
		cells_int(cells, hold->ticket_id);
		cells_id(cells, &hold->job);
		cells_string(cells, hold_status_name(hold->status));
		cells_int(cells, hold->price);
		cells_int(cells, hold->expires_us);
		cells_int(cells, now_us);
		cells_int(cells, now_us);
	}
	enum err err = db_store_insert(&store->base, &insert_holds);
	if (!err)
		err = db_store_select(&store->base, &find_hold_ids, take_hold_id, &store->world);
	return err;
}

static enum err take_payment_id(void *arg, const struct db_row *row)
{
	struct seat_world *world = arg;
	world->payments[db_row_int(row, 0)].id = db_row_int(row, 1);
	return ERR_OK;
}

static enum err write_new_payments(struct seat_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	struct cells *cells = &store->base.cells;
	rows_clear(rows);
	cells_clear(cells);
	for (size_t i = 0; i < store->world.payment_count; i++) {
		const struct payment *payment = &store->world.payments[i];
		if (payment->id)
			continue;
		const struct hold *hold = &store->world.holds[payment->hold];
		rows_next(rows);
		rows_int(rows, "slot", (int64_t)i);
		rows_id(rows, "job", &payment->job);
		cells_next(cells);
		cells_int(cells, hold->user_id);
		cells_int(cells, hold->id);
		cells_id(cells, &payment->job);
		cells_string(cells, payment->seat_number);
		cells_string(cells, payment->concert_name);
		cells_int(cells, payment->open_us);
		cells_int(cells, payment->close_us);
		cells_int(cells, payment->amount);
		cells_int(cells, now_us);
		cells_int(cells, now_us);
	}
	enum err err = db_store_insert(&store->base, &insert_payments);
	if (!err)
		err = db_store_select(&store->base, &find_payment_ids, take_payment_id,
				      &store->world);
	return err;
}

static enum err write_refunds(struct seat_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < store->world.payment_count; i++) {
		const struct payment *payment = &store->world.payments[i];
		if (!payment->is_changed)
			continue;
		rows_next(rows);
		rows_int(rows, "id", payment->id);
		rows_id(rows, "job", &payment->refund_job);
		rows_int(rows, "now", now_us);
	}
	return db_store_run(&store->base, &update_payments, rows->count);
}

static enum err write_changed_tickets(struct seat_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < store->world.ticket_count; i++) {
		const struct ticket *ticket = &store->world.tickets[i];
		if (!ticket->is_changed)
			continue;
		rows_next(rows);
		rows_int(rows, "id", ticket->id);
		rows_string(rows, "status", ticket_status_name(ticket->status));
		rows_int(rows, "expires", ticket->expires_us);
		rows_int(rows, "now", now_us);
	}
	return db_store_run(&store->base, &update_tickets, rows->count);
}

/* Each table once; releases before inserts, so that a seat that became free in this batch can be
 * held anew in the same. */
enum err seat_store_write(void *self, const struct batch *batch)
{
	struct seat_store *store = self;
	enum err err = write_changed_holds(store, batch->now_us);
	if (!err)
		err = write_new_holds(store, batch->now_us);
	if (!err)
		err = write_new_payments(store, batch->now_us);
	if (!err)
		err = write_refunds(store, batch->now_us);
	if (!err)
		err = cash_store_write(&store->base, &store->world.ledger);
	return err ? err : write_changed_tickets(store, batch->now_us);
}
