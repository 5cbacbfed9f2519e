#include "listing.h"

#include <inttypes.h>
#include <stdio.h>

void listing_begin(struct listing *listing, bool json, const char *name)
{
	*listing = (struct listing){.json = json};
	if (json)
		printf("{\"%s\":[", name);
}

/* The name goes into JSON, or above the first row. */
static void begin_cell(struct listing *listing, const char *key, int width)
{
	if (listing->json)
		text_printf(&listing->line, "%s\"%s\":", listing->has_cells ? "," : "{", key);
	else if (!listing->has_rows)
		text_printf(&listing->head, "%s%-*s", listing->has_cells ? "  " : "", width, key);
	if (!listing->json && listing->has_cells)
		text_puts(&listing->line, "  ");
	listing->has_cells = true;
}

void listing_int(struct listing *listing, const char *key, int width, int64_t value)
{
	begin_cell(listing, key, width);
	text_printf(&listing->line, "%-*" PRId64, listing->json ? 0 : width, value);
}

void listing_text(struct listing *listing, const char *key, int width, const char *value)
{
	begin_cell(listing, key, width);
	if (listing->json)
		text_json_string(&listing->line, value);
	else
		text_printf(&listing->line, "%-*s", width, value);
}

void listing_bool(struct listing *listing, const char *key, int width, bool value)
{
	begin_cell(listing, key, width);
	if (listing->json)
		text_puts(&listing->line, value ? "true" : "false");
	else
		text_printf(&listing->line, "%-*s", width, value ? "yes" : "no");
}

void listing_time(struct listing *listing, const char *key, int64_t us)
{
	char time[TIME_TEXT_SIZE];

	time_format(us, time);
	if (us != 0)
		listing_text(listing, key, TIME_TEXT_SIZE - 1, time);
	else
		listing_null(listing, key, TIME_TEXT_SIZE - 1);
}

void listing_null(struct listing *listing, const char *key, int width)
{
	begin_cell(listing, key, width);
	if (listing->json)
		text_puts(&listing->line, "null");
	else
		text_printf(&listing->line, "%-*s", width, "-");
}

/* Blanks at the end of a line are nobody's. */
static void print_trimmed(struct text *line)
{
	while (line->length > 0 && line->bytes[line->length - 1] == ' ')
		line->length--;
	fwrite(line->bytes, 1, line->length, stdout);
	putchar('\n');
	text_clear(line);
}

void listing_end_row(struct listing *listing)
{
	if (listing->json) {
		printf("%s%s}", listing->has_rows ? "," : "", listing->line.bytes);
		text_clear(&listing->line);
	} else {
		if (!listing->has_rows)
			print_trimmed(&listing->head);
		print_trimmed(&listing->line);
	}
	listing->has_rows = true;
	listing->has_cells = false;
}

void listing_end(struct listing *listing)
{
	if (listing->json)
		puts("]}");
	text_fini(&listing->head);
	text_fini(&listing->line);
}
