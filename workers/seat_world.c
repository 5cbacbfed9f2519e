#include "seat_world.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

static const char *const hold_names[] = {"PENDING", "PAID", "CANCELLED", "EXPIRED", "REFUNDED"};

const char *hold_status_name(enum hold_status status)
{
	return hold_names[status];
}

enum hold_status hold_status_from(const char *name)
{
	unsigned status = HOLD_PENDING;
	while (status < HOLD_REFUNDED && strcmp(hold_names[status], name) != 0)
		status++;
	return (enum hold_status)status;
}

void seat_world_fini(struct seat_world *world)
{
	free(world->seats);
	free(world->holds);
	free(world->tickets);
	free(world->payments);
	ledger_fini(&world->ledger);
	*world = (struct seat_world){0};
}

void seat_world_clear(struct seat_world *world)
{
	world->seat_count = 0;
	world->hold_count = 0;
	world->ticket_count = 0;
	world->payment_count = 0;
	ledger_clear(&world->ledger);
}

/* Room for one more element. */
static void *roomy(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? *capacity * 2 : 64;
	return mem_array(array, *capacity, size);
}

struct seat *seat_world_add_seat(struct seat_world *world, int64_t id)
{
	world->seats =
		roomy(world->seats, world->seat_count, &world->seat_capacity, sizeof *world->seats);
	struct seat *seat = &world->seats[world->seat_count++];
	*seat = (struct seat){.id = id, .newest_hold = WORLD_NONE};
	return seat;
}

struct ticket *seat_world_add_ticket(struct seat_world *world, int64_t id)
{
	world->tickets = roomy(world->tickets, world->ticket_count, &world->ticket_capacity,
			       sizeof *world->tickets);
	struct ticket *ticket = &world->tickets[world->ticket_count++];
	*ticket = (struct ticket){.id = id, .hold = WORLD_NONE};
	return ticket;
}

struct payment *seat_world_add_payment(struct seat_world *world, size_t hold)
{
	world->payments = roomy(world->payments, world->payment_count, &world->payment_capacity,
				sizeof *world->payments);
	world->holds[hold].payment = world->payment_count;
	struct payment *payment = &world->payments[world->payment_count++];
	*payment = (struct payment){.hold = hold};
	return payment;
}

/* The holds of a seat are in a list, newest first. */
static void link_hold(struct seat_world *world, struct seat *seat, size_t index)
{
	if (!seat)
		return;
	world->holds[index].older = seat->newest_hold;
	seat->newest_hold = index;
}

size_t seat_world_add_hold(struct seat_world *world, const struct hold *hold)
{
	struct seat *seat = seat_world_seat(world, hold->seat_id);
	for (size_t i = seat ? seat->newest_hold : WORLD_NONE; i != WORLD_NONE && hold->id;
	     i = world->holds[i].older)
		if (world->holds[i].id == hold->id)
			return i;
	world->holds =
		roomy(world->holds, world->hold_count, &world->hold_capacity, sizeof *world->holds);
	size_t index = world->hold_count++;
	world->holds[index] = *hold;
	world->holds[index].older = WORLD_NONE;
	world->holds[index].payment = WORLD_NONE;
	link_hold(world, seat, index);
	return index;
}

static int compare_ids(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int seat_by_id(const void *id, const void *seat)
{
	return compare_ids(*(const int64_t *)id, ((const struct seat *)seat)->id);
}

static int ticket_by_id(const void *id, const void *ticket)
{
	return compare_ids(*(const int64_t *)id, ((const struct ticket *)ticket)->id);
}

struct seat *seat_world_seat(const struct seat_world *world, int64_t id)
{
	if (!world->seat_count)
		return NULL;
	return bsearch(&id, world->seats, world->seat_count, sizeof *world->seats, seat_by_id);
}

struct ticket *seat_world_ticket(const struct seat_world *world, int64_t id)
{
	if (!world->ticket_count)
		return NULL;
	return bsearch(&id, world->tickets, world->ticket_count, sizeof *world->tickets,
		       ticket_by_id);
}

struct hold *seat_world_live_hold(const struct seat_world *world, const struct seat *seat)
{
	for (size_t i = seat->newest_hold; i != WORLD_NONE; i = world->holds[i].older)
		if (world->holds[i].status == HOLD_PENDING || world->holds[i].status == HOLD_PAID)
			return &world->holds[i];
	return NULL;
}

struct payment *seat_world_payment(const struct seat_world *world, int64_t id)
{
	for (size_t i = 0; i < world->payment_count; i++)
		if (world->payments[i].id == id)
			return &world->payments[i];
	return NULL;
}

struct hold *seat_world_hold_of(const struct seat_world *world, const struct seat *seat,
				int64_t user_id)
{
	for (size_t i = seat->newest_hold; i != WORLD_NONE; i = world->holds[i].older)
		if (world->holds[i].user_id == user_id)
			return &world->holds[i];
	return NULL;
}
