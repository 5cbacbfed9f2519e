/* The store of seats: what the rules changed, written back. */
#include "seat_store.h"

#define JOB_IDS "JSON_TABLE(?, '$[*]' COLUMNS (job CHAR(32) PATH '$.job')) d"

/* Changes seat_reservation by primary key; the status guards against whoever was faster. */
static const struct db_query update_holds = {
	"update-holds",
	"UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', status VARCHAR(16) PATH"
	" '$.status', now BIGINT PATH '$.now')) d"
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (PRIMARY)"
	" ON r.id = d.id AND r.status = 'PENDING'"
	" SET r.status = d.status, r.updated_at = " SQL_TIME("d.now")};

/* Inserts one row for each new hold; a second live one on a seat is ERR_DB_DUPLICATE. */
static const struct db_query insert_holds = {
	"insert-holds",
	"INSERT INTO seat_reservation (seat_id, user_id, ticket_id, job_id, status, price,"
	" expires_at, created_at, updated_at) SELECT d.seat, d.user, d.ticket, UNHEX(d.job),"
	" d.status, d.price, " SQL_TIME("d.expires") ", " SQL_TIME("d.now") ", " SQL_TIME(
		"d.now") " FROM JSON_TABLE(?, '$[*]' COLUMNS (seat BIGINT PATH '$.seat', user "
			 "BIGINT PATH '$.user',"
			 " ticket BIGINT PATH '$.ticket', job CHAR(32) PATH '$.job', status "
			 "VARCHAR(16) PATH"
			 " '$.status', price INT PATH '$.price', expires BIGINT PATH '$.expires', "
			 "now BIGINT PATH"
			 " '$.now')) d"};

/* No locks. By seat_reservation_job: numbers of a bulk insert need not be consecutive. */
static const struct db_query find_hold_ids = {
	"find-hold-ids", "SELECT r.job_id, r.id FROM " JOB_IDS
			 " STRAIGHT_JOIN seat_reservation r FORCE INDEX (seat_reservation_job)"
			 " ON r.job_id = UNHEX(d.job)"};

/* Inserts one row for each payment; a second one for a reservation is ERR_DB_DUPLICATE. */
static const struct db_query
	insert_payments = {"insert-payments", "INSERT INTO payment (user_id, reservation_id, "
					      "job_id, seat_number, concert_name,"
					      " open_date, close_date, total_amount, status, "
					      "created_at, updated_at)"
					      " SELECT d.user, d.hold, UNHEX(d.job), d.number, "
					      "d.concert, " SQL_TIME("d.opens") ", " SQL_TIME("d."
											      "clos"
											      "es") ", d.amount, 'PAID', " SQL_TIME(
						      "d.now") ", " SQL_TIME("d.now") " FROM "
										      "JSON_TABLE(?"
										      ", '$[*]' "
										      "COLUMNS "
										      "(user "
										      "BIGINT PATH "
										      "'$.user', "
										      "hold BIGINT "
										      "PATH "
										      "'$.hold',"
										      " job "
										      "CHAR(32) "
										      "PATH "
										      "'$.job', "
										      "number "
										      "VARCHAR(8) "
										      "PATH "
										      "'$.number', "
										      "concert "
										      "VARCHAR(200)"
										      " PATH"
										      " '$.concert'"
										      ", opens "
										      "BIGINT PATH "
										      "'$.opens', "
										      "closes "
										      "BIGINT PATH "
										      "'$.closes', "
										      "amount "
										      "BIGINT"
										      " PATH "
										      "'$.amount', "
										      "now BIGINT "
										      "PATH "
										      "'$.now')) "
										      "d"};

/* No locks. By payment_job. */
static const struct db_query find_payment_ids = {
	"find-payment-ids",
	"SELECT p.job_id, p.id FROM " JOB_IDS
	" STRAIGHT_JOIN payment p FORCE INDEX (payment_job) ON p.job_id = UNHEX(d.job)"};

/* Changes waiting_queue by primary key: rows that lock-tickets has locked. */
static const struct db_query update_tickets = {
	"update-tickets",
	"UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', status VARCHAR(16) PATH"
	" '$.status', expires BIGINT PATH '$.expires', now BIGINT PATH '$.now')) d"
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY) ON w.id = d.id"
	" SET w.status = d.status, w.expired_at = " SQL_TIME(
		"d.expires") ", w.updated_at = " SQL_TIME("d.now")};

const struct db_query *const seat_write_queries[] = {
	&update_holds,   &insert_holds, &find_hold_ids, &insert_payments, &find_payment_ids,
	&update_tickets, NULL};

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
		rows_int(rows, "now", now_us);
	}
	return db_store_run(&store->base, &update_holds, rows->count);
}

static enum err take_hold_id(void *arg, const struct db_row *row)
{
	struct seat_world *world = arg;
	struct id job = db_row_id(row, 0);
	for (size_t i = 0; i < world->hold_count; i++)
		if (!world->holds[i].id && id_equal(&world->holds[i].job, &job))
			world->holds[i].id = db_row_int(row, 1);
	return ERR_OK;
}

static enum err write_new_holds(struct seat_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < store->world.hold_count; i++) {
		const struct hold *hold = &store->world.holds[i];
		if (hold->id)
			continue;
		rows_next(rows);
		rows_int(rows, "seat", hold->seat_id);
		rows_int(rows, "user", hold->user_id);
		rows_int(rows, "ticket", hold->ticket_id);
		rows_id(rows, "job", &hold->job);
		rows_string(rows, "status", hold_status_name(hold->status));
		rows_int(rows, "price", hold->price);
		rows_int(rows, "expires", hold->expires_us);
		rows_int(rows, "now", now_us);
	}
	enum err err = db_store_run(&store->base, &insert_holds, rows->count);
	if (!err && rows->count)
		err = db_select(store->base.db, &find_hold_ids, rows->text.bytes, rows->text.length,
				take_hold_id, &store->world);
	return err;
}

static enum err take_payment_id(void *arg, const struct db_row *row)
{
	struct seat_world *world = arg;
	struct id job = db_row_id(row, 0);
	for (size_t i = 0; i < world->payment_count; i++)
		if (!world->payments[i].id && id_equal(&world->payments[i].job, &job))
			world->payments[i].id = db_row_int(row, 1);
	return ERR_OK;
}

static enum err write_new_payments(struct seat_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < store->world.payment_count; i++) {
		const struct payment *payment = &store->world.payments[i];
		if (payment->id)
			continue;
		const struct hold *hold = &store->world.holds[payment->hold];
		rows_next(rows);
		rows_int(rows, "user", hold->user_id);
		rows_int(rows, "hold", hold->id);
		rows_id(rows, "job", &payment->job);
		rows_string(rows, "number", payment->seat_number);
		rows_string(rows, "concert", payment->concert_name);
		rows_int(rows, "opens", payment->open_us);
		rows_int(rows, "closes", payment->close_us);
		rows_int(rows, "amount", payment->amount);
		rows_int(rows, "now", now_us);
	}
	enum err err = db_store_run(&store->base, &insert_payments, rows->count);
	if (!err && rows->count)
		err = db_select(store->base.db, &find_payment_ids, rows->text.bytes,
				rows->text.length, take_payment_id, &store->world);
	return err;
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
		err = cash_store_write(&store->base, &store->world.ledger);
	return err ? err : write_changed_tickets(store, batch->now_us);
}
