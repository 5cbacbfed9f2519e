/* The line: a bit for each place from the first that waits, and how many wait before each word. */
#include "line.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define WORD 64

struct line {
	atomic_uint references;
	int64_t base; /* places up to it wait no more; a multiple of WORD */
	int64_t last; /* the highest place */
	int64_t seq;
	size_t words; /* used; bits of places beyond last are clear */
	size_t capacity;
	uint64_t *waits;
	int64_t *
		before; /* of each word: how many wait in the words before; made by line_finish() */
	int64_t count;
};

static size_t words_up_to(const struct line *line, int64_t last)
{
	return last > line->base ? (size_t)((last - line->base + WORD - 1) / WORD) : 0;
}

static void reserve(struct line *line, size_t words)
{
	if (words > line->capacity) {
		line->capacity = words + words / 4 + 16;
		line->waits = mem_array(line->waits, line->capacity, sizeof *line->waits);
	}
	if (words > line->words)
		memset(line->waits + line->words, 0, (words - line->words) * sizeof *line->waits);
	if (words > line->words)
		line->words = words;
}

static struct line *new_line(int64_t base)
{
	struct line *line = calloc(1, sizeof *line);

	if (line == NULL)
		return NULL;
	atomic_init(&line->references, 1);
	line->base = line->last = base;
	return line;
}

struct line *line_new(int64_t last)
{
	struct line *line = new_line(0);

	if (line == NULL)
		return NULL;
	line->last = last;
	return line;
}

static uint64_t bit_of(const struct line *line, int64_t place, size_t *word)
{
	uint64_t index = (uint64_t)(place - line->base - 1);

	*word = (size_t)(index / WORD);
	return UINT64_C(1) << index % WORD;
}

static void set(struct line *line, int64_t place)
{
	size_t word;
	uint64_t bit = bit_of(line, place, &word);

	reserve(line, word + 1);
	line->waits[word] |= bit;
}

static void extend(struct line *line, int64_t last)
{
	for (int64_t place = line->last + 1; place <= last; place++)
		set(line, place);
	if (last > line->last)
		line->last = last;
}

/* The words at its head in which nobody waits any more are left behind. */
struct line *line_renew(const struct line *line, int64_t last)
{
	size_t skipped = 0;
	struct line *copy;

	while (skipped < line->words && line->waits[skipped] == 0 &&
	       line->base + (int64_t)(skipped + 1) * WORD <= line->last)
		skipped++;
	copy = new_line(line->base + (int64_t)skipped * WORD);
	if (copy == NULL)
		return NULL;
	copy->last = line->last;
	copy->seq = line->seq;
	reserve(copy, line->words - skipped);
	if (copy->words > 0)
		memcpy(copy->waits, line->waits + skipped, copy->words * sizeof *copy->waits);
	extend(copy, last);
	return copy;
}

void line_wait(struct line *line, int64_t place)
{
	/* The first one says where the line begins: what came before is long over. */
	if (line->words == 0 && line->base == 0 && place > WORD)
		line->base = (place - 1) / WORD * WORD;
	if (place <= line->base)
		return;
	set(line, place);
	if (place > line->last)
		line->last = place;
}

void line_take_out(struct line *line, int64_t place)
{
	size_t word;
	uint64_t bit;

	if (place <= line->base)
		return;
	extend(line, place);
	bit = bit_of(line, place, &word);
	if (word < line->words)
		line->waits[word] &= ~bit;
}

void line_set_seq(struct line *line, int64_t seq)
{
	line->seq = seq;
}

int64_t line_seq(const struct line *line)
{
	return line->seq;
}

void line_finish(struct line *line)
{
	if (line->words == 0)
		line->base = line->last / WORD * WORD;
	reserve(line, words_up_to(line, line->last));
	line->before = mem_array(line->before, line->words + 1, sizeof *line->before);
	line->count = 0;
	for (size_t i = 0; i < line->words; i++) {
		line->before[i] = line->count;
		line->count += __builtin_popcountll(line->waits[i]);
	}
}

struct line *line_hold(struct line *line)
{
	atomic_fetch_add(&line->references, 1);
	return line;
}

void line_release(struct line *line)
{
	if (line == NULL || atomic_fetch_sub(&line->references, 1) > 1)
		return;
	free(line->waits);
	free(line->before);
	free(line);
}

int64_t line_last(const struct line *line)
{
	return line->last;
}

bool line_has(const struct line *line, int64_t place)
{
	size_t word;
	uint64_t bit;

	if (place > line->last)
		return true;
	if (place <= line->base)
		return false;
	bit = bit_of(line, place, &word);
	return word < line->words && (line->waits[word] & bit) != 0;
}

int64_t line_ahead(const struct line *line, int64_t place)
{
	size_t word;
	uint64_t bit;

	if (place <= line->base)
		return 0;
	if (place > line->last)
		return line->count + (place - line->last - 1);
	bit = bit_of(line, place, &word);
	if (word >= line->words)
		return line->count;
	return line->before[word] + __builtin_popcountll(line->waits[word] & (bit - 1));
}

int64_t line_count(const struct line *line)
{
	return line->count;
}

int64_t line_place(const struct line *line, int64_t ahead)
{
	size_t low = 0, high = line->words;
	uint64_t rest;

	if (ahead < 0 || ahead >= line->count)
		return 0;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (line->before[middle] <= ahead)
			low = middle;
		else
			high = middle;
	}
	rest = line->waits[low];
	for (int64_t skip = ahead - line->before[low]; skip > 0; skip--)
		rest &= rest - 1;
	return line->base + (int64_t)low * WORD + __builtin_ctzll(rest) + 1;
}
