#include "gate_world.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

void gate_world_fini(struct gate_world *world)
{
	free(world->queuers);
	free(world->tickets);
	*world = (struct gate_world){0};
}

void gate_world_clear(struct gate_world *world)
{
	world->queuer_count = 0;
	world->ticket_count = 0;
}

static int by_uuid(const void *a, const void *b)
{
	return id_compare(&((const struct queuer *)a)->uuid, &((const struct queuer *)b)->uuid);
}

void gate_world_add_users(struct gate_world *world, const struct id *users, size_t count)
{
	if (count > world->queuer_capacity) {
		world->queuer_capacity = count;
		world->queuers = mem_array(world->queuers, count, sizeof *world->queuers);
	}
	for (size_t i = 0; i < count; i++)
		world->queuers[i] = (struct queuer){.uuid = users[i]};
	if (count)
		qsort(world->queuers, count, sizeof *world->queuers, by_uuid);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (!kept || by_uuid(&world->queuers[kept - 1], &world->queuers[i]) != 0)
			world->queuers[kept++] = world->queuers[i];
	world->queuer_count = kept;
}

struct gate_ticket *gate_world_add_ticket(struct gate_world *world, int64_t id)
{
	if (world->ticket_count == world->ticket_capacity) {
		world->ticket_capacity = world->ticket_capacity ? 2 * world->ticket_capacity : 64;
		world->tickets =
			mem_array(world->tickets, world->ticket_capacity, sizeof *world->tickets);
	}
	struct gate_ticket *ticket = &world->tickets[world->ticket_count++];
	*ticket = (struct gate_ticket){.id = id};
	return ticket;
}

struct queuer *gate_world_queuer(const struct gate_world *world, const struct id *uuid)
{
	const struct queuer key = {.uuid = *uuid};
	if (!world->queuer_count)
		return NULL;
	return bsearch(&key, world->queuers, world->queuer_count, sizeof key, by_uuid);
}

static int by_id(const void *a, const void *b)
{
	int64_t x = ((const struct gate_ticket *)a)->id, y = ((const struct gate_ticket *)b)->id;
	return (x > y) - (x < y);
}

struct gate_ticket *gate_world_ticket(const struct gate_world *world, int64_t id)
{
	const struct gate_ticket key = {.id = id};
	if (!world->ticket_count)
		return NULL;
	return bsearch(&key, world->tickets, world->ticket_count, sizeof key, by_id);
}
