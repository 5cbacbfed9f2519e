#include "catalogue_records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql.h"
#include "text.h"

#define CONFLICTS_MOST 10 /* with workers that hold seats, until it is told */

/* clang-format off */
/* A lock of the server's: one change of the catalogue at a time. It ends with the session. */
static const struct db_query lock_catalogue = {
	"catalogue-lock", "SELECT GET_LOCK('boxoffice.catalogue', 10)"};

/* Walks through the concerts: there are few, and names have no key. */
static const struct db_query find_concert = {
	"catalogue-concert",
	"SELECT c.id FROM concert c WHERE c.name = " SQL_TEXT("name")
	" AND c.deleted_at IS NULL ORDER BY c.id LIMIT 1"};

/* By primary key. */
static const struct db_query find_concert_by_id = {
	"catalogue-concert-id",
	"SELECT c.id FROM concert c WHERE c.id = " SQL_NUMBER("id") " AND c.deleted_at IS NULL"};

/* Inserts one row. */
static const struct db_query insert_concert = {
	"catalogue-add-concert",
	"INSERT INTO concert (name, created_at, updated_at) SELECT d.name, SYSDATE(6), SYSDATE(6)"
	" FROM " SQL_ROWS(SQL_COLUMN("name", "VARCHAR(200)"))};

/* By concert_schedule_concert. */
static const struct db_query find_schedule = {
	"catalogue-schedule",
	"SELECT h.id, " SQL_US("h.close_at") ", " SQL_US("h.booking_start_at") ", "
	SQL_US("h.booking_end_at")
	" FROM " SQL_ROWS(SQL_COLUMN("concert", "BIGINT") ", " SQL_COLUMN("open", "BIGINT"))
	" STRAIGHT_JOIN concert_schedule h FORCE INDEX (concert_schedule_concert)"
	" ON h.concert_id = d.concert AND h.open_at = " SQL_TIME("d.open") " AND h.deleted_at IS NULL"
	" ORDER BY h.id LIMIT 1"};

/* Inserts one row. */
static const struct db_query insert_schedule = {
	"catalogue-add-schedule",
	"INSERT INTO concert_schedule (concert_id, total_seats, open_at, close_at, booking_start_at,"
	" booking_end_at, created_at, updated_at)"
	" SELECT d.concert, 0, " SQL_TIME("d.open") ", " SQL_TIME("d.close") ", " SQL_TIME("d.start")
	", " SQL_TIME("d.end") ", SYSDATE(6), SYSDATE(6)"
	" FROM " SQL_ROWS(SQL_COLUMN("concert", "BIGINT") ", "
			  SQL_COLUMN("open", "BIGINT") ", "
			  SQL_COLUMN("close", "BIGINT") ", "
			  SQL_COLUMN("start", "BIGINT") ", "
			  SQL_COLUMN("end", "BIGINT"))};

/* Locks and changes one row by primary key; counts by seat_number_of_schedule. */
static const struct db_query count_seats = {
	"catalogue-count-seats",
	"UPDATE " SQL_IDS " STRAIGHT_JOIN concert_schedule h FORCE INDEX (PRIMARY) ON h.id = d.id"
	" SET h.total_seats = (SELECT COUNT(*) FROM seat s FORCE INDEX (seat_number_of_schedule)"
	" WHERE s.concert_schedule_id = d.id AND s.deleted_at IS NULL), h.updated_at = SYSDATE(6)"};

#define SEAT_KEY                                                                        \
	" STRAIGHT_JOIN seat s FORCE INDEX (seat_number_of_schedule)"                       \
	" ON s.concert_schedule_id = d.schedule AND s.seat_number = d.number"

/* The seats that are there and differ: by seat_number_of_schedule. */
static const struct db_query find_different = {
	"catalogue-different-seats",
	"SELECT s.seat_number FROM " SQL_ROWS(SQL_COLUMN("schedule", "BIGINT") ", "
					      SQL_COLUMN("number", "VARCHAR(8)") ", "
					      SQL_COLUMN("price", "INT") ", "
					      SQL_COLUMN("sale", "INT"))
	SEAT_KEY " WHERE s.price <> d.price OR s.is_active <> d.sale OR s.deleted_at IS NOT NULL"};

