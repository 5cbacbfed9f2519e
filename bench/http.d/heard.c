#include "heard.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STATUS_AT 9 /* after "HTTP/1.1 " */

/* The value of a header, or NULL. */
static const char *find_header(const char *head, const char *end, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line && line < end;
	     line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
			return line + 2 + length + 1 + strspn(line + 2 + length + 1, " ");
	return NULL;
}

/* RFC 9112, section 7.1, without trailers. */
static enum heard_state read_chunks(const char *at, const char *end, struct text *body)
{
	while (at < end) {
		char *rest;
		unsigned long size = strtoul(at, &rest, 16);
		size_t left = (size_t)(end - rest);

		if (rest == at)
			return HEARD_NONSENSE;
		/* The size's line end, the data, and the line end of these. */
		if (left < size + 4)
			return HEARD_PART;
		if (body)
			text_add(body, rest + 2, size);
		at = rest + 2 + size + 2;
		if (!size)
			return at == end ? HEARD_ALL : HEARD_NONSENSE;
	}
	return HEARD_PART;
}

static enum heard_state read_body(const char *head, const char *at, const char *end,
				  struct text *body)
{
	const char *coding = find_header(head, at, "Transfer-Encoding");
	const char *value = find_header(head, at, "Content-Length");
	size_t length = (size_t)(end - at);

	if (coding && strncasecmp(coding, "chunked", strlen("chunked")) == 0)
		return read_chunks(at, end, body);
	size_t wanted = value ? strtoul(value, NULL, 10) : 0;
	if (length < wanted)
		return HEARD_PART;
	if (body)
		text_add(body, at, wanted);
	return length == wanted ? HEARD_ALL : HEARD_NONSENSE;
}

enum heard_state heard_read(const char *bytes, size_t length, struct heard *heard,
			    struct text *body)
{
	const char *at = strstr(bytes, "\r\n\r\n");

	if (!at)
		return HEARD_PART;
	unsigned long status = strtoul(bytes + STATUS_AT, NULL, 10);
	if (strncmp(bytes, "HTTP/1.1 ", STATUS_AT) != 0 || status < 100 || status > 599)
		return HEARD_NONSENSE;
	if (body)
		text_clear(body);
	enum heard_state state = read_body(bytes, at + 4, bytes + length, body);
	if (state == HEARD_ALL) {
		const char *connection = find_header(bytes, at, "Connection");

		heard->status = (unsigned)status;
		heard->closes = connection && strncasecmp(connection, "close", 5) == 0;
	}
	return state;
}
