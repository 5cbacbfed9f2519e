/* A pool of database sessions: whoever needs one waits for it. */
#ifndef BOXOFFICE_BENCH_POOL_H
#define BOXOFFICE_BENCH_POOL_H

#include <stddef.h>

#include "err.h"

struct pool; /* opaque */

/* Makes an item: ERR_OK and the item, or why not. */
typedef enum err pool_make_fn(void **item, const void *arg);
typedef void pool_free_fn(void *item);

/* ERR_MEMORY, or what make says. Returns owned: pool_free(). */
MUST_CHECK enum err pool_new(struct pool **pool, size_t count, pool_make_fn *make,
			     pool_free_fn *free_item, const void *arg);

/* All items are back. NULL is fine. */
void pool_free(struct pool *pool);

/* Waits for an item, and lets another thread of the front's loop serve; it goes back by
 * pool_give_back(). */
void *pool_take(struct pool *pool);
void pool_give_back(struct pool *pool, void *item);

#endif
