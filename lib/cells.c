#include "cells.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

void cells_fini(struct cells *cells)
{
	for (size_t i = 0; i < CELLS_COLUMNS_MAX; i++) {
		free(cells->columns[i].numbers);
		free(cells->columns[i].texts);
		free(cells->columns[i].lengths);
		free(cells->columns[i].is_null);
	}
	*cells = (struct cells){0};
}

void cells_clear(struct cells *cells)
{
	cells->column_count = cells->count = cells->at = 0;
}

static void grow(struct cells *cells)
{
	size_t capacity = cells->capacity ? cells->capacity * 2 : 64;
	for (size_t i = 0; i < CELLS_COLUMNS_MAX; i++) {
		struct cells_column *column = &cells->columns[i];
		column->numbers = mem_array(column->numbers, capacity, sizeof *column->numbers);
		column->texts = mem_array(column->texts, capacity, sizeof *column->texts);
		column->lengths = mem_array(column->lengths, capacity, sizeof *column->lengths);
		column->is_null = mem_array(column->is_null, capacity, sizeof *column->is_null);
	}
	cells->capacity = capacity;
}

void cells_next(struct cells *cells)
{
	assert(cells->count == 0 || cells->at == cells->column_count);
	if (cells->count == cells->capacity)
		grow(cells);
	cells->count++;
	cells->at = 0;
}

/* The column that the next value belongs to. */
static struct cells_column *next_column(struct cells *cells, enum cells_kind kind)
{
	assert(cells->count > 0 && cells->at < CELLS_COLUMNS_MAX);
	struct cells_column *column = &cells->columns[cells->at++];
	assert(cells->count == 1 || column->kind == kind);
	column->kind = kind;
	if (cells->count == 1)
		cells->column_count = cells->at;
	return column;
}

static void put_number(struct cells *cells, int64_t value, bool is_null)
{
	struct cells_column *column = next_column(cells, CELLS_NUMBER);
	column->numbers[cells->count - 1] = value;
	column->is_null[cells->count - 1] = is_null;
}

void cells_int(struct cells *cells, int64_t value)
{
	put_number(cells, value, false);
}

void cells_int_or_null(struct cells *cells, int64_t value)
{
	put_number(cells, value, value == 0);
}

static void put_text(struct cells *cells, enum cells_kind kind, const void *text, size_t length)
{
	struct cells_column *column = next_column(cells, kind);
	column->texts[cells->count - 1] = text;
	column->lengths[cells->count - 1] = length;
	column->is_null[cells->count - 1] = false;
}

void cells_string(struct cells *cells, const char *value)
{
	put_text(cells, CELLS_TEXT, value, strlen(value));
}

void cells_bytes(struct cells *cells, const void *bytes, size_t size)
{
	put_text(cells, CELLS_BYTES, bytes, size);
}

void cells_id(struct cells *cells, const struct id *id)
{
	cells_bytes(cells, id->bytes, sizeof id->bytes);
}
