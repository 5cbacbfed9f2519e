#include "notes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 32768 /* a power of two */

static uint64_t slots[SLOTS]; /* hashes; 0: free */
static size_t count;

void notes_start(void)
{
	if (count)
		memset(slots, 0, sizeof slots);
	count = 0;
}

/* FNV-1a; of some thousand notes in 64 bits two will not meet. */
static uint64_t hash_of(enum note note, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ (uint64_t)note;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
	return hash ^ (hash >> 29) ^ !hash;
}

static uint64_t *slot_of(uint64_t hash)
{
	size_t i = (size_t)hash & (SLOTS - 1);
	while (slots[i] && slots[i] != hash)
		i = (i + 1) & (SLOTS - 1);
	return &slots[i];
}

void notes_add(enum note note, const void *bytes, size_t length)
{
	uint64_t hash = hash_of(note, bytes, length);
	uint64_t *slot = slot_of(hash);
	if (!*slot && ++count == SLOTS / 2)
		abort();
	*slot = hash;
}

bool notes_have(enum note note, const void *bytes, size_t length)
{
	return *slot_of(hash_of(note, bytes, length)) != 0;
}
