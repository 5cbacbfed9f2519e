/* A snapshot: its lists and how to look into them. */
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

struct snapshot *snapshot_new(void)
{
	struct snapshot *snapshot = calloc(1, sizeof *snapshot);

	if (snapshot != NULL)
		atomic_init(&snapshot->references, 1);
	return snapshot;
}

/* snapshot_finish() made room for them. */
static void free_maps(struct snapshot *snapshot)
{
	for (size_t i = 0; snapshot->maps != NULL && i < snapshot->schedules.count; i++) {
		struct text *map = atomic_load(&snapshot->maps[i]);

		if (map != NULL)
			text_fini(map);
		free(map);
	}
	free(snapshot->maps);
}

void snapshot_release(struct snapshot *snapshot)
{
	if (snapshot == NULL || atomic_fetch_sub(&snapshot->references, 1) > 1)
		return;
	line_release(snapshot->line);
	lots_release(snapshot->lots);
	free_maps(snapshot);
	free(snapshot->tickets.items);
	free(snapshot->concerts.items);
	free(snapshot->schedules.items);
	free(snapshot->seats.items);
	free(snapshot);
}

int64_t snapshot_time_us(const struct snapshot *snapshot, int64_t now_us)
{
	return snapshot->clock_us + (now_us - snapshot->taken_us);
}

/* A ticket that is newer than the snapshot is in the draw if it was given before the opening. */
static bool is_in_draw(const struct snapshot *snapshot, int64_t ticket, int64_t time_us)
{
	const struct draw_record *draw = &snapshot->draw;

	if (draw->id == 0 || draw->state == DRAW_DRAWN)
		return false;
	if (ticket > snapshot->gate.last_ticket)
		return draw->state == DRAW_JOINING && time_us < draw->opens_us;
	return draw->first != 0 && ticket >= draw->first &&
	       (draw->last == 0 || ticket <= draw->last);
}

int64_t snapshot_place(const struct snapshot *snapshot, int64_t ticket, int64_t time_us)
{
	return is_in_draw(snapshot, ticket, time_us) ? 0 : lots_place(snapshot->lots, ticket);
}

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_tickets(const void *a, const void *b)
{
	const struct snapshot_ticket *x = a, *y = b;

	return compare(x->number, y->number);
}

static int compare_concerts(const void *a, const void *b)
{
	const struct snapshot_concert *x = a, *y = b;

	return compare(x->id, y->id);
}

static int compare_schedules(const void *a, const void *b)
{
	const struct snapshot_schedule *x = a, *y = b;

	return compare(x->id, y->id);
}

/* As people count: 2 before 10, A9 before A10. */
static int compare_seats(const void *a, const void *b)
{
	const struct snapshot_seat *x = a, *y = b;
	int order = compare(x->schedule, y->schedule);

	if (order == 0)
		order = strverscmp(x->number, y->number);
	return order != 0 ? order : compare(x->id, y->id);
}

/* qsort() and bsearch() take no NULL, not even with a count of 0. */
#define SORT(list, compare_items)                                                                  \
	do {                                                                                       \
		if ((list).count > 1)                                                              \
			qsort((list).items, (list).count, sizeof *(list).items, (compare_items));  \
	} while (0)
#define FIND(list, key, compare_items)                                                             \
	((list).count == 0 ? NULL                                                                  \
			   : bsearch((key), (list).items, (list).count, sizeof *(list).items,      \
				     (compare_items)))

/* Seats that cannot be bought at all do not count, and without any seat nothing is sold out. */
static void sum_up_sale(struct snapshot *snapshot)
{
	struct snapshot_sale *sale = &snapshot->sale;
	size_t sold = 0;

	*sale = (struct snapshot_sale){.state = SALE_AVAILABLE};
	for (size_t i = 0; i < snapshot->seats.count; i++) {
		const struct snapshot_seat *seat = &snapshot->seats.items[i];

		if (seat->hold == SNAPSHOT_PAID) {
			sold++;
		} else if (snapshot_seat_is_taken(seat, snapshot->clock_us)) {
			sale->held++;
			if (sale->next_us == 0 || seat->hold_expires_us < sale->next_us)
				sale->next_us = seat->hold_expires_us;
		} else if (seat->is_active) {
			*sale = (struct snapshot_sale){.state = SALE_AVAILABLE};
			return;
		}
	}
	if (sale->held > 0)
		sale->state = SALE_ALL_HELD;
	else if (sold > 0)
		sale->state = SALE_SOLD_OUT;
}

void snapshot_finish(struct snapshot *snapshot)
{
	sum_up_sale(snapshot);
	SORT(snapshot->tickets, compare_tickets);
	SORT(snapshot->concerts, compare_concerts);
	SORT(snapshot->schedules, compare_schedules);
	SORT(snapshot->seats, compare_seats);
	snapshot->maps = mem_array(NULL, snapshot->schedules.count, sizeof *snapshot->maps);
	for (size_t i = 0; i < snapshot->schedules.count; i++)
		atomic_init(&snapshot->maps[i], NULL);
}

const struct snapshot_ticket *snapshot_ticket(const struct snapshot *snapshot, int64_t number)
{
	struct snapshot_ticket key = {.number = number};

	return FIND(snapshot->tickets, &key, compare_tickets);
}

const struct snapshot_concert *snapshot_concert(const struct snapshot *snapshot, int64_t id)
{
	struct snapshot_concert key = {.id = id};

	return FIND(snapshot->concerts, &key, compare_concerts);
}

const struct snapshot_schedule *snapshot_schedule(const struct snapshot *snapshot, int64_t id)
{
	struct snapshot_schedule key = {.id = id};

	return FIND(snapshot->schedules, &key, compare_schedules);
}

/* The index of the first seat whose schedule is not before this one. */
static size_t first_seat(const struct snapshot *snapshot, int64_t schedule)
{
	size_t low = 0;
	size_t high = snapshot->seats.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (snapshot->seats.items[middle].schedule < schedule)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct snapshot_seat *snapshot_seats(const struct snapshot *snapshot, int64_t schedule,
					   size_t *count)
{
	size_t first = first_seat(snapshot, schedule);
	size_t end = first;

	while (end < snapshot->seats.count && snapshot->seats.items[end].schedule == schedule)
		end++;
	*count = end - first;
	return end == first ? NULL : &snapshot->seats.items[first];
}

bool snapshot_seat_is_taken(const struct snapshot_seat *seat, int64_t time_us)
{
	return seat->hold == SNAPSHOT_PAID ||
	       (seat->hold == SNAPSHOT_PENDING && seat->hold_expires_us > time_us);
}
