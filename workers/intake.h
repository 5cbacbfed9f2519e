/* The intake: messages taken from a queue, turned into the jobs of a batch. It remembers which
 * job came in which message at which place, so that each gets its own answer. */
#ifndef BOXOFFICE_INTAKE_H
#define BOXOFFICE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "batch.h"
#include "broker.h"

#define INTAKE_MAX_BYTES (4 * 1024 * 1024)

struct intake_item {
	size_t delivery; /* index of its message */
	size_t index;    /* its place in that message */
	size_t entry;    /* its place in the batch; BATCH_NONE: it is no job */
	enum err err;    /* why it is none, or why the database would not have it */
	char why[JOB_WHY_SIZE];
	struct id id;    /* zeroes when it could not be read */
	const char *raw; /* its text inside the message */
	size_t raw_length;
};

struct intake {                       /* zero-initialise */
	const char *operator_account; /* borrowed; NULL or "": no operator's jobs are taken */
	struct batch batch;
	struct broker_delivery *deliveries;
	size_t delivery_count, delivery_capacity;
	struct intake_item *items;
	size_t item_count, item_capacity;
	size_t bytes;
};

void intake_fini(struct intake *intake);

/* Lets go of all messages and jobs, keeping the memory. */
void intake_clear(struct intake *intake);

/* Takes a message from a queue of the given set (bits of enum queue_set) and decodes it. False: it
 * would make the batch larger than max_jobs or INTAKE_MAX_BYTES; the message stays the caller's.
 * The first message always fits. */
bool intake_add(struct intake *intake, struct broker_delivery *delivery, unsigned queue_set,
		size_t max_jobs);

#endif
