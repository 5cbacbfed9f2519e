/* Ids: 16 bytes, UUIDs in text. Job ids and user ids are of this type. */
#ifndef BOXOFFICE_ID_H
#define BOXOFFICE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define ID_TEXT_SIZE 37 /* 36 characters and the end */
#define ID_HEX_SIZE 33
#define FINGERPRINT_SIZE 32

struct id {
	uint8_t bytes[16];
};

/* A random id (UUID version 4, RFC 9562 section 5.4): for user ids, which must not be guessable. */
struct id id_random(void);

/* A time-ordered id (UUID version 7, RFC 9562 section 5.7): ascending ids insert 1.6 to 2.3
 * times faster than random ones. */
struct id id_ordered(void);

/* The UUID version 7 of a moment (milliseconds since 1970) and 16 random bytes: the same for the
 * same two. */
struct id id_at(int64_t ms, const uint8_t random[static 16]);

/* The id of an idempotency key (UUID version 5, RFC 9562 section 5.5) over the parts, each
 * prefixed with its length so that no two lists of parts meet. */
struct id id_from_parts(const char *const *parts, size_t count);

/* Reads 8-4-4-4-12 hexadecimal text of exactly length bytes, either case. False: id untouched. */
bool id_parse(const char *text, size_t length, struct id *id);

/* Reads 32 hexadecimal digits (what HEX() of the database prints). */
bool id_parse_hex(const char *text, size_t length, struct id *id);

/* Writes the lower-case text form with its end. */
void id_format(const struct id *id, char text[static ID_TEXT_SIZE]);

/* Writes 32 upper-case hexadecimal digits with the end, for UNHEX(). */
void id_format_hex(const struct id *id, char text[static ID_HEX_SIZE]);

bool id_equal(const struct id *a, const struct id *b);

/* As memcmp: the order of BINARY(16) in the database. */
int id_compare(const struct id *a, const struct id *b);

/* A 64-bit hash for tables in memory. */
uint64_t id_hash(const struct id *id);

#endif