/* Inserts the seats that are not there, found by seat_number_of_schedule. */
static const struct db_query insert_seats = {
	"catalogue-add-seats",
	"INSERT INTO seat (concert_schedule_id, seat_number, price, is_active, created_at, updated_at)"
	" SELECT d.schedule, d.number, d.price, d.sale, SYSDATE(6), SYSDATE(6)"
	" FROM " SQL_ROWS(SQL_COLUMN("schedule", "BIGINT") ", "
			  SQL_COLUMN("number", "VARCHAR(8)") ", "
			  SQL_COLUMN("price", "INT") ", "
			  SQL_COLUMN("sale", "INT"))
	" LEFT JOIN seat s FORCE INDEX (seat_number_of_schedule)"
	" ON s.concert_schedule_id = d.schedule AND s.seat_number = d.number WHERE s.id IS NULL"};

/* Locks and changes seats by seat_number_of_schedule; what is not given stays. */
static const struct db_query update_seats = {
	"catalogue-set-seats",
	"UPDATE " SQL_ROWS(SQL_COLUMN("schedule", "BIGINT") ", "
			   SQL_COLUMN("number", "VARCHAR(8)") ", "
			   SQL_COLUMN("price", "INT") ", "
			   SQL_COLUMN("sale", "INT"))
	SEAT_KEY " AND s.deleted_at IS NULL"
	" SET s.price = COALESCE(d.price, s.price), s.is_active = COALESCE(d.sale, s.is_active),"
	" s.updated_at = SYSDATE(6)"};

/* Inserts one row. */
static const struct db_query insert_change = {
	"catalogue-record",
	"INSERT INTO catalogue_change (changed_by, changed_at, concert_id, schedule_id, what)"
	" SELECT d.who, SYSDATE(6), d.concert, d.schedule, d.what"
	" FROM " SQL_ROWS(SQL_COLUMN("who", "VARCHAR(100)") ", "
			  SQL_COLUMN("concert", "BIGINT") ", "
			  SQL_COLUMN("schedule", "BIGINT") ", "
			  SQL_COLUMN("what", "VARCHAR(500)"))};

/* Walks through the concerts, and by concert_schedule_concert through their schedules. */
static const struct db_query list_concerts = {
	"catalogue-list-concerts",
	"SELECT c.id, c.name, (SELECT COUNT(*) FROM concert_schedule h"
	" FORCE INDEX (concert_schedule_concert) WHERE h.concert_id = c.id AND h.deleted_at IS NULL)"
	" FROM concert c WHERE c.deleted_at IS NULL ORDER BY c.id"};

/* Walks through the schedules; of each the seats by seat_number_of_schedule, of these the live
 * reservation by seat_reservation_live_seat. */
static const struct db_query list_schedules = {
	"catalogue-list-schedules",
	"SELECT h.id, h.concert_id, " SQL_US("h.open_at") ", " SQL_US("h.close_at") ", "
	SQL_US("h.booking_start_at") ", " SQL_US("h.booking_end_at") ", COUNT(s.id),"
	" COALESCE(SUM(r.status = 'PENDING'), 0), COALESCE(SUM(r.status = 'PAID'), 0)"
	" FROM concert_schedule h LEFT JOIN seat s FORCE INDEX (seat_number_of_schedule)"
	" ON s.concert_schedule_id = h.id AND s.deleted_at IS NULL"
	" LEFT JOIN seat_reservation r FORCE INDEX (seat_reservation_live_seat) ON r.live_seat_id = s.id"
	" WHERE h.deleted_at IS NULL AND " SQL_NUMBER("concert") " IN (0, h.concert_id)"
	" GROUP BY h.id ORDER BY h.id"};

/* By seat_number_of_schedule and seat_reservation_live_seat. */
static const struct db_query list_seats = {
	"catalogue-list-seats",
	"SELECT s.id, s.seat_number, s.price, s.is_active, r.status FROM " SQL_IDS
	" STRAIGHT_JOIN seat s FORCE INDEX (seat_number_of_schedule)"
	" ON s.concert_schedule_id = d.id AND s.deleted_at IS NULL"
	" LEFT JOIN seat_reservation r FORCE INDEX (seat_reservation_live_seat) ON r.live_seat_id = s.id"
	" ORDER BY CAST(s.seat_number AS UNSIGNED), s.seat_number"};

