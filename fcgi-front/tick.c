/* Ticks. */
#include "tick.h"

#include "place.h"

static void write_mark(struct text *out, int64_t place, int64_t ahead, bool is_first)
{
	text_puts(out, is_first ? "[" : ",[");
	text_int(out, place);
	text_putc(out, ',');
	text_int(out, ahead);
	text_putc(out, ']');
}

static void write_marks(const struct line *line, struct text *out)
{
	int64_t count = line_count(line);

	text_puts(out, ",\"marks\":[");
	for (int64_t nth = 1; nth <= count; nth *= 2)
		write_mark(out, line_place(line, nth - 1), nth - 1, nth == 1);
	write_mark(out, line_last(line) + 1, count, count == 0);
	text_putc(out, ']');
}

/* FNV-1a, 64 bits, of numbers instead of bytes. */
static uint64_t mix(uint64_t sum, int64_t number)
{
	return (sum ^ (uint64_t)number) * UINT64_C(0x100000001b3);
}

uint64_t tick_sum(const struct snapshot *snapshot)
{
	const struct snapshot_gate *gate = &snapshot->gate;
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	sum = mix(sum, line_seq(snapshot->line));
	sum = mix(sum, line_last(snapshot->line));
	sum = mix(sum, (int64_t)gate->state);
	sum = mix(sum, (int64_t)snapshot->sale.state);
	sum = mix(sum, snapshot->sale.held);
	sum = mix(sum, snapshot->sale.next_us);
	for (const char *at = gate->message; *at != '\0'; at++)
		sum = mix(sum, *at);
	return sum;
}

void tick_write(const struct snapshot *snapshot, struct text *out)
{
	const struct snapshot_gate *gate = &snapshot->gate;
	char at[TIME_TEXT_SIZE];

	time_format(snapshot->clock_us, at);
	text_printf(out, "{\"at\":\"%s\",\"served\":%lld,\"waiting\":%lld,\"perMinute\":%lld", at,
		    (long long)gate->served, (long long)line_count(snapshot->line),
		    (long long)gate->per_minute);
	write_marks(snapshot->line, out);
	place_write_news(gate->state, &snapshot->sale, gate->message, out);
	text_putc(out, '}');
}
