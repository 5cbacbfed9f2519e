/* A place in line: what a fan is told about it. Pure arithmetic on the numbers of the gate. */
#ifndef BOXOFFICE_PLACE_H
#define BOXOFFICE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

#define PLACE_POLL_LEAST_MS 1000
#define PLACE_POLL_MOST_MS 10000

struct place {
	bool active;
	int64_t position;   /* 1 and up while waiting, 0 when active */
	bool eta_known;     /* false: no rate is known, or nobody is let in now */
	int64_t eta_s;      /* rounded up */
	int64_t poll_ms;    /* when to ask again */
	int64_t expires_us; /* when the admission ends, since 1970; 0: not known */
};

/* The place of a waiting ticket: its number after the highest one served, 1 at least. per_minute:
 * how many were let in during the last minute, 0 when that says nothing. jitter: any number; it
 * spreads the polls of those who got the same answer at once. */
struct place place_waiting(int64_t number, int64_t served, int64_t per_minute, uint32_t jitter);

/* The place of an admitted ticket. */
struct place place_active(int64_t expires_us);

/* Appends the members "status" to "expiresAt" without braces. */
void place_write(const struct place *place, struct text *out);

#endif
