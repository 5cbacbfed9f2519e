/* The checks: what is required, and what to do when it is not so. */
#include "preflight.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "preflight_judges.h"

/* clang-format off */
const struct preflight_check preflight_checks[] = {
	{"database-answers", FROM_DATABASE, true, "the database answers",
	 "start it; see the settings mysql_*, and whether the account boxoffice_operator may connect", judge_database_answers},
	{"database-version", FROM_DATABASE, false, "MariaDB 10.6 or MySQL 8.0, or later",
	 "upgrade the server: it needs JSON_TABLE and SKIP LOCKED", judge_database_version},
	{"database-writable", FROM_DATABASE, false, "read_only is off",
	 "this is a replica, or a failover is not finished: point mysql_host at the primary", judge_database_writable},
	{"database-flush", FROM_DATABASE, false, "innodb_flush_log_at_trx_commit is 1",
	 "SET GLOBAL innodb_flush_log_at_trx_commit = 1, and in its configuration: else a power cut loses sales", judge_database_flush},
	{"database-binlog", FROM_DATABASE, false, "sync_binlog is 1, where there is a binary log",
	 "SET GLOBAL sync_binlog = 1, and in its configuration: else a failover loses sales", judge_database_binlog},
	{"database-replica", FROM_DATABASE, false, "where there are two databases, each commit waits for the replica, which follows",
	 "database-pair FOLDER status, then join: OPERATIONS.md, \"A second database\"", judge_database_replica},
	{"database-connections", FROM_DATABASE, false, "max_connections is enough for all fronts and workers",
	 "SET GLOBAL max_connections, and in its configuration, or lower front_db_connections", judge_database_connections},
	{"database-packet", FROM_DATABASE, false, "max_allowed_packet is 8 MiB or more",
	 "SET GLOBAL max_allowed_packet = 16777216: a batch of jobs is one parameter", judge_database_packet},
	{"database-timeouts", FROM_DATABASE, false, "no limit of a statement's time, or 30 s and more",
	 "SET GLOBAL max_statement_time = 0 (MySQL: max_execution_time); workers set their other timeouts themselves", judge_database_timeouts},
	{"database-clock", FROM_DATABASE, false, "its clock and this host's differ by a second at most",
	 "see chronyc tracking or timedatectl on both hosts: holds end by the database's clock, tokens by the fronts'", judge_database_clock},
	{"database-disk", FROM_DISK, false, "room under the database's data, as --disk says",
	 "make room or grow the disk; on another host look there, and say --skip database-disk", judge_database_disk},
	{"schema-migrated", FROM_SCHEMA, false, "the migrations are those of this program",
	 "sql/migrate DATABASE; when the database is ahead, install the newer programs", judge_schema_migrated},
	{"audit-clean", FROM_AUDIT, false, "no invariant is broken",
	 "boxofficectl audit names the rows; OPERATIONS.md says what each means", judge_audit_clean},
	{"broker-answers", FROM_BROKER, true, "the management API answers, and every node runs",
	 "start it; see the settings amqp_url and management_url, and rabbitmq-plugins list", judge_broker_answers},
	{"broker-partitions", FROM_BROKER, false, "all nodes agree on who is in the cluster",
	 "restart those that most others do not see, one at a time: what is declared on one side is not known to the other", judge_broker_partitions},
	{"broker-version", FROM_BROKER, false, "RabbitMQ 3.10 or later",
	 "upgrade: earlier quorum queues dead-letter without at-least-once", judge_broker_version},
	{"broker-alarms", FROM_BROKER, false, "no alarm of memory or disk",
	 "free memory or disk on that node: while an alarm lasts no job is taken", judge_broker_alarms},
	{"broker-files", FROM_BROKER, false, "1,024 more files and sockets on every node",
	 "raise LimitNOFILE of the broker's service", judge_broker_files},
	{"broker-queues", FROM_QUEUES, false, "every queue is there, with our arguments",
	 "start a worker or import boxoffice-topology's definitions; a queue with other arguments is drained and deleted first", judge_broker_queues},
	{"broker-members", FROM_QUEUES, false, "no cluster, or three nodes and more that have every queue",
	 "rabbitmq-queues grow NODE all; a node that is down is started first: OPERATIONS.md, \"A cluster of brokers\"", judge_broker_members},
	{"dead-empty", FROM_QUEUES, false, "no dead letters",
	 "boxofficectl dead list, then send-back or drop: OPERATIONS.md, \"Dead letters\"", judge_dead_empty},
	{"no-backlog", FROM_QUEUES, false, "at most 100 messages wait in a queue of jobs",
	 "wait until it is done; if it does not shrink, look at that queue's worker", judge_no_backlog},
	{"seat-workers", FROM_QUEUES, false, "a consumer of every seat.*",
	 "start boxoffice-seat-worker; wait some seconds, since the broker's numbers are late", judge_seat_workers},
	{"gate-workers", FROM_QUEUES, false, "a consumer of gate",
	 "start boxoffice-gate-worker", judge_gate_workers},
	{"account-workers", FROM_QUEUES, false, "a consumer of account and of charge.import",
	 "start boxoffice-account-worker", judge_account_workers},
	{"fronts", FROM_QUEUES, false, "a front with a queue for its replies",
	 "start boxoffice-front", judge_fronts},
	{"site-ready", FROM_SITE, false, "the site answers /readyz with 200",
	 "its body says whether broker or database is away; without an answer look at nginx and its upstreams", judge_site_ready},
	{"metrics", FROM_METRICS, false, "every process tells its metrics, and that it serves",
	 "start those, or correct metrics_address, metrics_port and the list of targets", judge_metrics_told},
	{"file-limit", FROM_HOST, false, "8,192 files for a process of this host",
	 "ulimit -Hn, LimitNOFILE: a front has one for each connection of its nginx; without fronts on this host --skip file-limit", judge_file_limit},
	{"gate-ticks", FROM_GATE, false, "the gate ticked just now",
	 "start boxoffice-gate-worker, and see its log for tick-failed", judge_gate_ticks},
	{"gate-policy", FROM_GATE, false, "the newest policy makes sense, and rules",
	 "boxofficectl gate set NAME=VALUE", judge_gate_policy},
	{"gate-state", FROM_GATE, false, "the gate is as --gate says, else not closed",
	 "boxofficectl gate open, gate pause or gate close", judge_gate_state},
	{"seats-free", FROM_CATALOGUE, false, "a show to come has free seats on sale",
	 "boxofficectl schedule list, seat list SCHEDULE, seat set SCHEDULE NUMBERS on-sale=yes", judge_seats_free},
	{"booking-times", FROM_CATALOGUE, false, "their booking runs or is to come",
	 "boxofficectl schedule list: add the right schedule, its times cannot be changed", judge_booking_times},
	{"draw", FROM_DRAW, false, "no draw, or one that is open to join and opens when booking has begun",
	 "boxofficectl draw move TIME ZONE; after its opening: draw reveal VALUE", judge_draw_planned},
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

int64_t preflight_version(const char *version)
{
	char *rest;
	long major = strtol(version, &rest, 10);

	return major * 100 + (*rest == '.' ? strtol(rest + 1, NULL, 10) : 0);
}

enum preflight_state preflight_passed_if(bool is_so)
{
	return is_so ? PREFLIGHT_PASSED : PREFLIGHT_FAILED;
}
