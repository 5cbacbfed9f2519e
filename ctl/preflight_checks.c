/* The checks: what is required, and what to do when it is not so. */
#include "preflight.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_US INT64_C(1000000)
#define TICK_US INT64_C(2000000)
#define PACKET_LEAST (INT64_C(8) << 20)
#define STATEMENT_LEAST_MS 30000
#define BACKLOG_MOST 100
#define FILES_LEAST 8192
#define BROKER_FILES_LEAST 1024
#define CONNECTIONS_SPARE 20 /* for operators, backups and who watches */

/* "10.11" of "10.11.6-MariaDB" as 1011. */
static int64_t version_number(const char *version)
{
	char *rest;
	long major = strtol(version, &rest, 10);

	return major * 100 + (*rest == '.' ? strtol(rest + 1, NULL, 10) : 0);
}

static enum preflight_state passed_if(bool is_so)
{
	return is_so ? PREFLIGHT_PASSED : PREFLIGHT_FAILED;
}

/* The database ------------------------------------------------------------------------------ */

static enum preflight_state database_answers(const struct preflight_facts *facts,
					     struct text *measured)
{
	text_printf(measured, "it answers in %.1f ms", (double)facts->database.unsure_us * 2 / 1e3);
	return PREFLIGHT_PASSED;
}

static enum preflight_state database_version(const struct preflight_facts *facts,
					     struct text *measured)
{
	const char *version = facts->database.version;
	bool is_mariadb = strstr(version, "MariaDB") != NULL;

	text_puts(measured, version);
	return passed_if(version_number(version) >= (is_mariadb ? 1006 : 800));
}

static enum preflight_state database_writable(const struct preflight_facts *facts,
					      struct text *measured)
{
	text_puts(measured, facts->database.is_read_only ? "read only" : "writable");
	return passed_if(!facts->database.is_read_only);
}

static enum preflight_state database_flush(const struct preflight_facts *facts,
					   struct text *measured)
{
	text_printf(measured, "innodb_flush_log_at_trx_commit = %" PRId64,
		    facts->database.flush_log);
	return passed_if(facts->database.flush_log == 1);
}

static enum preflight_state database_binlog(const struct preflight_facts *facts,
					    struct text *measured)
{
	if (!facts->database.has_binlog) {
		text_puts(measured, "no binary log");
		return PREFLIGHT_PASSED;
	}
	text_printf(measured, "sync_binlog = %" PRId64, facts->database.sync_binlog);
	return passed_if(facts->database.sync_binlog == 1);
}

static int64_t at_least_none(int64_t count)
{
	return count > 0 ? count : 0;
}

/* A front has some for look-ups and one for its snapshots, a worker has one. */
static enum preflight_state database_connections(const struct preflight_facts *facts,
						 struct text *measured)
{
	const struct preflight_queues *queues = &facts->queues;

	text_printf(measured, "max_connections = %" PRId64, facts->database.max_connections);
	if (!facts->is_known[FROM_QUEUES]) {
		text_puts(measured, "; how many are needed is not known: see broker-queues");
		return PREFLIGHT_UNKNOWN;
	}
	int64_t workers = at_least_none(queues->seat_workers) +
			  at_least_none(queues->gate_workers) +
			  at_least_none(queues->account_workers);
	int64_t need = queues->fronts * (facts->conf->front_db_connections + 1) + workers +
		       CONNECTIONS_SPARE;
	text_printf(measured,
		    ", needed %" PRId64 " (%" PRId64 " fronts, %" PRId64 " workers, %d spare)",
		    need, queues->fronts, workers, CONNECTIONS_SPARE);
	return passed_if(facts->database.max_connections >= need);
}

static enum preflight_state database_packet(const struct preflight_facts *facts,
					    struct text *measured)
{
	text_printf(measured, "max_allowed_packet = %" PRId64, facts->database.max_packet);
	return passed_if(facts->database.max_packet >= PACKET_LEAST);
}

static enum preflight_state database_timeouts(const struct preflight_facts *facts,
					      struct text *measured)
{
	int64_t ms = facts->database.statement_ms;

	if (ms == 0)
		text_puts(measured, "no limit");
	else
		text_printf(measured, "a statement is cut off after %" PRId64 " ms", ms);
	return passed_if(ms == 0 || ms >= STATEMENT_LEAST_MS);
}

static enum preflight_state database_clock(const struct preflight_facts *facts,
					   struct text *measured)
{
	int64_t ahead_us = facts->database.ahead_us;

