/* Deliveries that came and were not taken yet, in their order. Inside of broker.c. */
#ifndef BOXOFFICE_BROKER_FIFO_H
#define BOXOFFICE_BROKER_FIFO_H

#include <stdbool.h>
#include <stddef.h>

#include "broker.h"
#include "err.h"

/* Zero-initialise. */
struct broker_fifo {
	struct broker_delivery *ring;
	size_t capacity; /* a power of two */
	size_t head;
	size_t count;
};

/* Frees the deliveries too. */
void broker_fifo_fini(struct broker_fifo *fifo);

/* Takes the delivery's body. False when memory is short: the caller keeps it. */
MUST_CHECK bool broker_fifo_push(struct broker_fifo *fifo, const struct broker_delivery *delivery);

/* The oldest one, owned by the caller; false when there is none. */
bool broker_fifo_pop(struct broker_fifo *fifo, struct broker_delivery *delivery);

#endif
