#include "gate_draw.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gate_state.h"
#include "log.h"
#include "mem.h"

/* clang-format off */
#define DRAW_COLUMNS                                                                        \
	"w.id, w.state, " SQL_US("w.opens_at") ", w.first_ticket, w.last_ticket,"               \
	" w.roster IS NOT NULL, w.public_value IS NOT NULL"

/* Locks one row at most, by gate_draw_live. */
static const struct db_query lock_draw = {
	"lock-draw",
	"SELECT " DRAW_COLUMNS " FROM gate_draw w FORCE INDEX (gate_draw_live) WHERE w.live = 1"
	" FOR UPDATE"};

/* No locks. By gate_draw_live. */
static const struct db_query read_draw = {
	"read-draw",
	"SELECT " DRAW_COLUMNS " FROM gate_draw w FORCE INDEX (gate_draw_live) WHERE w.live = 1"};

/* No locks. What the order follows from, by gate_draw_live. */
static const struct db_query read_lots = {
	"read-lots",
	"SELECT w.secret, w.roster, w.public_value, w.seed"
	" FROM gate_draw w FORCE INDEX (gate_draw_live) WHERE w.live = 1"};

/* Changes one row, locked before, by primary key. */
static const struct db_query update_draw = {
	"update-draw",
	"UPDATE " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", "
			   SQL_COLUMN("state", "VARCHAR(8)") ", "
			   SQL_COLUMN("low", "BIGINT") ", "
			   SQL_COLUMN("high", "BIGINT") ", "
			   SQL_COLUMN("now", "BIGINT"))
	" STRAIGHT_JOIN gate_draw w FORCE INDEX (PRIMARY) ON w.id = d.id"
	" SET w.state = d.state, w.first_ticket = d.low, w.last_ticket = d.high,"
	" w.updated_at = " SQL_TIME("d.now")};

/* Changes one row by primary key, if no other worker has. */
static const struct db_query update_roster = {
	"update-roster",
	"UPDATE " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", " SQL_COLUMN("digest", "CHAR(64)"))
	" STRAIGHT_JOIN gate_draw w FORCE INDEX (PRIMARY) ON w.id = d.id"
	" SET w.roster = UNHEX(d.digest), w.updated_at = SYSDATE(6)"
	" WHERE w.state = 'closed' AND w.roster IS NULL"};

/* The same; from here on the order is fixed and shown. */
static const struct db_query update_seed = {
	"update-seed",
	"UPDATE " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", " SQL_COLUMN("digest", "CHAR(64)"))
	" STRAIGHT_JOIN gate_draw w FORCE INDEX (PRIMARY) ON w.id = d.id"
	" SET w.seed = UNHEX(d.digest), w.revealed = w.secret, w.state = 'drawing',"
	" w.updated_at = SYSDATE(6)"
	" WHERE w.state = 'closed' AND w.roster IS NOT NULL AND w.public_value IS NOT NULL"};

/* No locks: the roster stands. The draw by gate_draw_live, one row that makes a range of its tickets;
 * these by primary key, each user by primary key. */
static const struct db_query read_roster = {
	"read-roster",
	"SELECT w.id, u.uuid FROM gate_draw d FORCE INDEX (gate_draw_live)"
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY)"
	" ON w.id BETWEEN d.first_ticket AND d.last_ticket"
	" STRAIGHT_JOIN user u ON u.id = w.user_id"
	" WHERE d.live = 1 ORDER BY w.id"};

/* No locks: gate_state is held. Tickets of the roster that have no place yet, in the same way. */
static const struct db_query read_unplaced = {
	"read-unplaced",
	"SELECT w.id FROM gate_draw d FORCE INDEX (gate_draw_live)"
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY)"
	" ON w.id BETWEEN d.first_ticket AND d.last_ticket AND w.place IS NULL"
	" WHERE d.live = 1 ORDER BY w.id LIMIT 5000"};

/* Locks and changes waiting_queue by primary key, ascending. Nobody was asked for signs of life before
 * there was a place. */