	text_printf(measured, "%" PRId64 " ms %s, give or take %" PRId64 " ms",
		    imaxabs(ahead_us) / 1000, ahead_us < 0 ? "behind" : "ahead",
		    facts->database.unsure_us / 1000);
	return passed_if(imaxabs(ahead_us) <= CLOCK_US + facts->database.unsure_us);
}

static enum preflight_state database_disk(const struct preflight_facts *facts,
					  struct text *measured)
{
	text_printf(measured, "%" PRId64 " MiB free in %s, needed %" PRId64, facts->disk_free_mib,
		    facts->database.datadir, facts->disk_least_gib * 1024);
	return passed_if(facts->disk_free_mib >= facts->disk_least_gib * 1024);
}

static enum preflight_state schema_migrated(const struct preflight_facts *facts,
					    struct text *measured)
{
	const struct preflight_schema *schema = &facts->schema;

	if (schema->missing.length > 0)
		text_printf(measured, "missing: %s", schema->missing.bytes);
	else if (schema->stranger.length > 0)
		text_printf(measured, "ahead of this program: %s", schema->stranger.bytes);
	else
		text_printf(measured, "all %" PRId64, schema->wanted);
	return passed_if(schema->missing.length == 0 && schema->stranger.length == 0);
}

static enum preflight_state audit_clean(const struct preflight_facts *facts, struct text *measured)
{
	const struct preflight_audit *audit = &facts->audit;

	if (audit->broken.length > 0)
		text_printf(measured, "broken: %s", audit->broken.bytes);
	else
		text_printf(measured, "%" PRId64 " checks, %" PRId64 " warnings", audit->checks,
			    audit->warnings);
	return passed_if(audit->broken.length == 0);
}

/* The broker -------------------------------------------------------------------------------- */

static enum preflight_state broker_answers(const struct preflight_facts *facts,
					   struct text *measured)
{
	text_printf(measured, "%" PRId64 " nodes, %" PRId64 " of them down", facts->broker.nodes,
		    facts->broker.down);
	return passed_if(facts->broker.nodes > 0 && facts->broker.down == 0);
}

static enum preflight_state broker_version(const struct preflight_facts *facts,
					   struct text *measured)
{
	text_puts(measured, facts->broker.version);
	return passed_if(version_number(facts->broker.version) >= 310);
}

static enum preflight_state broker_alarms(const struct preflight_facts *facts,
					  struct text *measured)
{
	bool has_alarms = facts->broker.alarms.length > 0;

	text_puts(measured, has_alarms ? facts->broker.alarms.bytes : "none");
	return passed_if(!has_alarms);
}

static enum preflight_state broker_files(const struct preflight_facts *facts, struct text *measured)
{
	text_printf(measured, "%" PRId64 " left", facts->broker.files_left);
	return passed_if(facts->broker.files_left >= BROKER_FILES_LEAST);
}

static enum preflight_state broker_queues(const struct preflight_facts *facts,
					  struct text *measured)
{
	const struct preflight_queues *queues = &facts->queues;

	if (queues->missing.length > 0)
		text_printf(measured, "missing: %s%s", queues->missing.bytes,
			    queues->wrong.length > 0 ? "; " : "");
	if (queues->wrong.length > 0)
		text_printf(measured, "with other arguments: %s", queues->wrong.bytes);
	if (queues->missing.length + queues->wrong.length > 0)
		return PREFLIGHT_FAILED;
	text_printf(measured, "all %" PRId64, queues->declared);
	return PREFLIGHT_PASSED;
}

static enum preflight_state dead_empty(const struct preflight_facts *facts, struct text *measured)
{
	if (facts->queues.dead < 0) {
		text_puts(measured, "the broker does not tell its length");
		return PREFLIGHT_UNKNOWN;
	}
	text_printf(measured, "%" PRId64 " letters", facts->queues.dead);
	return passed_if(facts->queues.dead == 0);
}

static enum preflight_state no_backlog(const struct preflight_facts *facts, struct text *measured)
{
	const struct preflight_queues *queues = &facts->queues;

	if (!queues->is_told) {
		text_puts(measured, "the broker does not tell all lengths");
		return PREFLIGHT_UNKNOWN;
	}
	if (queues->deepest > 0)
		text_printf(measured, "%" PRId64 " in %s", queues->deepest, queues->deepest_name);
	else
		text_puts(measured, "all are empty");
	return passed_if(queues->deepest <= BACKLOG_MOST);
}

