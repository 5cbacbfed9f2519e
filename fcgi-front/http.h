/* HTTP as a front sees it: what came (checked and taken apart) and what goes back. Nothing here
 * knows FastCGI, jobs or the database. */
#ifndef BOXOFFICE_HTTP_H
#define BOXOFFICE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "id.h"
#include "text.h"

#define HTTP_BODY_MAX 16384
#define HTTP_QUERY_MAX 2048 /* a form with a name of 100 characters, each escaped, has room */
#define HTTP_PARAMS_MAX 8
#define HTTP_KEY_SIZE 256 /* an Idempotency-Key of up to 255 characters and the end */
#define HTTP_REQUEST_ID_SIZE 65
#define HTTP_WHY_SIZE 160
#define HTTP_LOCATION_SIZE 544
#define HTTP_STREAM_SIZE 32
#define HTTP_COOKIE_SIZE 640

/* What the web server said, unchecked. NULL: not said. */
struct http_raw {
	const char *method;
	const char *path;
	const char *query;
	const char *content_type;
	const char *content_length;
	const char *token;
	const char *user;
	const char *key;
	const char *authorization;
	const char *cookie;
	const char *languages;
	const char *fetch_site;
	const char *https;
	const char *request_id;
	const char *request_ms; /* when it came to the web server: seconds.milliseconds */
	const char *twice;      /* the name of a header that came twice, which must not */
};

struct http_param {
	const char *name;
	const char *value;
};

/* A request. Borrows the texts of its http_raw and the body, for as long as it lasts. */
struct http_request {
	const char *method;
	const char *path;
	const char *content_type;  /* NULL: none */
	const char *token;         /* queue-token; NULL: none */
	const char *user;          /* user-id; NULL: none */
	const char *key;           /* Idempotency-Key, valid; NULL: none */
	bool has_bad_key;          /* there is one, and it is not: who looks at it refuses */
	const char *authorization; /* NULL: none */
	const char *cookie;        /* NULL: none */
	const char *languages;     /* Accept-Language; NULL: none */
	const char *fetch_site;    /* Sec-Fetch-Site; NULL: none */
	bool is_https;             /* as the browser sees it */
	const char *body;
	size_t body_length;
	size_t param_count;
	struct http_param params[HTTP_PARAMS_MAX];
	char query[HTTP_QUERY_MAX]; /* what params point into */
	char id[HTTP_REQUEST_ID_SIZE];
	/* The same however often the web server sends this request on, and no other's: from its id
	 * and when it came, if both were said. */
	bool has_origin;
	struct id origin;
	int64_t arrived_us; /* monotonic, by clock_us() of clock.h */
};

/* An answer. Zero-initialise once; http_response_clear() between requests keeps the memory. */
struct http_response {
	int status;
	enum err err;      /* what the body's code says, for the log */
	const char *allow; /* the methods of this path, for a 405; else NULL */
	int retry_after_s; /* 0: none */
	bool replayed;
	const char *challenge;             /* WWW-Authenticate; NULL: none */
	bool is_page;                      /* HTML, not JSON */
	char cookie[HTTP_COOKIE_SIZE];     /* to be set; "" for none */
	char key[HTTP_KEY_SIZE];           /* "" for none */
	char location[HTTP_LOCATION_SIZE]; /* "" for none */
	char stream[HTTP_STREAM_SIZE];     /* where the web server goes on by itself; "": nowhere */
	struct text body;
};

/* Takes a request apart into a zeroed http_request whose body and arrival the caller sets.
 * ERR_BAD_REQUEST with a sentence in why. id is set in any case: the web server's,
 * or one made here when that is missing or not 1 to 64 visible ASCII characters. */
MUST_CHECK enum err http_request_parse(struct http_request *request, const struct http_raw *raw,
				       char why[static HTTP_WHY_SIZE]);

/* The body's length as announced: ERR_BODY_TOO_LARGE beyond HTTP_BODY_MAX, ERR_BAD_REQUEST when it
 * is no number. An absent or empty header is 0. */
MUST_CHECK enum err http_body_length(const char *content_length, size_t *length);

/* True for application/json, with or without parameters, in any case. */
bool http_is_json(const char *content_type);

/* The value of a query parameter; NULL when it is absent. */
const char *http_param(const struct http_request *request, const char *name);

/* Reads the body as application/x-www-form-urlencoded, into the parameters of the query.
 * ERR_BAD_REQUEST with a sentence in why. */
MUST_CHECK enum err http_form_parse(struct http_request *request, char why[static HTTP_WHY_SIZE]);

/* True for application/x-www-form-urlencoded, with or without parameters, in any case. */
bool http_is_form(const char *content_type);

/* Copies the value of a cookie; false when it is absent, empty or longer than size - 1. */
bool http_cookie(const struct http_request *request, const char *name, char *value, size_t size);

/* True when every character is visible ASCII (0x21 to 0x7e) and there are 1 to most of them. Only
 * such text may be sent back in a header. */
bool http_is_visible(const char *text, size_t most);

void http_response_clear(struct http_response *response);

/* Appends the header section of an answer for FastCGI (a Status: header instead of a status line)
 * with its ending empty line. */
void http_response_head(const struct http_response *response, const char *request_id,
			struct text *out);

#endif
