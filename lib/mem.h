/* Memory for growing arrays. */
#ifndef BOXOFFICE_MEM_H
#define BOXOFFICE_MEM_H

#include <stdlib.h>

/* The array with room for count elements of size bytes; the old elements stay. Running out of
 * memory ends the process, as in text.h: a batch cannot be half in memory. */
static inline void *mem_array(void *old, size_t count, size_t size)
{
	void *fresh = reallocarray(old, count ? count : 1, size);
	if (!fresh)
		abort();
	return fresh;
}

#endif
