/* How each check is judged: what preflight_checks.c puts into its table, by subject. */
#ifndef BOXOFFICE_CTL_PREFLIGHT_JUDGES_H
#define BOXOFFICE_CTL_PREFLIGHT_JUDGES_H

#include <stdbool.h>
#include <stdint.h>

#include "preflight.h"

preflight_judge_fn judge_database_answers, judge_database_version, judge_database_writable;
preflight_judge_fn judge_database_flush, judge_database_binlog, judge_database_replica,
	judge_database_connections;
preflight_judge_fn judge_database_packet, judge_database_timeouts, judge_database_clock;
preflight_judge_fn judge_database_disk, judge_schema_migrated, judge_audit_clean;

preflight_judge_fn judge_broker_answers, judge_broker_partitions, judge_broker_version,
	judge_broker_alarms;
preflight_judge_fn judge_broker_files, judge_broker_queues, judge_broker_members, judge_dead_empty,
	judge_no_backlog;

preflight_judge_fn judge_seat_workers, judge_gate_workers, judge_account_workers, judge_fronts;
preflight_judge_fn judge_site_ready, judge_metrics_told, judge_file_limit;

preflight_judge_fn judge_gate_ticks, judge_gate_policy, judge_gate_state, judge_seats_free;
preflight_judge_fn judge_booking_times, judge_draw_planned;

/* "10.11" of "10.11.6-MariaDB" as 1011. */
int64_t preflight_version(const char *version);

enum preflight_state preflight_passed_if(bool is_so);

#endif