/* The end of the primary key. */
static const struct db_query list_changes = {
	"catalogue-list-changes",
	"SELECT " SQL_US("k.changed_at") ", k.changed_by, k.concert_id, k.schedule_id, k.what"
	" FROM catalogue_change k ORDER BY k.id DESC LIMIT 100"};
/* clang-format on */

const struct db_query *const catalogue_records_queries[] = {
	&lock_catalogue, &find_concert,    &find_concert_by_id, &insert_concert,
	&find_schedule,  &insert_schedule, &count_seats,        &find_different,
	&insert_seats,   &update_seats,    &insert_change,      &list_concerts,
	&list_schedules, &list_seats,      &list_changes,       NULL};

/* A change as it is made. */
struct change {
	struct db *db;
	const char *by;
	struct catalogue_done *done;
	char why[CATALOGUE_WHY_SIZE];
	struct text json;
};

static enum err take_number(void *arg, const struct db_row *row)
{
	*(int64_t *)arg = db_row_int(row, 0);
	return ERR_OK;
}

static enum err select_one(struct change *change, const struct db_query *query, db_row_fn *fn,
			   void *arg)
{
	text_puts(&change->json, "]");
	enum err err =
		db_select(change->db, query, change->json.bytes, change->json.length, fn, arg);
	text_clear(&change->json);
	return err;
}

static enum err run(struct change *change, const struct db_query *query, uint64_t *affected)
{
	text_puts(&change->json, "]");
	enum err err = db_run(change->db, query, change->json.bytes, change->json.length, affected);
	text_clear(&change->json);
	return err;
}

/* What is recorded beside the change, in its transaction. */
static enum err record(struct change *change, int64_t concert, int64_t schedule, const char *what)
{
	text_puts(&change->json, "[{\"who\":");
	text_json_string(&change->json, change->by);
	if (concert != 0)
		text_printf(&change->json, ",\"concert\":%" PRId64, concert);
	if (schedule != 0)
		text_printf(&change->json, ",\"schedule\":%" PRId64, schedule);
	text_puts(&change->json, ",\"what\":");
	text_json_string(&change->json, what);
	text_puts(&change->json, "}");
	return run(change, &insert_change, NULL);
}

static enum err find_or_add_concert(struct change *change, const struct catalogue_concert *concert,
				    int64_t *id)
{
	enum err err;

	*id = 0;
	if (concert->id != 0) {
		text_printf(&change->json, "[{\"id\":%" PRId64 "}", concert->id);
		err = select_one(change, &find_concert_by_id, take_number, id);
		if (err == ERR_OK && *id == 0)
			snprintf(change->why, CATALOGUE_WHY_SIZE, "there is no concert %" PRId64,
				 concert->id);
		return err == ERR_OK && *id == 0 ? ERR_CONF : err;
	}
	text_puts(&change->json, "[{\"name\":");
	text_json_string(&change->json, concert->name);
	text_puts(&change->json, "}");
	struct text name = {0};
	text_add(&name, change->json.bytes, change->json.length);
	err = select_one(change, &find_concert, take_number, id);
	if (err == ERR_OK && *id == 0) {
		text_add(&change->json, name.bytes, name.length);
		err = run(change, &insert_concert, NULL);
		text_add(&change->json, name.bytes, name.length);
		if (err == ERR_OK)
			err = select_one(change, &find_concert, take_number, id);
		text_clear(&change->json);
		if (err == ERR_OK)
			err = record(change, *id, 0, "concert added");
		change->done->concerts++;
	}
	text_fini(&name);
	return err;
}

struct schedule_row {
	int64_t id, close_us, start_us, end_us;
};

static enum err take_schedule(void *arg, const struct db_row *row)
{
	*(struct schedule_row *)arg = (struct schedule_row){db_row_int(row, 0), db_row_int(row, 1),
							    db_row_int(row, 2), db_row_int(row, 3)};
	return ERR_OK;
}

