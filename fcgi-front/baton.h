/* The baton: of all fronts beside one nginx, one has it. The kernel takes it from a process that
 * ends, however it ends, so the next one knows at once. It is no lock: one that is stopped keeps it
 * (pulse.c). For one thread. */
#ifndef BOXOFFICE_BATON_H
#define BOXOFFICE_BATON_H

#include <stdbool.h>

#include "err.h"

struct baton; /* opaque */

/* place: the path that all who may have it agree on; borrowed, nothing is made there. ERR_MEMORY.
 * Returns owned: baton_free(). */
MUST_CHECK enum err baton_new(struct baton **baton, const char *place);

/* Gives it up too. NULL is fine. */
void baton_free(struct baton *baton);

/* True when nobody had it, and it is ours from now on. */
bool baton_take(struct baton *baton);

/* Gives it up, if it is ours. */
void baton_drop(struct baton *baton);

#endif
