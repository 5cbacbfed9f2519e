#include "summary.h"

#include <stdio.h>

static int64_t rate(const struct summary *summary)
{
	return summary->score->rows * 1000 / (summary->spent_ms > 0 ? summary->spent_ms : 1);
}

static void put_line(struct text *out, const char *what, int64_t rows, int64_t amount)
{
	struct text number = {0};
	score_put_number(&number, rows);
	text_printf(out, "%-10s %14s rows  ", what, number.bytes);
	text_clear(&number);
	score_put_number(&number, amount);
	text_printf(out, "%22s KRW\n", number.bytes);
	text_fini(&number);
}

static void put_codes(struct text *out, const struct score *score)
{
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		struct text number = {0};
		if (!score->codes[i])
			continue;
		score_put_number(&number, score->codes[i]);
		text_printf(out, "  %-22s %s: %s\n", err_code((enum err)i), number.bytes,
			    err_message((enum err)i));
		text_fini(&number);
	}
}

static void put_text(struct text *out, const struct summary *summary)
{
	const struct score *score = summary->score;
	if (summary->is_dry_run) {
		put_line(out, "valid", score->applied, score->amount_applied);
	} else {
		put_line(out, "applied", score->applied, score->amount_applied);
		put_line(out, "repeated", score->repeated, score->amount_repeated);
	}
	put_line(out, "rejected", score->rejected, score->amount_rejected);
	put_codes(out, score);
	if (summary->rejects)
		text_printf(out, "rejects    %s\n", summary->rejects);
	text_printf(out, "time       %.1f s, ", (double)summary->spent_ms / 1000);
	score_put_number(out, rate(summary));
	text_puts(out, " rows/s\n");
	if (summary->is_dry_run)
		text_puts(out, "Nothing was sent: this was a dry run.\n");
	if (!summary->is_done)
		text_puts(out, "Not done: the file was not read to its end. Run the same command "
			       "again to go "
			       "on; no row is applied twice.\n");
}

static void put_member(struct text *out, const char *name, int64_t value)
{
	text_printf(out, "\"%s\":%lld,", name, (long long)value);
}

static void put_json(struct text *out, const struct summary *summary)
{
	const struct score *score = summary->score;
	const char *separator = "";
	text_puts(out, "{\"file\":");
	text_json_string(out, summary->path);
	text_printf(out, ",\"done\":%s,\"dryRun\":%s,", summary->is_done ? "true" : "false",
		    summary->is_dry_run ? "true" : "false");
	put_member(out, "rows", score->rows);
	put_member(out, summary->is_dry_run ? "valid" : "applied", score->applied);
	put_member(out, "repeated", score->repeated);
	put_member(out, "rejected", score->rejected);
	put_member(out, summary->is_dry_run ? "amountValid" : "amountApplied",
		   score->amount_applied);
	put_member(out, "amountRepeated", score->amount_repeated);
	put_member(out, "amountRejected", score->amount_rejected);
	text_puts(out, "\"codes\":{");
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		if (!score->codes[i])
			continue;
		text_printf(out, "%s\"%s\":%lld", separator, err_code((enum err)i),
			    (long long)score->codes[i]);
		separator = ",";
	}
	text_puts(out, "},\"rejects\":");
	if (summary->rejects)
		text_json_string(out, summary->rejects);
	else
		text_puts(out, "null");
	text_printf(out, ",\"seconds\":%.3f,\"rowsPerSecond\":%lld}\n",
		    (double)summary->spent_ms / 1000, (long long)rate(summary));
}

void summary_print(const struct summary *summary, bool is_json)
{
	struct text out = {0};
	if (is_json)
		put_json(&out, summary);
	else
		put_text(&out, summary);
	fputs(out.bytes, stdout);
	text_fini(&out);
}
