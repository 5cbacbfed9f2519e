#include "seat_store.h"

#include <stdlib.h>

#include "mem.h"
#include "seat_rules.h"

#define IDS "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id')) d"
#define JOB_IDS "JSON_TABLE(?, '$[*]' COLUMNS (job CHAR(32) PATH '$.job')) d"
#define HOLD_COLUMNS                                                                               \
	"r.id, r.job_id, r.seat_id, r.user_id, r.ticket_id, r.price, " SQL_US("r.created_at") ", " SQL_US( \
		"r.expires_at") ", r.status"

/* Locks seat by primary key, ascending: whoever changes a seat's reservations holds its row. */
static const struct db_query lock_seats = {
	"lock-seats", "SELECT s.id FROM " IDS " STRAIGHT_JOIN seat s ON s.id = d.id FOR UPDATE"};

/* No locks: concert and schedule rows are everybody's. All by primary keys. */
static const struct db_query read_seats = {
	"read-seats",
	"SELECT s.id, s.price, s.is_active, s.seat_number, c.name, " SQL_US("h.open_at") ", " SQL_US(
		"h.close_at") ", " SQL_US("h.booking_start_at") ", " SQL_US("h.booking_end_at")
	" FROM " IDS " STRAIGHT_JOIN seat s ON s.id = d.id AND s.deleted_at IS NULL"
	" STRAIGHT_JOIN concert_schedule h ON h.id = s.concert_schedule_id"
	" STRAIGHT_JOIN concert c ON c.id = h.concert_id"};

/* Locks seat_reservation by seat_reservation_live_seat: at most one row for each seat. */
static const struct db_query lock_holds = {
	"lock-holds", "SELECT " HOLD_COLUMNS " FROM " IDS
		      " STRAIGHT_JOIN seat_reservation r ON r.live_seat_id = d.id FOR UPDATE"};

/* Locks waiting_queue by primary key, ascending; the user's row is only read. */
static const struct db_query lock_tickets = {
	"lock-tickets",
	"SELECT w.id, w.user_id, w.status, " SQL_US("w.admitted_at") ", " SQL_US(
		"w.expired_at") ", (SELECT u.uuid FROM user u WHERE u.id = w.user_id)"
				" FROM " IDS " STRAIGHT_JOIN waiting_queue w ON w.id = d.id FOR UPDATE"};

/* No locks: the ticket's row is held, so it gets no new hold meanwhile. By seat_reservation_ticket,
 * one row in general. */
static const struct db_query find_ticket_holds = {
	"find-ticket-holds",
	"SELECT " HOLD_COLUMNS " FROM " IDS
	" STRAIGHT_JOIN seat_reservation r ON r.ticket_id = d.id AND r.status = 'PENDING'"};

/* No locks. The newest hold of a user on a seat, by seat_reservation_seat_user. */
static const struct db_query find_past_holds = {
	"find-past-holds",
	"SELECT " HOLD_COLUMNS " FROM JSON_TABLE(?, '$[*]' COLUMNS (seat BIGINT PATH '$.seat',"
	" user BIGINT PATH '$.user')) d STRAIGHT_JOIN seat_reservation r ON r.id ="
	" (SELECT MAX(x.id) FROM seat_reservation x WHERE x.seat_id = d.seat"
	" AND x.user_id = d.user)"};

/* No locks: a payment never changes while its reservation's row is held. By payment_reservation. */
static const struct db_query find_payments = {
	"find-payments",
	"SELECT p.id, p.job_id, p.reservation_id, p.total_amount, " SQL_US("p.created_at") ", p.seat_number,"
	" p.concert_name, " SQL_US("p.open_date") ", " SQL_US("p.close_date") " FROM " IDS
	" STRAIGHT_JOIN payment p ON p.reservation_id = d.id"};

/* Changes seat_reservation by primary key; the status guards against whoever was faster. */
static const struct db_query update_holds = {
	"update-holds",
	"UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', status VARCHAR(16) PATH"
	" '$.status', now BIGINT PATH '$.now')) d"
	" STRAIGHT_JOIN seat_reservation r ON r.id = d.id AND r.status = 'PENDING'"
	" SET r.status = d.status, r.updated_at = " SQL_TIME("d.now")};

