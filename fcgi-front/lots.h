/* The places that draws gave, by ticket: worked out from the revealed seeds, as anybody can, once
 * when a draw is done, and shared by the snapshots until the next one. Immutable. */
#ifndef BOXOFFICE_LOTS_H
#define BOXOFFICE_LOTS_H

#include <stdint.h>

#include "draw.h"
#include "err.h"

struct lots; /* opaque */

/* Without any draw; version is the number of draws that are done, as the gate counts them. One
 * reference, owned: lots_release(). NULL: out of memory. */
struct lots *lots_new(int64_t version);

/* Adds the draw of tickets first to last. ERR_MEMORY; ERR_DB_DATA for a range that cannot be. */
MUST_CHECK enum err lots_add(struct lots *lots, int64_t first, int64_t last,
			     const uint8_t seed[static DRAW_DIGEST_SIZE]);

struct lots *lots_hold(struct lots *lots); /* one reference more */
void lots_release(struct lots *lots);      /* NULL is fine */

int64_t lots_version(const struct lots *lots);

/* The place of a ticket: by its draw, else its own number. */
int64_t lots_place(const struct lots *lots, int64_t ticket);

#endif
