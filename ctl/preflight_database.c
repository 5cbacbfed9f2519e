/* What the database tells: the server, its schema, and the sale. */
#include "preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_checks.h"
#include "clock.h"
#include "db_hosts.h"
#include "draw_records.h"
#include "gate_records.h"
#include "sql.h"

#define AUDIT_SILENCE_S 3600 /* it may walk through millions of rows before its first answer */

#ifndef MIGRATIONS
#error MIGRATIONS is to be the paths of sql/migrations, blanks between: see Makefile.am
#endif

/* clang-format off */
/* No tables: MariaDB and MySQL each lack some of these, so they are not read as @@name. */
static const struct db_query show_variables = {
	"preflight-variables",
	"SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'datadir', 'innodb_flush_log_at_trx_commit',"
	" 'log_bin', 'sync_binlog', 'read_only', 'max_connections', 'max_allowed_packet', 'max_statement_time',"
	" 'max_execution_time', 'rpl_semi_sync_master_enabled', 'rpl_semi_sync_source_enabled')"};

static const struct db_query show_replicas = {
	"preflight-replicas",
	"SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_master_clients', 'Rpl_semi_sync_source_clients')"};

static const struct db_query select_now = {
	"preflight-now",
	"SELECT " SQL_US("SYSDATE(6)")};

/* All of a few rows. */
static const struct db_query select_migrations = {
	"preflight-migrations",
	"SELECT m.name FROM schema_migration m ORDER BY m.number"};

/* No locks. All schedules that are not over; their seats by seat_number_of_schedule, each seat's
 * reservation by seat_reservation_live_seat. */
static const struct db_query select_sale = {
	"preflight-sale",
	"SELECT " SQL_US("SYSDATE(6)") ", COUNT(*), COALESCE(SUM(x.seats), 0), COALESCE(SUM(x.can_book), 0),"
	" COALESCE(MIN(IF(x.can_book, x.begins, NULL)), 0)"
	" FROM (SELECT h.id, COUNT(*) AS seats, h.booking_end_at > SYSDATE(6) AS can_book, "
	SQL_US("h.booking_start_at") " AS begins FROM concert_schedule h"
	" STRAIGHT_JOIN seat s FORCE INDEX (seat_number_of_schedule) ON s.concert_schedule_id = h.id"
	" LEFT JOIN seat_reservation r FORCE INDEX (seat_reservation_live_seat) ON r.live_seat_id = s.id"
	" WHERE h.close_at > SYSDATE(6) AND h.deleted_at IS NULL AND s.deleted_at IS NULL AND s.is_active"
	" AND r.id IS NULL GROUP BY h.id, h.booking_end_at, h.booking_start_at) x"};
/* clang-format on */

const struct db_query *const preflight_queries[] = {&select_migrations, &select_sale, NULL};

/* The server -------------------------------------------------------------------------------- */

static enum err take_variable(void *arg, const struct db_row *row)
{
	struct preflight_database *database = arg;
	char name[64], value[CONF_TEXT_MAX];

	db_row_text(row, 0, name, sizeof name);
	db_row_text(row, 1, value, sizeof value);
	if (strcmp(name, "version") == 0)
		snprintf(database->version, sizeof database->version, "%.63s", value);
	else if (strcmp(name, "datadir") == 0)
		snprintf(database->datadir, sizeof database->datadir, "%s", value);
	else if (strcmp(name, "innodb_flush_log_at_trx_commit") == 0)
		database->flush_log = strtoll(value, NULL, 10);
	else if (strcmp(name, "log_bin") == 0)
		database->has_binlog = strcmp(value, "ON") == 0;
	else if (strcmp(name, "sync_binlog") == 0)
		database->sync_binlog = strtoll(value, NULL, 10);
	else if (strcmp(name, "read_only") == 0)
		database->is_read_only = strcmp(value, "OFF") != 0;
	else if (strcmp(name, "max_connections") == 0)
		database->max_connections = strtoll(value, NULL, 10);
	else if (strcmp(name, "max_allowed_packet") == 0)
		database->max_packet = strtoll(value, NULL, 10);
	else if (strcmp(name, "max_statement_time") == 0) /* seconds, with a fraction */
		database->statement_ms = (int64_t)(strtod(value, NULL) * 1000);
	else if (strcmp(name, "max_execution_time") == 0)
		database->statement_ms = strtoll(value, NULL, 10);
	else if (strncmp(name, "rpl_semi_sync_", 14) == 0)
		database->does_wait = strcmp(value, "ON") == 0;
	return ERR_OK;
}

