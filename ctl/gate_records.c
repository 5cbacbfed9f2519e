#include "gate_records.h"

#include "sql.h"
#include "text.h"

/* clang-format off */
/* The end of the primary key. */
static const struct db_query select_history = {
	"ctl-history",
	"SELECT p.id, p.changed_by, " SQL_US("p.changed_at") ", " POLICY_COLUMNS
	" FROM gate_policy p ORDER BY p.id DESC LIMIT 100"};

/* A lock of the server's: it needs no right, and ends with the session. */
static const struct db_query lock_policy = {
	"ctl-lock",
	"SELECT GET_LOCK('boxoffice.policy', 5)"};

/* Inserts one row. */
static const struct db_query insert_policy = {
	"ctl-insert-policy",
	"INSERT INTO gate_policy (state, max_active, window_limit, window_s, active_s, show_up_s,"
	" quiet_s, grace_s, counts, reason, message, changed_by, changed_at)"
	" SELECT d.state, d.max_active, d.window_limit, d.window_s, d.active_s, d.show_up_s, d.quiet_s,"
	" d.grace_s, d.counts, d.reason, d.message, d.who, SYSDATE(6)"
	" FROM " SQL_ROWS(SQL_COLUMN("state", "VARCHAR(8)") ", "
			  SQL_COLUMN("max_active", "BIGINT") ", "
			  SQL_COLUMN("window_limit", "BIGINT") ", "
			  SQL_COLUMN("window_s", "INT") ", "
			  SQL_COLUMN("active_s", "INT") ", "
			  SQL_COLUMN("show_up_s", "INT") ", "
			  SQL_COLUMN("quiet_s", "INT") ", "
			  SQL_COLUMN("grace_s", "INT") ", "
			  SQL_COLUMN("counts", "VARCHAR(8)") ", "
			  SQL_COLUMN("reason", "VARCHAR(200)") ", "
			  SQL_COLUMN("message", "VARCHAR(200)") ", "
			  SQL_COLUMN("who", "VARCHAR(100)"))};
/* clang-format on */

const struct db_query *const gate_records_queries[] = {&select_history, &lock_policy,
						       &insert_policy, NULL};

struct history {
	struct policy_change *changes;
	size_t most, count;
};

static enum err take_change(void *arg, const struct db_row *row)
{
	struct history *history = arg;
	struct policy_change *change = &history->changes[history->count];

	if (history->count == history->most)
		return ERR_OK;
	*change = (struct policy_change){.id = db_row_int(row, 0), .at_us = db_row_int(row, 2)};
	db_row_text(row, 1, change->by, sizeof change->by);
	change->policy = policy_from_row(row, 3);
	history->count++;
	return ERR_OK;
}

enum err gate_records_history(struct db *db, struct policy_change *changes, size_t most,
			      size_t *count)
{
	struct history history = {.changes = changes, .most = most};
	enum err err = db_select(db, &select_history, NULL, 0, take_change, &history);

	*count = history.count;
	return err;
}

static enum err take_lock(void *arg, const struct db_row *row)
{
	*(bool *)arg = db_row_int(row, 0) == 1;
	return ERR_OK;
}

enum err gate_records_lock(struct db *db)
{
	bool is_locked = false;
	enum err err = db_select(db, &lock_policy, NULL, 0, take_lock, &is_locked);

	return err == ERR_OK && !is_locked ? ERR_TIMEOUT : err;
}

static void put_number(void *arg, const char *name, int64_t value, const char *help)
{
	struct text *json = arg;

	(void)help;
	text_printf(json, ",\"%s\":%lld", name, (long long)value);
}

static void put_string(struct text *json, const char *name, const char *value)
{
	text_printf(json, ",\"%s\":", name);
	text_json_string(json, value);
}

enum err gate_records_record(struct db *db, const struct policy *policy, const char *by)
{
	struct text json = {0};
	uint64_t inserted = 0;
	enum err err;

	text_printf(&json, "[{\"state\":\"%s\"", policy_state_name(policy->state));
	policy_each_number(policy, put_number, &json);
	put_string(&json, "counts", policy->counts_arrivals ? "arrivals" : "releases");
	put_string(&json, "reason", policy->reason);
	put_string(&json, "message", policy->message);
	put_string(&json, "who", by);
	text_puts(&json, "}]");
	err = db_run(db, &insert_policy, json.bytes, json.length, &inserted);
	text_fini(&json);
	return err == ERR_OK && inserted != 1 ? ERR_DB_DATA : err;
}
