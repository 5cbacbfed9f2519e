/* Lanes: the jobs that gather in a front for each destination, and the messages they leave in.
 *
 * A lane sends one message of what has gathered when its last message is answered or older than
 * the coalescing time: alone a job leaves at once, under load hundreds leave together. Plain data
 * without threads or sockets: whoever calls holds the one lock of the owner (courier.c), except
 * where said otherwise. */
#ifndef BOXOFFICE_LANES_H
#define BOXOFFICE_LANES_H

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

struct errand;

/* A job under way. The errands of all who wait for it share it. */
struct parcel {
	struct id id;
	uint8_t fingerprint[FINGERPRINT_SIZE];
	enum job_kind kind;
	unsigned lane;
	int64_t sent_us;        /* when its message was taken; 0 while GATHERED */
	uint64_t message;       /* the number of its message in its lane; 0 while GATHERED */
	atomic_uint references; /* errands and messages; the last one frees it */
	enum parcel_state state;
	struct text json; /* constant once made */
	struct errand *errands;
	struct parcel *bucket_next;
	struct parcel *lane_previous, *lane_next; /* while GATHERED */
	struct outcome outcome;                   /* once ANSWERED; constant from then on */
};

/* Told once what became of an errand, without any lock held. */
typedef void errand_done_fn(struct errand *errand);

/* Somebody who waits for a parcel, until it is told. Lies in the memory of whoever waits. */
struct errand {
	errand_done_fn *done;
	void *arg;                     /* for done */
	int64_t deadline_us;           /* when to be told at the latest, by clock_us() */
	bool at_confirm;               /* wants no more than the confirm */
	bool is_repeat;                /* its job was under way already when it entered */
	enum err err;                  /* once told: what courier.h says of courier_carry() */
	struct parcel *parcel;         /* a reference of its own; NULL: it has none */
	struct errand *next;           /* of its parcel; once told, of those told */
	struct errand *sooner, *later; /* of all that are not told, by deadline */
};

/* Errands to be told once the lock is free. Zero-initialise. */
struct told {
	struct errand *first, *last;
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

/* Gives back a reference (needs no lock). NULL is fine. */
void parcel_release(struct parcel *parcel);

/* Tells all of the list, without the lock, and empties it. They may be gone afterwards. */
void told_tell(struct told *told);

/* Puts the errand's parcel in its lane. When a job of that id is under way the errand waits for
 * that one instead, and its own parcel is released; ERR_KEY_REUSED when it has other content: then
 * the errand is as it was. */
MUST_CHECK enum err lanes_enter(struct lanes *lanes, struct errand *errand);

/* Those whose time is over are told: ERR_TIMEOUT when their job is on its queue, else
 * ERR_UNAVAILABLE. What is not sent yet and nobody waits for is dropped. */
void lanes_overdue(struct lanes *lanes, int64_t now_us, struct told *told);

/* When the next one's time is over; INT64_MAX when nobody waits. */
int64_t lanes_deadline_us(const struct lanes *lanes);

/* Takes the next message that may leave now; NULL when none may. It stays the lanes' own, and its
 * parcels stay where they are until it is confirmed or failed. */
struct parcel_message *lanes_take(struct lanes *lanes, int64_t now_us);

/* Writes its body (needs no lock, in the thread that took it). */
void parcel_message_write(const struct parcel_message *message, struct text *out);

/* Says under which number the message was published. */
void lanes_sent(struct parcel_message *message, uint64_t sequence);

/* The broker answered a publish: ERR_OK or why it did not take the message. Returns when the
 * message was taken; 0 when it is none of the lanes'. */
int64_t lanes_confirm(struct lanes *lanes, uint64_t sequence, enum err err, struct told *told);

/* Fails what is not confirmed, sent or not: the broker is away. */
void lanes_fail(struct lanes *lanes, struct told *told);

/* A result of a lane's message came; dropped when nobody waits for that message's job. Another
 * sending of the same id is not touched: it may have other content, and gets its own result.
 * Returns when the message was taken; 0 when the result was dropped. */
int64_t lanes_settle(struct lanes *lanes, unsigned lane, uint64_t number, const struct id *id,
		     const struct outcome *outcome, struct told *told);

/* When a lane's newest message was taken; 0 when this is another one. */
int64_t lanes_sent_us(const struct lanes *lanes, unsigned lane, uint64_t number);

/* count results of a lane's message came. True when the lane is free to send and has something. */
bool lanes_answered(struct lanes *lanes, unsigned lane, uint64_t number, size_t count);

/* True when this lane holds this one parcel alone: it was empty, so nobody has set a time for it.
 */
bool lanes_is_first(const struct lanes *lanes, const struct parcel *parcel);

/* When the next message may leave: a moment (perhaps past), or INT64_MAX when nothing waits. */
int64_t lanes_due_us(const struct lanes *lanes);

#endif
