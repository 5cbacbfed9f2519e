/* A growing text, JSON strings, UTF-8 and times. */
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_CAPACITY 256
#define PRINTF_GUESS 64 /* bytes that most formats stay below */

static _Noreturn void out_of_memory(void)
{
	fputs("boxoffice: out of memory\n", stderr);
	abort();
}

/* Makes room for length more bytes and the end. */
static void reserve(struct text *text, size_t length)
{
	size_t capacity = text->capacity ? text->capacity : FIRST_CAPACITY;
	char *bytes;

	if (length >= SIZE_MAX / 4 - text->length)
		out_of_memory();
	if (text->length + length < text->capacity)
		return;
	while (capacity <= text->length + length)
		capacity *= 2;
	bytes = realloc(text->bytes, capacity);
	if (!bytes)
		out_of_memory();
	text->bytes = bytes;
	text->capacity = capacity;
}

void text_fini(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

void text_clear(struct text *text)
{
	text->length = 0;
	if (text->bytes)
		text->bytes[0] = '\0';
}

void text_add(struct text *text, const char *bytes, size_t length)
{
	reserve(text, length);
	if (length > 0)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void text_puts(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_putc(struct text *text, char c)
{
	reserve(text, 1);
	text->bytes[text->length++] = c;
	text->bytes[text->length] = '\0';
}

void text_int(struct text *text, int64_t value)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		*--at = '-';
	text_add(text, at, (size_t)(digits + sizeof(digits) - at));
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;
	size_t room;
	int length;

	reserve(text, PRINTF_GUESS);
	room = text->capacity - text->length;
	va_start(args, format);
	length = vsnprintf(text->bytes + text->length, room, format, args);
	va_end(args);
	if (length < 0)
		out_of_memory();
	if ((size_t)length >= room) {
		reserve(text, (size_t)length);
		va_start(args, format);
		vsnprintf(text->bytes + text->length, (size_t)length + 1, format, args);
		va_end(args);
	}
	text->length += (size_t)length;
}

static void put_json_escape(struct text *text, unsigned char c)
{
	static const char short_names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char escape[7];

	for (size_t i = 0; short_names[i]; i += 2) {
		if ((unsigned char)short_names[i] == c) {
			text_putc(text, '\\');
			text_putc(text, short_names[i + 1]);
			return;
		}
	}
	snprintf(escape, sizeof(escape), "\\u%04x", c);
	text_puts(text, escape);
}

void text_json_string(struct text *text, const char *string)
{
	text_putc(text, '"');
	for (;;) {
		size_t plain = 0;
		unsigned char c;

		while ((c = (unsigned char)string[plain]) >= 0x20 && c != '"' && c != '\\')
			plain++;
		text_add(text, string, plain);
		if (c == '\0')
			break;
		put_json_escape(text, c);
		string += plain + 1;
	}
	text_putc(text, '"');
}

/* RFC 3629: the second byte's range shuts out overlong forms, surrogates and all above U+10FFFF;
 * after C2 it shuts out the control characters U+0080 to U+009F. */
static size_t plain_sequence(unsigned char first, unsigned char *least, unsigned char *most)
{
	*least = 0x80;
	*most = 0xBF;
	if (first >= 0xC2 && first <= 0xDF) {
		if (first == 0xC2)
			*least = 0xA0;
		return 2;
	}
	if (first >= 0xE0 && first <= 0xEF) {
		if (first == 0xE0)
			*least = 0xA0;
		if (first == 0xED)
			*most = 0x9F;
		return 3;
	}
	if (first >= 0xF0 && first <= 0xF4) {
		if (first == 0xF0)
			*least = 0x90;
		if (first == 0xF4)
			*most = 0x8F;
		return 4;
	}
	return 0;
}

size_t text_plain_char(const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;
	unsigned char least;
	unsigned char most;
	size_t need;

	if (length == 0)
		return 0;
	if (at[0] < 0x80)
		return at[0] >= 0x20 && at[0] != 0x7F;
	need = plain_sequence(at[0], &least, &most);
	if (need == 0 || need > length || at[1] < least || at[1] > most)
		return 0;
	for (size_t i = 2; i < need; i++) {
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	}
	return need;
}

bool text_is_plain_utf8(const char *bytes, size_t length, size_t *chars)
{
	size_t count = 0;

	for (size_t at = 0; at < length; count++) {
		size_t step = text_plain_char(bytes + at, length - at);

		if (step == 0)
			return false;
		at += step;
	}
	*chars = count;
	return true;
}

int text_hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static char *put_digits(char *at, unsigned width, long value)
{
	for (unsigned i = width; i > 0; i--) {
		at[i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	return at + width;
}

void time_format(int64_t time_us, char out[static TIME_TEXT_SIZE])
{
	int64_t us = time_us % 1000000;
	struct tm tm = {0};
	time_t seconds;
	char *at = out;

	if (us < 0)
		us += 1000000;
	seconds = (time_t)((time_us - us) / 1000000);
	gmtime_r(&seconds, &tm);
	at = put_digits(at, 4, tm.tm_year + 1900L);
	*at++ = '-';
	at = put_digits(at, 2, tm.tm_mon + 1L);
	*at++ = '-';
	at = put_digits(at, 2, tm.tm_mday);
	*at++ = 'T';
	at = put_digits(at, 2, tm.tm_hour);
	*at++ = ':';
	at = put_digits(at, 2, tm.tm_min);
	*at++ = ':';
	at = put_digits(at, 2, tm.tm_sec);
	*at++ = '.';
	at = put_digits(at, 6, (long)us);
	*at++ = 'Z';
	*at = '\0';
}