static enum err take_replicas(void *arg, const struct db_row *row)
{
	char value[32];

	db_row_text(row, 1, value, sizeof value);
	*(int64_t *)arg = strtoll(value, NULL, 10);
	return ERR_OK;
}

static enum err take_number(void *arg, const struct db_row *row)
{
	*(int64_t *)arg = db_row_int(row, 0);
	return ERR_OK;
}

/* Against the middle of the question, which is a question about a statement that is prepared. */
static enum err ask_clock(struct preflight_database *database, struct db *db)
{
	int64_t now_us = 0, wall_us, began_us;
	enum err err = db_select(db, &select_now, NULL, 0, take_number, &now_us);

	if (err != ERR_OK)
		return err;
	wall_us = clock_wall_ms() * 1000;
	began_us = clock_us();
	err = db_select(db, &select_now, NULL, 0, take_number, &now_us);
	database->unsure_us = (clock_us() - began_us) / 2;
	database->ahead_us = now_us - wall_us - database->unsure_us;
	return err;
}

static enum err ask_server(struct preflight_facts *facts, struct db *db)
{
	struct preflight_database *database = &facts->database;
	const struct conf *conf = facts->conf;
	struct db_hosts hosts = {.count = 1};
	enum err err = db_select(db, &show_variables, NULL, 0, take_variable, database);

	if (err == ERR_OK && conf->mysql_socket[0] == '\0')
		err = db_hosts_read(&hosts, conf->mysql_host, (unsigned)conf->mysql_port);
	database->servers = (int64_t)hosts.count;
	if (err == ERR_OK)
		err = db_select(db, &show_replicas, NULL, 0, take_replicas, &database->replicas);
	return err == ERR_OK ? ask_clock(database, db) : err;
}

/* The schema -------------------------------------------------------------------------------- */

/* The next of our migrations: "001_schema" of "sql/migrations/001_schema.sql". */
static bool next_migration(const char **paths, char name[static 64])
{
	const char *at = *paths + strspn(*paths, " ");
	size_t length = strcspn(at, " "), start = length;

	if (length == 0)
		return false;
	while (start > 0 && at[start - 1] != '/')
		start--;
	snprintf(name, 64, "%.*s", (int)(length - start - strlen(".sql")), at + start);
	*paths = at + length;
	return true;
}

static bool is_listed(const struct text *lines, const char *name)
{
	char line[80];

	snprintf(line, sizeof line, "\n%s\n", name);
	return lines->length > 0 && strstr(lines->bytes, line) != NULL;
}

static enum err take_line(void *arg, const struct db_row *row)
{
	struct text *lines = arg;
	char name[64];

	db_row_text(row, 0, name, sizeof name);
	text_printf(lines, "%s%s\n", lines->length > 0 ? "" : "\n", name);
	return ERR_OK;
}

/* Two lists of lines, each line's end the next one's beginning. */
static void compare_migrations(struct preflight_schema *schema, const struct text *applied)
{
	const char *paths = MIGRATIONS;
	struct text ours = {0};
	char name[64];

	text_putc(&ours, '\n');
	while (next_migration(&paths, name)) {
		schema->wanted++;
		text_printf(&ours, "%s\n", name);
		if (!is_listed(applied, name))
			preflight_name(&schema->missing, name);
	}
	for (const char *at = applied->length > 0 ? applied->bytes + 1 : ""; *at != '\0';
	     at += strcspn(at, "\n") + 1) {
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "\n"), at);
		if (!is_listed(&ours, name))
			preflight_name(&schema->stranger, name);
	}
	text_fini(&ours);
}

