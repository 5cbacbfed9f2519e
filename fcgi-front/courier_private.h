/* What the courier's three files share: courier.c (request threads, life), courier_publish.c and
 * courier_replies.c (a thread each). */
#ifndef BOXOFFICE_COURIER_PRIVATE_H
#define BOXOFFICE_COURIER_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>

#include "broker.h"
#include "courier.h"
#include "lanes.h"

/* A message that nobody waits for. */
struct post {
	struct text body;
	enum job_kind kind;
	size_t jobs;
	struct post *next;
};

struct courier {
	const struct conf *conf;
	courier_seat_fn *seat_changed;
	void *seat_arg;
	pthread_t publisher;
	pthread_t replier;
	pthread_t clock;
	int wake_fd; /* eventfd: makes the publisher look at the lanes */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t stop;  /* and for the clock: somebody's time is over sooner */
	int64_t clock_us;     /* when the clock looks next */
	struct lanes *lanes;
	struct post *posts; /* to the gate, the newest first */
	bool online;        /* the publisher has a connection that takes messages */
	bool replying;      /* the reply queue exists and is consumed */
	bool stopping;
	char reply_queue[BROKER_NAME_SIZE];
};

/* Lanes: the seat partitions, then the gate's, then the accounts'. */
static inline bool courier_lane_is_seat(const struct courier *c, unsigned lane)
{
	return lane < (unsigned)c->conf->partitions;
}

/* Makes the publisher look at the lanes. */
void courier_wake_publisher(const struct courier *c);

bool courier_is_stopping(struct courier *c);

/* A pause between attempts that the end of the courier cuts short. */
void courier_pause(struct courier *c, int ms);

/* Chooses the next reply queue's name. The old one died with its connection, and its name may
 * still be held by it for a while. */
void courier_rename_reply_queue(struct courier *c, char name[static BROKER_NAME_SIZE]);

/* Frees a list of posts. */
void courier_drop_posts(struct post *posts);

/* The threads' mains; the argument is the courier. */
void *courier_publish_run(void *arg);
void *courier_replies_run(void *arg);

#endif
