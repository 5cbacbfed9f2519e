/* Preflight: every check passes where all is well, and fails by its name for the one thing that it
 * is about; what is not known is no pass. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "preflight.h"

#define NOW INT64_C(1800000000000000)
#define HOUR INT64_C(3600000000)

static struct conf conf;
static struct preflight_facts facts;

static int begin(void **state)
{
	(void)state;
	conf_init(&conf);
	facts = (struct preflight_facts){
		.conf = &conf,
		.disk_least_gib = 2,
		.disk_free_mib = 2048,
		.files = 8192,
		.database = {.version = "10.6.4-MariaDB-1",
			     .flush_log = 1,
			     .servers = 2,
			     .does_wait = true,
			     .replicas = 1,
			     .max_connections = 32, /* a front of 9, 3 workers, 20 spare */
			     .max_packet = 8 << 20},
		.schema = {.wanted = 5},
		.audit = {.checks = 50},
		.gate_now = {.numbers = {.now_us = NOW, .ticked_us = NOW - 900000},
			     .has_policy = true},
		.catalogue = {.now_us = NOW,
			      .schedules = 1,
			      .seats = 1,
			      .bookable = 1,
			      .begins_us = NOW + HOUR},
		.broker = {.version = "3.10.8", .nodes = 3, .files_left = 1024},
		.queues = {.declared = 21,
			   .seat_workers = 1,
			   .gate_workers = 1,
			   .account_workers = 1,
			   .import_workers = 1,
			   .members = 3,
			   .fronts = 1,
			   .is_told = true,
			   .deepest = 100,
			   .deepest_name = "gate"},
		.site = {.status = 200},
		.metrics = {.targets = 4},
	};
	for (unsigned source = 0; source < PREFLIGHT_SOURCES; source++)
		facts.is_known[source] = true;
	return 0;
}

static int end(void **state)
{
	(void)state;
	preflight_facts_fini(&facts);
	return 0;
}

/* The names of the checks that are in this state, with ", " between. */
static void list_checks(enum preflight_state state, struct text *names)
{
	text_puts(names, "");
	for (const struct preflight_check *each = preflight_checks; each->name != NULL; each++) {
		struct text measured = {0};

		if (preflight_judge(each, &facts, &measured) == state)
			preflight_name(names, each->name);
		assert_true(measured.length > 0);
		text_fini(&measured);
	}
}

static void assert_checks(enum preflight_state state, const char *expected)
{
	struct text names = {0};

	list_checks(state, &names);
	assert_string_equal(names.bytes, expected);
	text_fini(&names);
}

static void all_is_well(void **state)
{
	(void)state;
	assert_checks(PREFLIGHT_FAILED, "");
	assert_checks(PREFLIGHT_UNKNOWN, "");
}

#define CASE(check, change)                                                                        \
	static void break_##check(void)                                                            \
	{                                                                                          \
		change;                                                                            \
	}

