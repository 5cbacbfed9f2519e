/* Lanes: the jobs that gather in a front for each destination, and the messages they leave in.
 *
 * A lane sends one message of what has gathered when its last message is answered or older than
 * the coalescing time: alone a job leaves at once, under load hundreds leave together. Plain data
 * without threads or sockets: whoever calls holds the one lock of the owner (courier.c), except
 * where said otherwise. */
#ifndef BOXOFFICE_LANES_H
#define BOXOFFICE_LANES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "id.h"
#include "job.h"
#include "reply.h"
#include "text.h"

enum parcel_state {
	PARCEL_GATHERED,  /* in its lane, not sent */
	PARCEL_SENT,      /* in a message that the broker has not confirmed */
	PARCEL_CONFIRMED, /* on a durable queue */
	PARCEL_ANSWERED,  /* outcome is set */
	PARCEL_FAILED,    /* not confirmed, and never will be: unknown whether it arrived */
};

/* A job under way. Those who wait for it share it. */
struct parcel {
	struct id id;
	uint8_t fingerprint[FINGERPRINT_SIZE];
	unsigned lane;
	unsigned references;      /* who waits, and the message while it is not confirmed */
	unsigned confirm_waiters; /* those who want no more than the confirm */
	enum parcel_state state;
	struct outcome outcome;
	struct text json;       /* constant once made */
	pthread_cond_t changed; /* told when state becomes what somebody waits for */
	struct parcel *bucket_next;
	struct parcel *lane_previous, *lane_next; /* while GATHERED */
};

/* A message taken out to be sent. */
struct parcel_message {
	unsigned lane;
	uint64_t number;   /* of its lane, 1 and up */
	uint64_t sequence; /* the broker's, once sent; 0 before */
	size_t count;
	struct parcel **parcels;
	struct parcel_message *next;
};

struct lanes; /* opaque */

/* ERR_MEMORY. Returns owned: lanes_free(). */
MUST_CHECK enum err lanes_new(struct lanes **lanes, unsigned count, int64_t coalesce_us);

/* NULL is fine. Nobody may wait any more. */
void lanes_free(struct lanes *lanes);

/* Makes a parcel with one reference, before it enters (needs no lock). NULL: out of memory. */
struct parcel *parcel_new(const struct job *job, unsigned lane);

/* Frees one that did not enter (needs no lock). */
void parcel_free(struct parcel *parcel);

/* Puts fresh in its lane, which takes it, and returns it; or, when a job of this id is under way,
 * returns that one with a reference more and leaves fresh to the caller. */
struct parcel *lanes_enter(struct lanes *lanes, struct parcel *fresh);

/* Gives the caller's reference back. What is not sent yet and nobody waits for is dropped. */
void lanes_leave(struct lanes *lanes, struct parcel *parcel);

/* Takes the next message that may leave now; NULL when none may. It stays the lanes' own, and its
 * parcels stay where they are until it is confirmed or failed. */
struct parcel_message *lanes_take(struct lanes *lanes, int64_t now_us);

/* Writes its body (needs no lock, in the thread that took it). */
void parcel_message_write(const struct parcel_message *message, struct text *out);

/* Says under which number the message was published. */
void lanes_sent(struct parcel_message *message, uint64_t sequence);

/* The broker answered a publish: ERR_OK or why it did not take the message. */
void lanes_confirm(struct lanes *lanes, uint64_t sequence, enum err err);

/* Fails what is not confirmed, sent or not: the broker is away. */
void lanes_fail(struct lanes *lanes);

/* A result came; dropped when nobody waits for this job. */
void lanes_settle(struct lanes *lanes, const struct id *id, const struct outcome *outcome);

/* count results of a lane's message came. True when the lane is free to send and has something. */
bool lanes_answered(struct lanes *lanes, unsigned lane, uint64_t number, size_t count);

/* True when this lane holds this one parcel alone: it was empty, so nobody has set a time for it.
 */
bool lanes_is_first(const struct lanes *lanes, const struct parcel *parcel);

/* When the next message may leave: a moment (perhaps past), or INT64_MAX when nothing waits. */
int64_t lanes_due_us(const struct lanes *lanes);

#endif
