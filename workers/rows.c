#include "rows.h"

#include <stdlib.h>

void rows_fini(struct rows *rows)
{
	text_fini(&rows->text);
	*rows = (struct rows){0};
}

void rows_clear(struct rows *rows)
{
	text_clear(&rows->text);
	rows->count = 0;
	rows->in_row = false;
	rows->is_ended = false;
}

static int ascending(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

size_t rows_sort_ids(int64_t *ids, size_t count)
{
	size_t left = 0;
	qsort(ids, count, sizeof *ids, ascending);
	for (size_t i = 0; i < count; i++)
		if (ids[i] && (!left || ids[i] != ids[left - 1]))
			ids[left++] = ids[i];
	return left;
}

void rows_next(struct rows *rows)
{
	text_puts(&rows->text, rows->count ? "}," : "[");
	text_putc(&rows->text, '{');
	rows->count++;
	rows->in_row = false;
}

static void put_key(struct rows *rows, const char *key)
{
	if (rows->in_row)
		text_putc(&rows->text, ',');
	rows->in_row = true;
	text_putc(&rows->text, '"');
	text_puts(&rows->text, key);
	text_puts(&rows->text, "\":");
}

void rows_int(struct rows *rows, const char *key, int64_t value)
{
	put_key(rows, key);
	text_int(&rows->text, value);
}

void rows_string(struct rows *rows, const char *key, const char *value)
{
	put_key(rows, key);
	text_json_string(&rows->text, value);
}

/* Many digits at a time: each piece of text costs a check for its room. */
static void put_hex(struct text *text, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	char hex[64];
	for (size_t at = 0; at < size;) {
		size_t count = 0;
		for (; at < size && count < sizeof hex; at++) {
			hex[count++] = digits[bytes[at] >> 4];
			hex[count++] = digits[bytes[at] & 15];
		}
		text_add(text, hex, count);
	}
}

void rows_bytes(struct rows *rows, const char *key, const uint8_t *bytes, size_t size)
{
	put_key(rows, key);
	text_putc(&rows->text, '"');
	put_hex(&rows->text, bytes, size);
	text_putc(&rows->text, '"');
}

void rows_id(struct rows *rows, const char *key, const struct id *id)
{
	rows_bytes(rows, key, id->bytes, sizeof id->bytes);
}

void rows_end(struct rows *rows)
{
	if (!rows->is_ended)
		text_puts(&rows->text, rows->count ? "}]" : "[]");
	rows->is_ended = true;
}
