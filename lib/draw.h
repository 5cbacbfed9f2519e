/* The draw: who joins before the opening gets a place by lot, and anybody can check it afterwards.
 *
 * Before joining begins the operator publishes the SHA-256 of a secret and names a public value
 * that nobody knows yet. Joining closes; the roster's digest is published. Then the public value is
 * known, and
 *
 *     seed  = SHA-256(secret || roster digest || public value)
 *     order = the tickets sorted by SHA-256(seed || ticket), ascending
 *
 * with tickets as 8 bytes, big-endian. Nobody knows an order while joining is open: it depends on
 * everybody who joins, and on a value that nobody has. The digest is SHA-256 over all tickets in
 * ascending order, each as 8 bytes and the SHA-256 of its user's UUID (16 bytes): a roster can be
 * shown without showing a userId, and everybody finds the own line in it. */
#ifndef BOXOFFICE_DRAW_H
#define BOXOFFICE_DRAW_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "id.h"

#define DRAW_DIGEST_SIZE 32
#define DRAW_VALUE_CHARS 200 /* of the public value and of its name */
#define DRAW_VALUE_SIZE (DRAW_VALUE_CHARS * 4 + 1)
#define DRAW_ZONE_SIZE 65
#define DRAW_TICKETS_MAX INT64_C(10000000)

enum draw_state {
	DRAW_JOINING,
	DRAW_CLOSED,  /* the roster stands; the order is not known yet */
	DRAW_DRAWING, /* the order is known and being written */
	DRAW_DRAWN,
};

/* "joining", "closed", "drawing", "drawn". */
const char *draw_state_name(enum draw_state state);

/* DRAWN for a name that is not known. */
enum draw_state draw_state_from(const char *name);

/* SHA-256 of the secret: what is published beforehand. */
void draw_commit(const uint8_t secret[static DRAW_DIGEST_SIZE],
		 uint8_t commitment[static DRAW_DIGEST_SIZE]);

/* SHA-256 of a user's UUID, as the roster shows it. */
void draw_mask_user(const struct id *user, uint8_t mask[static DRAW_DIGEST_SIZE]);

/* The roster's digest, ticket by ticket. */
struct draw_roster; /* opaque */

/* NULL: out of memory. Owned: draw_roster_end() ends it. */
struct draw_roster *draw_roster_begin(void);
void draw_roster_add(struct draw_roster *roster, int64_t ticket, const struct id *user);
void draw_roster_end(struct draw_roster *roster, uint8_t digest[static DRAW_DIGEST_SIZE]);

void draw_seed(const uint8_t secret[static DRAW_DIGEST_SIZE],
	       const uint8_t roster[static DRAW_DIGEST_SIZE], const char *public_value,
	       uint8_t seed[static DRAW_DIGEST_SIZE]);

/* Fills places[i] with the place of ticket first + i, for count tickets: first to first + count -
 * 1, each once. places is the caller's. ERR_MEMORY. */
MUST_CHECK enum err draw_order(const uint8_t seed[static DRAW_DIGEST_SIZE], int64_t first,
			       size_t count, int64_t *places);

#endif
