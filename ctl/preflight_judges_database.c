/* What the database must be like: the server, its schema, the books. */
#include "preflight_judges.h"

#include <inttypes.h>
#include <string.h>

#define CLOCK_US INT64_C(1000000)
#define PACKET_LEAST (INT64_C(8) << 20)
#define STATEMENT_LEAST_MS 30000
#define CONNECTIONS_SPARE 20 /* for operators, backups and who watches */

enum preflight_state judge_database_answers(const struct preflight_facts *facts,
					    struct text *measured)
{
	text_printf(measured, "it answers in %.1f ms", (double)facts->database.unsure_us * 2 / 1e3);
	return PREFLIGHT_PASSED;
}

enum preflight_state judge_database_version(const struct preflight_facts *facts,
					    struct text *measured)
{
	const char *version = facts->database.version;
	bool is_mariadb = strstr(version, "MariaDB") != NULL;

	text_puts(measured, version);
	return preflight_passed_if(preflight_version(version) >= (is_mariadb ? 1006 : 800));
}

enum preflight_state judge_database_writable(const struct preflight_facts *facts,
					     struct text *measured)
{
	text_puts(measured, facts->database.is_read_only ? "read only" : "writable");
	return preflight_passed_if(!facts->database.is_read_only);
}

enum preflight_state judge_database_flush(const struct preflight_facts *facts,
					  struct text *measured)
{
	text_printf(measured, "innodb_flush_log_at_trx_commit = %" PRId64,
		    facts->database.flush_log);
	return preflight_passed_if(facts->database.flush_log == 1);
}

enum preflight_state judge_database_binlog(const struct preflight_facts *facts,
					   struct text *measured)
{
	if (!facts->database.has_binlog) {
		text_puts(measured, "no binary log");
		return PREFLIGHT_PASSED;
	}
	text_printf(measured, "sync_binlog = %" PRId64, facts->database.sync_binlog);
	return preflight_passed_if(facts->database.sync_binlog == 1);
}

enum preflight_state judge_database_replica(const struct preflight_facts *facts,
					    struct text *measured)
{
	const struct preflight_database *database = &facts->database;

	if (database->servers < 2) {
		text_puts(measured, "one database");
		return PREFLIGHT_PASSED;
	}
	text_printf(measured, "%" PRId64 " databases, %s, %" PRId64 " follow", database->servers,
		    database->does_wait ? "commits wait" : "commits do not wait",
		    database->replicas);
	return preflight_passed_if(database->does_wait && database->replicas > 0);
}

static int64_t at_least_none(int64_t count)
{
	return count > 0 ? count : 0;
}

/* A front has some for look-ups and one for its snapshots, a worker has one. */
enum preflight_state judge_database_connections(const struct preflight_facts *facts,
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
	return preflight_passed_if(facts->database.max_connections >= need);
}

enum preflight_state judge_database_packet(const struct preflight_facts *facts,
					   struct text *measured)
{
	text_printf(measured, "max_allowed_packet = %" PRId64, facts->database.max_packet);
	return preflight_passed_if(facts->database.max_packet >= PACKET_LEAST);
}

enum preflight_state judge_database_timeouts(const struct preflight_facts *facts,
					     struct text *measured)
{
	int64_t ms = facts->database.statement_ms;

	if (ms == 0)
		text_puts(measured, "no limit");
	else
		text_printf(measured, "a statement is cut off after %" PRId64 " ms", ms);
	return preflight_passed_if(ms == 0 || ms >= STATEMENT_LEAST_MS);
}

enum preflight_state judge_database_clock(const struct preflight_facts *facts,
					  struct text *measured)
{
	int64_t ahead_us = facts->database.ahead_us;

	text_printf(measured, "%" PRId64 " ms %s, give or take %" PRId64 " ms",
		    imaxabs(ahead_us) / 1000, ahead_us < 0 ? "behind" : "ahead",
		    facts->database.unsure_us / 1000);
	return preflight_passed_if(imaxabs(ahead_us) <= CLOCK_US + facts->database.unsure_us);
}

enum preflight_state judge_database_disk(const struct preflight_facts *facts, struct text *measured)
{
	text_printf(measured, "%" PRId64 " MiB free in %s, needed %" PRId64, facts->disk_free_mib,
		    facts->database.datadir, facts->disk_least_gib * 1024);
	return preflight_passed_if(facts->disk_free_mib >= facts->disk_least_gib * 1024);
}

enum preflight_state judge_schema_migrated(const struct preflight_facts *facts,
					   struct text *measured)
{
	const struct preflight_schema *schema = &facts->schema;

	if (schema->missing.length > 0)
		text_printf(measured, "missing: %s", schema->missing.bytes);
	else if (schema->stranger.length > 0)
		text_printf(measured, "ahead of this program: %s", schema->stranger.bytes);
	else
		text_printf(measured, "all %" PRId64, schema->wanted);
	return preflight_passed_if(schema->missing.length == 0 && schema->stranger.length == 0);
}

enum preflight_state judge_audit_clean(const struct preflight_facts *facts, struct text *measured)
{
	const struct preflight_audit *audit = &facts->audit;

	if (audit->broken.length > 0)
		text_printf(measured, "broken: %s", audit->broken.bytes);
	else
		text_printf(measured, "%" PRId64 " checks, %" PRId64 " warnings", audit->checks,
			    audit->warnings);
	return preflight_passed_if(audit->broken.length == 0);
}
