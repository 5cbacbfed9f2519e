/* The window: the parcels that are under way, in the order of the file. It bounds memory, and what
 * one import puts into the queue before others. Pure. */
#ifndef BOXOFFICE_IMPORT_WINDOW_H
#define BOXOFFICE_IMPORT_WINDOW_H

#include "parcel.h"

#define WINDOW_PARCELS 64

struct window { /* zero-initialise, then window_init() */
	struct parcel parcels[WINDOW_PARCELS];
	int64_t first; /* the number of the oldest parcel */
	int64_t next;  /* the number of the one that is being filled */
};

void window_init(struct window *window);
void window_fini(struct window *window);

/* The parcel to fill; NULL when all are under way. */
struct parcel *window_filling(struct window *window);

/* Closes that one; the next follows. */
void window_close(struct window *window);

/* The parcel under way of this number; NULL: none. */
struct parcel *window_find(struct window *window, int64_t number);

/* The parcel under way that was published last under this sequence; NULL: none. */
struct parcel *window_sent_as(struct window *window, uint64_t sequence);

/* The oldest parcel that is to be sent; NULL: none. */
struct parcel *window_ready(struct window *window);

/* The oldest parcel that was sent and not answered; NULL: none. */
struct parcel *window_unanswered(struct window *window);

/* The oldest parcel, if it is answered: its outcomes are then taken, and window_retire() ends it.
 */
struct parcel *window_answered(struct window *window);
void window_retire(struct window *window);

/* All that is not answered is to be sent again: its answers can come no more. */
void window_send_again(struct window *window);

/* The same for what was sent before the parcel that was now answered: answers keep to that order
 * but for the work of some workers at once. */
void window_send_earlier_again(struct window *window, uint64_t sequence);

bool window_is_empty(const struct window *window);

#endif
