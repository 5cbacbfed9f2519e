#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "score.h"
#include "text.h"

#define BAR_MS 200
#define LINE_MS 5000
#define BAR_WIDTH 24

void progress_init(struct progress *progress, bool is_quiet, int64_t size)
{
	*progress = (struct progress){.is_quiet = is_quiet,
				      .is_terminal = isatty(STDERR_FILENO) == 1,
				      .began_ms = clock_ms(),
				      .shown_ms = clock_ms(),
				      .size = size};
}

static void put_bar(struct text *out, int64_t percent)
{
	text_putc(out, '[');
	for (int64_t i = 0; i < BAR_WIDTH; i++)
		text_putc(out, i * 100 < percent * BAR_WIDTH ? '#' : '.');
	text_puts(out, "] ");
}

static void put_time_left(struct text *out, int64_t seconds)
{
	if (seconds >= 3600)
		text_printf(out, ", %lld:%02lld h left", (long long)seconds / 3600,
			    (long long)seconds % 3600 / 60);
	else if (seconds >= 60)
		text_printf(out, ", %lld:%02lld min left", (long long)seconds / 60,
			    (long long)seconds % 60);
	else
		text_printf(out, ", %lld s left", (long long)seconds);
}

static void put_state(const struct progress *progress, struct text *out, int64_t rows,
		      int64_t bytes, const char *trouble)
{
	int64_t spent_ms = clock_ms() - progress->began_ms + 1;
	if (progress->size) {
		int64_t percent = bytes * 100 / progress->size;
		if (progress->is_terminal)
			put_bar(out, percent);
		text_printf(out, "%lld %%, ", (long long)percent);
	}
	score_put_number(out, rows);
	text_puts(out, " rows, ");
	score_put_number(out, rows * 1000 / spent_ms);
	text_puts(out, "/s");
	if (progress->size && bytes)
		put_time_left(out, (int64_t)((double)(progress->size - bytes) / (double)bytes *
						     (double)spent_ms / 1000 +
					     0.5));
	if (trouble[0])
		text_printf(out, " (%s)", trouble);
}

void progress_show(struct progress *progress, int64_t rows, int64_t bytes, const char *trouble)
{
	struct text line = {0};
	if (progress->is_quiet ||
	    clock_ms() - progress->shown_ms < (progress->is_terminal ? BAR_MS : LINE_MS))
		return;
	progress->shown_ms = clock_ms();
	if (progress->is_terminal)
		text_puts(&line, "\r");
	put_state(progress, &line, rows, bytes, trouble);
	text_puts(&line, progress->is_terminal ? "\033[K" : "\n");
	fputs(line.bytes, stderr);
	progress->is_drawn = progress->is_terminal;
	text_fini(&line);
}

void progress_clear(struct progress *progress)
{
	if (progress->is_drawn)
		fputs("\r\033[K", stderr);
	progress->is_drawn = false;
}
