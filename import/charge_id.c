#include "charge_id.h"

#include <stdio.h>
#include <string.h>

#include "digest.h"

#define NUMBER_DIGITS 10 /* the last ones: 34 bits */
#define MESSAGE_SIZE 1024

_Static_assert(32 + CHARGE_SOURCE_CHARS * 4 + CHARGE_REFERENCE_CHARS * 4 + 32 < MESSAGE_SIZE,
	       "the longest parts must fit");

static const char *const kinds[] = {
	[CHARGE_BY_REFERENCE] = "reference",
	[CHARGE_BY_ROW] = "row",
};

/* Each part after its length, so that no two lists of parts meet. */
static size_t add_part(char message[static MESSAGE_SIZE], size_t at, const char *part,
		       size_t length)
{
	at += (size_t)snprintf(message + at, MESSAGE_SIZE - at, "%zu:", length);
	memcpy(message + at, part, length);
	return at + length;
}

/* SHA-256 over the kind, the source and, if there is one, the name. */
static void digest(const struct charge_source *source, const char *name, size_t length,
		   uint8_t out[static DIGEST_SIZE])
{
	char message[MESSAGE_SIZE];
	const char *kind = kinds[source->naming];
	size_t end = add_part(message, 0, kind, strlen(kind));
	end = add_part(message, end, source->text, strlen(source->text));
	if (name)
		end = add_part(message, end, name, length);
	digest_bytes(message, end, out);
}

/* A big-endian number of so many bytes. */
static uint64_t number_of(const uint8_t *bytes, size_t count)
{
	uint64_t number = 0;
	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

void charge_source_init(struct charge_source *source, enum charge_naming naming, const char *text)
{
	uint8_t bytes[DIGEST_SIZE];
	source->naming = naming;
	snprintf(source->text, sizeof source->text, "%s", text);
	digest(source, NULL, 0, bytes);
	source->prefix = (uint32_t)number_of(bytes, 3);
}

/* The number that the name ends in. A name without one gets 34 bits of its digest: else all such
 * names would have but 64 bits to differ in. */
static uint64_t place_of(const char *name, size_t length, const uint8_t digest[static DIGEST_SIZE])
{
	uint64_t number = 0;
	size_t first = length;
	while (first > 0 && length - first < NUMBER_DIGITS && name[first - 1] >= '0' &&
	       name[first - 1] <= '9')
		first--;
	if (first == length)
		return number_of(digest + 8, 5) >> 6;
	for (size_t i = first; i < length; i++)
		number = number * 10 + (uint64_t)(name[i] - '0');
	return number;
}

/* 24 + 34 + 64 bits in the places that RFC 9562 leaves to a UUID of version 8: 48, 12 and 62. */
struct id charge_id(const struct charge_source *source, const char *name, size_t length)
{
	uint8_t bytes[DIGEST_SIZE];
	struct id id;
	digest(source, name, length, bytes);
	uint64_t tail = number_of(bytes, 8);
	uint64_t place = place_of(name, length, bytes);
	uint64_t head = (uint64_t)source->prefix << 24 | place >> 10;
	uint64_t middle = (place & 0x3FF) << 2 | tail >> 62;
	uint64_t high = head << 16 | 0x8000 | middle;
	uint64_t low = UINT64_C(1) << 63 | (tail & (UINT64_MAX >> 2));
	for (size_t i = 0; i < 8; i++) {
		id.bytes[i] = (uint8_t)(high >> (56 - 8 * i));
		id.bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
	}
	return id;
}