/* Processes --------------------------------------------------------------------------------- */

static enum preflight_state workers_seen(int64_t consumers, struct text *measured)
{
	if (consumers < 0)
		text_puts(measured, "the broker does not tell");
	else
		text_printf(measured, "%" PRId64, consumers);
	return consumers < 0 ? PREFLIGHT_UNKNOWN : passed_if(consumers > 0);
}

static enum preflight_state seat_workers(const struct preflight_facts *facts, struct text *measured)
{
	return workers_seen(facts->queues.seat_workers, measured);
}

static enum preflight_state gate_workers(const struct preflight_facts *facts, struct text *measured)
{
	return workers_seen(facts->queues.gate_workers, measured);
}

static enum preflight_state account_workers(const struct preflight_facts *facts,
					    struct text *measured)
{
	int64_t account = facts->queues.account_workers, import = facts->queues.import_workers;

	return workers_seen(account < import ? account : import, measured);
}

static enum preflight_state fronts(const struct preflight_facts *facts, struct text *measured)
{
	return workers_seen(facts->queues.fronts, measured);
}

static enum preflight_state site_ready(const struct preflight_facts *facts, struct text *measured)
{
	text_printf(measured, "/readyz answers %ld", facts->site.status);
	return passed_if(facts->site.status == 200);
}

static enum preflight_state metrics_told(const struct preflight_facts *facts, struct text *measured)
{
	const struct preflight_metrics *metrics = &facts->metrics;

	if (metrics->silent.length > 0)
		text_printf(measured, "not serving: %s", metrics->silent.bytes);
	else
		text_printf(measured, "%" PRId64 " processes", metrics->targets);
	return passed_if(metrics->targets > 0 && metrics->silent.length == 0);
}

static enum preflight_state file_limit(const struct preflight_facts *facts, struct text *measured)
{
	text_printf(measured, "%" PRId64 " here", facts->files);
	return passed_if(facts->files >= FILES_LEAST);
}

/* The sale ---------------------------------------------------------------------------------- */

static enum preflight_state gate_ticks(const struct preflight_facts *facts, struct text *measured)
{
	const struct gate_numbers *numbers = &facts->gate_now.numbers;
	int64_t age_us = numbers->now_us - numbers->ticked_us;
	int64_t most_us = TICK_US + facts->conf->gate_tick_ms * 3000;

	text_printf(measured, "the last tick was %" PRId64 " ms ago, %" PRId64 " are allowed",
		    age_us / 1000, most_us / 1000);
	return passed_if(age_us <= most_us);
}

static enum preflight_state gate_policy(const struct preflight_facts *facts, struct text *measured)
{
	const struct preflight_gate *gate = &facts->gate_now;

	if (!gate->has_policy) {
		text_puts(measured, "there is none");
		return PREFLIGHT_FAILED;
	}
	if (gate->why[0] != '\0') {
		text_puts(measured, gate->why);
		return PREFLIGHT_FAILED;
	}
	if (gate->numbers.state != gate->policy.state) {
		text_printf(measured, "it says %s, and the gate is %s",
			    policy_state_name(gate->policy.state),
			    policy_state_name(gate->numbers.state));
		return PREFLIGHT_FAILED;
	}
	text_printf(measured,
		    "max_active = %" PRId64 ", window_limit = %" PRId64 " in %" PRId64 " s",
		    gate->policy.max_active, gate->policy.window_limit, gate->policy.window_s);
	return PREFLIGHT_PASSED;
}

static enum preflight_state gate_state(const struct preflight_facts *facts, struct text *measured)
{
	enum policy_state state = facts->gate_now.numbers.state;

	text_printf(measured, "%s, to be %s", policy_state_name(state),
		    facts->gate != NULL ? facts->gate : "open or paused");
	return passed_if(facts->gate != NULL ? strcmp(facts->gate, policy_state_name(state)) == 0
					     : state != POLICY_CLOSED);
}

static enum preflight_state seats_free(const struct preflight_facts *facts, struct text *measured)
{
	text_printf(measured, "%" PRId64 " seats of %" PRId64 " schedules", facts->catalogue.seats,
		    facts->catalogue.schedules);
	return passed_if(facts->catalogue.seats > 0);
}

static void put_time(struct text *measured, int64_t us)
{
	char text[TIME_TEXT_SIZE];

	time_format(us, text);
	text_puts(measured, text);
}

