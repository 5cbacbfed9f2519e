#include "gate_store.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* clang-format off */
#define STATE_COLUMNS                                                           \
	"g.last_ticket, g.served, g.waiting, g.active, g.per_minute, " SQL_US("g.ticked_at")

/* Locks the one row of gate_state: every change of the line holds it. */
static const struct db_query lock_state = {
	"lock-state",
	"SELECT " STATE_COLUMNS " FROM gate_state g WHERE g.id = 1 FOR UPDATE"};

/* The same for a tick, which gives way to whoever is at it. */
static const struct db_query lock_state_nowait = {
	"lock-state-nowait",
	"SELECT " STATE_COLUMNS " FROM gate_state g WHERE g.id = 1 FOR UPDATE NOWAIT"};

/* Changes the one row, locked before. */
static const struct db_query update_state = {
	"update-state",
	"UPDATE " SQL_ROWS(SQL_COLUMN("last", "BIGINT") ", "
			   SQL_COLUMN("served", "BIGINT") ", "
			   SQL_COLUMN("waiting", "BIGINT") ", "
			   SQL_COLUMN("active", "BIGINT") ", "
			   SQL_COLUMN("rate", "BIGINT") ", "
			   SQL_COLUMN("ticked", "BIGINT"))
	" STRAIGHT_JOIN gate_state g ON g.id = 1"
	" SET g.last_ticket = d.last, g.served = d.served, g.waiting = d.waiting,"
	" g.active = d.active, g.per_minute = d.rate, g.ticked_at = " SQL_TIME("d.ticked")};

/* No locks. The newest row, by primary key. */
static const struct db_query read_policy = {
	"read-policy",
	"SELECT p.state, p.max_active, p.window_limit, p.window_s, p.active_s"
	" FROM gate_policy p ORDER BY p.id DESC LIMIT 1"};

/* Inserts the settings as the first row, if there is none. */
static const struct db_query insert_first_policy = {
	"insert-first-policy",
	"INSERT INTO gate_policy (state, max_active, window_limit, window_s, active_s, changed_by,"
	" changed_at)"
	" SELECT 'open', d.active, d.most, d.span, d.life, 'settings', SYSDATE(6)"
	" FROM " SQL_ROWS(SQL_COLUMN("active", "BIGINT") ", "
			  SQL_COLUMN("most", "BIGINT") ", "
			  SQL_COLUMN("span", "INT") ", "
			  SQL_COLUMN("life", "INT"))
	" WHERE NOT EXISTS (SELECT 1 FROM gate_policy)"};

/* No locks on user and none needed on waiting_queue: the line does not change while gate_state is
 * held, and what a seat worker ends meanwhile only frees the user. By user_uuid and
 * waiting_queue_live_user. */
static const struct db_query find_queuers = {
	"find-queuers",
	"SELECT u.uuid, u.id, w.id, w.status, " SQL_US("w.expired_at")
	" FROM " SQL_ROWS(SQL_COLUMN("uuid", "CHAR(32)"))
	" STRAIGHT_JOIN user u FORCE INDEX (user_uuid) ON u.uuid = UNHEX(d.uuid)"
	" AND u.deleted_at IS NULL"
	" LEFT JOIN waiting_queue w FORCE INDEX (waiting_queue_live_user)"
	" ON w.live_user_id = u.id"};

/* Inserts one row for each ticket; a second live one of a user is ERR_DB_DUPLICATE. */
static const struct db_query insert_tickets = {
	"insert-tickets",
	"INSERT INTO waiting_queue (id, user_id, job_id, status, created_at, updated_at)"
	" SELECT d.id, d.user, UNHEX(d.job), 'WAITING', " SQL_TIME("d.now") ", " SQL_TIME("d.now")
	" FROM " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", "
			  SQL_COLUMN("user", "BIGINT") ", "
			  SQL_COLUMN("job", "CHAR(32)") ", "
			  SQL_COLUMN("now", "BIGINT"))};

/* Locks and changes waiting_queue by primary key, ascending; only tickets still admitted whose time
 * is over: a hold may have lengthened one since it was read. */
static const struct db_query expire_tickets = {
	"expire-tickets",
	"UPDATE " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", " SQL_COLUMN("now", "BIGINT"))
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY)"
	" ON w.id = d.id AND w.status = 'ACTIVE' AND w.expired_at <= " SQL_TIME("d.now")
	" SET w.status = 'EXPIRED', w.updated_at = " SQL_TIME("d.now")};

