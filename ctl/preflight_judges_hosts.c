/* What must run, and what its hosts must allow. */
#include "preflight_judges.h"

#include <inttypes.h>

#define FILES_LEAST 8192

static enum preflight_state workers_seen(int64_t consumers, struct text *measured)
{
	if (consumers < 0)
		text_puts(measured, "the broker does not tell");
	else
		text_printf(measured, "%" PRId64, consumers);
	return consumers < 0 ? PREFLIGHT_UNKNOWN : preflight_passed_if(consumers > 0);
}

enum preflight_state judge_seat_workers(const struct preflight_facts *facts, struct text *measured)
{
	return workers_seen(facts->queues.seat_workers, measured);
}

enum preflight_state judge_gate_workers(const struct preflight_facts *facts, struct text *measured)
{
	return workers_seen(facts->queues.gate_workers, measured);
}

enum preflight_state judge_account_workers(const struct preflight_facts *facts,
					   struct text *measured)
{
	int64_t account = facts->queues.account_workers, import = facts->queues.import_workers;

	return workers_seen(account < import ? account : import, measured);
}

enum preflight_state judge_fronts(const struct preflight_facts *facts, struct text *measured)
{
	return workers_seen(facts->queues.fronts, measured);
}

enum preflight_state judge_site_ready(const struct preflight_facts *facts, struct text *measured)
{
	text_printf(measured, "/readyz answers %ld", facts->site.status);
	return preflight_passed_if(facts->site.status == 200);
}

enum preflight_state judge_metrics_told(const struct preflight_facts *facts, struct text *measured)
{
	const struct preflight_metrics *metrics = &facts->metrics;

	if (metrics->silent.length > 0)
		text_printf(measured, "not serving: %s", metrics->silent.bytes);
	else
		text_printf(measured, "%" PRId64 " processes", metrics->targets);
	return preflight_passed_if(metrics->targets > 0 && metrics->silent.length == 0);
}

enum preflight_state judge_file_limit(const struct preflight_facts *facts, struct text *measured)
{
	text_printf(measured, "%" PRId64 " here", facts->files);
	return preflight_passed_if(facts->files >= FILES_LEAST);
}