static enum preflight_state booking_times(const struct preflight_facts *facts,
					  struct text *measured)
{
	const struct preflight_catalogue *catalogue = &facts->catalogue;

	if (catalogue->bookable == 0) {
		text_puts(measured, "the booking of every schedule with free seats is over");
		return PREFLIGHT_FAILED;
	}
	text_printf(measured, "%" PRId64 " schedules, booking %s ", catalogue->bookable,
		    catalogue->begins_us <= catalogue->now_us ? "runs since" : "begins at");
	put_time(measured, catalogue->begins_us);
	return PREFLIGHT_PASSED;
}

/* Who is let in before booking begins can reserve nothing, and loses the turn. */
static enum preflight_state draw_planned(const struct preflight_facts *facts, struct text *measured)
{
	const struct preflight_draw *draw = &facts->draw;

	if (!draw->is_live) {
		text_puts(measured, "none is planned");
		return PREFLIGHT_PASSED;
	}
	text_printf(measured, "%s, opens at ", draw_state_name(draw->state));
	put_time(measured, draw->opens_us);
	if (!facts->is_known[FROM_CATALOGUE]) {
		text_puts(measured, "; when booking begins is not known");
		return PREFLIGHT_UNKNOWN;
	}
	if (facts->catalogue.bookable > 0) {
		text_puts(measured, ", booking begins at ");
		put_time(measured, facts->catalogue.begins_us);
	}
	return passed_if(draw->state == DRAW_JOINING && draw->opens_us > draw->now_us &&
			 facts->catalogue.bookable > 0 &&
			 draw->opens_us >= facts->catalogue.begins_us);
}

/* The table --------------------------------------------------------------------------------- */