/* Locks and changes waiting_queue by primary key, ascending. */
static const struct db_query admit_tickets = {
	"admit-tickets",
	"UPDATE " SQL_ROWS(SQL_COLUMN("id", "BIGINT") ", "
			   SQL_COLUMN("until", "BIGINT") ", "
			   SQL_COLUMN("now", "BIGINT"))
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY)"
	" ON w.id = d.id AND w.status = 'WAITING'"
	" SET w.status = 'ACTIVE', w.admitted_at = " SQL_TIME("d.now") ","
	" w.expired_at = " SQL_TIME("d.until") ", w.updated_at = " SQL_TIME("d.now")};

/* No locks: candidates. By waiting_queue_status, over the admitted. */
static const struct db_query find_due = {
	"find-due",
	"SELECT w.id FROM waiting_queue w FORCE INDEX (waiting_queue_status)"
	" WHERE w.status = 'ACTIVE' AND w.expired_at <= NOW(6)"
	" ORDER BY w.id LIMIT 1000"};

/* Locks waiting_queue by primary key, ascending; then the end of its last hold, by
 * seat_reservation_ticket, is read. */
static const struct db_query lock_due = {
	"lock-due",
	"SELECT w.id, " SQL_US("w.expired_at") ","
	" (SELECT " SQL_US("MAX(r.expires_at)")
	" FROM seat_reservation r FORCE INDEX (seat_reservation_ticket)"
	" WHERE r.ticket_id = w.id AND r.status = 'PENDING')"
	" FROM " SQL_IDS
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY)"
	" ON w.id = d.id AND w.status = 'ACTIVE'"
	" FOR UPDATE"};

/* No locks. By waiting_queue_status and waiting_queue_admitted: as many rows as are admitted. */
static const struct db_query count_admitted = {
	"count-admitted",
	"SELECT (SELECT COUNT(*) FROM waiting_queue a FORCE INDEX (waiting_queue_status)"
	" WHERE a.status = 'ACTIVE'),"
	" (SELECT COUNT(*) FROM waiting_queue m FORCE INDEX (waiting_queue_admitted)"
	" WHERE m.admitted_at > NOW(6) - INTERVAL 60 SECOND)"};

/* No locks. By waiting_queue_admitted. */
static const struct db_query count_window = {
	"count-window",
	"SELECT COUNT(*) FROM waiting_queue w FORCE INDEX (waiting_queue_admitted)"
	" WHERE w.admitted_at >"
	" NOW(6) - INTERVAL CAST(JSON_VALUE(?, '$[0].window') AS SIGNED) SECOND"};

/* No locks: the line does not change while gate_state is held. By waiting_queue_status. */
static const struct db_query read_line = {
	"read-line",
	"SELECT w.id FROM waiting_queue w FORCE INDEX (waiting_queue_status)"
	" WHERE w.status = 'WAITING' ORDER BY w.id LIMIT 1000"};
/* clang-format on */

const struct db_query *const gate_store_queries[] = {
	&lock_state,   &lock_state_nowait, &update_state,   &read_policy,   &insert_first_policy,
	&find_queuers, &insert_tickets,    &expire_tickets, &admit_tickets, &find_due,
	&lock_due,     &count_admitted,    &count_window,   &read_line,     NULL};

static enum err take_state(void *arg, const struct db_row *row)
{
	*(struct gate_state *)arg = (struct gate_state){.last_ticket = db_row_int(row, 0),
							.served = db_row_int(row, 1),
							.waiting = db_row_int(row, 2),
							.active = db_row_int(row, 3),
							.per_minute = db_row_int(row, 4),
							.ticked_us = db_row_int(row, 5)};
	return ERR_OK;
}

static enum err take_policy(void *arg, const struct db_row *row)
{
	char state[16];
	db_row_text(row, 0, state, sizeof state);
	*(struct gate_policy *)arg =
		(struct gate_policy){.state = strcmp(state, "open") == 0     ? GATE_OPEN
					      : strcmp(state, "paused") == 0 ? GATE_PAUSED
									     : GATE_CLOSED,
				     .max_active = db_row_int(row, 1),
				     .window_limit = db_row_int(row, 2),
				     .window_s = db_row_int(row, 3),
				     .active_s = db_row_int(row, 4)};
	return ERR_OK;
}