static enum err find_schedule_row(struct change *change, int64_t concert, int64_t open_us,
				  struct schedule_row *found)
{
	*found = (struct schedule_row){0};
	text_printf(&change->json, "[{\"concert\":%" PRId64 ",\"open\":%" PRId64 "}", concert,
		    open_us);
	return select_one(change, &find_schedule, take_schedule, found);
}

static enum err find_or_add_schedule(struct change *change, int64_t concert,
				     const struct catalogue_schedule *schedule, int64_t *id)
{
	struct schedule_row found;
	enum err err = find_schedule_row(change, concert, schedule->open_us, &found);

	if (err != ERR_OK)
		return err;
	if (found.id != 0 &&
	    (found.close_us != schedule->close_us || found.start_us != schedule->booking_start_us ||
	     found.end_us != schedule->booking_end_us)) {
		snprintf(change->why, CATALOGUE_WHY_SIZE,
			 "schedule %" PRId64 " is there with other times", found.id);
		return ERR_CONF;
	}
	if (found.id == 0) {
		text_printf(&change->json,
			    "[{\"concert\":%" PRId64 ",\"open\":%" PRId64 ",\"close\":%" PRId64
			    ",\"start\":%" PRId64 ",\"end\":%" PRId64 "}",
			    concert, schedule->open_us, schedule->close_us,
			    schedule->booking_start_us, schedule->booking_end_us);
		err = run(change, &insert_schedule, NULL);
		if (err == ERR_OK)
			err = find_schedule_row(change, concert, schedule->open_us, &found);
		if (err == ERR_OK)
			err = record(change, concert, found.id, "schedule added");
		change->done->schedules++;
	}
	*id = found.id;
	return err;
}

static void put_seats(struct change *change, int64_t schedule, const struct catalogue_seat *seats,
		      size_t count)
{
	text_puts(&change->json, "[");
	for (size_t i = 0; i < count; i++)
		text_printf(&change->json,
			    "%s{\"schedule\":%" PRId64 ",\"number\":\"%" PRId64
			    "\",\"price\":%" PRId64 ",\"sale\":%d}",
			    i > 0 ? "," : "", schedule, seats[i].number, seats[i].price,
			    seats[i].on_sale);
}

static enum err add_seats(struct change *change, int64_t concert, int64_t schedule,
			  const struct catalogue_schedule *described)
{
	int64_t different = 0;
	uint64_t added = 0;
	char what[64];
	enum err err;

	if (described->seat_count == 0)
		return ERR_OK;
	put_seats(change, schedule, described->seats, described->seat_count);
	err = select_one(change, &find_different, take_number, &different);
	if (err == ERR_OK && different != 0) {
		snprintf(change->why, CATALOGUE_WHY_SIZE,
			 "seat %" PRId64 " of schedule %" PRId64
			 " is there with another price or sale: \"seat set\" changes it",
			 different, schedule);
		return ERR_CONF;
	}
	put_seats(change, schedule, described->seats, described->seat_count);
	if (err == ERR_OK)
		err = run(change, &insert_seats, &added);
	text_clear(&change->json);
	if (err != ERR_OK || added == 0)
		return err;
	change->done->seats += (int64_t)added;
	text_printf(&change->json, "[{\"id\":%" PRId64 "}", schedule);
	err = run(change, &count_seats, NULL);
	snprintf(what, sizeof what, "%" PRIu64 " seats added", added);
	return err == ERR_OK ? record(change, concert, schedule, what) : err;
}

static enum err apply_concert(struct change *change, const struct catalogue_concert *concert)
{
	int64_t id = 0, schedule = 0;
	enum err err = find_or_add_concert(change, concert, &id);

	change->done->concert_id = id;
	for (size_t i = 0; i < concert->schedule_count && err == ERR_OK; i++) {
		err = find_or_add_schedule(change, id, &concert->schedules[i], &schedule);
		change->done->schedule_id = schedule;
		if (err == ERR_OK)
			err = add_seats(change, id, schedule, &concert->schedules[i]);
	}
	return err;
}

/* Begins a transaction in which nobody else changes the catalogue. The lock is the session's, and
 * inside a transaction no other session takes a lost one's place. */
