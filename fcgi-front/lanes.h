/* Lanes: the jobs that gather in a front for each destination, and the messages they leave in.
 *
 * A lane sends one message of what has gathered when its last message is answered or older than
 * the coalescing time: alone a job leaves at once, under load hundreds leave together. Plain data
 * without threads or sockets: whoever calls holds the one lock of the owner (courier.c), except
 * where said otherwise. */
#ifndef BOXOFFICE_LANES_H
#define BOXOFFICE_LANES_H

#include <semaphore.h>
#include <stdatomic.h>
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
	enum job_kind kind;
	unsigned lane;
	int64_t sent_us;          /* when its message was taken; 0 while GATHERED */
	uint64_t message;         /* the number of its message in its lane; 0 while GATHERED */
	atomic_uint references;   /* who waits, messages and rings; the last one frees it */
	unsigned waiters;         /* request threads among them */
	unsigned confirm_waiters; /* those among these who want no more than the confirm */
	atomic_int state;         /* enum parcel_state; changed with the lock, read without */
	struct text json;         /* constant once made */
	sem_t answered;           /* posted for each who waits for the answer, at the end */
	sem_t confirmed;          /* posted for each confirm waiter, at the confirm and the end */
	struct parcel *bucket_next;
	struct parcel *lane_previous, *lane_next; /* while GATHERED */
	struct outcome outcome;                   /* once ANSWERED */
};

/* Waiters to be told, once the lock is free: telling them under it would send each straight into
 * the lock. Zero-initialise; one for each thread that changes parcels. */
struct rings {
	struct ring {
		struct parcel *parcel;        /* a reference of its own */
		unsigned answered, confirmed; /* posts of either semaphore */
	} * list;
	size_t count, capacity;
};

/* A message taken out to be sent. */
struct parcel_message {
	unsigned lane;
	uint64_t number;   /* of its lane, 1 and up */
	uint64_t sequence; /* the broker's, once sent; 0 before */
	int64_t sent_us;   /* when it was taken */
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

/* Gives back a reference to one that is not in the lanes: it did not enter, or its wait is over
 * for good (parcel_is_over()). Needs no lock. */
void parcel_release(struct parcel *parcel);

/* True once it was answered or failed: then it is in no lane any more (needs no lock). */
bool parcel_is_over(const struct parcel *parcel);

/* Wakes who is to be told (without the lock), and empties the list. */
void rings_ring(struct rings *rings);
void rings_fini(struct rings *rings);

/* Puts fresh in its lane, which takes it, and returns it; or, when a job of this id is under way,
 * returns that one with a reference more and leaves fresh to the caller. */
struct parcel *lanes_enter(struct lanes *lanes, struct parcel *fresh);

/* Gives a waiter's reference back. What is not sent yet and nobody waits for is dropped. */
void lanes_leave(struct lanes *lanes, struct parcel *parcel);

/* Takes the next message that may leave now; NULL when none may. It stays the lanes' own, and its
 * parcels stay where they are until it is confirmed or failed. */
struct parcel_message *lanes_take(struct lanes *lanes, int64_t now_us);

/* Writes its body (needs no lock, in the thread that took it). */
void parcel_message_write(const struct parcel_message *message, struct text *out);

/* Says under which number the message was published. */
void lanes_sent(struct parcel_message *message, uint64_t sequence);

/* The broker answered a publish: ERR_OK or why it did not take the message. Returns when the
 * message was taken; 0 when it is none of the lanes'. */
int64_t lanes_confirm(struct lanes *lanes, uint64_t sequence, enum err err, struct rings *rings);

/* Fails what is not confirmed, sent or not: the broker is away. */
void lanes_fail(struct lanes *lanes, struct rings *rings);

/* A result of a lane's message came; dropped when nobody waits for that message's job. Another
 * sending of the same id is not touched: it may have other content, and gets its own result.
 * Returns when the message was taken; 0 when the result was dropped. */
int64_t lanes_settle(struct lanes *lanes, unsigned lane, uint64_t number, const struct id *id,
		     const struct outcome *outcome, struct rings *rings);

/* count results of a lane's message came. True when the lane is free to send and has something. */
bool lanes_answered(struct lanes *lanes, unsigned lane, uint64_t number, size_t count);

/* True when this lane holds this one parcel alone: it was empty, so nobody has set a time for it.
 */
bool lanes_is_first(const struct lanes *lanes, const struct parcel *parcel);

/* When the next message may leave: a moment (perhaps past), or INT64_MAX when nothing waits. */
int64_t lanes_due_us(const struct lanes *lanes);

#endif
