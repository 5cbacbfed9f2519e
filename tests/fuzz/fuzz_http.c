/* Requests, from what the web server passes on to the job or the answer. The input looks like HTTP:
 *
 *	POST /user?x=1
 *	content-type: application/json
 *
 *	{"name":"Kim"}
 *
 * Where a token is wanted, "@admitted" and "@waiting" stand for ones that are signed, and so do
 * "@cookie-admitted" and "@cookie-waiting" for a cookie. Behind the front is nothing: a snapshot of
 *one concert, a database that knows nobody, and a courier that looks at each job and never has its
 *result. */
#include "fuzz.h"

#include <unistd.h>

#include "call.h"
#include "clock.h"
#include "routes.h"

#define KEYS "a:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define ADMITTED_TICKET 1
#define WAITING_TICKET 2

static struct conf conf;
static struct token_keys *keys;
static struct token_cache *tokens;
static struct snapshot *snapshot;
static char admitted[TOKEN_TEXT_SIZE], waiting[TOKEN_TEXT_SIZE];
static char cookie_admitted[HTTP_COOKIE_SIZE], cookie_waiting[HTTP_COOKIE_SIZE];
static size_t log_lines;

/* In place of what is behind the front -------------------------------------------------------- */

struct snapshot *__wrap_snapshots_hold(struct snapshots *snapshots);
bool __wrap_snapshots_refresh(struct snapshots *snapshots, int64_t deadline_us);
bool __wrap_snapshots_healthy(struct snapshots *snapshots);
void __wrap_signs_note(struct signs *signs, int64_t ticket, bool is_arrival);
enum err __wrap_lookup_user(struct lookup *lookup, const struct id *id, struct lookup_user *user);
enum err __wrap_lookup_ticket(struct lookup *lookup, int64_t number, struct lookup_ticket *ticket);
enum err __wrap_lookup_job(struct lookup *lookup, const struct id *id, struct lookup_job *job);
enum err __wrap_courier_pack(const struct courier *courier, const struct job *job,
			     struct errand *errand);
enum err __wrap_courier_carry(struct courier *courier, struct errand *errand);
bool __wrap_courier_ready(struct courier *courier);
ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);

struct snapshot *__wrap_snapshots_hold(struct snapshots *snapshots)
{
	(void)snapshots;
	atomic_fetch_add(&snapshot->references, 1);
	return snapshot;
}

bool __wrap_snapshots_refresh(struct snapshots *snapshots, int64_t deadline_us)
{
	(void)snapshots;
	(void)deadline_us;
	return false;
}

bool __wrap_snapshots_healthy(struct snapshots *snapshots)
{
	(void)snapshots;
	return true;
}

void __wrap_signs_note(struct signs *signs, int64_t ticket, bool is_arrival)
{
	(void)signs;
	(void)is_arrival;
	FUZZ_HOLDS(ticket >= 1);
}

enum err __wrap_lookup_user(struct lookup *lookup, const struct id *id, struct lookup_user *user)
{
	(void)lookup;
	(void)id;
	(void)user;
	return ERR_UNKNOWN_USER;
}

enum err __wrap_lookup_ticket(struct lookup *lookup, int64_t number, struct lookup_ticket *ticket)
{
	(void)lookup;
	(void)number;
	(void)ticket;
	return ERR_NOT_FOUND;
}

enum err __wrap_lookup_job(struct lookup *lookup, const struct id *id, struct lookup_job *job)
{
	(void)lookup;
	(void)id;
	(void)job;
	return ERR_UNKNOWN_JOB;
}

enum err __wrap_courier_pack(const struct courier *courier, const struct job *job,
			     struct errand *errand)
{
	(void)courier;
	errand->parcel = parcel_new(job, 0);
	return errand->parcel != NULL ? ERR_OK : ERR_UNAVAILABLE;
}

/* Whatever a request was, a worker takes the job that was made of it. */
enum err __wrap_courier_carry(struct courier *courier, struct errand *errand)
{
	const struct text *json = &errand->parcel->json;
	struct job_entry *entries = NULL;
	struct text written = {0};
	char why[JOB_WHY_SIZE];
	size_t count = 0;

	(void)courier;
	FUZZ_HOLDS(job_decode(json->bytes, json->length, job_kind_queues(errand->parcel->kind),
			      &entries, &count, why) == ERR_OK);
	FUZZ_HOLDS(count == 1 && entries[0].err == ERR_OK);
	FUZZ_HOLDS(id_equal(&entries[0].job.id, &errand->parcel->id));
	FUZZ_HOLDS(!job_kind_is_operators(entries[0].job.kind));
	job_encode(&written, &entries[0].job);
	FUZZ_HOLDS(fuzz_same_text(&written, json));
	text_fini(&written);
	free(entries);
	return ERR_OK;
}

bool __wrap_courier_ready(struct courier *courier)
{
	(void)courier;
	return true;
}

