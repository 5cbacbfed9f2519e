/* Deliveries that came and were not taken yet. */
#include "broker_fifo.h"

#include <stdlib.h>

#define FIRST_CAPACITY 16

void broker_delivery_fini(struct broker_delivery *delivery)
{
	free(delivery->body);
	free(delivery->headers);
	delivery->body = NULL;
	delivery->length = 0;
	delivery->headers = NULL;
	delivery->headers_length = 0;
}

void broker_fifo_fini(struct broker_fifo *fifo)
{
	struct broker_delivery delivery;

	while (broker_fifo_pop(fifo, &delivery))
		broker_delivery_fini(&delivery);
	free(fifo->ring);
	*fifo = (struct broker_fifo){0};
}

static struct broker_delivery *place(const struct broker_fifo *fifo, size_t index)
{
	return &fifo->ring[(fifo->head + index) & (fifo->capacity - 1)];
}

static bool grow(struct broker_fifo *fifo)
{
	struct broker_fifo larger = {.count = fifo->count};

	larger.capacity = fifo->capacity ? fifo->capacity * 2 : FIRST_CAPACITY;
	larger.ring = calloc(larger.capacity, sizeof(*larger.ring));
	if (!larger.ring)
		return false;
	for (size_t i = 0; i < fifo->count; i++)
		larger.ring[i] = *place(fifo, i);
	free(fifo->ring);
	*fifo = larger;
	return true;
}

bool broker_fifo_push(struct broker_fifo *fifo, const struct broker_delivery *delivery)
{
	if (fifo->count == fifo->capacity && !grow(fifo))
		return false;
	*place(fifo, fifo->count) = *delivery;
	fifo->count++;
	return true;
}

bool broker_fifo_pop(struct broker_fifo *fifo, struct broker_delivery *delivery)
{
	if (fifo->count == 0)
		return false;
	*delivery = *place(fifo, 0);
	fifo->head = (fifo->head + 1) & (fifo->capacity - 1);
	fifo->count--;
	return true;
}
