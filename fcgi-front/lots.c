#include "lots.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "mem.h"

struct lots {
	atomic_uint references;
	int64_t version;
	struct drawn {
		int64_t first, last;
		int64_t *places; /* of each ticket from first on */
	} * draws;
	size_t count;
};

struct lots *lots_new(int64_t version)
{
	struct lots *lots = calloc(1, sizeof *lots);

	if (lots == NULL)
		return NULL;
	atomic_init(&lots->references, 1);
	lots->version = version;
	return lots;
}

enum err lots_add(struct lots *lots, int64_t first, int64_t last,
		  const uint8_t seed[static DRAW_DIGEST_SIZE])
{
	struct drawn drawn = {.first = first, .last = last};
	size_t count = (size_t)(last - first + 1);
	enum err err;

	if (first < 1 || last < first || last - first >= DRAW_TICKETS_MAX)
		return ERR_DB_DATA;
	drawn.places = mem_array(NULL, count, sizeof *drawn.places);
	err = draw_order(seed, first, count, drawn.places);
	if (err != ERR_OK) {
		free(drawn.places);
		return err;
	}
	lots->draws = mem_array(lots->draws, lots->count + 1, sizeof *lots->draws);
	lots->draws[lots->count++] = drawn;
	return ERR_OK;
}

struct lots *lots_hold(struct lots *lots)
{
	atomic_fetch_add(&lots->references, 1);
	return lots;
}

void lots_release(struct lots *lots)
{
	if (lots == NULL || atomic_fetch_sub(&lots->references, 1) > 1)
		return;
	for (size_t i = 0; i < lots->count; i++)
		free(lots->draws[i].places);
	free(lots->draws);
	free(lots);
}

int64_t lots_version(const struct lots *lots)
{
	return lots->version;
}

/* Draws are few: of some days at most. */
int64_t lots_place(const struct lots *lots, int64_t ticket)
{
	for (size_t i = 0; i < lots->count; i++)
		if (ticket >= lots->draws[i].first && ticket <= lots->draws[i].last)
			return lots->draws[i].places[ticket - lots->draws[i].first];
	return ticket;
}
