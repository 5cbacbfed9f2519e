/* The linker sends product code's allocations here (--wrap). Each block stands in the list of its
 * heap. */
#include "heap.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct heap_block {
	struct heap_block *next, *before;
	struct heap *heap; /* NULL: nobody's */
	size_t size;
};

_Static_assert(sizeof(struct heap_block) % alignof(max_align_t) == 0,
	       "what follows a block's head must be aligned");

static struct heap *heap;

void *__real_malloc(size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
void __wrap_free(void *memory);
char *__wrap_strdup(const char *text);

void heap_use(struct heap *next)
{
	heap = next;
}

static void link_block(struct heap_block *block)
{
	block->before = NULL;
	block->next = block->heap ? block->heap->first : NULL;
	if (block->next)
		block->next->before = block;
	if (block->heap)
		block->heap->first = block;
}

static void unlink_block(struct heap_block *block)
{
	if (block->next)
		block->next->before = block->before;
	if (block->before)
		block->before->next = block->next;
	else if (block->heap)
		block->heap->first = block->next;
}

void heap_drop(struct heap *dropped)
{
	while (dropped->first) {
		struct heap_block *block = dropped->first;
		dropped->first = block->next;
		__real_free(block);
	}
}

void *own_array(void *old, size_t count, size_t size)
{
	void *fresh = __real_realloc(old, count * size);
	if (!fresh)
		abort();
	return fresh;
}

void own_free(void *memory)
{
	__real_free(memory);
}

void *__wrap_malloc(size_t size)
{
	struct heap_block *block = __real_malloc(sizeof *block + size);
	if (!block)
		return NULL;
	block->heap = heap;
	block->size = size;
	link_block(block);
	return block + 1;
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *memory = __wrap_malloc(count * size);
	if (memory)
		memset(memory, 0, count * size);
	return memory;
}

void __wrap_free(void *memory)
{
	struct heap_block *block = memory;
	if (!memory)
		return;
	unlink_block(block - 1);
	__real_free(block - 1);
}

void *__wrap_realloc(void *memory, size_t size)
{
	struct heap_block *block = memory;
	if (!memory)
		return __wrap_malloc(size);
	unlink_block(block - 1);
	block = __real_realloc(block - 1, sizeof *block + size);
	if (!block)
		abort();
	block->size = size;
	link_block(block);
	return block + 1;
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	return __wrap_realloc(memory, count * size);
}

char *__wrap_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = __wrap_malloc(size);
	if (copy)
		memcpy(copy, text, size);
	return copy;
}
