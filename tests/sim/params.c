#include "params.h"

#include <stdlib.h>
#include <string.h>

void params_open(struct params *params, const char *json)
{
	params->at = json;
	params->count = 0;
}

/* Four hexadecimal digits: the code writes no others than control characters so. */
static char read_code(const char *digits)
{
	char copy[5] = {digits[0], digits[1], digits[2], digits[3], '\0'};
	return (char)strtol(copy, NULL, 16);
}

/* What follows a backslash; at is left on its last character. */
static char unescape(const char **at)
{
	switch (**at) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'u':
		*at += 4;
		return read_code(*at - 3);
	default:
		return **at;
	}
}

/* Reads a string whose quote at stands on. */
static const char *read_text(struct params *params)
{
	char *out = &params->texts[params->used];
	const char *begin = out;
	const char *at = params->at + 1;
	for (; *at != '"'; at++) {
		if (*at == '\\')
			at++, *out++ = unescape(&at);
		else
			*out++ = *at;
		if (out >= params->texts + sizeof params->texts)
			abort();
	}
	*out++ = '\0';
	params->used = (size_t)(out - params->texts);
	params->at = at + 1;
	return begin;
}

static void read_member(struct params *params)
{
	if (params->count == PARAMS_MEMBERS)
		abort();
	const char *name = params->at + 1;
	const char *end = strchr(name, '"');
	params->members[params->count].name = name;
	params->members[params->count].name_length = (size_t)(end - name);
	params->at = end + 2; /* the quote and the colon */
	if (*params->at == '"') {
		params->members[params->count].text = read_text(params);
	} else {
		char *rest = NULL;
		params->members[params->count].text = NULL;
		params->members[params->count].number = strtoll(params->at, &rest, 10);
		params->at = rest;
	}
	params->count++;
}

bool params_next(struct params *params)
{
	params->count = params->used = 0;
	if (!params->at || !(params->at = strchr(params->at, '{')))
		return false;
	do {
		params->at++;
		read_member(params);
	} while (*params->at == ',');
	return true;
}

static size_t find(const struct params *params, const char *name)
{
	size_t length = strlen(name);
	size_t i = 0;
	while (i < params->count && (params->members[i].name_length != length ||
				     memcmp(params->members[i].name, name, length) != 0))
		i++;
	return i;
}

bool params_has(const struct params *params, const char *name)
{
	return find(params, name) < params->count;
}

int64_t params_int(const struct params *params, const char *name)
{
	size_t i = find(params, name);
	return i < params->count ? params->members[i].number : 0;
}

const char *params_text(const struct params *params, const char *name)
{
	size_t i = find(params, name);
	return i < params->count && params->members[i].text ? params->members[i].text : "";
}

struct id params_id(const struct params *params, const char *name)
{
	struct id id = {{0}};
	const char *text = params_text(params, name);
	(void)id_parse_hex(text, strlen(text), &id);
	return id;
}