/* Inserts one row for each new hold; a second live one on a seat is ERR_DB_DUPLICATE. */
static const struct db_query insert_holds = {
	"insert-holds",
	"INSERT INTO seat_reservation (seat_id, user_id, ticket_id, job_id, status, price,"
	" expires_at, created_at, updated_at) SELECT d.seat, d.user, d.ticket, UNHEX(d.job),"
	" d.status, d.price, " SQL_TIME("d.expires") ", " SQL_TIME("d.now") ", " SQL_TIME("d.now")
	" FROM JSON_TABLE(?, '$[*]' COLUMNS (seat BIGINT PATH '$.seat', user BIGINT PATH '$.user',"
	" ticket BIGINT PATH '$.ticket', job CHAR(32) PATH '$.job', status VARCHAR(16) PATH"
	" '$.status', price INT PATH '$.price', expires BIGINT PATH '$.expires', now BIGINT PATH"
	" '$.now')) d"};

/* No locks. By seat_reservation_job: numbers of a bulk insert need not be consecutive. */
static const struct db_query find_hold_ids = {
	"find-hold-ids", "SELECT r.job_id, r.id FROM " JOB_IDS
			 " STRAIGHT_JOIN seat_reservation r ON r.job_id = UNHEX(d.job)"};

/* Inserts one row for each payment; a second one for a reservation is ERR_DB_DUPLICATE. */
static const struct db_query insert_payments = {
	"insert-payments",
	"INSERT INTO payment (user_id, reservation_id, job_id, seat_number, concert_name,"
	" open_date, close_date, total_amount, status, created_at, updated_at)"
	" SELECT d.user, d.hold, UNHEX(d.job), d.number, d.concert, " SQL_TIME("d.opens") ", " SQL_TIME(
		"d.closes") ", d.amount, 'PAID', " SQL_TIME("d.now") ", " SQL_TIME("d.now")
	" FROM JSON_TABLE(?, '$[*]' COLUMNS (user BIGINT PATH '$.user', hold BIGINT PATH '$.hold',"
	" job CHAR(32) PATH '$.job', number VARCHAR(8) PATH '$.number', concert VARCHAR(200) PATH"
	" '$.concert', opens BIGINT PATH '$.opens', closes BIGINT PATH '$.closes', amount BIGINT"
	" PATH '$.amount', now BIGINT PATH '$.now')) d"};

/* No locks. By payment_job. */
static const struct db_query find_payment_ids = {
	"find-payment-ids", "SELECT p.job_id, p.id FROM " JOB_IDS
			    " STRAIGHT_JOIN payment p ON p.job_id = UNHEX(d.job)"};

/* Changes waiting_queue by primary key: rows that lock-tickets has locked. */
static const struct db_query update_tickets = {
	"update-tickets",
	"UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', status VARCHAR(16) PATH"
	" '$.status', expires BIGINT PATH '$.expires', now BIGINT PATH '$.now')) d"
	" STRAIGHT_JOIN waiting_queue w ON w.id = d.id"
	" SET w.status = d.status, w.expired_at = " SQL_TIME("d.expires") ", w.updated_at = " SQL_TIME(
		"d.now")};

/* Locks what it finds until its own end (autocommit), skipping what others have locked. By
 * seat_reservation_due. */
static const struct db_query find_overdue = {
	"find-overdue", "SELECT r.job_id, r.seat_id FROM seat_reservation r"
			" WHERE r.status = 'PENDING' AND r.expires_at <= NOW(6)"
			" ORDER BY r.expires_at LIMIT 500 FOR UPDATE SKIP LOCKED"};

const struct db_query *const seat_store_queries[] = {
	&lock_seats,	 &read_seats,	    &lock_holds,      &lock_tickets,   &find_ticket_holds,
	&find_past_holds, &find_payments,    &update_holds,    &insert_holds,   &find_hold_ids,
	&insert_payments, &find_payment_ids, &update_tickets, &find_overdue,   NULL};

/* Loading ------------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

/* Puts the distinct ids into the rows, ascending: the order in which locks are taken. */
static void gather_ids(struct rows *rows, int64_t *ids, size_t count)
{
	qsort(ids, count, sizeof *ids, ascending);
	rows_clear(rows);
	for (size_t i = 0; i < count; i++) {
		if (!ids[i] || (i && ids[i] == ids[i - 1]))
			continue;
		rows_next(rows);
		rows_int(rows, "id", ids[i]);
	}
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
				  .status = hold_status_from(status)};
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
	struct seat_world *world = arg;
	int64_t reservation_id = db_row_int(row, 2);
	size_t hold = 0;
	while (hold < world->hold_count && world->holds[hold].id != reservation_id)
		hold++;
	if (hold == world->hold_count)
		return ERR_DB_DATA;
	struct payment *payment = seat_world_add_payment(world);
	payment->id = db_row_int(row, 0);
	payment->job = db_row_id(row, 1);
	payment->hold = hold;
	payment->amount = db_row_int(row, 3);
	payment->created_us = db_row_int(row, 4);
	db_row_text(row, 5, payment->seat_number, sizeof payment->seat_number);
	db_row_text(row, 6, payment->concert_name, sizeof payment->concert_name);
	payment->open_us = db_row_int(row, 7);
	payment->close_us = db_row_int(row, 8);
	return ERR_OK;
}