CASE(database_version, strcpy(facts.database.version, "10.5.29-MariaDB"))
CASE(mysql_version, strcpy(facts.database.version, "5.7.40"))
CASE(writable, facts.database.is_read_only = true)
CASE(flush, facts.database.flush_log = 2)
CASE(binlog, facts.database.has_binlog = true)
CASE(replica_left, facts.database.does_wait = false)
CASE(replica_away, facts.database.replicas = 0)
CASE(connections, facts.database.max_connections = 31)
CASE(packet, facts.database.max_packet = (8 << 20) - 1)
CASE(timeouts, facts.database.statement_ms = 29999)
CASE(clock_ahead, facts.database.ahead_us = 1000001)
CASE(clock_behind, facts.database.ahead_us = -1000001)
CASE(disk, facts.disk_free_mib = 2047)
CASE(migration, preflight_name(&facts.schema.missing, "005_catalogue"))
CASE(database_ahead, preflight_name(&facts.schema.stranger, "006_next"))
CASE(audit, preflight_name(&facts.audit.broken, "balance-of-history"))
CASE(node, facts.broker.down = 1)
CASE(partition, facts.broker.partitioned = 1)
CASE(broker_version, strcpy(facts.broker.version, "3.9.29"))
CASE(alarm, preflight_name(&facts.broker.alarms, "disk of rabbit@a"))
CASE(broker_files, facts.broker.files_left = 1023)
CASE(members, facts.queues.members = 2)
CASE(queue_missing, preflight_name(&facts.queues.missing, "seat.3"))
CASE(queue_wrong, preflight_name(&facts.queues.wrong, "seat.3"))
CASE(dead, facts.queues.dead = 1)
CASE(backlog, facts.queues.deepest = 101)
CASE(seat_workers, facts.queues.seat_workers = 0)
CASE(gate_workers, facts.queues.gate_workers = 0)
CASE(account_workers, facts.queues.account_workers = 0)
CASE(import_workers, facts.queues.import_workers = 0)
CASE(fronts, facts.queues.fronts = 0)
CASE(site, facts.site.status = 503)
CASE(silent, preflight_name(&facts.metrics.silent, "127.0.0.1:1"))
CASE(no_targets, facts.metrics.targets = 0)
CASE(files, facts.files = 8191)
CASE(tick, facts.gate_now.numbers.ticked_us = NOW - 2700000)
CASE(no_policy, facts.gate_now.has_policy = false)
CASE(policy, strcpy(facts.gate_now.why, "max_active is above the ceiling"))
CASE(policy_away, facts.gate_now.policy.state = POLICY_PAUSED)
CASE(no_seats, facts.catalogue.seats = 0)
CASE(booking_over, facts.catalogue.bookable = 0)

static void draw_opens(enum draw_state state, int64_t opens_us)
{
	facts.draw = (struct preflight_draw){
		.is_live = true, .state = state, .opens_us = opens_us, .now_us = NOW};
}

CASE(draw_early, draw_opens(DRAW_JOINING, NOW + HOUR - 1))
CASE(draw_past, facts.catalogue.begins_us = 0; draw_opens(DRAW_JOINING, NOW))
CASE(draw_closed, draw_opens(DRAW_CLOSED, NOW + HOUR))
CASE(gate_closed, facts.gate_now.numbers.state = facts.gate_now.policy.state = POLICY_CLOSED)
CASE(gate_not_paused, facts.gate = "paused")

static const struct {
	void (*break_it)(void);
	const char *check;
} cases[] = {
	{break_database_version, "database-version"},
	{break_mysql_version, "database-version"},
	{break_writable, "database-writable"},
	{break_flush, "database-flush"},
	{break_binlog, "database-binlog"},
	{break_replica_left, "database-replica"},
	{break_replica_away, "database-replica"},
	{break_connections, "database-connections"},
	{break_packet, "database-packet"},
	{break_timeouts, "database-timeouts"},
	{break_clock_ahead, "database-clock"},
	{break_clock_behind, "database-clock"},
	{break_disk, "database-disk"},
	{break_migration, "schema-migrated"},
	{break_database_ahead, "schema-migrated"},
	{break_audit, "audit-clean"},
	{break_node, "broker-answers"},
	{break_partition, "broker-partitions"},
	{break_broker_version, "broker-version"},
	{break_alarm, "broker-alarms"},
	{break_broker_files, "broker-files"},
	{break_members, "broker-members"},
	{break_queue_missing, "broker-queues"},
	{break_queue_wrong, "broker-queues"},
	{break_dead, "dead-empty"},
	{break_backlog, "no-backlog"},
	{break_seat_workers, "seat-workers"},
	{break_gate_workers, "gate-workers"},
	{break_account_workers, "account-workers"},
	{break_import_workers, "account-workers"},
	{break_fronts, "fronts"},
	{break_site, "site-ready"},
	{break_silent, "metrics"},
	{break_no_targets, "metrics"},
	{break_files, "file-limit"},
	{break_tick, "gate-ticks"},
	{break_no_policy, "gate-policy"},
	{break_policy, "gate-policy"},
	{break_policy_away, "gate-policy"},
	{break_gate_closed, "gate-state"},
	{break_gate_not_paused, "gate-state"},
	{break_no_seats, "seats-free"},
	{break_draw_early, "draw"},
	{break_draw_past, "draw"},
	{break_draw_closed, "draw"},
	{break_booking_over, "booking-times"},
};

