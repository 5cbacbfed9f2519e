#include "gate_state.h"

#include "log.h"

/* clang-format off */
#define STATE_COLUMNS                                                                    \
	"g.last_ticket, g.served, g.waiting, g.active, g.per_minute, " SQL_US("g.ticked_at") \
	", g.out_seq, g.near, g.reclaimed, g.abandoned, g.departed, g.stock"

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
			   SQL_COLUMN("ticked", "BIGINT") ", "
			   SQL_COLUMN("seq", "BIGINT") ", "
			   SQL_COLUMN("near", "BIGINT") ", "
			   SQL_COLUMN("reclaimed", "BIGINT") ", "
			   SQL_COLUMN("abandoned", "BIGINT") ", "
			   SQL_COLUMN("departed", "BIGINT") ", "
			   SQL_COLUMN("state", "VARCHAR(8)") ", "
			   SQL_COLUMN("message", "VARCHAR(200)") ", "
			   SQL_COLUMN("stock", "VARCHAR(8)"))
	" STRAIGHT_JOIN gate_state g ON g.id = 1"
	" SET g.last_ticket = d.last, g.served = d.served, g.waiting = d.waiting,"
	" g.active = d.active, g.per_minute = d.rate, g.ticked_at = " SQL_TIME("d.ticked") ","
	" g.out_seq = d.seq, g.near = d.near, g.reclaimed = d.reclaimed,"
	" g.abandoned = d.abandoned, g.departed = d.departed,"
	" g.policy_state = d.state, g.message = d.message,"
	" g.stock = d.stock"};

/* Changes the one row, locked before. */
static const struct db_query count_draw = {
	"count-draw",
	"UPDATE gate_state g SET g.draws = g.draws + 1 WHERE g.id = 1"};

/* No locks. The newest rows, by primary key: the first of them that makes sense rules. */
static const struct db_query read_policies = {
	"read-policies",
	"SELECT p.id, " POLICY_COLUMNS " FROM gate_policy p ORDER BY p.id DESC LIMIT 5"};

/* Inserts the settings as the first row, if there is none. */
static const struct db_query insert_first_policy = {
	"insert-first-policy",
	"INSERT INTO gate_policy (state, max_active, window_limit, window_s, active_s, show_up_s,"
	" quiet_s, grace_s, changed_by, changed_at)"
	" SELECT 'open', d.active, d.most, d.span, d.life, d.late, d.quiet, d.grace, 'settings',"
	" SYSDATE(6)"
	" FROM " SQL_ROWS(SQL_COLUMN("active", "BIGINT") ", "
			  SQL_COLUMN("most", "BIGINT") ", "
			  SQL_COLUMN("span", "INT") ", "
			  SQL_COLUMN("life", "INT") ", "
			  SQL_COLUMN("late", "INT") ", "
			  SQL_COLUMN("quiet", "INT") ", "
			  SQL_COLUMN("grace", "INT"))
	" WHERE NOT EXISTS (SELECT 1 FROM gate_policy)"};
/* clang-format on */

const struct db_query *const gate_state_queries[] = {
	&lock_state,    &lock_state_nowait,   &update_state, &count_draw,
	&read_policies, &insert_first_policy, NULL};

static enum err take_state(void *arg, const struct db_row *row)
{
	char stock[16];
	db_row_text(row, 11, stock, sizeof stock);
	*(struct gate_state *)arg = (struct gate_state){
		.last_ticket = db_row_int(row, 0),
		.served = db_row_int(row, 1),
		.waiting = db_row_int(row, 2),
		.active = db_row_int(row, 3),
		.per_minute = db_row_int(row, 4),
		.ticked_us = db_row_int(row, 5),
		.out_seq = db_row_int(row, 6),
		.near = db_row_int(row, 7),
		.reclaimed = db_row_int(row, 8),
		.abandoned = db_row_int(row, 9),
		.departed = db_row_int(row, 10),
		.stock = gate_stock_from(stock),
	};
	return ERR_OK;
}

enum err gate_state_lock(struct db_store *store, struct gate_state *state)
{
	return db_select(store->db, &lock_state, NULL, 0, take_state, state);
}

enum err gate_state_try_lock(struct db_store *store, struct gate_state *state)
{
	return db_select(store->db, &lock_state_nowait, NULL, 0, take_state, state);
}

enum err gate_state_write(struct db_store *store, const struct gate_state *state,
			  const struct policy *policy)
{
	struct rows *rows = &store->rows;
	rows_clear(rows);
	rows_next(rows);
	rows_int(rows, "last", state->last_ticket);
	rows_int(rows, "served", state->served);
	rows_int(rows, "waiting", state->waiting);
	rows_int(rows, "active", state->active);
	rows_int(rows, "rate", state->per_minute);
	rows_int(rows, "ticked", state->ticked_us);
	rows_int(rows, "seq", state->out_seq);
	rows_int(rows, "near", state->near);
	rows_int(rows, "reclaimed", state->reclaimed);
	rows_int(rows, "abandoned", state->abandoned);
	rows_int(rows, "departed", state->departed);
	rows_string(rows, "state", policy_state_name(policy->state));
	rows_string(rows, "message", policy->message);
	rows_string(rows, "stock", gate_stock_name(state->stock));
	return db_store_run(store, &update_state, DB_STORE_ANY);
}

enum err gate_state_count_draw(struct db_store *store)
{
	return db_run(store->db, &count_draw, NULL, 0, NULL);
}

struct choice {
	const struct conf *conf;
	struct policy *policy;
	bool is_made;
};

static enum err take_policy(void *arg, const struct db_row *row)
{
	static int64_t logged; /* the newest row that was refused */
	struct choice *choice = arg;
	char why[POLICY_WHY_SIZE];
	if (choice->is_made)
		return ERR_OK;
	struct policy policy = policy_from_row(row, 1);
	int64_t id = db_row_int(row, 0);
	if (policy_check(&policy, choice->conf, why) == ERR_OK) {
		*choice->policy = policy;
		choice->is_made = true;
	} else if (id > logged) {
		log_error("policy-refused", LOG_I("policy", id), LOG_S("why", why));
		logged = id;
	}
	return ERR_OK;
}

enum err gate_state_read_policy(struct db_store *store, const struct conf *conf,
				struct policy *policy)
{
	struct choice choice = {.conf = conf, .policy = policy};
	*policy = policy_from_conf(conf);
	policy->state = POLICY_PAUSED;
	return db_select(store->db, &read_policies, NULL, 0, take_policy, &choice);
}

enum err gate_state_ensure_policy(struct db_store *store, const struct conf *conf)
{
	struct rows *rows = &store->rows;
	rows_clear(rows);
	rows_next(rows);
	rows_int(rows, "active", conf->gate_max_active);
	rows_int(rows, "most", conf->gate_window_limit);
	rows_int(rows, "span", conf->gate_window_s);
	rows_int(rows, "life", conf->gate_active_s);
	rows_int(rows, "late", conf->gate_show_up_s);
	rows_int(rows, "quiet", conf->gate_quiet_s);
	rows_int(rows, "grace", conf->gate_grace_s);
	return db_store_run(store, &insert_first_policy, DB_STORE_ANY);
}
