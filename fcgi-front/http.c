/* HTTP: requests taken apart strictly, the head of an answer. RFC 9110; query as in the URL
 * standard's application/x-www-form-urlencoded. */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "id.h"
#include "text.h"

bool http_is_visible(const char *text, size_t most)
{
	size_t length = strnlen(text, most + 1);

	if (length == 0 || length > most)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] < 0x21 || text[i] > 0x7e)
			return false;
	return true;
}

static bool type_is(const char *content_type, const char *type)
{
	size_t length = strlen(type);

	if (content_type == NULL || strncasecmp(content_type, type, length) != 0)
		return false;
	content_type += length;
	content_type += strspn(content_type, " \t");
	return *content_type == '\0' || *content_type == ';';
}

bool http_is_json(const char *content_type)
{
	return type_is(content_type, "application/json");
}

bool http_is_form(const char *content_type)
{
	return type_is(content_type, "application/x-www-form-urlencoded");
}

enum err http_body_length(const char *content_length, size_t *length)
{
	size_t value = 0;

	if (content_length == NULL)
		content_length = "";
	for (const char *c = content_length; *c != '\0'; c++) {
		if (*c < '0' || *c > '9')
			return ERR_BAD_REQUEST;
		if (value <= HTTP_BODY_MAX)
			value = value * 10 + (size_t)(*c - '0');
	}
	if (value > HTTP_BODY_MAX)
		return ERR_BODY_TOO_LARGE;
	*length = value;
	return ERR_OK;
}

/* Decodes in place; false for a bad escape or %00, which no text of ours can hold. */
static bool query_decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (*from == '%') {
			int high = text_hex_value(from[1]);
			int low = high < 0 ? -1 : text_hex_value(from[2]);

			if (low < 0 || high + low == 0)
				return false;
			*to++ = (char)(high * 16 + low);
			from += 2;
		} else {
			*to++ = *from == '+' ? ' ' : *from;
		}
	}
	*to = '\0';
	return true;
}

static const char *query_add(struct http_request *request, char *pair)
{
	char *value = strchr(pair, '=');

	if (value == NULL)
		return "a query parameter has no value";
	*value++ = '\0';
	if (!query_decode(pair) || !query_decode(value))
		return "the query has a bad percent escape";
	if (http_param(request, pair) != NULL)
		return "a query parameter is given twice";
	if (request->param_count == HTTP_PARAMS_MAX)
		return "the query has too many parameters";
	request->params[request->param_count++] = (struct http_param){pair, value};
	return NULL;
}

/* NULL when the query is fine, else what is wrong with it. */
static const char *query_parse(struct http_request *request, const char *query)
{
	const char *fault = NULL;
	char *rest = request->query;
	char *pair;

	if (query == NULL)
		return NULL;
	if (strlen(query) >= sizeof request->query)
		return "the query is too long";
	strcpy(request->query, query);
	while (fault == NULL && (pair = strsep(&rest, "&")) != NULL)
		if (*pair != '\0')
			fault = query_add(request, pair);
	return fault;
}

enum err http_form_parse(struct http_request *request, char why[static HTTP_WHY_SIZE])
{
	const char *fault = "the form holds a byte of zero";

	request->param_count = 0;
	if (strlen(request->body) == request->body_length)
		fault = query_parse(request, request->body);
	if (fault == NULL)
		return ERR_OK;
	snprintf(why, HTTP_WHY_SIZE, "%s", fault);
	return ERR_BAD_REQUEST;
}

bool http_cookie(const struct http_request *request, const char *name, char *value, size_t size)
{
	const char *pair = request->cookie;
	size_t name_length = strlen(name);

	while (pair != NULL && *pair != '\0') {
		size_t length;

		pair += strspn(pair, "; \t");
		length = strcspn(pair, "; \t");
		if (length > name_length + 1 && strncmp(pair, name, name_length) == 0 &&
		    pair[name_length] == '=') {
			length -= name_length + 1;
			if (length >= size)
				return false;
			memcpy(value, pair + name_length + 1, length);
			value[length] = '\0';
			return true;
		}
		pair += length;
	}
	return false;
}

static void request_id_set(struct http_request *request, const char *given)
{
	char text[ID_TEXT_SIZE];
	struct id id;

	if (given == NULL || !http_is_visible(given, sizeof request->id - 1)) {
		id = id_random();
		id_format(&id, text);
		given = text;
	}
	snprintf(request->id, sizeof request->id, "%s", given);
}

/* $msec of nginx, like 1764000000.123, in milliseconds; -1 when it is none. */
static int64_t moment_ms(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 11 || text[digits] != '.' ||
	    strspn(text + digits + 1, "0123456789") != 3 || text[digits + 4] != '\0')
		return -1;
	return strtoll(text, NULL, 10) * 1000 + strtoll(text + digits + 1, NULL, 10);
}

