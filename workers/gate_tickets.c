#include "gate_tickets.h"

/* clang-format off */
/* Locks waiting_queue by primary key, ascending; then the end of its last hold, by
 * seat_reservation_ticket, is read. */
static const struct db_query lock_tickets = {
	"lock-gate-tickets",
	"SELECT w.id, w.user_id, w.place, w.status, " SQL_US("w.admitted_at") ","
	" " SQL_US("w.expired_at") ", " SQL_US("w.show_up_by") ", " SQL_US("w.arrived_at") ","
	" " SQL_US("w.seen_at") ", " SQL_US("w.aside_until") ", w.out_seq,"
	" (SELECT " SQL_US("MAX(r.expires_at)")
	" FROM seat_reservation r FORCE INDEX (seat_reservation_ticket)"
	" WHERE r.ticket_id = w.id AND r.status = 'PENDING')"
	" FROM " SQL_IDS_TO_LOCK_BY
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY) ON w.id = d.id"
	" FOR UPDATE"};

/* Changes waiting_queue by primary key, ascending. */
static const struct db_query update_tickets = {
	"update-gate-tickets",
	"UPDATE " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", "
			   SQL_COLUMN("status", "VARCHAR(16)") ", "
			   SQL_COLUMN("admitted", "BIGINT") ", "
			   SQL_COLUMN("expires", "BIGINT") ", "
			   SQL_COLUMN("late", "BIGINT") ", "
			   SQL_COLUMN("arrived", "BIGINT") ", "
			   SQL_COLUMN("seen", "BIGINT") ", "
			   SQL_COLUMN("aside", "BIGINT") ", "
			   SQL_COLUMN("seq", "BIGINT") ", "
			   SQL_COLUMN("now", "BIGINT"))
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY) ON w.id = d.id"
	" SET w.status = d.status, w.admitted_at = " SQL_TIME("d.admitted") ","
	" w.expired_at = " SQL_TIME("d.expires") ", w.show_up_by = " SQL_TIME("d.late") ","
	" w.arrived_at = " SQL_TIME("d.arrived") ", w.seen_at = " SQL_TIME("d.seen") ","
	" w.aside_until = " SQL_TIME("d.aside") ", w.out_seq = d.seq,"
	" w.updated_at = " SQL_TIME("d.now")};

/* Inserts one row for each ticket; a second live one of a user is ERR_DB_DUPLICATE. */
static const struct db_query insert_tickets = {
	"insert-tickets",
	"INSERT INTO waiting_queue (id, user_id, place, job_id, status, seen_at, out_seq, created_at,"
	" updated_at)"
	" VALUES (?, ?, ?, ?, ?, " SQL_TIME("?") ", ?, " SQL_TIME("?") ", " SQL_TIME("?") ")"};
/* clang-format on */

const struct db_query *const gate_tickets_queries[] = {&lock_tickets, &update_tickets,
						       &insert_tickets, NULL};

struct gate_ticket gate_tickets_from_row(const struct db_row *row)
{
	char status[16];
	db_row_text(row, 3, status, sizeof status);
	return (struct gate_ticket){
		.id = db_row_int(row, 0),
		.user_id = db_row_int(row, 1),
		.place = db_row_int(row, 2),
		.status = ticket_status_from(status),
		.admitted_us = db_row_int(row, 4),
		.expires_us = db_row_int(row, 5),
		.show_up_us = db_row_int(row, 6),
		.arrived_us = db_row_int(row, 7),
		.seen_us = db_row_int(row, 8),
		.aside_us = db_row_int(row, 9),
		.out_seq = db_row_int(row, 10),
		.hold_until_us = db_row_int(row, 11),
	};
}

enum err gate_tickets_lock(struct db_store *store, db_row_fn *take, void *arg)
{
	return db_store_select(store, &lock_tickets, take, arg);
}

/* A member that stays away is NULL. */
static void put(struct rows *rows, const char *name, int64_t value)
{
	if (value)
		rows_int(rows, name, value);
}

static void put_changed(struct rows *rows, const struct gate_ticket *ticket, int64_t now_us)
{
	rows_next(rows);
	rows_int(rows, "id", ticket->id);
	rows_string(rows, "status", ticket_status_name(ticket->status));
	put(rows, "admitted", ticket->admitted_us);
	put(rows, "expires", ticket->expires_us);
	put(rows, "late", ticket->show_up_us);
	put(rows, "arrived", ticket->arrived_us);
	put(rows, "seen", ticket->seen_us);
	put(rows, "aside", ticket->aside_us);
	put(rows, "seq", ticket->out_seq);
	rows_int(rows, "now", now_us);
}

static void put_new(struct cells *cells, const struct gate_ticket *ticket, int64_t now_us)
{
	cells_next(cells);
	cells_int(cells, ticket->id);
	cells_int(cells, ticket->user_id);
	cells_int_or_null(cells, ticket->place);
	cells_id(cells, &ticket->job);
	cells_string(cells, ticket_status_name(ticket->status));
	cells_int(cells, now_us);
	cells_int_or_null(cells, ticket->out_seq);
	cells_int(cells, now_us);
	cells_int(cells, now_us);
}

/* Changes first: they may free the user of a new one. */
enum err gate_tickets_write(struct db_store *store, const struct gate_ticket *tickets, size_t count,
			    int64_t now_us)
{
	struct rows *rows = &store->rows;
	rows_clear(rows);
	for (size_t i = 0; i < count; i++)
		if (tickets[i].is_changed && !tickets[i].is_new)
			put_changed(rows, &tickets[i], now_us);
	enum err err = db_store_run(store, &update_tickets, DB_STORE_ANY);
	if (err)
		return err;
	cells_clear(&store->cells);
	for (size_t i = 0; i < count; i++)
		if (tickets[i].is_new)
			put_new(&store->cells, &tickets[i], now_us);
	return db_store_insert(store, &insert_tickets);
}
