/* The courier: takes jobs from request threads to the broker and brings the results back.
 *
 * Two threads, each with a broker connection of its own: one publishes (an alarm of the broker
 * blocks publishers only), one consumes the reply queue. Both reconnect with back-off. */
#ifndef BOXOFFICE_COURIER_H
#define BOXOFFICE_COURIER_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "job.h"
#include "reply.h"
#include "text.h"

struct courier; /* opaque */

/* Told from the reply thread when results about seats came. */
typedef void courier_seat_fn(void *arg);

/* Starts the threads; conf is borrowed. The broker may be away. Returns owned: courier_free().
 * ERR_MEMORY, ERR_SYSTEM. */
MUST_CHECK enum err courier_new(struct courier **courier, const struct conf *conf,
				courier_seat_fn *seat_changed, void *arg);

/* Ends the threads, within a second. Nobody may be inside courier_carry(). NULL is fine. */
void courier_free(struct courier *courier);

/* Hands a job in and waits for its result until deadline_us (of clock_us()). Jobs of one id under
 * way at once are sent once and share the outcome; those who came later see it as replayed.
 *   ERR_OK           outcome is set (and may be a refusal)
 *   ERR_TIMEOUT      the job is on its queue, its result is not here yet; at once after the confirm
 *                    when three quarters of the threads wait already or no results can come now
 *   ERR_UNAVAILABLE  the broker did not confirm it
 *   ERR_KEY_REUSED   a job of this id with other content is under way */
MUST_CHECK enum err courier_carry(struct courier *courier, const struct job *job,
				  int64_t deadline_us, struct outcome *outcome);

/* Sends a message of jobs to the gate that nobody waits for: an envelope without reply_to, with so
 * many jobs of one kind. Takes the text and leaves it empty. Dropped when the broker is away. */
void courier_post_gate(struct courier *courier, struct text *body, enum job_kind kind, size_t jobs);

/* True when jobs can be sent and results can come. */
bool courier_ready(struct courier *courier);

#endif
