/* The SQL of snapshots: five plain reads, no locks. */
#include "snapshot_store.h"

#include <string.h>

#include "clock.h"
#include "mem.h"
#include "sql.h"

/* clang-format off */
/* One row: the state by primary key, the newest policy by the end of its primary key. */
const struct db_query snapshot_store_gate = {
	"snapshot_gate",
	"SELECT " SQL_US("SYSDATE(6)") ", g.served, g.per_minute,"
	" (SELECT p.state FROM gate_policy p ORDER BY p.id DESC LIMIT 1)"
	" FROM gate_state g WHERE g.id = 1"};

/* As many rows as are admitted now, by waiting_queue_status; each user by primary key. */
const struct db_query snapshot_store_tickets = {
	"snapshot_tickets",
	"SELECT w.id, u.uuid, " SQL_US("w.expired_at")
	" FROM waiting_queue w FORCE INDEX (waiting_queue_status)"
	" STRAIGHT_JOIN user u ON u.id = w.user_id"
	" WHERE w.status = 'ACTIVE'"};

/* All concerts, in the order of their primary key. */
const struct db_query snapshot_store_concerts = {
	"snapshot_concerts",
	"SELECT c.id, c.name FROM concert c WHERE c.deleted_at IS NULL ORDER BY c.id"};

/* All schedules, in the order of their primary key. */
const struct db_query snapshot_store_schedules = {
	"snapshot_schedules",
	"SELECT s.id, s.concert_id, s.total_seats, " SQL_US("s.open_at") ", " SQL_US("s.close_at") ","
	" " SQL_US("s.booking_start_at") ", " SQL_US("s.booking_end_at")
	" FROM concert_schedule s WHERE s.deleted_at IS NULL ORDER BY s.id"};

/* The seats that can still be booked: of each schedule by seat_number_of_schedule, the live
 * reservation of each by seat_reservation_live_seat. */
const struct db_query snapshot_store_seats = {
	"snapshot_seats",
	"SELECT t.id, t.concert_schedule_id, t.seat_number, t.price, t.is_active, r.status,"
	" " SQL_US("r.expires_at")
	" FROM concert_schedule s"
	" STRAIGHT_JOIN seat t ON t.concert_schedule_id = s.id"
	" LEFT JOIN seat_reservation r ON r.live_seat_id = t.id"
	" WHERE s.deleted_at IS NULL AND t.deleted_at IS NULL AND s.booking_end_at > SYSDATE(6)"};
/* clang-format on */

/* Room for one more item of size bytes at the end of a list. */
static void *list_room(void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity == 0 ? 64 : *capacity * 2;
	return mem_array(items, *capacity, size);
}

/* Gives a new item, zeroed, at the end of the list. */
#define APPEND(list)                                                                               \
	((list)->items = list_room((list)->items, (list)->count, &(list)->capacity,                \
				   sizeof *(list)->items),                                         \
	 memset(&(list)->items[(list)->count++], 0, sizeof *(list)->items))

static enum err gate_row(void *arg, const struct db_row *row)
{
	struct snapshot *snapshot = arg;
	char state[16];

	snapshot->clock_us = db_row_int(row, 0);
	snapshot->gate.served = db_row_int(row, 1);
	snapshot->gate.per_minute = db_row_int(row, 2);
	db_row_text(row, 3, state, sizeof state);
	snapshot->gate.paused = strcmp(state, "paused") == 0;
	return ERR_OK;
}

static enum err ticket_row(void *arg, const struct db_row *row)
{
	struct snapshot *snapshot = arg;
	struct snapshot_ticket *ticket = APPEND(&snapshot->tickets);

	ticket->number = db_row_int(row, 0);
	ticket->user = db_row_id(row, 1);
	ticket->expires_us = db_row_int(row, 2);
	return ERR_OK;
}

static enum err concert_row(void *arg, const struct db_row *row)
{
	struct snapshot *snapshot = arg;
	struct snapshot_concert *concert = APPEND(&snapshot->concerts);

	concert->id = db_row_int(row, 0);
	db_row_text(row, 1, concert->name, sizeof concert->name);
	return ERR_OK;
}

static enum err schedule_row(void *arg, const struct db_row *row)
{
	struct snapshot *snapshot = arg;
	struct snapshot_schedule *schedule = APPEND(&snapshot->schedules);

	schedule->id = db_row_int(row, 0);
	schedule->concert = db_row_int(row, 1);
	schedule->total_seats = db_row_int(row, 2);
	schedule->open_us = db_row_int(row, 3);
	schedule->close_us = db_row_int(row, 4);
	schedule->booking_start_us = db_row_int(row, 5);
	schedule->booking_end_us = db_row_int(row, 6);
	return ERR_OK;
}

static enum snapshot_hold hold_of(const struct db_row *row, unsigned column)
{
	char status[16];

	if (db_row_is_null(row, column))
		return SNAPSHOT_FREE;
	db_row_text(row, column, status, sizeof status);
	return strcmp(status, "PAID") == 0 ? SNAPSHOT_PAID : SNAPSHOT_PENDING;
}

static enum err seat_row(void *arg, const struct db_row *row)
{
	struct snapshot *snapshot = arg;
	struct snapshot_seat *seat = APPEND(&snapshot->seats);

	seat->id = db_row_int(row, 0);
	seat->schedule = db_row_int(row, 1);
	db_row_text(row, 2, seat->number, sizeof seat->number);
	seat->price = db_row_int(row, 3);
	seat->is_active = db_row_int(row, 4) != 0;
	seat->hold = hold_of(row, 5);
	seat->hold_expires_us = db_row_int(row, 6);
	return ERR_OK;
}

/* The gate comes first: a ticket admitted meanwhile is then in the list of tickets though served
 * is still below it, never the other way round. */
static const struct {
	const struct db_query *query;
	db_row_fn *row;
} steps[] = {
	{&snapshot_store_gate, gate_row},        {&snapshot_store_tickets, ticket_row},
	{&snapshot_store_concerts, concert_row}, {&snapshot_store_schedules, schedule_row},
	{&snapshot_store_seats, seat_row},
};

enum err snapshot_store_load(struct db *db, struct snapshot **snapshot)
{
	struct snapshot *loading = snapshot_new();
	enum err err = loading != NULL ? ERR_OK : ERR_MEMORY;

	for (size_t i = 0; err == ERR_OK && i < sizeof steps / sizeof *steps; i++) {
		if (i == 0)
			loading->taken_us = clock_us();
		err = db_select(db, steps[i].query, NULL, 0, steps[i].row, loading);
	}
	/* No row of gate_state: the schema is not whole yet, and its clock was not read. */
	if (err == ERR_OK && loading->clock_us == 0)
		err = ERR_DB_DATA;
	if (err == ERR_OK) {
		snapshot_sort(loading);
		*snapshot = loading;
		loading = NULL;
	}
	snapshot_release(loading);
	return err;
}