/* The log: one line a call, of which nobody can make two. */
ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
	const char *line = bytes;
	size_t chars = 0;

	if (fd != STDERR_FILENO || length < 3 || memcmp(line, "ts=", 3) != 0)
		return __real_write(fd, bytes, length);
	FUZZ_HOLDS(line[length - 1] == '\n' && text_is_plain_utf8(line, length - 1, &chars));
	FUZZ_HOLDS(strstr(line, admitted) == NULL && strstr(line, waiting) == NULL);
	log_lines++;
	return (ssize_t)length;
}

/* Setting up ---------------------------------------------------------------------------------- */

#define ADD(list, ...)                                                                             \
	do {                                                                                       \
		(list).items = calloc(1, sizeof *(list).items);                                    \
		FUZZ_HOLDS((list).items != NULL);                                                  \
		(list).items[0] = __VA_ARGS__;                                                     \
		(list).count = (list).capacity = 1;                                                \
	} while (0)

static void make_snapshot(const struct id *user)
{
	const int64_t never_us = INT64_C(4102444800000000);

	snapshot = snapshot_new();
	FUZZ_HOLDS(snapshot != NULL);
	snapshot->line = line_new(WAITING_TICKET);
	snapshot->lots = lots_new(0);
	FUZZ_HOLDS(snapshot->line != NULL && snapshot->lots != NULL);
	line_wait(snapshot->line, WAITING_TICKET);
	line_finish(snapshot->line);
	snapshot->clock_us = clock_wall_s() * 1000000;
	snapshot->taken_us = clock_us();
	snapshot->gate = (struct snapshot_gate){.last_ticket = 2, .served = 1, .near = 100};
	ADD(snapshot->tickets, (struct snapshot_ticket){.number = ADMITTED_TICKET,
							.user = *user,
							.user_number = 1,
							.expires_us = never_us});
	ADD(snapshot->concerts, (struct snapshot_concert){.id = 1, .name = "\"A\" \xea\xb0\x80"});
	ADD(snapshot->schedules,
	    (struct snapshot_schedule){
		    .id = 1, .concert = 1, .total_seats = 1, .booking_end_us = never_us});
	ADD(snapshot->seats,
	    (struct snapshot_seat){
		    .id = 1, .schedule = 1, .price = 1000, .is_active = true, .number = "1"});
	snapshot_finish(snapshot);
}

static void sign(const struct id *user, int64_t ticket, char text[static TOKEN_TEXT_SIZE])
{
	const struct queue_token token = {.user = *user,
					  .ticket = ticket,
					  .issued_s = clock_wall_s(),
					  .expires_s = INT64_C(4102444800)};

	FUZZ_HOLDS(token_sign_queue(keys, &token, text) == ERR_OK);
}

static void set_up(void)
{
	const struct id user = {{1}};

	conf_init(&conf);
	FUZZ_HOLDS(token_keys_new(&keys, KEYS) == ERR_OK);
	FUZZ_HOLDS(token_cache_new(&tokens, 64) == ERR_OK);
	sign(&user, ADMITTED_TICKET, admitted);
	sign(&user, WAITING_TICKET, waiting);
	snprintf(cookie_admitted, sizeof cookie_admitted, "a=b; boxoffice_line=%s", admitted);
	snprintf(cookie_waiting, sizeof cookie_waiting, "boxoffice_line=%s", waiting);
	make_snapshot(&user);
}

/* A request ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset; /* in struct http_raw */
} headers[] = {
#define HEADER(name, member)                                                                       \
	{                                                                                          \
		name, offsetof(struct http_raw, member)                                            \
	}
	HEADER("content-type", content_type),
	HEADER("content-length", content_length),
	HEADER("queue-token", token),
	HEADER("user-id", user),
	HEADER("idempotency-key", key),
	HEADER("authorization", authorization),
	HEADER("cookie", cookie),
	HEADER("accept-language", languages),
	HEADER("sec-fetch-site", fetch_site),
	HEADER("https", https),
	HEADER("x-request-id", request_id),
	HEADER("x-request-ms", request_ms),
#undef HEADER
};

static const struct {
	const char *name;
	const char *value;
} stand_ins[] = {
	{"@admitted", admitted},
	{"@waiting", waiting},
	{"@cookie-admitted", cookie_admitted},
	{"@cookie-waiting", cookie_waiting},
};

static const char *value_of(char *text)
{
	text += strspn(text, " ");
	for (size_t i = 0; i < sizeof stand_ins / sizeof *stand_ins; i++)
		if (strcmp(text, stand_ins[i].name) == 0)
			return stand_ins[i].value;
	return text;
}

static void read_header(struct http_raw *raw, char *line)
{
	char *value = strchr(line, ':');

	if (value == NULL)
		return;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		const char **member = (const char **)((char *)raw + headers[i].offset);

		if (strcasecmp(line, headers[i].name) != 0)
			continue;
		if (*member != NULL)
			raw->twice = headers[i].name;
		*member = value_of(value);
	}
}

static void read_request_line(struct http_raw *raw, char *line)
{
	char *query;

	raw->method = strsep(&line, " ");
	raw->path = line;
	query = line != NULL ? strchr(line, '?') : NULL;
	if (query == NULL)
		return;
	*query = '\0';
	raw->query = query + 1;
}

