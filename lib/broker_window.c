/* The window of publishes that the broker has not answered yet. */
#include "broker_window.h"

#include <stdlib.h>

#define FIRST_CAPACITY 1024

enum { SLOT_SETTLED, SLOT_OPEN, SLOT_RETURNED };

void broker_window_init(struct broker_window *window)
{
	*window = (struct broker_window){.first = 1, .next = 1};
}

void broker_window_fini(struct broker_window *window)
{
	free(window->ring);
	broker_window_init(window);
}

static uint8_t *slot(const struct broker_window *window, uint64_t sequence)
{
	return &window->ring[sequence & (window->capacity - 1)];
}

bool broker_window_reserve(struct broker_window *window)
{
	struct broker_window larger = *window;

	if (window->next - window->first < window->capacity)
		return true;
	larger.capacity = window->capacity ? window->capacity * 2 : FIRST_CAPACITY;
	larger.ring = calloc(larger.capacity, 1);
	if (!larger.ring)
		return false;
	for (uint64_t s = window->first; s < window->next; s++)
		*slot(&larger, s) = *slot(window, s);
	free(window->ring);
	*window = larger;
	return true;
}

uint64_t broker_window_add(struct broker_window *window)
{
	*slot(window, window->next) = SLOT_OPEN;
	window->open++;
	return window->next++;
}

static bool is_inside(const struct broker_window *window, uint64_t sequence)
{
	return sequence >= window->first && sequence < window->next;
}

void broker_window_return(struct broker_window *window, uint64_t sequence)
{
	if (is_inside(window, sequence) && *slot(window, sequence) == SLOT_OPEN)
		*slot(window, sequence) = SLOT_RETURNED;
}

static void settle_one(struct broker_window *window, uint64_t sequence, enum err err,
		       broker_confirm_fn *fn, void *arg)
{
	uint8_t was = *slot(window, sequence);

	if (was == SLOT_SETTLED)
		return;
	*slot(window, sequence) = SLOT_SETTLED;
	window->open--;
	fn(arg, sequence, was == SLOT_RETURNED ? ERR_BROKER_RETURNED : err);
}

void broker_window_settle(struct broker_window *window, uint64_t sequence, bool multiple,
			  enum err err, broker_confirm_fn *fn, void *arg)
{
	if (!is_inside(window, sequence))
		return;
	if (multiple) {
		for (uint64_t s = window->first; s < sequence; s++)
			settle_one(window, s, err, fn, arg);
	}
	settle_one(window, sequence, err, fn, arg);
	while (window->first < window->next && *slot(window, window->first) == SLOT_SETTLED)
		window->first++;
}
