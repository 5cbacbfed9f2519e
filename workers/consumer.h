/* The consumer: a worker's subscriptions on one connection.
 *
 * A subscription starts at a prefetch of one and takes redelivered messages alone; after the first
 * fresh one it opens to the full prefetch. A message that kills its worker every time then takes
 * no other with it into the dead letters. */
#ifndef BOXOFFICE_CONSUMER_H
#define BOXOFFICE_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker.h"
#include "conf.h"
#include "intake.h"
#include "topology.h"

#define CONSUMER_LANES 2

/* Queues that share a batch: one AMQP channel, so that one multiple-ack covers a batch. */
struct consumer_lane {
	unsigned queue_set; /* what its jobs may be: bits of enum queue_set */
	uint16_t prefetch;
	size_t max_jobs;             /* of one batch, */
	size_t yielding_jobs;        /* and while a lane before it is in use */
	int64_t filled_ms;           /* when it last had a message */
	struct broker_delivery held; /* taken, but for the next batch */
	bool has_held;
};

struct consumer_queue {
	char name[TOPOLOGY_NAME_SIZE];
	unsigned lane;
	int64_t after_ms; /* subscribe so long after connecting */
	bool is_subscribed;
	bool is_open; /* to the full prefetch */
};

struct consumer { /* zero-initialise, then set conf */
	const struct conf *conf;
	struct broker *broker; /* NULL: not connected */
	int64_t connected_ms;
	unsigned generation; /* counts connections: tags of an earlier one are void */
	struct consumer_lane lanes[CONSUMER_LANES];
	size_t lane_count;
	struct consumer_queue *queues;
	size_t queue_count, queue_capacity;
};

void consumer_fini(struct consumer *consumer);

/* Adds a lane; its number. Lanes are served in the order in which they were added. */
unsigned consumer_add_lane(struct consumer *consumer, unsigned queue_set, int64_t prefetch,
			   int64_t max_jobs);
void consumer_add_queue(struct consumer *consumer, const char *name, unsigned lane,
			int64_t after_ms);

/* From now on a lane takes no more than so many jobs into a batch (but a whole message in any case)
 * when a lane before it had one within the last second: who comes there waits for no long batch. */
void consumer_yield(struct consumer *consumer, unsigned lane, size_t jobs);

/* Connects when there is no connection; subscribes to the queues whose time has come. */
MUST_CHECK enum err consumer_ensure_open(struct consumer *consumer);
void consumer_close(struct consumer *consumer);

/* Waits up to timeout_ms for messages; keeps the heartbeat. As broker_pump(). */
MUST_CHECK enum err consumer_pump(struct consumer *consumer, int timeout_ms);

/* The same without waiting, for its heartbeat alone. */
void consumer_keep_alive(struct consumer *consumer);

/* True when this lane has a message. */
bool consumer_has_message(const struct consumer *consumer, unsigned lane);

/* Moves what is there from a lane into an empty intake: one batch. */
void consumer_fill(struct consumer *consumer, unsigned lane, struct intake *intake);

/* Acknowledges all messages of the intake, and opens the subscriptions that proved themselves. */
MUST_CHECK enum err consumer_ack(struct consumer *consumer, unsigned lane,
				 const struct intake *intake);

/* True while no subscription is still to be made. */
bool consumer_is_ready(const struct consumer *consumer);

#endif
