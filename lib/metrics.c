/* Metrics: the table of metrics.def as one array of cells, and the text made of it. */
#include "metrics.h"

#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "draw.h"
#include "gate_numbers.h"
#include "policy.h"

/* The value of a gauge that was never set. */
#define UNSET INT64_MIN

enum type { COUNTER, GAUGE, GAUGE_US, AGE, HISTOGRAM };

/* The upper bounds, ascending: of spans in microseconds, of sizes as they are. */
struct buckets {
	bool is_span;
	size_t count;
	int64_t bounds[16];
};

enum { BUCKETS_NONE = 0, BUCKETS_SHORT = 16, BUCKETS_LONG = 16, BUCKETS_SIZES = 12 };

static const struct buckets buckets_NONE = {0};

/* A poll takes some 20 us in a front, a request some milliseconds, its deadline is 2 s. */
static const struct buckets buckets_SHORT = {true,
					     BUCKETS_SHORT,
					     {50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000,
					      50000, 100000, 250000, 500000, 1000000, 2500000,
					      10000000}};

/* A job waits milliseconds, or as long as its worker is away. */
static const struct buckets buckets_LONG = {true,
					    BUCKETS_LONG,
					    {1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
					     500000, 1000000, 2500000, 5000000, 10000000, 30000000,
					     120000000, 600000000}};

static const struct buckets buckets_SIZES = {
	false, BUCKETS_SIZES, {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000}};

/* The labels' sizes, then where each family's cells are: COUNT_x and CELL_x. A histogram has a cell
 * for each bucket, one for what is above all of them, and one for the sum. */
enum {
#define METRICS_LABEL(symbol, count) COUNT_##symbol = (count),
#define METRIC(symbol, name, type, where, a, b, buckets, help)
#include "metrics.def"
#undef METRIC
#undef METRICS_LABEL
};

enum {
	WIDTH_COUNTER = 1,
	WIDTH_GAUGE = 1,
	WIDTH_GAUGE_US = 1,
	WIDTH_AGE = 1,
	WIDTH_HISTOGRAM = 2,
};

enum {
#define METRICS_LABEL(symbol, count)
#define METRIC(symbol, name, type, where, a, b, buckets, help)                                     \
	CELL_##symbol,                                                                             \
		CELL_LAST_##symbol = CELL_##symbol +                                               \
				     COUNT_##a * COUNT_##b * (WIDTH_##type + BUCKETS_##buckets) -  \
				     1,
#include "metrics.def"
#undef METRIC
#undef METRICS_LABEL
	CELL_COUNT
};

enum label {
#define METRICS_LABEL(symbol, count) LABEL_##symbol,
#define METRIC(symbol, name, type, where, a, b, buckets, help)
#include "metrics.def"
#undef METRIC
#undef METRICS_LABEL
};

