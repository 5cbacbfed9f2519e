/* A second look at a JSON text. One pass, no recursion, no allocation: every message and every
 * body goes through here. Functions return the place after what they read, NULL for malformed. */
#include "json_scan.h"

#include <stdint.h>
#include <string.h>

#define REPEAT_NAMES 16

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && is_space(*at))
		at++;
	return at;
}

static const char *skip_digits(const char *at, const char *end)
{
	const char *start = at;

	while (at < end && is_digit(*at))
		at++;
	return at > start ? at : NULL;
}

/* RFC 8259 section 6: json-c takes 00, -01 and 1. beyond it. */
static const char *scan_number(const char *at, const char *end)
{
	if (at < end && *at == '-')
		at++;
	if (at < end && *at == '0')
		at++;
	else
		at = skip_digits(at, end);
	if (at && at < end && *at == '.')
		at = skip_digits(at + 1, end);
	if (at && at < end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		at = skip_digits(at, end);
	}
	return at && at < end && is_digit(*at) ? NULL : at;
}

static const char *scan_word(const char *at, const char *end)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(end - at) >= length && memcmp(at, words[i], length) == 0)
			return at + length;
	}
	return NULL;
}

/* The value of the four hexadecimal digits after \u, or -1. */
static int32_t read_hex4(const char *at, const char *end)
{
	int32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		int digit = is_digit(c)            ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* Stands after a backslash. */
static const char *scan_escape(const char *at, const char *end, struct json_facts *facts)
{
	int32_t unit;

	if (at >= end)
		return NULL;
	if (*at != 'u')
		return at + 1;
	unit = read_hex4(at + 1, end);
	if (unit < 0)
		return NULL;
	at += 5;
	if (unit == 0)
		facts->nul = true;
	if (unit < 0xD800 || unit > 0xDFFF)
		return at;
	if (unit <= 0xDBFF && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
		int32_t low = read_hex4(at + 2, end);

		if (low >= 0xDC00 && low <= 0xDFFF)
			return at + 6;
	}
	facts->lone_surrogate = true;
	return at;
}

/* Stands at the opening quote. */
static const char *scan_string(const char *at, const char *end, struct json_facts *facts)
{
	for (at++; at && at < end;) {
		unsigned char c = (unsigned char)*at;

		if (c == '"')
			return at + 1;
		if (c < 0x20)
			return NULL;
		at = c == '\\' ? scan_escape(at + 1, end, facts) : at + 1;
	}
	return NULL;
}

static const char *scan_scalar(const char *at, const char *end, struct json_facts *facts)
{
	if (*at == '"')
		return scan_string(at, end, facts);
	if (*at == '-' || is_digit(*at))
		return scan_number(at, end);
	return scan_word(at, end);
}

/* One value with all that is in it. Brackets are only counted: json-c has matched them. */
static const char *scan_value(const char *at, const char *end, struct json_facts *facts)
{
	size_t depth = 0;

	do {
		at = skip_space(at, end);
		if (at >= end)
			return NULL;
		switch (*at) {
		case '{':
		case '[':
			depth++;
			at++;
			break;
		case '}':
		case ']':
			if (depth == 0)
				return NULL;
			depth--;
			at++;
			break;
		case ':':
			facts->members++;
			at++;
			break;
		case ',':
			at++;
			break;
		default:
			at = scan_scalar(at, end, facts);
			if (!at)
				return NULL;
		}
	} while (depth > 0);
	return at;
}

struct json_facts json_scan(const char *text, size_t length)
{
	struct json_facts facts = {0};
	const char *end = text + length;
	const char *at = scan_value(text, end, &facts);

	facts.malformed = !at || skip_space(at, end) != end;
	return facts;
}

void json_cursor_init(struct json_cursor *cursor, const char *text, size_t length)
{
	cursor->end = text + length;
	cursor->at = skip_space(text, cursor->end);
	cursor->in_object = cursor->at < cursor->end && *cursor->at == '{';
	if (cursor->at < cursor->end)
		cursor->at++;
}

/* Reads "name": in front of a member's value. */
static const char *read_name(const char *at, const char *end, struct json_part *part)
{
	const char *after = *at == '"' ? scan_string(at, end, &part->facts) : NULL;

	if (!after)
		return NULL;
	part->name = at + 1;
	part->name_length = (size_t)(after - at) - 2;
	after = skip_space(after, end);
	return after < end && *after == ':' ? skip_space(after + 1, end) : NULL;
}

bool json_cursor_next(struct json_cursor *cursor, struct json_part *part)
{
	const char *at = skip_space(cursor->at, cursor->end);
	const char *after;

	*part = (struct json_part){0};
	if (at < cursor->end && *at == ',')
		at = skip_space(at + 1, cursor->end);
	if (at >= cursor->end || *at == '}' || *at == ']')
		return false;
	if (cursor->in_object) {
		at = read_name(at, cursor->end, part);
		if (!at)
			return false;
	}
	after = scan_value(at, cursor->end, &part->facts);
	if (!after)
		return false;
	part->text = at;
	part->length = (size_t)(after - at);
	cursor->at = after;
	return true;
}

bool json_find_repeat(const char *text, size_t length, struct json_part *repeat)
{
	struct json_part seen[REPEAT_NAMES];
	struct json_cursor cursor;
	struct json_part part;
	size_t count = 0;

	json_cursor_init(&cursor, text, length);
	if (!cursor.in_object)
		return false;
	while (count < REPEAT_NAMES && json_cursor_next(&cursor, &part)) {
		for (size_t i = 0; i < count; i++) {
			if (seen[i].name_length == part.name_length &&
			    memcmp(seen[i].name, part.name, part.name_length) == 0) {
				*repeat = part;
				return true;
			}
		}
		seen[count++] = part;
	}
	return false;
}
