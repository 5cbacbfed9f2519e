/* The SQL of snapshots: plain reads, no locks. */
#include "snapshot_store.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "metrics.h"
#include "mem.h"
#include "sql.h"

/* clang-format off */
/* One row, by primary key. */
const struct db_query snapshot_store_gate = {
	"snapshot_gate",
	"SELECT " SQL_US("SYSDATE(6)") ", g.last_ticket, g.served, g.per_minute, g.out_seq, g.near,"
	" g.policy_state, g.message, g.draws FROM gate_state g WHERE g.id = 1"};

/* The newest row, by the end of the primary key. */
const struct db_query snapshot_store_draw = {
	"snapshot_draw",
	"SELECT " DRAW_COLUMNS " FROM gate_draw d ORDER BY d.id DESC LIMIT 1"};

/* The draws whose tickets a token can still name, in the order of the primary key: some of days. */
const struct db_query snapshot_store_drawn = {
	"snapshot_drawn",
	"SELECT d.first_ticket, d.last_ticket, d.seed FROM gate_draw d"
	" WHERE d.state = 'drawn' AND d.seed IS NOT NULL AND d.updated_at > NOW(6) - INTERVAL 8 DAY"
	" ORDER BY d.id"};

/* All who wait, by waiting_queue_line: when a front starts, and after a draw. Tickets that are not
 * drawn yet stand for the places of their draw, which are the same numbers. */
const struct db_query snapshot_store_places = {
	"snapshot_places",
	"SELECT COALESCE(w.place, w.id) FROM waiting_queue w FORCE INDEX (waiting_queue_line)"
	" WHERE w.status IN ('WAITING', 'ASIDE') ORDER BY COALESCE(w.place, w.id)"};

/* Who stopped waiting since, by waiting_queue_out. */
const struct db_query snapshot_store_changes = {
	"snapshot_changes",
	"SELECT w.out_seq, COALESCE(w.place, w.id)"
	" FROM waiting_queue w FORCE INDEX (waiting_queue_out)"
	" WHERE w.out_seq > " SQL_NUMBER("seq")};

