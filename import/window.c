#include "window.h"

static struct parcel *slot(struct window *window, int64_t number)
{
	return &window->parcels[number % WINDOW_PARCELS];
}

void window_init(struct window *window)
{
	window->first = window->next = 1;
	parcel_open(slot(window, 1), 1);
}

void window_fini(struct window *window)
{
	for (size_t i = 0; i < WINDOW_PARCELS; i++)
		parcel_fini(&window->parcels[i]);
}

struct parcel *window_filling(struct window *window)
{
	return window->next - window->first < WINDOW_PARCELS ? slot(window, window->next) : NULL;
}

void window_close(struct window *window)
{
	parcel_close(slot(window, window->next));
	window->next++;
	if (window_filling(window))
		parcel_open(slot(window, window->next), window->next);
}

struct parcel *window_find(struct window *window, int64_t number)
{
	return number >= window->first && number < window->next ? slot(window, number) : NULL;
}

struct parcel *window_sent_as(struct window *window, uint64_t sequence)
{
	for (int64_t i = window->first; i < window->next; i++)
		if (slot(window, i)->sequence == sequence)
			return slot(window, i);
	return NULL;
}

static bool is_unanswered(const struct parcel *parcel)
{
	return parcel->state == PARCEL_SENT || parcel->state == PARCEL_CONFIRMED;
}

struct parcel *window_ready(struct window *window)
{
	for (int64_t i = window->first; i < window->next; i++)
		if (slot(window, i)->state == PARCEL_READY)
			return slot(window, i);
	return NULL;
}

struct parcel *window_unanswered(struct window *window)
{
	for (int64_t i = window->first; i < window->next; i++)
		if (is_unanswered(slot(window, i)))
			return slot(window, i);
	return NULL;
}

struct parcel *window_answered(struct window *window)
{
	if (window_is_empty(window) || slot(window, window->first)->state != PARCEL_ANSWERED)
		return NULL;
	return slot(window, window->first);
}

void window_retire(struct window *window)
{
	bool was_full = !window_filling(window);
	window->first++;
	if (was_full)
		parcel_open(slot(window, window->next), window->next);
}

void window_send_earlier_again(struct window *window, uint64_t sequence)
{
	for (int64_t i = window->first; i < window->next; i++) {
		struct parcel *parcel = slot(window, i);
		if (is_unanswered(parcel) && parcel->sequence < sequence)
			parcel->state = PARCEL_READY;
	}
}

void window_send_again(struct window *window)
{
	window_send_earlier_again(window, UINT64_MAX);
	/* Sequences of a lost connection say nothing. */
	for (int64_t i = window->first; i < window->next; i++)
		slot(window, i)->sequence = 0;
}

bool window_is_empty(const struct window *window)
{
	return window->first == window->next;
}
