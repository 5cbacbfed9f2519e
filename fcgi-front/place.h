/* A place in line: what a fan is told about it. Pure arithmetic on the numbers of a snapshot. */
#ifndef BOXOFFICE_PLACE_H
#define BOXOFFICE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot.h"
#include "text.h"

#define PLACE_POLL_LEAST_MS 1000
#define PLACE_POLL_NEAR_MS 10000 /* near the head, where a poll is a sign of life */
#define PLACE_POLL_MOST_MS 60000 /* anywhere */
#define PLACE_POLLS_PER_S 5000   /* what all who wait together may come to */

struct place {
	bool active;
	int64_t number;     /* by which the line is admitted; 0: not drawn yet */
	int64_t position;   /* 1 and up while waiting; 0 when active or not drawn yet */
	bool eta_known;     /* false: no rate is known, or nobody is let in now */
	int64_t eta_s;      /* rounded up */
	int64_t poll_ms;    /* when to ask again */
	int64_t expires_us; /* when the admission ends, since 1970; 0: not known */
	bool sign_counts;   /* this call is a sign of life that the gate wants to know of */
	enum policy_state gate;
	struct snapshot_sale sale;
	char message[POLICY_TEXT_SIZE]; /* to all in line; "": none */
	int64_t opens_us;               /* in a draw: when joining it ends; 0: it is in none */
};

/* What a waiting ticket's place is worked out from. */
struct place_facts {
	int64_t number;
	int64_t ahead;      /* how many wait before it */
	int64_t waiting;    /* how many wait in all */
	int64_t per_minute; /* how many are let in; 0: that says nothing */
	bool is_near;       /* signs of life count here */
	uint32_t jitter; /* any number; it spreads the polls of those who got one answer at once */
};

struct place place_waiting(const struct place_facts *facts);

/* Of a ticket in a draw that is not drawn yet: wait_us until the opening, or less when that is
 * past. */
struct place place_in_draw(int64_t wait_us, uint32_t jitter);

/* The place of an admitted ticket. */
struct place place_active(int64_t number, int64_t expires_us);

/* Adds what everybody is told: the gate's state, the operator's message, what is left to buy. */
void place_tell(struct place *place, const struct snapshot *snapshot);

/* Appends the members "status" to "message" without braces. */
void place_write(const struct place *place, struct text *out);

/* Appends the members "gate" to "message", each with a comma before it. */
void place_write_news(enum policy_state gate, const struct snapshot_sale *sale, const char *message,
		      struct text *out);

/* The same moment as poll_ms in whole seconds, rounded up: for Retry-After. */
int place_retry_after_s(const struct place *place);

#endif