/* clang-format off */
const struct preflight_check preflight_checks[] = {
	{"database-answers", FROM_DATABASE, true, "the database answers",
	 "start it; see the settings mysql_*, and whether the account boxoffice_operator may connect", database_answers},
	{"database-version", FROM_DATABASE, false, "MariaDB 10.6 or MySQL 8.0, or later",
	 "upgrade the server: it needs JSON_TABLE and SKIP LOCKED", database_version},
	{"database-writable", FROM_DATABASE, false, "read_only is off",
	 "this is a replica, or a failover is not finished: point mysql_host at the primary", database_writable},
	{"database-flush", FROM_DATABASE, false, "innodb_flush_log_at_trx_commit is 1",
	 "SET GLOBAL innodb_flush_log_at_trx_commit = 1, and in its configuration: else a power cut loses sales", database_flush},
	{"database-binlog", FROM_DATABASE, false, "sync_binlog is 1, where there is a binary log",
	 "SET GLOBAL sync_binlog = 1, and in its configuration: else a failover loses sales", database_binlog},
	{"database-connections", FROM_DATABASE, false, "max_connections is enough for all fronts and workers",
	 "SET GLOBAL max_connections, and in its configuration, or lower front_db_connections", database_connections},
	{"database-packet", FROM_DATABASE, false, "max_allowed_packet is 8 MiB or more",
	 "SET GLOBAL max_allowed_packet = 16777216: a batch of jobs is one parameter", database_packet},
	{"database-timeouts", FROM_DATABASE, false, "no limit of a statement's time, or 30 s and more",
	 "SET GLOBAL max_statement_time = 0 (MySQL: max_execution_time); workers set their other timeouts themselves", database_timeouts},
	{"database-clock", FROM_DATABASE, false, "its clock and this host's differ by a second at most",
	 "see chronyc tracking or timedatectl on both hosts: holds end by the database's clock, tokens by the fronts'", database_clock},
	{"database-disk", FROM_DISK, false, "room under the database's data, as --disk says",
	 "make room or grow the disk; on another host look there, and say --skip database-disk", database_disk},
	{"schema-migrated", FROM_SCHEMA, false, "the migrations are those of this program",
	 "sql/migrate DATABASE; when the database is ahead, install the newer programs", schema_migrated},
	{"audit-clean", FROM_AUDIT, false, "no invariant is broken",
	 "boxofficectl audit names the rows; OPERATIONS.md says what each means", audit_clean},
	{"broker-answers", FROM_BROKER, true, "the management API answers, and every node runs",
	 "start it; see the settings amqp_url and management_url, and rabbitmq-plugins list", broker_answers},
	{"broker-version", FROM_BROKER, false, "RabbitMQ 3.10 or later",
	 "upgrade: earlier quorum queues dead-letter without at-least-once", broker_version},
	{"broker-alarms", FROM_BROKER, false, "no alarm of memory or disk",
	 "free memory or disk on that node: while an alarm lasts no job is taken", broker_alarms},
	{"broker-files", FROM_BROKER, false, "1,024 more files and sockets on every node",
	 "raise LimitNOFILE of the broker's service", broker_files},
	{"broker-queues", FROM_QUEUES, false, "every queue is there, with our arguments",
	 "start a worker or import boxoffice-topology's definitions; a queue with other arguments is drained and deleted first", broker_queues},
	{"dead-empty", FROM_QUEUES, false, "no dead letters",
	 "boxofficectl dead list, then send-back or drop: OPERATIONS.md, \"Dead letters\"", dead_empty},
	{"no-backlog", FROM_QUEUES, false, "at most 100 messages wait in a queue of jobs",
	 "wait until it is done; if it does not shrink, look at that queue's worker", no_backlog},
	{"seat-workers", FROM_QUEUES, false, "a consumer of every seat.*",
	 "start boxoffice-seat-worker; wait some seconds, since the broker's numbers are late", seat_workers},
	{"gate-workers", FROM_QUEUES, false, "a consumer of gate",
	 "start boxoffice-gate-worker", gate_workers},
	{"account-workers", FROM_QUEUES, false, "a consumer of account and of charge.import",
	 "start boxoffice-account-worker", account_workers},
	{"fronts", FROM_QUEUES, false, "a front with a queue for its replies",
	 "start boxoffice-front", fronts},
	{"site-ready", FROM_SITE, false, "the site answers /readyz with 200",
	 "its body says whether broker or database is away; without an answer look at nginx and its upstreams", site_ready},
	{"metrics", FROM_METRICS, false, "every process tells its metrics, and that it serves",
	 "start those, or correct metrics_address, metrics_port and the list of targets", metrics_told},
	{"file-limit", FROM_HOST, false, "8,192 files for a process of this host",
	 "ulimit -Hn, LimitNOFILE: a front has one for each connection of its nginx; without fronts on this host --skip file-limit", file_limit},
	{"gate-ticks", FROM_GATE, false, "the gate ticked just now",
	 "start boxoffice-gate-worker, and see its log for tick-failed", gate_ticks},
	{"gate-policy", FROM_GATE, false, "the newest policy makes sense, and rules",
	 "boxofficectl gate set NAME=VALUE", gate_policy},
	{"gate-state", FROM_GATE, false, "the gate is as --gate says, else not closed",
	 "boxofficectl gate open, gate pause or gate close", gate_state},
	{"seats-free", FROM_CATALOGUE, false, "a show to come has free seats on sale",
	 "boxofficectl schedule list, seat list SCHEDULE, seat set SCHEDULE NUMBERS on-sale=yes", seats_free},
	{"booking-times", FROM_CATALOGUE, false, "their booking runs or is to come",
	 "boxofficectl schedule list: add the right schedule, its times cannot be changed", booking_times},
	{"draw", FROM_DRAW, false, "no draw, or one that is open to join and opens when booking has begun",
	 "boxofficectl draw move TIME ZONE; after its opening: draw reveal VALUE", draw_planned},
	{NULL, FROM_DATABASE, false, NULL, NULL, NULL},
};
/* clang-format on */

enum preflight_state preflight_judge(const struct preflight_check *check,
				     const struct preflight_facts *facts, struct text *measured)
{
	if (facts->is_known[check->source])
		return check->judge(facts, measured);
	text_puts(measured, facts->why[check->source]);
	return check->is_reach ? PREFLIGHT_FAILED : PREFLIGHT_UNKNOWN;
}

void preflight_facts_fini(struct preflight_facts *facts)
{
	text_fini(&facts->schema.missing);
	text_fini(&facts->schema.stranger);
	text_fini(&facts->audit.broken);
	text_fini(&facts->broker.alarms);
	text_fini(&facts->queues.missing);
	text_fini(&facts->queues.wrong);
	text_fini(&facts->metrics.silent);
}

void preflight_unknown(struct preflight_facts *facts, enum preflight_source source,
		       const char *format, ...)
{
	va_list arguments;

	facts->is_known[source] = false;
	va_start(arguments, format);
	vsnprintf(facts->why[source], PREFLIGHT_WHY_SIZE, format, arguments);
	va_end(arguments);
}

void preflight_name(struct text *names, const char *name)
{
	text_printf(names, "%s%s", names->length > 0 ? ", " : "", name);
}