static const struct family {
	const char *name;
	const char *help;
	const struct buckets *buckets;
	enum type type;
	unsigned where;
	enum label a, b;
	size_t count_a, count_b;
	size_t width; /* cells of a series */
	size_t cell;  /* the first one */
} families[METRIC_COUNT] = {
#define METRICS_LABEL(symbol, count)
#define METRIC(symbol, name, type, where, a, b, buckets, help)                                     \
	{name,         help,      &buckets_##buckets, type,      where,                            \
	 LABEL_##a,    LABEL_##b, COUNT_##a,          COUNT_##b, WIDTH_##type + BUCKETS_##buckets, \
	 CELL_##symbol},
#include "metrics.def"
#undef METRIC
#undef METRICS_LABEL
};

/* Of gauges and ages a cell holds the value with its sign flipped, so that zeroes are UNSET. */
static _Atomic int64_t cells[CELL_COUNT];

static struct {
	unsigned where;
	const char *role;
	const char *name;
	metrics_name_fn *route_name;
	size_t route_count;
} process;

static bool is_gauge(const struct family *family)
{
	return family->type == GAUGE || family->type == GAUGE_US || family->type == AGE;
}

static _Atomic int64_t *series_of(enum metric metric, size_t a, size_t b)
{
	const struct family *family = &families[metric];

	assert(a < family->count_a && b < family->count_b);
	return &cells[family->cell + (a * family->count_b + b) * family->width];
}

static int64_t load(const _Atomic int64_t *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

/* Counting ---------------------------------------------------------------------------------- */

void metrics_add(enum metric metric, size_t a, size_t b, int64_t amount)
{
	atomic_fetch_add_explicit(series_of(metric, a, b), amount, memory_order_relaxed);
}

void metrics_count(enum metric metric, size_t a, size_t b)
{
	metrics_add(metric, a, b, 1);
}

static int64_t flipped(int64_t value)
{
	return (int64_t)((uint64_t)value ^ (uint64_t)UNSET);
}

void metrics_set(enum metric metric, size_t a, int64_t value)
{
	bool is_flipped = is_gauge(&families[metric]);

	atomic_store_explicit(series_of(metric, a, 0), is_flipped ? flipped(value) : value,
			      memory_order_relaxed);
}

void metrics_unset(enum metric metric, size_t a)
{
	metrics_set(metric, a, UNSET);
}

void metrics_set_state(enum metric metric, size_t state)
{
	for (size_t i = 0; i < families[metric].count_a; i++)
		metrics_set(metric, i, i == state);
}

void metrics_observe(enum metric metric, size_t a, int64_t value)
{
	const struct buckets *buckets = families[metric].buckets;
	_Atomic int64_t *series = series_of(metric, a, 0);
	size_t i = 0;

	if (value < 0)
		value = 0;
	while (i < buckets->count && value > buckets->bounds[i])
		i++;
	atomic_fetch_add_explicit(&series[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&series[buckets->count + 1], value, memory_order_relaxed);
}

void metrics_connected(enum metrics_side side)
{
	_Atomic int64_t *cell = series_of(METRIC_CONNECTED, side, 0);

	/* Never set is no loss: the first connection is no reconnect. */
	if (atomic_exchange_explicit(cell, flipped(1), memory_order_relaxed) == flipped(0))
		metrics_count(METRIC_RECONNECTS, side, 0);
}

void metrics_disconnected(enum metrics_side side)
{
	metrics_set(METRIC_CONNECTED, side, 0);
}

int64_t metrics_value(enum metric metric, size_t a, size_t b)
{
	const _Atomic int64_t *series = series_of(metric, a, b);
	const struct family *family = &families[metric];
	int64_t total = 0;

	if (is_gauge(family))
		return flipped(load(series));
	for (size_t i = 0; i < family->width - (family->type == HISTOGRAM); i++)
		total += load(&series[i]);
	return total;
}

void metrics_reset(void)
{
	for (size_t i = 0; i < CELL_COUNT; i++)
		atomic_store_explicit(&cells[i], 0, memory_order_relaxed);
}

void metrics_open(enum metrics_where where, const char *role, const struct conf *conf)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	process.where = where;
	process.role = role;
	process.name = conf->name;
	metrics_set(METRIC_START_TIME, 0, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	metrics_set(METRIC_UP, 0, 0);
}

void metrics_name_routes(metrics_name_fn *name, size_t count)
{
	assert(count < METRICS_ROUTES);
	process.route_name = name;
	process.route_count = count;
}

/* The text ---------------------------------------------------------------------------------- */

static const char *const side_names[] = {"publisher", "replies", "consumer", "database"};
static const char *const layer_names[] = {"message", "read", "sweeper"};
static const char *const tick_names[] = {"failed", "run", "skipped"};
static const char *const limit_names[] = {
#define POLICY(name, least, most, help) #name,
#include "policy.def"
#undef POLICY
};

static void put_label(struct text *out, const char *name, const char *value)
{
	if (out->bytes[out->length - 1] != '{')
		text_putc(out, ',');
	text_printf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			text_puts(out, "\\n");
		else if (*value == '"' || *value == '\\')
			text_printf(out, "\\%c", *value);
		else
			text_putc(out, *value);
	}
	text_putc(out, '"');
}

static void put_answer(struct text *out, size_t index)
{
	bool is_queued = index == METRICS_QUEUED;
	enum err err = is_queued ? ERR_OK : (enum err)index;
	char status[16];

	snprintf(status, sizeof(status), "%d", is_queued ? 202 : err_http_status(err_public(err)));
	put_label(out, "status", status);
	put_label(out, "code", is_queued ? "queued" : err_code(err));
}

static void put_value_of(struct text *out, enum label label, size_t index)
{
	switch (label) {
	case LABEL_NONE:
		break;
	case LABEL_SIDE:
		put_label(out, "side", side_names[index]);
		break;
	case LABEL_ROUTE:
		put_label(out, "route",
			  index < process.route_count ? process.route_name(index) : "other");
		break;
	case LABEL_ANSWER:
		put_answer(out, index);
		break;
	case LABEL_KIND:
		put_label(out, "kind", job_kind_name((enum job_kind)index));
		break;
	case LABEL_CODE:
		put_label(out, "code", err_code((enum err)index));
		break;
	case LABEL_DONE:
		put_label(out, "outcome", index == DONE_OK ? "ok" : "failed");
		break;
	case LABEL_TICK:
		put_label(out, "outcome", tick_names[index]);
		break;
	case LABEL_LAYER:
		put_label(out, "layer", layer_names[index]);
		break;
	case LABEL_POLICY_STATE:
		put_label(out, "state", policy_state_name((enum policy_state)index));
		break;
	case LABEL_LIMIT:
		put_label(out, "limit", limit_names[index]);
		break;
	case LABEL_STOCK:
		put_label(out, "stock", gate_stock_name((enum gate_stock)index));
		break;
	case LABEL_DRAW:
		put_label(out, "state",
			  index == 0 ? "none" : draw_state_name((enum draw_state)(index - 1)));
		break;
	}
}

/* Some of the room for routes is not used: that of the last one is for what fits none. */
static bool is_there(enum label label, size_t index)
{
	return label != LABEL_ROUTE || index < process.route_count || index == METRICS_ROUTES - 1;
}

/* Microseconds as seconds, without loss. */
static void put_seconds(struct text *out, int64_t us)
{
	uint64_t all = us < 0 ? -(uint64_t)us : (uint64_t)us;

	text_printf(out, "%s%" PRIu64 ".%06u", us < 0 ? "-" : "", all / 1000000,
		    (unsigned)(all % 1000000));
}

/* Which series of a family. */
struct labels {
	const struct family *family;
	size_t a, b;
};

static void put_name(struct text *out, const struct labels *labels, const char *ending,
		     const char *bound)
{
	text_printf(out, "%s%s", labels->family->name, ending);
	if (labels->family->a != LABEL_NONE || bound) {
		text_putc(out, '{');
		put_value_of(out, labels->family->a, labels->a);
		put_value_of(out, labels->family->b, labels->b);
		if (bound)
			put_label(out, "le", bound);
		text_putc(out, '}');
	}
	text_putc(out, ' ');
}

static void put_bound(char bound[static 32], const struct buckets *buckets, size_t i)
{
	if (i == buckets->count)
		snprintf(bound, 32, "+Inf");
	else if (buckets->is_span)
		snprintf(bound, 32, "%g", (double)buckets->bounds[i] / 1e6);
	else
		snprintf(bound, 32, "%" PRId64, buckets->bounds[i]);
}

static void put_histogram(struct text *out, const struct labels *labels,
			  const _Atomic int64_t *series)
{
	const struct buckets *buckets = labels->family->buckets;
	int64_t sum = load(&series[buckets->count + 1]);
	int64_t count = 0;
	char bound[32];

	for (size_t i = 0; i <= buckets->count; i++) {
		count += load(&series[i]);
		put_bound(bound, buckets, i);
		put_name(out, labels, "_bucket", bound);
		text_printf(out, "%" PRId64 "\n", count);
	}
	put_name(out, labels, "_sum", NULL);
	if (buckets->is_span)
		put_seconds(out, sum);
	else
		text_int(out, sum);
	text_putc(out, '\n');
	put_name(out, labels, "_count", NULL);
	text_printf(out, "%" PRId64 "\n", count);
}

static void put_single(struct text *out, const struct labels *labels, int64_t value)
{
	put_name(out, labels, "", NULL);
	if (labels->family->type == AGE)
		put_seconds(out, clock_us() - value);
	else if (labels->family->type == GAUGE_US)
		put_seconds(out, value);
	else
		text_int(out, value);
	text_putc(out, '\n');
}

static void put_series(struct text *out, enum metric metric, size_t a, size_t b)
{
	const struct family *family = &families[metric];
	const struct labels labels = {family, a, b};
	const _Atomic int64_t *series = series_of(metric, a, b);
	int64_t value = load(series);

	if (!is_there(family->a, a) || (family->count_b > 1 && value == 0))
		return;
	if (family->type == HISTOGRAM)
		put_histogram(out, &labels, series);
	else if (!is_gauge(family))
		put_single(out, &labels, value);
	else if (flipped(value) != UNSET)
		put_single(out, &labels, flipped(value));
}

static void put_family(struct text *out, enum metric metric)
{
	static const char *const types[] = {[COUNTER] = "counter",
					    [GAUGE] = "gauge",
					    [GAUGE_US] = "gauge",
					    [AGE] = "gauge",
					    [HISTOGRAM] = "histogram"};
	const struct family *family = &families[metric];

	text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
		    types[family->type]);
	for (size_t a = 0; a < family->count_a; a++)
		for (size_t b = 0; b < family->count_b; b++)
			put_series(out, metric, a, b);
}

static void put_build(struct text *out)
{
	text_puts(out, "# HELP boxoffice_build_info which release runs, and as what\n"
		       "# TYPE boxoffice_build_info gauge\nboxoffice_build_info{");
	put_label(out, "version", PACKAGE_VERSION);
	put_label(out, "role", process.role);
	put_label(out, "process", process.name);
	text_puts(out, "} 1\n");
}

void metrics_write(struct text *out)
{
	if (process.where == 0)
		return;
	put_build(out);
	for (unsigned metric = 0; metric < METRIC_COUNT; metric++)
		if (families[metric].where & process.where)
			put_family(out, (enum metric)metric);
}