static const struct db_query place_tickets = {
	"place-tickets",
	"UPDATE " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", " SQL_COLUMN("place", "BIGINT"))
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY) ON w.id = d.id"
	" SET w.place = d.place, w.seen_at = NOW(6)"};
/* clang-format on */

const struct db_query *const gate_draw_queries[] = {
	&lock_draw,   &read_draw,   &read_lots,     &update_draw,   &update_roster,
	&update_seed, &read_roster, &read_unplaced, &place_tickets, NULL};

static enum err take_draw(void *arg, const struct db_row *row)
{
	char state[16];
	db_row_text(row, 1, state, sizeof state);
	*(struct gate_draw *)arg = (struct gate_draw){.id = db_row_int(row, 0),
						      .state = draw_state_from(state),
						      .opens_us = db_row_int(row, 2),
						      .first = db_row_int(row, 3),
						      .last = db_row_int(row, 4),
						      .has_roster = db_row_int(row, 5) != 0,
						      .has_value = db_row_int(row, 6) != 0};
	return ERR_OK;
}

enum err gate_draw_lock(struct db_store *store, struct gate_draw *draw)
{
	*draw = (struct gate_draw){0};
	return db_select(store->db, &lock_draw, NULL, 0, take_draw, draw);
}

enum err gate_draw_write(struct db_store *store, const struct gate_draw *draw, int64_t now_us)
{
	struct rows *rows = &store->rows;
	if (!draw->is_changed)
		return ERR_OK;
	rows_clear(rows);
	rows_next(rows);
	rows_int(rows, "id", draw->id);
	rows_string(rows, "state", draw_state_name(draw->state));
	if (draw->first)
		rows_int(rows, "low", draw->first);
	if (draw->last)
		rows_int(rows, "high", draw->last);
	rows_int(rows, "now", now_us);
	return db_store_run(store, &update_draw, 1);
}

static enum err run_digest(struct db_store *store, const struct db_query *query, int64_t id,
			   const uint8_t bytes[static DRAW_DIGEST_SIZE])
{
	struct rows *rows = &store->rows;
	rows_clear(rows);
	rows_next(rows);
	rows_int(rows, "id", id);
	rows_bytes(rows, "digest", bytes, DRAW_DIGEST_SIZE);
	return db_store_run(store, query, DB_STORE_ANY);
}

/* The roster --------------------------------------------------------------------------------- */

static enum err take_entry(void *arg, const struct db_row *row)
{
	struct id user = db_row_id(row, 1);
	draw_roster_add(arg, db_row_int(row, 0), &user);
	return ERR_OK;
}

static enum err digest_roster(struct db_store *store, const struct gate_draw *draw)
{
	uint8_t digest[DRAW_DIGEST_SIZE];
	struct draw_roster *roster = draw_roster_begin();
	if (!roster)
		return ERR_MEMORY;
	enum err err = db_select(store->db, &read_roster, NULL, 0, take_entry, roster);
	draw_roster_end(roster, digest);
	return err ? err : run_digest(store, &update_roster, draw->id, digest);
}

/* The order ---------------------------------------------------------------------------------- */

struct lots {
	uint8_t secret[DRAW_DIGEST_SIZE], roster[DRAW_DIGEST_SIZE], seed[DRAW_DIGEST_SIZE];
	char value[DRAW_VALUE_SIZE];
};

static enum err take_lots(void *arg, const struct db_row *row)
{
	struct lots *lots = arg;
	db_row_bytes(row, 0, lots->secret, sizeof lots->secret);
	db_row_bytes(row, 1, lots->roster, sizeof lots->roster);
	db_row_text(row, 2, lots->value, sizeof lots->value);
	db_row_bytes(row, 3, lots->seed, sizeof lots->seed);
	return ERR_OK;
}