/* Returns the body, inside head. */
static char *read_head(struct http_raw *raw, char *head)
{
	char *rest = head;

	read_request_line(raw, strsep(&rest, "\n"));
	while (rest != NULL && *rest != '\0' && *rest != '\n')
		read_header(raw, strsep(&rest, "\n"));
	return rest != NULL && *rest == '\n' ? rest + 1 : rest;
}

/* An answer ----------------------------------------------------------------------------------- */

/* Nothing that came in ends a header or begins another. */
static void check_head(const struct exchange *exchange)
{
	static const char *const known[] = {
		"Status: ",           "Content-Type: ",         "Content-Length: ",
		"Cache-Control: ",    "X-Request-Id: ",         "Idempotency-Key: ",
		"Location: ",         "Idempotency-Replayed: ", "X-Accel-Redirect: ",
		"WWW-Authenticate: ", "Set-Cookie: ",           "Allow: ",
		"Retry-After: "};
	struct text head = {0};
	char *rest, *line;

	http_response_head(&exchange->response, exchange->request_id, &head);
	FUZZ_HOLDS(head.length > 4 && strcmp(head.bytes + head.length - 4, "\r\n\r\n") == 0);
	rest = head.bytes;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\r') {
		size_t length = strlen(line);
		bool is_known = false;

		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			is_known |= strncmp(line, known[i], strlen(known[i])) == 0;
		FUZZ_HOLDS(is_known && line[length - 1] == '\r');
		for (size_t i = 0; i < length - 1; i++)
			FUZZ_HOLDS(line[i] >= ' ' && line[i] <= '~');
	}
	FUZZ_HOLDS(rest != NULL && *rest == '\0');
	text_fini(&head);
}

static void check_envelope(const struct http_response *response)
{
	struct json_object *object = NULL;
	char why[JSON_WHY_SIZE];
	bool success = false;

	FUZZ_HOLDS(json_parse_strict(response->body.bytes, response->body.length, &object, why) ==
		   ERR_OK);
	if (response->stream[0] == '\0') {
		FUZZ_HOLDS(json_get_bool(object, "success", &success, why) == ERR_OK);
		FUZZ_HOLDS(success == (response->status < 300));
		FUZZ_HOLDS(json_has(object, success ? "data" : "code"));
	}
	json_free(object);
}

static void check_page(const struct http_response *response)
{
	size_t chars = 0;

	for (const char *at = response->body.bytes; *at != '\0'; at += chars) {
		chars = text_plain_char(at, strlen(at));
		if (chars == 0 && *at == '\n')
			chars = 1;
		FUZZ_HOLDS(chars > 0);
	}
	FUZZ_HOLDS(strstr(response->body.bytes, "<script") == NULL);
}

/* Nobody can make this front, whose database and broker are there, answer 5xx. */
static void check_answer(const struct exchange *exchange, bool was_queued)
{
	const struct http_response *response = &exchange->response;

	FUZZ_HOLDS(response->status >= 200 && response->status < 500 + 100 * was_queued);
	FUZZ_HOLDS((response->status == 405) == (response->allow != NULL));
	FUZZ_HOLDS(http_is_visible(exchange->request_id, HTTP_REQUEST_ID_SIZE - 1));
	check_head(exchange);
	if (response->is_page)
		check_page(response);
	else
		check_envelope(response);
}

static void serve(struct exchange *exchange)
{
	const struct front front = {.conf = &conf, .keys = keys, .tokens = tokens};
	struct call *call = exchange->state;
	bool is_queued = false;

	log_lines = 0;
	if (!call_serve(&front, exchange)) {
		is_queued = true;
		call->errand.err = ERR_TIMEOUT;
		FUZZ_HOLDS(call_resume(exchange));
		FUZZ_HOLDS(exchange->response.status == 202 || exchange->response.is_page);
	}
	FUZZ_HOLDS(log_lines == 1);
	check_answer(exchange, is_queued);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct call call;
	struct exchange exchange = {.state = &call};
	char *head, *body, *copy;
	size_t length;

	if (keys == NULL)
		set_up();
	head = malloc(size + 1);
	FUZZ_HOLDS(head != NULL);
	memcpy(head, data, size);
	head[size] = '\0';
	body = read_head(&exchange.raw, head);
	length = body != NULL ? (size_t)(head + size - body) : 0;
	/* As a sanitizer likes it: what is behind the body is nobody's. */
	copy = calloc(1, length + 1);
	FUZZ_HOLDS(copy != NULL);
	exchange.body = memcpy(copy, body != NULL ? body : "", length);
	exchange.body_length = length;
	exchange.body_err = length > HTTP_BODY_MAX
				    ? ERR_BODY_TOO_LARGE
				    : http_body_length(exchange.raw.content_length, &(size_t){0});
	serve(&exchange);
	free(copy);
	free(head);
	text_fini(&exchange.response.body);
	return 0;
}