static void one_thing_fails_one_check(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(state);
		cases[i].break_it();
		assert_checks(PREFLIGHT_FAILED, cases[i].check);
		assert_checks(PREFLIGHT_UNKNOWN, "");
		end(state);
	}
}

static void every_check_has_a_case(void **state)
{
	(void)state;
	for (const struct preflight_check *each = preflight_checks; each->name != NULL; each++) {
		bool is_there = each->is_reach;

		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
			is_there = is_there || strcmp(cases[i].check, each->name) == 0;
		assert_true(is_there);
	}
}

static void what_is_not_known_is_no_pass(void **state)
{
	(void)state;
	for (const struct preflight_check *each = preflight_checks; each->name != NULL; each++) {
		struct text measured = {0};

		preflight_unknown(&facts, each->source, "nobody %s", "answers");
		assert_int_equal(preflight_judge(each, &facts, &measured),
				 each->is_reach ? PREFLIGHT_FAILED : PREFLIGHT_UNKNOWN);
		assert_string_equal(measured.bytes, "nobody answers");
		text_fini(&measured);
		facts.is_known[each->source] = true;
	}
}

static void a_number_that_the_broker_does_not_tell_is_no_pass(void **state)
{
	(void)state;
	facts.queues.dead = facts.queues.seat_workers = facts.queues.gate_workers =
		facts.queues.import_workers = -1;
	facts.queues.is_told = false;
	assert_checks(PREFLIGHT_UNKNOWN,
		      "dead-empty, no-backlog, seat-workers, gate-workers, account-workers");
	assert_checks(PREFLIGHT_FAILED, "");
}

static void a_check_that_needs_two_sources_needs_both(void **state)
{
	(void)state;
	draw_opens(DRAW_JOINING, NOW + HOUR);
	assert_checks(PREFLIGHT_FAILED, "");
	preflight_unknown(&facts, FROM_CATALOGUE, "away");
	preflight_unknown(&facts, FROM_QUEUES, "away");
	assert_checks(
		PREFLIGHT_UNKNOWN,
		"database-connections, broker-queues, broker-members, dead-empty, no-backlog, "
		"seat-workers, gate-workers, account-workers, fronts, seats-free, "
		"booking-times, draw");
}

static void a_broker_alone_has_one_member_of_each_queue(void **state)
{
	(void)state;
	facts.broker.nodes = 1;
	facts.queues.members = 1;
	assert_checks(PREFLIGHT_FAILED, "");
}

static void a_slow_answer_widens_what_the_clock_may_differ(void **state)
{
	(void)state;
	facts.database.ahead_us = 1400000;
	facts.database.unsure_us = 400000;
	assert_checks(PREFLIGHT_FAILED, "");
}

static void a_binary_log_that_is_synced_is_fine(void **state)
{
	(void)state;
	facts.database.has_binlog = true;
	facts.database.sync_binlog = 1;
	assert_checks(PREFLIGHT_FAILED, "");
}

static void mysql_8_is_late_enough(void **state)
{
	(void)state;
	strcpy(facts.database.version, "8.0.36");
	assert_checks(PREFLIGHT_FAILED, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_is_well, begin, end),
		cmocka_unit_test(one_thing_fails_one_check),
		cmocka_unit_test(every_check_has_a_case),
		cmocka_unit_test_setup_teardown(what_is_not_known_is_no_pass, begin, end),
		cmocka_unit_test_setup_teardown(a_number_that_the_broker_does_not_tell_is_no_pass,
						begin, end),
		cmocka_unit_test_setup_teardown(a_check_that_needs_two_sources_needs_both, begin,
						end),
		cmocka_unit_test_setup_teardown(a_broker_alone_has_one_member_of_each_queue, begin,
						end),
		cmocka_unit_test_setup_teardown(a_slow_answer_widens_what_the_clock_may_differ,
						begin, end),
		cmocka_unit_test_setup_teardown(a_binary_log_that_is_synced_is_fine, begin, end),
		cmocka_unit_test_setup_teardown(mysql_8_is_late_enough, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
