#include "figures.h"

#include <stdlib.h>

#include "mem.h"

void figures_fini(struct figures *figures)
{
	for (size_t i = 0; i < SCRIPT_KINDS_MAX; i++)
		free(figures->kinds[i].spans_us);
}

void figures_add(struct figures *figures, size_t kind, unsigned status, int64_t span_us)
{
	struct figures_kind *of = &figures->kinds[kind];

	/* Doubled at each power of two. */
	if ((of->count & (of->count - 1)) == 0)
		of->spans_us = mem_array(of->spans_us, of->count ? 2 * of->count : 1,
					 sizeof *of->spans_us);
	of->spans_us[of->count++] = (uint32_t)span_us;
	of->statuses[status]++;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double percentile_ms(const struct figures_kind *kind, double share)
{
	return kind->spans_us[(size_t)((double)(kind->count - 1) * share)] / 1e3;
}

static double mean_ms(const struct figures_kind *kind)
{
	double sum_us = 0;

	for (size_t i = 0; i < kind->count; i++)
		sum_us += kind->spans_us[i];
	return sum_us / 1e3 / (double)kind->count;
}

static void write_statuses(const struct figures_kind *kind, struct text *out)
{
	const char *comma = "";

	for (unsigned status = 0; status < FIGURES_STATUS_MAX; status++)
		if (kind->statuses[status]) {
			text_printf(out, "%s\"%u\":%u", comma, status, kind->statuses[status]);
			comma = ",";
		}
}

void figures_write(struct figures *figures, const struct script *script, struct text *out)
{
	const char *comma = "";

	text_putc(out, '{');
	for (size_t i = 0; i < script->kind_count; i++) {
		struct figures_kind *kind = &figures->kinds[i];

		if (!kind->count)
			continue;
		qsort(kind->spans_us, kind->count, sizeof *kind->spans_us, compare);
		text_printf(out, "%s\"%s\":{\"answers\":%zu,\"statuses\":{", comma,
			    script->kinds[i], kind->count);
		write_statuses(kind, out);
		text_printf(out,
			    "},\"meanMs\":%.3f,\"p50Ms\":%.3f,\"p90Ms\":%.3f,\"p99Ms\":%.3f,"
			    "\"maxMs\":%.3f}",
			    mean_ms(kind), percentile_ms(kind, 0.5), percentile_ms(kind, 0.9),
			    percentile_ms(kind, 0.99), percentile_ms(kind, 1));
		comma = ",";
	}
	text_putc(out, '}');
}
