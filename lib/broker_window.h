/* The window of publishes that the broker has not answered yet: a ring over their sequence
 * numbers, so that a confirm costs the same however many are open. Inside of broker.c. */
#ifndef BOXOFFICE_BROKER_WINDOW_H
#define BOXOFFICE_BROKER_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker.h"
#include "err.h"

struct broker_window {
	uint8_t *ring;   /* a state for each sequence number from first to next - 1 */
	size_t capacity; /* a power of two */
	uint64_t first;  /* the oldest that may still be open */
	uint64_t next;   /* the number of the next publish */
	size_t open;
};

/* No memory is taken before the first publish. */
void broker_window_init(struct broker_window *window);
void broker_window_fini(struct broker_window *window);

/* Makes room for one more. False when memory is short. */
MUST_CHECK bool broker_window_reserve(struct broker_window *window);

/* Opens the next sequence number, for which room was reserved. */
uint64_t broker_window_add(struct broker_window *window);

/* Notes that the message came back; the ack that follows then counts as ERR_BROKER_RETURNED. */
void broker_window_return(struct broker_window *window, uint64_t sequence);

/* Settles a sequence number, or with multiple all open ones up to it, and tells fn of each once.
 * Numbers that are not open are passed over. fn may publish. */
void broker_window_settle(struct broker_window *window, uint64_t sequence, bool multiple,
			  enum err err, broker_confirm_fn *fn, void *arg);

#endif
