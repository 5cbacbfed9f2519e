#include "gate_world.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

void gate_world_fini(struct gate_world *world)
{
	free(world->queuers);
	*world = (struct gate_world){0};
}

void gate_world_clear(struct gate_world *world)
{
	world->count = 0;
}

static int by_uuid(const void *a, const void *b)
{
	return id_compare(&((const struct queuer *)a)->uuid, &((const struct queuer *)b)->uuid);
}

void gate_world_add_users(struct gate_world *world, const struct id *users, size_t count)
{
	if (count > world->capacity) {
		world->capacity = count;
		world->queuers = mem_array(world->queuers, count, sizeof *world->queuers);
	}
	for (size_t i = 0; i < count; i++)
		world->queuers[i] = (struct queuer){.uuid = users[i]};
	qsort(world->queuers, count, sizeof *world->queuers, by_uuid);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (!kept || by_uuid(&world->queuers[kept - 1], &world->queuers[i]) != 0)
			world->queuers[kept++] = world->queuers[i];
	world->count = kept;
}

struct queuer *gate_world_find(const struct gate_world *world, const struct id *uuid)
{
	const struct queuer key = {.uuid = *uuid};
	if (!world->count)
		return NULL;
	return bsearch(&key, world->queuers, world->count, sizeof key, by_uuid);
}
