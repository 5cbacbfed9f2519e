/* What a load has measured, for each kind of request. */
#ifndef BOXOFFICE_BENCH_FIGURES_H
#define BOXOFFICE_BENCH_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "script.h"
#include "text.h"

#define FIGURES_STATUS_MAX 600

struct figures_kind {
	uint32_t *spans_us; /* of each answer, from when its request was due */
	size_t count;
	uint32_t statuses[FIGURES_STATUS_MAX];
};

/* Zero-initialise. */
struct figures {
	struct figures_kind kinds[SCRIPT_KINDS_MAX];
	size_t broken; /* requests without an answer: their connection failed, or time was up */
};

void figures_fini(struct figures *figures);
void figures_add(struct figures *figures, size_t kind, unsigned status, int64_t span_us);

/* Appends {"KIND":{"answers","statuses":{"200":…},"meanMs","p50Ms","p90Ms","p99Ms","maxMs"},…};
 * kinds without an answer are left out. */
void figures_write(struct figures *figures, const struct script *script, struct text *out);

#endif
