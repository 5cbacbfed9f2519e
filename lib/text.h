/* A growing text, and JSON written into it piece by piece. */
#ifndef BOXOFFICE_TEXT_H
#define BOXOFFICE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise. bytes is always ended by '\0' once anything was appended. Running out of
 * memory ends the process (the kernel would, sooner): no caller could go on. */
struct text {
	char *bytes;
	size_t length;
	size_t capacity;
};

void text_fini(struct text *text);
void text_clear(struct text *text); /* keeps the memory */
void text_add(struct text *text, const char *bytes, size_t length);
void text_puts(struct text *text, const char *string);
void text_putc(struct text *text, char c);
void text_int(struct text *text, int64_t value);
__attribute__((format(printf, 2, 3))) void text_printf(struct text *text, const char *format, ...);

/* Appends "…" with JSON's escapes; other bytes stay raw UTF-8 (RFC 8259 section 7). */
void text_json_string(struct text *text, const char *string);

/* The bytes (1 to 4) of the character that length bytes begin with; 0 when that is no UTF-8 or a
 * control character. */
size_t text_plain_char(const char *bytes, size_t length);

/* True when the bytes are UTF-8 (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF)
 * without control characters; chars is then their number. */
bool text_is_plain_utf8(const char *bytes, size_t length, size_t *chars);

/* What a hexadecimal digit of either case is worth; -1 when it is none. */
int text_hex_value(char digit);

#define TIME_TEXT_SIZE 28 /* 2026-11-22T23:59:59.123456Z and the end */

/* Writes microseconds since 1970 as ISO 8601 in UTC, with microseconds. */
void time_format(int64_t time_us, char out[static TIME_TEXT_SIZE]);

#endif
