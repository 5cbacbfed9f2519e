/* Maps of seats. */
#include "seat_map.h"

#include <stdbool.h>
#include <stdlib.h>

#include "mem.h"

#define CHANGES_MOST 1000 /* in one message, which nginx takes up to 64 KiB of */

static int64_t sum_versions(const struct snapshot_seat *seats, size_t count)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += seats[i].version;
	return sum;
}

int64_t seat_map_version(const struct snapshot *snapshot, int64_t schedule)
{
	size_t count;
	const struct snapshot_seat *seats = snapshot_seats(snapshot, schedule, &count);

	return sum_versions(seats, count);
}

/* As of the moment when the seats were read: the version says no more. */
static const char *state_of(const struct snapshot_seat *seat)
{
	if (seat->hold == SNAPSHOT_PAID)
		return "sold";
	if (seat->hold == SNAPSHOT_PENDING && !seat->is_overdue)
		return "held";
	return seat->is_active ? "free" : "closed";
}

static bool is_of(const struct snapshot_seat *seat, int64_t user_number)
{
	return user_number != 0 && seat->user_number == user_number &&
	       seat->hold != SNAPSHOT_FREE && !seat->is_overdue;
}

static void write_seat(const struct snapshot_seat *seat, bool is_mine, struct text *out)
{
	text_puts(out, "{\"id\":");
	text_int(out, seat->id);
	text_puts(out, ",\"seatNumber\":");
	text_json_string(out, seat->number);
	text_puts(out, ",\"price\":");
	text_int(out, seat->price);
	text_puts(out, ",\"state\":\"");
	text_puts(out, state_of(seat));
	text_puts(out, is_mine ? "\",\"mine\":true}" : "\",\"mine\":false}");
}

static void write_map(const struct snapshot_seat *seats, size_t count, int64_t user_number,
		      struct text *out)
{
	text_puts(out, "{\"version\":");
	text_int(out, sum_versions(seats, count));
	text_puts(out, ",\"seats\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text_putc(out, ',');
		write_seat(&seats[i], is_of(&seats[i], user_number), out);
	}
	text_puts(out, "]}");
}

static bool has_any(const struct snapshot_seat *seats, size_t count, int64_t user_number)
{
	for (size_t i = 0; i < count; i++)
		if (is_of(&seats[i], user_number))
			return true;
	return false;
}

/* The map for whoever has no seat in it, written for the first who asks: a page of seats is read by
 * thousands before it changes. */
static const struct text *common_map(const struct snapshot *snapshot,
				     const struct snapshot_schedule *schedule,
				     const struct snapshot_seat *seats, size_t count)
{
	_Atomic(struct text *) *kept = &snapshot->maps[schedule - snapshot->schedules.items];
	struct text *map = atomic_load(kept);
	struct text *other = NULL;

	if (map != NULL)
		return map;
	map = mem_array(NULL, 1, sizeof *map);
	*map = (struct text){0};
	write_map(seats, count, 0, map);
	if (atomic_compare_exchange_strong(kept, &other, map))
		return map;
	text_fini(map);
	free(map);
	return other;
}

void seat_map_write(const struct snapshot *snapshot, int64_t schedule, int64_t user_number,
		    struct text *out)
{
	size_t count;
	const struct snapshot_seat *seats = snapshot_seats(snapshot, schedule, &count);
	const struct snapshot_schedule *known = snapshot_schedule(snapshot, schedule);
	const struct text *common;

	if (known == NULL || has_any(seats, count, user_number)) {
		write_map(seats, count, user_number, out);
		return;
	}
	common = common_map(snapshot, known, seats, count);
	text_add(out, common->bytes, common->length);
}

/* Whether the states of the seats are all that differs, and few of them. */
static bool can_be_told(const struct snapshot_seat *old, const struct snapshot_seat *seats,
			size_t count)
{
	size_t changes = 0;

	for (size_t i = 0; i < count; i++) {
		if (old[i].id != seats[i].id || old[i].price != seats[i].price)
			return false;
		changes += state_of(&old[i]) != state_of(&seats[i]);
	}
	return changes <= CHANGES_MOST;
}

static void write_changes(const struct snapshot_seat *old, const struct snapshot_seat *seats,
			  size_t count, struct text *out)
{
	const char *separator = "[";

	for (size_t i = 0; i < count; i++) {
		if (state_of(&old[i]) == state_of(&seats[i]))
			continue;
		text_puts(out, separator);
		text_int(out, seats[i].id);
		text_puts(out, ",\"");
		text_puts(out, state_of(&seats[i]));
		text_puts(out, "\"]");
		separator = ",[";
	}
}

void seat_map_write_step(const struct snapshot *old, const struct snapshot *snapshot,
			 int64_t schedule, struct text *out)
{
	size_t count, old_count = 0;
	const struct snapshot_seat *seats = snapshot_seats(snapshot, schedule, &count);
	const struct snapshot_seat *before =
		old != NULL ? snapshot_seats(old, schedule, &old_count) : NULL;
	bool can_tell = old_count == count && can_be_told(before, seats, count);
	char at[TIME_TEXT_SIZE];

	time_format(snapshot->clock_us, at);
	text_puts(out, "{\"from\":");
	text_int(out, can_tell ? sum_versions(before, count) : sum_versions(seats, count));
	text_puts(out, ",\"version\":");
	text_int(out, sum_versions(seats, count));
	text_printf(out, ",\"at\":\"%s\",\"changes\":[", at);
	if (can_tell)
		write_changes(before, seats, count, out);
	text_puts(out, "]}");
}