/* As many rows as are admitted now, by waiting_queue_line; each user by primary key. */
const struct db_query snapshot_store_tickets = {
	"snapshot_tickets",
	"SELECT w.id, u.uuid, " SQL_US("w.expired_at") ", w.show_up_by IS NOT NULL, u.id"
	" FROM waiting_queue w FORCE INDEX (waiting_queue_line)"
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

/* What happened to a seat, as a number that only grows: the id of its newest reservation (a live one
 * is the newest, since a seat gets another when it is over, and what is over stays so), how far that
 * has come, and how often an operator changed the seat. Fronts compare them (seat_map.h), so a hold
 * that is over by time counts as of the moment that the statement sees, not of a later one. */
#define STAGE                                                                                      \
	"CASE WHEN r.id IS NULL THEN 3 WHEN r.status = 'PAID' THEN 2"                              \
	" WHEN r.expires_at <= NOW(6) THEN 1 ELSE 0 END"
#define VERSION                                                                                    \
	"1 + TIMESTAMPDIFF(MICROSECOND, t.created_at, t.updated_at) DIV 1000"                      \
	" + COALESCE(4 * COALESCE(r.id, (SELECT x.id"                                              \
	" FROM seat_reservation x FORCE INDEX (seat_reservation_seat)"                             \
	" WHERE x.seat_id = t.id ORDER BY x.id DESC LIMIT 1)) + " STAGE ", 0)"

/* The seats that can still be booked: of each schedule by seat_number_of_schedule, the live
 * reservation of each by seat_reservation_live_seat, the newest of a free one by
 * seat_reservation_seat. */
const struct db_query snapshot_store_seats = {
	"snapshot_seats",
	"SELECT t.id, t.concert_schedule_id, t.seat_number, t.price, t.is_active, r.status,"
	" " SQL_US("r.expires_at") ", r.status = 'PENDING' AND r.expires_at <= NOW(6), r.user_id,"
	" " VERSION
	" FROM concert_schedule s"
	" STRAIGHT_JOIN seat t FORCE INDEX (seat_number_of_schedule)"
	" ON t.concert_schedule_id = s.id"
	" LEFT JOIN seat_reservation r FORCE INDEX (seat_reservation_live_seat)"
	" ON r.live_seat_id = t.id"
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
	struct snapshot_gate *gate = &snapshot->gate;
	char state[16];

	snapshot->clock_us = db_row_int(row, 0);
	gate->last_ticket = db_row_int(row, 1);
	gate->served = db_row_int(row, 2);
	gate->per_minute = db_row_int(row, 3);
	gate->out_seq = db_row_int(row, 4);
	gate->near = db_row_int(row, 5);
	db_row_text(row, 6, state, sizeof state);
	gate->state = policy_state_from(state);
	db_row_text(row, 7, gate->message, sizeof gate->message);
	gate->draws = db_row_int(row, 8);
	return ERR_OK;
}

static enum err draw_row(void *arg, const struct db_row *row)
{
	draw_record_read(row, &((struct snapshot *)arg)->draw);
	return ERR_OK;
}

static enum err drawn_row(void *arg, const struct db_row *row)
{
	uint8_t seed[DRAW_DIGEST_SIZE];

	db_row_bytes(row, 2, seed, sizeof seed);
	return lots_add(arg, db_row_int(row, 0), db_row_int(row, 1), seed);
}

static enum err place_row(void *arg, const struct db_row *row)
{
	line_wait(arg, db_row_int(row, 0));
	return ERR_OK;
}

static enum err change_row(void *arg, const struct db_row *row)
{
	struct line *line = arg;
	int64_t seq = db_row_int(row, 0);

	line_take_out(line, db_row_int(row, 1));
	if (seq > line_seq(line))
		line_set_seq(line, seq);
	return ERR_OK;
}

static enum err ticket_row(void *arg, const struct db_row *row)
{
	struct snapshot *snapshot = arg;
	struct snapshot_ticket *ticket = APPEND(&snapshot->tickets);

	ticket->number = db_row_int(row, 0);
	ticket->user = db_row_id(row, 1);
	ticket->expires_us = db_row_int(row, 2);
	ticket->is_expected = db_row_int(row, 3) != 0;
	ticket->user_number = db_row_int(row, 4);
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
	seat->is_overdue = db_row_int(row, 7) != 0;
	seat->user_number = db_row_int(row, 8);
	seat->version = db_row_int(row, 9);
	return ERR_OK;
}

/* All who wait now. Who stops waiting meanwhile is among the changes after the gate's number. */
static enum err load_line(struct db *db, const struct snapshot_gate *gate, struct line **line)
{
	enum err err;

	*line = line_new(gate->last_ticket);
	if (*line == NULL)
		return ERR_MEMORY;
	line_set_seq(*line, gate->out_seq);
	err = db_select(db, &snapshot_store_places, NULL, 0, place_row, *line);
	if (err == ERR_OK)
		line_finish(*line);
	return err;
}

static enum err change_line(struct db *db, const struct snapshot_gate *gate, const struct line *old,
			    struct line **line)
{
	char json[48];
	int length = snprintf(json, sizeof json, "[{\"seq\":%lld}]", (long long)line_seq(old));
	enum err err = ERR_OK;

	*line = line_renew(old, gate->last_ticket);
	if (*line == NULL)
		return ERR_MEMORY;
	if (gate->out_seq != line_seq(old))
		err = db_select(db, &snapshot_store_changes, json, (size_t)length, change_row,
				*line);
	if (err == ERR_OK)
		line_finish(*line);
	return err;
}

/* A number that went back is another database's, or one that was restored: nothing is known. */
static enum err read_line(struct db *db, const struct snapshot *previous, struct snapshot *loading)
{
	const struct snapshot_gate *gate = &loading->gate;
	struct line *old = previous != NULL ? previous->line : NULL;

	if (old == NULL || previous->gate.draws != gate->draws || line_seq(old) > gate->out_seq ||
	    line_last(old) > gate->last_ticket)
		return load_line(db, gate, &loading->line);
	if (line_seq(old) < gate->out_seq || line_last(old) < gate->last_ticket)
		return change_line(db, gate, old, &loading->line);
	loading->line = line_hold(old);
	return ERR_OK;
}

static enum err read_lots(struct db *db, const struct snapshot *previous, struct snapshot *loading)
{
	int64_t version = loading->gate.draws;

	if (previous != NULL && lots_version(previous->lots) == version) {
		loading->lots = lots_hold(previous->lots);
		return ERR_OK;
	}
	loading->lots = lots_new(version);
	if (loading->lots == NULL)
		return ERR_MEMORY;
	return db_select(db, &snapshot_store_drawn, NULL, 0, drawn_row, loading->lots);
}

static const struct {
	const struct db_query *query;
	db_row_fn *row;
} steps[] = {
	{&snapshot_store_draw, draw_row},        {&snapshot_store_tickets, ticket_row},
	{&snapshot_store_concerts, concert_row}, {&snapshot_store_schedules, schedule_row},
	{&snapshot_store_seats, seat_row},
};

/* The gate comes first, then the line, then the admitted: a ticket admitted meanwhile is then among
 * these though the line still has it, never the other way round. */
static enum err load(struct db *db, const struct snapshot *previous, struct snapshot *loading)
{
	enum err err;

	loading->taken_us = clock_us();
	err = db_select(db, &snapshot_store_gate, NULL, 0, gate_row, loading);
	/* No row of gate_state: the schema is not whole yet, and its clock was not read. */
	if (err == ERR_OK && loading->clock_us == 0)
		err = ERR_DB_DATA;
	if (err == ERR_OK)
		err = read_line(db, previous, loading);
	if (err == ERR_OK)
		err = read_lots(db, previous, loading);
	for (size_t i = 0; err == ERR_OK && i < sizeof steps / sizeof *steps; i++)
		err = db_select(db, steps[i].query, NULL, 0, steps[i].row, loading);
	return err;
}

enum err snapshot_store_load(struct db *db, const struct snapshot *previous,
			     struct snapshot **snapshot)
{
	struct snapshot *loading = snapshot_new();
	enum err err = loading != NULL ? load(db, previous, loading) : ERR_MEMORY;

	if (err == ERR_OK) {
		snapshot_finish(loading);
		metrics_set(METRIC_LINE_WAITING, 0, line_count(loading->line));
		*snapshot = loading;
		loading = NULL;
	}
	snapshot_release(loading);
	return err;
}