static enum err fix_order(struct db_store *store, const struct gate_draw *draw)
{
	struct lots lots = {0};
	uint8_t seed[DRAW_DIGEST_SIZE];
	enum err err = db_select(store->db, &read_lots, NULL, 0, take_lots, &lots);
	if (err)
		return err;
	draw_seed(lots.secret, lots.roster, lots.value, seed);
	return run_digest(store, &update_seed, draw->id, seed);
}

/* The places --------------------------------------------------------------------------------- */

struct placing {
	const struct gate_draw *draw;
	const int64_t *places; /* of each ticket, from the draw's first on */
	struct rows *rows;
};

static enum err take_unplaced(void *arg, const struct db_row *row)
{
	const struct placing *placing = arg;
	int64_t ticket = db_row_int(row, 0);
	rows_next(placing->rows);
	rows_int(placing->rows, "id", ticket);
	rows_int(placing->rows, "place", placing->places[ticket - placing->draw->first]);
	return ERR_OK;
}

/* Inside a transaction that holds gate_state. Without any ticket left the draw is done. */
static enum err place_some(struct db_store *store, struct gate_draw *draw, const int64_t *places)
{
	struct gate_state state;
	struct rows found = {0};
	struct placing placing = {.draw = draw, .places = places, .rows = &found};
	int64_t now_us = 0;
	const struct store transaction = db_store_interface(store, NULL, NULL);
	enum err err = gate_state_lock(store, &state);
	if (!err)
		err = gate_draw_lock(store, draw);
	if (!err)
		err = transaction.clock(transaction.self, &now_us);
	if (err || draw->state != DRAW_DRAWING)
		return err;
	err = db_select(store->db, &read_unplaced, NULL, 0, take_unplaced, &placing);
	if (!err && found.count) {
		rows_end(&found);
		err = db_run(store->db, &place_tickets, found.text.bytes, found.text.length, NULL);
	} else if (!err) {
		draw->state = DRAW_DRAWN;
		draw->is_changed = true;
		err = gate_draw_write(store, draw, now_us);
		if (!err)
			err = gate_state_count_draw(store);
		log_info("drawn", LOG_I("draw", draw->id), LOG_I("first", draw->first),
			 LOG_I("last", draw->last));
	}
	rows_fini(&found);
	return err;
}

static enum err place_in_transaction(struct db_store *store, struct gate_draw *draw,
				     const int64_t *places)
{
	const struct store transaction = db_store_interface(store, NULL, NULL);
	enum err err = transaction.begin(transaction.self);
	if (err)
		return err;
	err = place_some(store, draw, places);
	if (!err)
		err = transaction.commit(transaction.self);
	if (err)
		transaction.rollback(transaction.self);
	return err;
}

/* The order is worked out anew for each step but the first of a process: it follows from the seed.
 */
static enum err place_step(struct db_store *store, struct gate_draw *draw)
{
	static struct {
		int64_t draw;
		int64_t *places;
	} order;
	struct lots lots = {0};
	size_t count = (size_t)(draw->last - draw->first + 1);
	enum err err = ERR_OK;
	if (order.draw != draw->id) {
		err = db_select(store->db, &read_lots, NULL, 0, take_lots, &lots);
		order.places = mem_array(order.places, count, sizeof *order.places);
		order.draw = 0;
		if (!err)
			err = draw_order(lots.seed, draw->first, count, order.places);
		if (err)
			return err;
		order.draw = draw->id;
	}
	err = place_in_transaction(store, draw, order.places);
	if (!err && draw->state == DRAW_DRAWN) {
		free(order.places);
		order.places = NULL;
		order.draw = 0;
	}
	return err;
}

enum err gate_draw_step(struct db_store *store)
{
	struct gate_draw draw = {0};
	enum err err = db_select(store->db, &read_draw, NULL, 0, take_draw, &draw);
	if (err || !draw.id)
		return err;
	if (draw.state == DRAW_DRAWING)
		return place_step(store, &draw);
	if (draw.state != DRAW_CLOSED)
		return ERR_OK;
	if (!draw.has_roster)
		return digest_roster(store, &draw);
	return draw.has_value ? fix_order(store, &draw) : ERR_OK;
}
