/* The courier: takes jobs from request threads to the broker and brings the results back. Nobody
 * sits and waits for it: an errand is told when it is done.
 *
 * Two threads have a broker connection each: one publishes (an alarm of the broker blocks
 * publishers only), one consumes the reply queue; both reconnect with back-off. A third keeps the
 * deadlines. */
#ifndef BOXOFFICE_COURIER_H
#define BOXOFFICE_COURIER_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "job.h"
#include "lanes.h"
#include "reply.h"
#include "text.h"

struct courier; /* opaque */

/* Told from the reply thread when results about seats came. */
typedef void courier_seat_fn(void *arg);

/* Starts the threads; conf is borrowed. The broker may be away. Returns owned: courier_free().
 * ERR_MEMORY, ERR_SYSTEM. */
MUST_CHECK enum err courier_new(struct courier **courier, const struct conf *conf,
				courier_seat_fn *seat_changed, void *arg);

/* Ends the threads, within a second. No errand may be under way. NULL is fine. */
void courier_free(struct courier *courier);

/* Packs a job into an errand, to be carried or released. ERR_UNAVAILABLE: out of memory. */
MUST_CHECK enum err courier_pack(const struct courier *courier, const struct job *job,
				 struct errand *errand);

/* Hands the errand's job in; deadline_us, done and arg are set. Jobs of one id under way at once
 * are sent once and share the outcome. ERR_OK: done is called once, from another thread and perhaps
 * before this returns, with errand->err:
 *   ERR_OK           courier_outcome() has the outcome (and it may be a refusal)
 *   ERR_TIMEOUT      the job is on its queue, and its result did not come by the deadline; or no
 *                    results can come now, and the job was just confirmed
 *   ERR_UNAVAILABLE  the broker did not confirm it
 * Otherwise nothing was handed in: ERR_UNAVAILABLE, or ERR_KEY_REUSED: a job of this id with other
 * content is under way. */
MUST_CHECK enum err courier_carry(struct courier *courier, struct errand *errand);

/* The outcome of an errand that was told ERR_OK; one that came later than another of its id sees it
 * as replayed. */
void courier_outcome(const struct errand *errand, struct outcome *outcome);

/* Gives back what an errand holds, once nobody is to be told of it; it may be used again. */
void courier_release(struct errand *errand);

/* Sends a message of jobs to the gate that nobody waits for: an envelope without reply_to, with so
 * many jobs of one kind. Takes the text and leaves it empty. Dropped when the broker is away. */
void courier_post_gate(struct courier *courier, struct text *body, enum job_kind kind, size_t jobs);

/* True when jobs can be sent and results can come. */
bool courier_ready(struct courier *courier);

#endif
