/* Dead letters: what is in the queue `dead`, gone over one by one. PROTOCOL.md, "Dead letters". */
#ifndef BOXOFFICE_CTL_DEAD_LETTERS_H
#define BOXOFFICE_CTL_DEAD_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker.h"
#include "ctl.h"
#include "job.h"

#define DEAD_CODE_SIZE 64

/* One letter, understood as far as it can be. Texts are "" and numbers 0 when they are not known.
 */
struct dead_letter {
	const struct broker_delivery *delivery; /* borrowed */
	char code[DEAD_CODE_SIZE];              /* "delivery-limit": the broker's own */
	const char *reason;
	char queue[BROKER_NAME_SIZE]; /* where it came from */
	int64_t died_us;
	int64_t published_us; /* by the time in the job's id */
	int64_t deliveries;   /* how often it came to a worker before it died */
	size_t jobs;          /* in the message; 0: it is no envelope */
	unsigned takers;      /* bits of enum queue_set: the queues that take each of these jobs */
	bool has_job;         /* exactly one, and whole: job */
	struct job job;
	bool has_id;
	struct id id;     /* of the only or the first job */
	const char *kind; /* of it */
};

/* Understands a delivery, which the letter borrows. What the broker moved says where it came from
 * by the broker's word alone, the newest of x-death: all other headers are its publisher's. */
void dead_letter_read(struct dead_letter *letter, const struct broker_delivery *delivery);

/* Why a letter must not go back to where it came from; NULL: it may. */
const char *dead_letter_why_not(const struct dead_letter *letter, const struct conf *conf);

/* Which letters are meant: those for which all that is given is so. */
struct dead_filter {
	const char *code, *queue, *kind; /* NULL: any */
	bool has_id;
	struct id id;
	int64_t after_us, before_us; /* when it died; 0: any */
	int64_t limit;               /* letters at most */
};

/* What is to become of a letter. */
enum dead_fate {
	DEAD_STAYS,
	DEAD_GOES, /* it is acknowledged: gone from the queue */
	DEAD_SENT, /* published to its queue: gone once that is confirmed */
};

/* One pass over the letters that are there when it begins. They are with this connection meanwhile:
 * what stays is back in its place when the pass ends, however it ends. */
struct dead_pass {
	const struct dead_filter *filter;
	/* Called for each letter that is meant; may publish on the broker, at most one message. */
	enum dead_fate (*take)(void *arg, struct broker *broker, const struct dead_letter *letter);
	/* Called for each that was published, in this order: ERR_OK, or why it stays. NULL: nobody
	 * publishes. */
	void (*sent)(void *arg, enum err err);
	void *arg;
	int64_t looked, meant; /* letters so far */
	int64_t unseen;        /* at the end: those that somebody else is going over */
};

/* Connects as the operator, and goes over the letters. ERR_BROKER_GONE, ERR_CONF. */
MUST_CHECK enum err dead_pass_run(struct dead_pass *pass, const struct conf *conf);

/* Reads a moment as it is printed, or an age like 90s, 10m, 2h or 1d, as microseconds since 1970;
 * 0 when it is neither. */
int64_t dead_moment(const char *text);

#endif
