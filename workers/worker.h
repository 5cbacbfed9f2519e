/* The skeleton of every worker: settings, log, signals, connections, and the loop
 *
 *   messages -> intake -> one transaction -> expiry and replies -> acknowledgement
 *
 * What a kind of worker brings along is a store, its rules, the queues it takes and, if it has
 * one, a chore that is done at intervals. TERM: what is in hand is finished, answered and
 * acknowledged, then exit 0; a second TERM exits at once. */
#ifndef BOXOFFICE_WORKER_H
#define BOXOFFICE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "conf.h"
#include "consumer.h"
#include "db.h"
#include "metrics.h"
#include "metrics_http.h"
#include "outbox.h"

struct worker {
	struct conf conf;
	struct metrics_http *metrics; /* NULL: no port */
	struct db *db;
	struct consumer consumer;
	struct outbox outbox;
	struct intake intake;
	struct batch single; /* for jobs that are run alone */
	struct store store;
	struct rules rules;
	void (*chore)(void *arg); /* NULL: none */
	void *chore_arg;
	int64_t chore_interval_ms;
	int64_t next_chore_ms;
	int64_t last_ping_ms;
	unsigned failures; /* in a row, for the back-off */
	bool was_ready;
};

/* Loads settings, opens log, faults and the metrics port, prepares connections, installs signal
 * handlers. On an error the reason is on stderr. name: the kind of worker, where in metrics.h. */
MUST_CHECK enum err worker_open(struct worker *worker, const char *name, enum metrics_where where);

/* Runs until TERM. The caller has set store, rules, chore and the consumer's lanes and queues. The
 * process's exit status. */
int worker_run(struct worker *worker);

void worker_close(struct worker *worker);

#endif