/* Until the first policy is written nobody is let in. */
static enum err load_policy(struct gate_store *store, struct gate_policy *policy)
{
	*policy = (struct gate_policy){.state = GATE_PAUSED, .window_s = 60, .active_s = 60};
	return db_select(store->base.db, &read_policy, NULL, 0, take_policy, policy);
}

static enum err write_state(struct gate_store *store, const struct gate_state *state)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	rows_next(rows);
	rows_int(rows, "last", state->last_ticket);
	rows_int(rows, "served", state->served);
	rows_int(rows, "waiting", state->waiting);
	rows_int(rows, "active", state->active);
	rows_int(rows, "rate", state->per_minute);
	rows_int(rows, "ticked", state->ticked_us);
	return db_store_run(&store->base, &update_state, 1);
}

static void put_expired(struct gate_store *store, int64_t id, int64_t now_us)
{
	rows_next(&store->base.rows);
	rows_int(&store->base.rows, "id", id);
	rows_int(&store->base.rows, "now", now_us);
}

/* Issuing ------------------------------------------------------------------------------------ */

static enum err take_queuer(void *arg, const struct db_row *row)
{
	struct id uuid = db_row_id(row, 0);
	struct queuer *queuer = gate_world_find(arg, &uuid);
	char status[16];
	if (!queuer)
		return ERR_DB_DATA;
	db_row_text(row, 3, status, sizeof status);
	queuer->user_id = db_row_int(row, 1);
	queuer->ticket_id = db_row_int(row, 2);
	queuer->status = ticket_status_from(status);
	queuer->expires_us = db_row_int(row, 4);
	return ERR_OK;
}

static enum err load(void *self, const struct batch *batch)
{
	struct gate_store *store = self;
	struct gate_world *world = &store->world;
	gate_world_clear(world);
	struct id *users = mem_array(NULL, batch->count, sizeof *users);
	for (size_t i = 0; i < batch->count; i++)
		users[i] = batch->entries[i].job.user;
	gate_world_add_users(world, users, batch->count);
	free(users);
	enum err err = db_select(store->base.db, &lock_state, NULL, 0, take_state, &world->state);
	if (!err)
		err = load_policy(store, &world->policy);
	if (err)
		return err;
	rows_clear(&store->base.rows);
	for (size_t i = 0; i < world->count; i++) {
		rows_next(&store->base.rows);
		rows_id(&store->base.rows, "uuid", &world->queuers[i].uuid);
	}
	return db_store_select(&store->base, &find_queuers, take_queuer, world);
}

/* A ticket that a seat worker finished or lengthened meanwhile is not due any more: then the update
 * finds fewer rows, and the batch is decided again. */
static enum err write_released(struct gate_store *store, int64_t now_us)
{
	int64_t *ids = mem_array(NULL, store->world.count, sizeof *ids);
	size_t count = 0;
	for (size_t i = 0; i < store->world.count; i++)
		if (store->world.queuers[i].released)
			ids[count++] = store->world.queuers[i].released;
	count = rows_sort_ids(ids, count);
	rows_clear(&store->base.rows);
	for (size_t i = 0; i < count; i++)
		put_expired(store, ids[i], now_us);
	free(ids);
	return db_store_run(&store->base, &expire_tickets, store->base.rows.count);
}

static enum err write_tickets(struct gate_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < store->world.count; i++) {
		const struct queuer *queuer = &store->world.queuers[i];
		if (!queuer->is_new)
			continue;
		rows_next(rows);
		rows_int(rows, "id", queuer->ticket_id);
		rows_int(rows, "user", queuer->user_id);
		rows_id(rows, "job", &queuer->job);
		rows_int(rows, "now", now_us);
	}
	size_t issued = rows->count;
	enum err err = db_store_run(&store->base, &insert_tickets, issued);
	if (!err && issued)
		err = write_state(store, &store->world.state);
	return err;
}

static enum err write(void *self, const struct batch *batch)
{
	struct gate_store *store = self;
	enum err err = write_released(store, batch->now_us);
	return err ? err : write_tickets(store, batch->now_us);
}

/* Ticking ------------------------------------------------------------------------------------ */

static enum err take_due_id(void *arg, const struct db_row *row)
{
	struct rows *rows = arg;
	rows_next(rows);
	rows_int(rows, "id", db_row_int(row, 0));
	return ERR_OK;
}