static enum err load_seats(struct seat_store *store, const struct batch *batch)
{
	int64_t *ids = mem_array(NULL, batch->count, sizeof *ids);
	for (size_t i = 0; i < batch->count; i++)
		ids[i] = batch->entries[i].job.seat;
	struct rows *rows = &store->base.rows;
	gather_ids(rows, ids, batch->count);
	free(ids);
	enum err err = db_store_select(&store->base, &lock_seats, take_nothing, NULL);
	if (!err)
		err = db_select(store->base.db, &read_seats, rows->text.bytes, rows->text.length,
				take_seat, &store->world);
	if (!err)
		err = db_select(store->base.db, &lock_holds, rows->text.bytes, rows->text.length,
				take_hold, &store->world);
	return err;
}

static enum err load_tickets(struct seat_store *store, const struct batch *batch)
{
	int64_t *ids = mem_array(NULL, batch->count, sizeof *ids);
	for (size_t i = 0; i < batch->count; i++)
		ids[i] = batch->entries[i].job.ticket;
	struct rows *rows = &store->base.rows;
	gather_ids(rows, ids, batch->count);
	free(ids);
	enum err err = db_store_select(&store->base, &lock_tickets, take_ticket, &store->world);
	if (!err && rows->count)
		err = db_select(store->base.db, &find_ticket_holds, rows->text.bytes,
				rows->text.length, take_ticket_hold, &store->world);
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
		if (store->world.holds[i].status != HOLD_PAID)
			continue;
		rows_next(rows);
		rows_int(rows, "id", store->world.holds[i].id);
	}
	return db_store_select(&store->base, &find_payments, take_payment, &store->world);
}

static enum err load_cash(struct seat_store *store, const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct job *job = &batch->entries[i].job;
		const struct ticket *ticket = seat_world_ticket(&store->world, job->ticket);
		if (job->kind != JOB_PAY || !ticket)
			continue;
		struct account *account = ledger_account(&store->world.ledger, &ticket->user);
		account->user_id = ticket->user_id;
		account->exists = true;
	}
	return cash_store_lock(&store->base, &store->world.ledger);
}

static enum err load(void *self, const struct batch *batch)
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

/* Writing ------------------------------------------------------------------------------------ */

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
static enum err write(void *self, const struct batch *batch)
{
	struct seat_store *store = self;
	enum err err = write_changed_holds(store, batch->now_us);
	if (!err)
		err = write_new_holds(store, batch->now_us);
	if (!err)
		err = write_new_payments(store, batch->now_us);
	if (!err)
		err = cash_store_write(&store->base, &store->world.ledger, batch->now_us);
	return err ? err : write_changed_tickets(store, batch->now_us);
}

static enum err take_overdue(void *arg, const struct db_row *row)
{
	struct job job = {.kind = JOB_EXPIRE, .attempt = 1, .id = id_ordered()};
	job.hold = db_row_id(row, 0);
	job.seat = db_row_int(row, 1);
	batch_add(arg, &job);
	return ERR_OK;
}

enum err seat_store_find_overdue(struct seat_store *store, struct batch *batch)
{
	return db_select(store->base.db, &find_overdue, NULL, 0, take_overdue, batch);
}

void seat_store_init(struct seat_store *store, struct db *db, const struct conf *conf)
{
	*store = (struct seat_store){.base = {.db = db}};
	store->world.policy = hold_policy_from(conf);
}

void seat_store_fini(struct seat_store *store)
{
	rows_fini(&store->base.rows);
	seat_world_fini(&store->world);
}

struct store seat_store_interface(struct seat_store *store)
{
	return (struct store){.self = store,
			      .begin = db_store_begin,
			      .commit = db_store_commit,
			      .rollback = db_store_rollback,
			      .clock = db_store_clock,
			      .find_outcomes = db_store_find_outcomes,
			      .save_outcomes = db_store_save_outcomes,
			      .load = load,
			      .write = write};
}
