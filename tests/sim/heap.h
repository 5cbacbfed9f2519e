/* The memory of simulated processes. What product code allocates belongs to the process that runs,
 * and goes with it when it dies. The simulator's own things are allocated by own_array(). */
#ifndef BOXOFFICE_SIM_HEAP_H
#define BOXOFFICE_SIM_HEAP_H

#include <stddef.h>

struct heap_block;

struct heap { /* zero-initialise */
	struct heap_block *first;
};

/* From here on allocations belong to this heap; NULL: to nobody. */
void heap_use(struct heap *heap);

/* Frees all that belongs to it. */
void heap_drop(struct heap *heap);

/* As mem_array(), of at least one byte and outside every heap: own_free(). */
void *own_array(void *old, size_t count, size_t size);
void own_free(void *memory);

#endif
