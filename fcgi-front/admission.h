/* The queue check: whose turn it is. */
#ifndef BOXOFFICE_ADMISSION_H
#define BOXOFFICE_ADMISSION_H

#include <stdint.h>

#include "call.h"
#include "err.h"
#include "place.h"
#include "snapshot.h"
#include "token.h"

enum admission {
	ADMISSION_ACTIVE,
	ADMISSION_WAITING,
	ADMISSION_GONE,    /* admitted once, but not live in this snapshot */
	ADMISSION_FOREIGN, /* the ticket of this number is somebody else's */
};

/* What a snapshot says about a token at now_us (of clock_us()); place is set for ACTIVE and
 * WAITING. Pure but for the jitter in the place. */
enum admission admission_judge(const struct snapshot *snapshot, const struct queue_token *token,
			       int64_t now_us, struct place *place);

/* Finds the place of a token: OK while it is live, waiting or active. Before it says that a ticket
 * is not, it waits for a fresh snapshot and then looks the ticket up: ERR_TOKEN_EXPIRED,
 * ERR_TOKEN_FINISHED, ERR_TOKEN_INVALID; ERR_UNAVAILABLE or an error of db.h when that fails. */
MUST_CHECK enum err admission_find(const struct front *front, const struct queue_token *token,
				   int64_t deadline_us, struct place *place);

/* The same, but ERR_NOT_ADMITTED (place is set) for a ticket that waits. */
MUST_CHECK enum err admission_check(const struct front *front, const struct queue_token *token,
				    int64_t deadline_us, struct place *place);

/* The place of a ticket that nothing is known of but its number and whether it is admitted, as of
 * the newest snapshot. */
struct place admission_guess(const struct front *front, int64_t number, bool is_active);

#endif