static enum err take_due(void *arg, const struct db_row *row)
{
	struct gate_tick *tick = arg;
	size_t i = tick->due_count++;
	tick->due[i].id = db_row_int(row, 0);
	tick->due[i].expires_us = db_row_int(row, 1);
	tick->due[i].hold_until_us = db_row_int(row, 2);
	return ERR_OK;
}

static enum err take_counts(void *arg, const struct db_row *row)
{
	struct gate_tick *tick = arg;
	tick->active = db_row_int(row, 0);
	tick->state.per_minute = db_row_int(row, 1);
	return ERR_OK;
}

static enum err take_window(void *arg, const struct db_row *row)
{
	*(int64_t *)arg = db_row_int(row, 0);
	return ERR_OK;
}

static enum err take_place(void *arg, const struct db_row *row)
{
	struct gate_tick *tick = arg;
	tick->line[tick->line_count++] = db_row_int(row, 0);
	return ERR_OK;
}

static enum err load_due(struct gate_store *store)
{
	struct rows *rows = &store->base.rows;
	store->tick.due_count = 0;
	rows_clear(rows);
	enum err err = db_select(store->base.db, &find_due, NULL, 0, take_due_id, rows);
	return err ? err : db_store_select(&store->base, &lock_due, take_due, &store->tick);
}

static enum err load_counts(struct gate_store *store)
{
	struct gate_tick *tick = &store->tick;
	struct rows *rows = &store->base.rows;
	enum err err = db_select(store->base.db, &count_admitted, NULL, 0, take_counts, tick);
	tick->in_window = 0;
	if (err || !tick->policy.window_limit)
		return err;
	rows_clear(rows);
	rows_next(rows);
	rows_int(rows, "window", tick->policy.window_s);
	return db_store_select(&store->base, &count_window, take_window, &tick->in_window);
}

enum err gate_store_lock_tick(struct gate_store *store)
{
	return db_select(store->base.db, &lock_state_nowait, NULL, 0, take_state,
			 &store->tick.state);
}

static enum err load_tick(void *self, const struct batch *batch)
{
	(void)batch;
	struct gate_store *store = self;
	struct gate_tick *tick = &store->tick;
	tick->line_count = 0;
	enum err err = load_policy(store, &tick->policy);
	if (!err)
		err = load_due(store);
	if (!err)
		err = load_counts(store);
	if (!err && tick->policy.state == GATE_OPEN && tick->state.waiting > 0)
		err = db_select(store->base.db, &read_line, NULL, 0, take_place, tick);
	return err;
}

static enum err write_tick(void *self, const struct batch *batch)
{
	(void)batch;
	struct gate_store *store = self;
	const struct gate_tick *tick = &store->tick;
	struct rows *rows = &store->base.rows;
	int64_t now_us = tick->state.ticked_us;
	rows_clear(rows);
	for (size_t i = 0; i < tick->expired_count; i++)
		put_expired(store, tick->expired[i], now_us);
	enum err err = db_store_run(&store->base, &expire_tickets, rows->count);
	if (err)
		return err;
	rows_clear(rows);
	for (size_t i = 0; i < tick->admitted_count; i++) {
		rows_next(rows);
		rows_int(rows, "id", tick->line[i]);
		rows_int(rows, "until", now_us + tick->policy.active_s * INT64_C(1000000));
		rows_int(rows, "now", now_us);
	}
	err = db_store_run(&store->base, &admit_tickets, rows->count);
	return err ? err : write_state(store, &tick->state);
}

enum err gate_store_ensure_policy(struct gate_store *store, const struct conf *conf)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	rows_next(rows);
	rows_int(rows, "active", conf->gate_max_active);
	rows_int(rows, "most", conf->gate_window_limit);
	rows_int(rows, "span", conf->gate_window_s);
	rows_int(rows, "life", conf->gate_active_s);
	return db_store_run(&store->base, &insert_first_policy, DB_STORE_ANY);
}

void gate_store_init(struct gate_store *store, struct db *db)
{
	*store = (struct gate_store){.base = {.db = db}};
}

void gate_store_fini(struct gate_store *store)
{
	rows_fini(&store->base.rows);
	gate_world_fini(&store->world);
}

struct store gate_store_interface(struct gate_store *store)
{
	return db_store_interface(store, load, write);
}

struct store gate_store_tick_interface(struct gate_store *store)
{
	return db_store_interface(store, load_tick, write_tick);
}