static enum err begin(struct db *db)
{
	int64_t is_locked = 0;
	enum err err = db_begin(db);

	if (err == ERR_OK)
		err = db_select(db, &lock_catalogue, NULL, 0, take_number, &is_locked);
	if (err == ERR_OK && is_locked != 1)
		err = ERR_TIMEOUT;
	if (err != ERR_OK)
		db_rollback(db);
	return err;
}

static enum err end(struct change *change, enum err err)
{
	text_fini(&change->json);
	if (err == ERR_OK)
		err = db_commit(change->db);
	if (err != ERR_OK)
		db_rollback(change->db);
	return err;
}

enum err catalogue_records_apply(struct db *db, const struct catalogue *catalogue, const char *by,
				 struct catalogue_done *done, char why[static CATALOGUE_WHY_SIZE])
{
	struct change change = {.db = db, .by = by, .done = done};
	enum err err = begin(db);

	*done = (struct catalogue_done){0};
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < catalogue->concert_count && err == ERR_OK; i++)
		err = apply_concert(&change, &catalogue->concerts[i]);
	memcpy(why, change.why, CATALOGUE_WHY_SIZE);
	return end(&change, err);
}

/* Changing seats ---------------------------------------------------------------------------- */

static enum err set_once(struct change *change, int64_t schedule, const int64_t *numbers,
			 size_t count, int64_t price, int sale)
{
	uint64_t found = 0;
	char what[160];
	int length = snprintf(what, sizeof what, "%zu seats from %" PRId64 " to %" PRId64 ":",
			      count, numbers[0], numbers[count - 1]);
	enum err err;

	text_puts(&change->json, "[");
	for (size_t i = 0; i < count; i++) {
		text_printf(&change->json, "%s{\"schedule\":%" PRId64 ",\"number\":\"%" PRId64 "\"",
			    i > 0 ? "," : "", schedule, numbers[i]);
		if (price > 0)
			text_printf(&change->json, ",\"price\":%" PRId64, price);
		if (sale >= 0)
			text_printf(&change->json, ",\"sale\":%d", sale);
		text_puts(&change->json, "}");
	}
	err = run(change, &update_seats, &found);
	if (err == ERR_OK && found != count)
		return ERR_NOT_FOUND;
	if (price > 0)
		length += snprintf(what + length, sizeof what - (size_t)length, " price=%" PRId64,
				   price);
	if (sale >= 0)
		snprintf(what + length, sizeof what - (size_t)length, " on-sale=%s",
			 sale ? "yes" : "no");
	return err == ERR_OK ? record(change, 0, schedule, what) : err;
}

enum err catalogue_records_set(struct db *db, int64_t schedule, const int64_t *numbers,
			       size_t count, int64_t price, int sale, const char *by)
{
	struct catalogue_done done = {0};
	enum err err = ERR_DB_CONFLICT;

	for (int i = 0; i < CONFLICTS_MOST && err == ERR_DB_CONFLICT; i++) {
		struct change change = {.db = db, .by = by, .done = &done};

		err = begin(db);
		if (err == ERR_OK)
			err = end(&change,
				  set_once(&change, schedule, numbers, count, price, sale));
	}
	return err;
}

/* Looking ----------------------------------------------------------------------------------- */

enum err catalogue_records_concerts(struct db *db, db_row_fn *fn, void *arg)
{
	return db_select(db, &list_concerts, NULL, 0, fn, arg);
}

enum err catalogue_records_schedules(struct db *db, int64_t concert, db_row_fn *fn, void *arg)
{
	char json[48];

	snprintf(json, sizeof json, "[{\"concert\":%" PRId64 "}]", concert);
	return db_select(db, &list_schedules, json, strlen(json), fn, arg);
}

enum err catalogue_records_seats(struct db *db, int64_t schedule, db_row_fn *fn, void *arg)
{
	char json[48];

	snprintf(json, sizeof json, "[{\"id\":%" PRId64 "}]", schedule);
	return db_select(db, &list_seats, json, strlen(json), fn, arg);
}

enum err catalogue_records_changes(struct db *db, db_row_fn *fn, void *arg)
{
	return db_select(db, &list_changes, NULL, 0, fn, arg);
}