static enum err ask_schema(struct preflight_facts *facts, struct db *db)
{
	struct text applied = {0};
	enum err err = db_select(db, &select_migrations, NULL, 0, take_line, &applied);

	if (err == ERR_OK)
		compare_migrations(&facts->schema, &applied);
	text_fini(&applied);
	return err;
}

/* The sale ---------------------------------------------------------------------------------- */

static enum err ask_gate(struct preflight_facts *facts, struct db *db)
{
	struct preflight_gate *gate = &facts->gate_now;
	struct policy_change newest = {0};
	size_t count = 0;
	enum err err = gate_numbers_read(db, &gate->numbers);

	if (err == ERR_OK)
		err = gate_records_history(db, &newest, 1, &count);
	gate->has_policy = count > 0;
	gate->policy = newest.policy;
	if (err == ERR_OK && gate->has_policy &&
	    policy_check(&newest.policy, facts->conf, gate->why) == ERR_OK)
		gate->why[0] = '\0';
	return err;
}

static enum err take_sale(void *arg, const struct db_row *row)
{
	*(struct preflight_catalogue *)arg = (struct preflight_catalogue){
		.now_us = db_row_int(row, 0),
		.schedules = db_row_int(row, 1),
		.seats = db_row_int(row, 2),
		.bookable = db_row_int(row, 3),
		.begins_us = db_row_int(row, 4),
	};
	return ERR_OK;
}

static enum err ask_catalogue(struct preflight_facts *facts, struct db *db)
{
	return db_select(db, &select_sale, NULL, 0, take_sale, &facts->catalogue);
}

static enum err ask_draw(struct preflight_facts *facts, struct db *db)
{
	struct draw_now draw = {0};
	enum err err = draw_records_newest(db, &draw);

	facts->draw = (struct preflight_draw){
		.is_live = draw.record.id != 0 && draw.record.state != DRAW_DRAWN,
		.state = draw.record.state,
		.opens_us = draw.record.opens_us,
		.now_us = draw.now_us,
	};
	return err;
}

/* The audit --------------------------------------------------------------------------------- */

static enum err run_checks(struct preflight_audit *audit, struct audit *run)
{
	enum err err = db_begin_snapshot(run->db);

	if (err != ERR_OK)
		return err;
	for (const struct audit_check *each = audit_checks; each->name != NULL && err == ERR_OK;
	     each++) {
		err = audit_check_run(run, each);
		audit->checks++;
		if (run->findings.total > 0 && each->is_warning)
			audit->warnings++;
		else if (run->findings.total > 0)
			preflight_name(&audit->broken, each->name);
		text_fini(&run->findings.rows);
	}
	db_rollback(run->db); /* nothing was written */
	return err;
}

static void note(struct preflight_facts *facts, enum preflight_source source, enum err err)
{
	if (err != ERR_OK)
		preflight_unknown(facts, source, "the database did not tell: %s", err_message(err));
	else
		facts->is_known[source] = true;
}

void preflight_ask_audit(struct preflight_facts *facts)
{
	struct audit run = {.conf = facts->conf, .findings = {.most = 1}};
	enum err err = db_new(&run.db, facts->conf, AUDIT_SILENCE_S);

	if (err == ERR_OK)
		err = run_checks(&facts->audit, &run);
	db_free(run.db);
	note(facts, FROM_AUDIT, err);
}

/* One that is away is asked once: each further question would wait as long. */
void preflight_ask_database(struct preflight_facts *facts, struct db *db)
{
	static const struct {
		enum preflight_source source;
		enum err (*ask)(struct preflight_facts *facts, struct db *db);
	} questions[] = {{FROM_DATABASE, ask_server},
			 {FROM_SCHEMA, ask_schema},
			 {FROM_GATE, ask_gate},
			 {FROM_CATALOGUE, ask_catalogue},
			 {FROM_DRAW, ask_draw}};
	enum err err = ERR_OK;

	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		if (err != ERR_DB_GONE)
			err = questions[i].ask(facts, db);
		note(facts, questions[i].source, err);
	}
}
