/* Metrics: counters, gauges and histograms that a process keeps of itself, by the table of
 * metrics.def, and their text for Prometheus.
 *
 * Counting is one or two relaxed atomic additions at places known at compile time: no lock, no
 * look-up by name, from any thread, at any moment. A value that a thread has counted shows in the
 * next text; values of one moment need not fit each other to the last one. */
#ifndef BOXOFFICE_METRICS_H
#define BOXOFFICE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "job.h"
#include "text.h"

#define METRICS_ROUTES 32        /* at most; the last one is for what fits none */
#define METRICS_QUEUED ERR_COUNT /* of an answer: 202, the reply was late */

enum metrics_where {
	IN_FRONT = 1,
	IN_SEAT = 2,
	IN_ACCOUNT = 4,
	IN_GATE = 8,
	IN_WORKER = IN_SEAT | IN_ACCOUNT | IN_GATE,
	IN_ALL = IN_FRONT | IN_WORKER,
};

/* A process's connections. */
enum metrics_side { SIDE_PUBLISHER, SIDE_REPLIES, SIDE_CONSUMER, SIDE_DATABASE };

/* What ends a hold that is over: the message that was sent for it, a job that came across it, the
 * sweeper. */
enum metrics_layer { LAYER_MESSAGE, LAYER_READ, LAYER_SWEEPER };

enum metrics_done { DONE_FAILED, DONE_OK };
enum metrics_tick { TICK_FAILED, TICK_RUN, TICK_SKIPPED };

enum {
#define POLICY(name, least, most, help) METRICS_LIMIT_##name,
#include "policy.def"
#undef POLICY
	METRICS_LIMITS
};

enum metric {
#define METRICS_LABEL(symbol, count)
#define METRIC(symbol, name, type, where, a, b, buckets, help) METRIC_##symbol,
#include "metrics.def"
#undef METRIC
#undef METRICS_LABEL
	METRIC_COUNT
};

/* Says which process this is: only its families are shown. role: "front", "seat-worker"; conf's
 * name goes with it. Sets the start time. Until then nothing is shown, but all is counted. */
void metrics_open(enum metrics_where where, const char *role, const struct conf *conf);

/* Names the values of the label route, count of them, METRICS_ROUTES - 1 at most. Borrows the
 * function. */
typedef const char *metrics_name_fn(size_t index);
void metrics_name_routes(metrics_name_fn *name, size_t count);

/* Counters. a and b are the indices of the labels' values, 0 for a label that is NONE. */
void metrics_count(enum metric metric, size_t a, size_t b);
void metrics_add(enum metric metric, size_t a, size_t b, int64_t amount);

/* Gauges and ages; also a counter that is kept elsewhere, as in the database. */
void metrics_set(enum metric metric, size_t a, int64_t value);

/* A gauge of several states: 1 for this one, 0 for the others. */
void metrics_set_state(enum metric metric, size_t state);

/* From here on the gauge is not shown. */
void metrics_unset(enum metric metric, size_t a);

/* A histogram's: of spans in microseconds, of sizes as they are. Below 0 counts as 0. */
void metrics_observe(enum metric metric, size_t a, int64_t value);

/* A connection is there, or not. One that comes after a lost one counts as a reconnect. */
void metrics_connected(enum metrics_side side);
void metrics_disconnected(enum metrics_side side);

/* A counter, a gauge or an age as it is now, of a histogram how many were observed: for tests. */
int64_t metrics_value(enum metric metric, size_t a, size_t b);

/* Sets all back to nothing: for tests. */
void metrics_reset(void);

/* Appends the text format of Prometheus (version 0.0.4). */
void metrics_write(struct text *out);

#endif
