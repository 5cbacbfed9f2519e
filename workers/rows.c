#include "rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
	rows->is_packed = false;
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

/* A few digits at a time: one by one they cost a worker as much as all else that it writes. */
static void put_hex(struct rows *rows, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	char hex[64];
	for (size_t at = 0; at < size;) {
		size_t count = 0;
		for (; at < size && count < sizeof hex; at++) {
			hex[count++] = digits[bytes[at] >> 4];
			hex[count++] = digits[bytes[at] & 15];
		}
		text_add(&rows->text, hex, count);
	}
}

void rows_bytes(struct rows *rows, const char *key, const uint8_t *bytes, size_t size)
{
	put_key(rows, key);
	text_putc(&rows->text, '"');
	put_hex(rows, bytes, size);
	text_putc(&rows->text, '"');
}

void rows_id(struct rows *rows, const char *key, const struct id *id)
{
	rows_bytes(rows, key, id->bytes, sizeof id->bytes);
}

void rows_pack(struct rows *rows)
{
	text_puts(&rows->text, rows->count ? "\",\"" : "[\"");
	rows->count++;
	rows->is_packed = true;
}

void rows_pack_bytes(struct rows *rows, const uint8_t *bytes, size_t size)
{
	put_hex(rows, bytes, size);
}

void rows_pack_int(struct rows *rows, int64_t value)
{
	char digits[ROWS_INT_WIDTH];
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	for (size_t i = sizeof digits; i > 1; i--) {
		digits[i - 1] = (char)('0' + rest % 10);
		rest /= 10;
	}
	digits[0] = value < 0 ? '-' : '0';
	text_add(&rows->text, digits, sizeof digits);
}

void rows_pack_name(struct rows *rows, const char *name, size_t width)
{
	static const char blanks[] = "                                ";
	size_t length = strlen(name);
	assert(length <= width && width < sizeof blanks);
	text_add(&rows->text, name, length);
	text_add(&rows->text, blanks, width - length);
}

void rows_pack_text(struct rows *rows, const char *text)
{
	/* Its escapes without its quotes. */
	size_t start = rows->text.length;
	text_json_string(&rows->text, text);
	rows->text.length--;
	memmove(rows->text.bytes + start, rows->text.bytes + start + 1,
		rows->text.length - start - 1);
	rows->text.bytes[--rows->text.length] = '\0';
}

static const char *ending(const struct rows *rows)
{
	if (!rows->count)
		return "[]";
	return rows->is_packed ? "\"]" : "}]";
}

void rows_end(struct rows *rows)
{
	if (!rows->is_ended)
		text_puts(&rows->text, ending(rows));
	rows->is_ended = true;
}