/* $request_id of nginx is 16 random bytes in hexadecimal. */
static void origin_set(struct http_request *request, const struct http_raw *raw)
{
	uint8_t random[16];
	int64_t ms = raw->request_ms != NULL ? moment_ms(raw->request_ms) : -1;

	if (ms < 0 || raw->request_id == NULL || strlen(raw->request_id) != 2 * sizeof random)
		return;
	for (size_t i = 0; i < sizeof random; i++) {
		int high = text_hex_value(raw->request_id[2 * i]);
		int low = text_hex_value(raw->request_id[2 * i + 1]);

		if (high < 0 || low < 0)
			return;
		random[i] = (uint8_t)(high << 4 | low);
	}
	request->origin = id_at(ms, random);
	request->has_origin = true;
}

/* An empty header says as little as none. */
static const char *none_if_empty(const char *text)
{
	return text != NULL && *text != '\0' ? text : NULL;
}

enum err http_request_parse(struct http_request *request, const struct http_raw *raw,
			    char why[static HTTP_WHY_SIZE])
{
	const char *fault;

	request->method = raw->method != NULL ? raw->method : "";
	request->path = raw->path != NULL ? raw->path : "";
	request->content_type = none_if_empty(raw->content_type);
	request->token = none_if_empty(raw->token);
	request->user = none_if_empty(raw->user);
	request->authorization = none_if_empty(raw->authorization);
	request->cookie = none_if_empty(raw->cookie);
	request->languages = none_if_empty(raw->languages);
	request->fetch_site = none_if_empty(raw->fetch_site);
	request->is_https = raw->https != NULL && strcmp(raw->https, "on") == 0;
	request_id_set(request, raw->request_id);
	origin_set(request, raw);
	if (raw->twice != NULL) {
		snprintf(why, HTTP_WHY_SIZE, "the header %s is given twice", raw->twice);
		return ERR_BAD_REQUEST;
	}
	fault = query_parse(request, raw->query);
	if (fault != NULL) {
		snprintf(why, HTTP_WHY_SIZE, "%s", fault);
		return ERR_BAD_REQUEST;
	}
	if (raw->key != NULL && http_is_visible(raw->key, HTTP_KEY_SIZE - 1))
		request->key = raw->key;
	request->has_bad_key = raw->key != NULL && request->key == NULL;
	return ERR_OK;
}

const char *http_param(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->param_count; i++)
		if (strcmp(request->params[i].name, name) == 0)
			return request->params[i].value;
	return NULL;
}

void http_response_clear(struct http_response *response)
{
	text_clear(&response->body);
	response->status = 200;
	response->err = ERR_OK;
	response->allow = NULL;
	response->retry_after_s = 0;
	response->replayed = false;
	response->challenge = NULL;
	response->is_page = false;
	response->cookie[0] = '\0';
	response->key[0] = '\0';
	response->location[0] = '\0';
	response->stream[0] = '\0';
}

/* What RFC 9110 section 15 calls a status. The web server sends it on as it is, and a status line
 * without a phrase would lack a space that HTTP/1.1 wants. */
static const char *reason_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} reasons[] = {
		{200, "OK"},
		{202, "Accepted"},
		{303, "See Other"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{402, "Payment Required"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{503, "Service Unavailable"},
	};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].phrase;
	return "Unknown";
}

static void put_header(struct text *out, const char *name, const char *value)
{
	text_puts(out, name);
	text_puts(out, ": ");
	text_puts(out, value);
	text_puts(out, "\r\n");
}

/* Without formats: every answer passes here. */
void http_response_head(const struct http_response *response, const char *request_id,
			struct text *out)
{
	text_puts(out, "Status: ");
	text_int(out, response->status);
	text_putc(out, ' ');
	text_puts(out, reason_phrase(response->status));
	text_puts(out, response->is_page ? "\r\nContent-Type: text/html; charset=utf-8"
					 : "\r\nContent-Type: application/json");
	text_puts(out, "\r\nContent-Length: ");
	text_int(out, (int64_t)response->body.length);
	text_puts(out, "\r\nCache-Control: no-store\r\n");
	put_header(out, "X-Request-Id", request_id);
	if (response->key[0] != '\0')
		put_header(out, "Idempotency-Key", response->key);
	if (response->replayed)
		put_header(out, "Idempotency-Replayed", "true");
	if (response->location[0] != '\0')
		put_header(out, "Location", response->location);
	if (response->stream[0] != '\0')
		put_header(out, "X-Accel-Redirect", response->stream);
	if (response->challenge != NULL)
		put_header(out, "WWW-Authenticate", response->challenge);
	if (response->cookie[0] != '\0')
		put_header(out, "Set-Cookie", response->cookie);
	if (response->allow != NULL)
		put_header(out, "Allow", response->allow);
	if (response->retry_after_s > 0) {
		text_puts(out, "Retry-After: ");
		text_int(out, response->retry_after_s);
		text_puts(out, "\r\n");
	}
	text_puts(out, "\r\n");
}
