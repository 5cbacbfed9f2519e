#include "draw_records.h"

#include <stdio.h>

#include "sql.h"
#include "text.h"

/* clang-format off */
/* One row by the end of the primary key; the gate's by primary key. */
static const struct db_query select_newest = {
	"ctl-draw",
	"SELECT " DRAW_COLUMNS ", " SQL_US("SYSDATE(6)") ","
	" (SELECT g.last_ticket FROM gate_state g WHERE g.id = 1)"
	" FROM gate_draw d ORDER BY d.id DESC LIMIT 1"};

/* Inserts one row; a second one that is live is ERR_DB_DUPLICATE. */
static const struct db_query insert_draw = {
	"ctl-plan-draw",
	"INSERT INTO gate_draw (state, opens_at, zone, public_name, secret, commitment, changed_by,"
	" created_at, updated_at)"
	" SELECT 'joining', " SQL_TIME("d.opens") ", d.zone, d.name, UNHEX(d.secret),"
	" UNHEX(d.commitment), d.who, SYSDATE(6), SYSDATE(6)"
	" FROM " SQL_ROWS(SQL_COLUMN("opens", "BIGINT") ", "
			  SQL_COLUMN("zone", "VARCHAR(64)") ", "
			  SQL_COLUMN("name", "VARCHAR(200)") ", "
			  SQL_COLUMN("secret", "CHAR(64)") ", "
			  SQL_COLUMN("commitment", "CHAR(64)") ", "
			  SQL_COLUMN("who", "VARCHAR(100)"))
	" WHERE " SQL_TIME("d.opens") " > SYSDATE(6)"};

/* Locks and changes one row, by gate_draw_live. */
static const struct db_query move_draw = {
	"ctl-move-draw",
	"UPDATE " SQL_ROWS(SQL_COLUMN("opens", "BIGINT") ", "
			   SQL_COLUMN("zone", "VARCHAR(64)") ", "
			   SQL_COLUMN("who", "VARCHAR(100)"))
	" STRAIGHT_JOIN gate_draw w FORCE INDEX (gate_draw_live)"
	" ON w.live = 1 AND w.state = 'joining' AND w.opens_at > SYSDATE(6)"
	" SET w.opens_at = " SQL_TIME("d.opens") ", w.zone = d.zone, w.changed_by = d.who,"
	" w.updated_at = SYSDATE(6)"
	" WHERE " SQL_TIME("d.opens") " > SYSDATE(6)"};

/* Locks and changes one row, by gate_draw_live. Once: whoever knew the roster could choose otherwise. */
static const struct db_query reveal_draw = {
	"ctl-reveal-draw",
	"UPDATE " SQL_ROWS(SQL_COLUMN("value", "VARCHAR(200)") ", "
			   SQL_COLUMN("who", "VARCHAR(100)"))
	" STRAIGHT_JOIN gate_draw w FORCE INDEX (gate_draw_live)"
	" ON w.live = 1 AND w.state = 'closed' AND w.roster IS NOT NULL AND w.public_value IS NULL"
	" SET w.public_value = d.value, w.changed_by = d.who, w.updated_at = SYSDATE(6)"};

/* The draw by primary key, one row that makes a range of its tickets; these by primary key, each user
 * by primary key. */
static const struct db_query select_roster = {
	"ctl-roster",
	"SELECT w.id, u.uuid FROM gate_draw d FORCE INDEX (PRIMARY)"
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY)"
	" ON w.id BETWEEN d.first_ticket AND d.last_ticket"
	" STRAIGHT_JOIN user u ON u.id = w.user_id"
	" WHERE d.id = " SQL_NUMBER("id") " ORDER BY w.id"};
/* clang-format on */

const struct db_query *const draw_records_queries[] = {&select_newest, &insert_draw,   &move_draw,
						       &reveal_draw,   &select_roster, NULL};

static enum err take_newest(void *arg, const struct db_row *row)
{
	struct draw_now *draw = arg;
	const struct draw_record *record = &draw->record;

	draw_record_read(row, &draw->record);
	draw->now_us = db_row_int(row, 12);
	if (record->first != 0)
		draw->joined = (record->last != 0 ? record->last : db_row_int(row, 13)) -
			       record->first + 1;
	return ERR_OK;
}

enum err draw_records_newest(struct db *db, struct draw_now *draw)
{
	*draw = (struct draw_now){0};
	return db_select(db, &select_newest, NULL, 0, take_newest, draw);
}

static void put_string(struct text *json, const char *name, const char *value)
{
	text_printf(json, ",\"%s\":", name);
	text_json_string(json, value);
}

static void put_digest(struct text *json, const char *name,
		       const uint8_t bytes[static DRAW_DIGEST_SIZE])
{
	text_printf(json, ",\"%s\":\"", name);
	for (size_t i = 0; i < DRAW_DIGEST_SIZE; i++)
		text_printf(json, "%02X", bytes[i]);
	text_putc(json, '"');
}

/* Ends the array, runs the statement and frees the text. */
static enum err run(struct db *db, const struct db_query *query, struct text *json, bool *is_done)
{
	uint64_t affected = 0;
	enum err err;

	text_puts(json, "}]");
	err = db_run(db, query, json->bytes, json->length, &affected);
	text_fini(json);
	*is_done = err == ERR_OK && affected == 1;
	return err;
}

enum err draw_records_plan(struct db *db, int64_t opens_us, const char *zone,
			   const char *public_name, const uint8_t secret[static DRAW_DIGEST_SIZE],
			   const char *by, bool *is_done)
{
	uint8_t commitment[DRAW_DIGEST_SIZE];
	struct text json = {0};

	draw_commit(secret, commitment);
	text_printf(&json, "[{\"opens\":%lld", (long long)opens_us);
	put_string(&json, "zone", zone);
	put_string(&json, "name", public_name);
	put_digest(&json, "secret", secret);
	put_digest(&json, "commitment", commitment);
	put_string(&json, "who", by);
	return run(db, &insert_draw, &json, is_done);
}

enum err draw_records_move(struct db *db, int64_t opens_us, const char *zone, const char *by,
			   bool *is_done)
{
	struct text json = {0};

	text_printf(&json, "[{\"opens\":%lld", (long long)opens_us);
	put_string(&json, "zone", zone);
	put_string(&json, "who", by);
	return run(db, &move_draw, &json, is_done);
}

enum err draw_records_reveal(struct db *db, const char *public_value, const char *by, bool *is_done)
{
	struct text json = {0};

	text_puts(&json, "[{\"value\":");
	text_json_string(&json, public_value);
	put_string(&json, "who", by);
	return run(db, &reveal_draw, &json, is_done);
}

struct entries {
	draw_entry_fn *fn;
	void *arg;
};

static enum err take_entry(void *arg, const struct db_row *row)
{
	const struct entries *entries = arg;
	struct id user = db_row_id(row, 1);
	uint8_t mask[DRAW_DIGEST_SIZE];

	draw_mask_user(&user, mask);
	entries->fn(entries->arg, db_row_int(row, 0), mask);
	return ERR_OK;
}

enum err draw_records_roster(struct db *db, int64_t id, draw_entry_fn *fn, void *arg)
{
	struct entries entries = {.fn = fn, .arg = arg};
	char json[48];
	int length = snprintf(json, sizeof json, "[{\"id\":%lld}]", (long long)id);

	return db_select(db, &select_roster, json, (size_t)length, take_entry, &entries);
}
