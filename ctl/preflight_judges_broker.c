/* What the broker must be like: its nodes, the queues, and what waits in them. */
#include "preflight_judges.h"

#include <inttypes.h>

#define BACKLOG_MOST 100
#define BROKER_FILES_LEAST 1024
#define MEMBERS_LEAST 3 /* of a cluster: with two the loss of either is that of the majority */

enum preflight_state judge_broker_answers(const struct preflight_facts *facts,
					  struct text *measured)
{
	text_printf(measured, "%" PRId64 " nodes, %" PRId64 " of them down", facts->broker.nodes,
		    facts->broker.down);
	return preflight_passed_if(facts->broker.nodes > 0 && facts->broker.down == 0);
}

enum preflight_state judge_broker_partitions(const struct preflight_facts *facts,
					     struct text *measured)
{
	text_printf(measured, "%" PRId64 " nodes of %" PRId64 " see another cluster",
		    facts->broker.partitioned, facts->broker.nodes);
	return preflight_passed_if(facts->broker.partitioned == 0);
}

enum preflight_state judge_broker_version(const struct preflight_facts *facts,
					  struct text *measured)
{
	text_puts(measured, facts->broker.version);
	return preflight_passed_if(preflight_version(facts->broker.version) >= 310);
}

enum preflight_state judge_broker_alarms(const struct preflight_facts *facts, struct text *measured)
{
	bool has_alarms = facts->broker.alarms.length > 0;

	text_puts(measured, has_alarms ? facts->broker.alarms.bytes : "none");
	return preflight_passed_if(!has_alarms);
}

enum preflight_state judge_broker_files(const struct preflight_facts *facts, struct text *measured)
{
	text_printf(measured, "%" PRId64 " left", facts->broker.files_left);
	return preflight_passed_if(facts->broker.files_left >= BROKER_FILES_LEAST);
}

enum preflight_state judge_broker_queues(const struct preflight_facts *facts, struct text *measured)
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

enum preflight_state judge_broker_members(const struct preflight_facts *facts,
					  struct text *measured)
{
	if (facts->broker.nodes <= 1) {
		text_puts(measured, "no cluster");
		return PREFLIGHT_PASSED;
	}
	text_printf(measured, "%" PRId64 " of the queue that has the fewest",
		    facts->queues.members);
	return preflight_passed_if(facts->queues.members >= MEMBERS_LEAST);
}

enum preflight_state judge_dead_empty(const struct preflight_facts *facts, struct text *measured)
{
	if (facts->queues.dead < 0) {
		text_puts(measured, "the broker does not tell its length");
		return PREFLIGHT_UNKNOWN;
	}
	text_printf(measured, "%" PRId64 " letters", facts->queues.dead);
	return preflight_passed_if(facts->queues.dead == 0);
}

enum preflight_state judge_no_backlog(const struct preflight_facts *facts, struct text *measured)
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
	return preflight_passed_if(queues->deepest <= BACKLOG_MOST);
}
