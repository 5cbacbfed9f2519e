/* The envelope. */
#include "answer.h"

#include <stdio.h>
#include <string.h>

#include "admission.h"
#include "clock.h"
#include "routes.h"

#define RETRY_AFTER_S 1

struct text *answer_open(struct call *call)
{
	text_clear(&call->response->body);
	text_puts(&call->response->body, "{\"success\":true,\"data\":");
	return &call->response->body;
}

void answer_close(struct call *call)
{
	text_putc(&call->response->body, '}');
}

static void render_failure(enum err err, const char *why, const char *data, struct text *out)
{
	text_puts(out, "{\"success\":false,\"message\":");
	text_json_string(out, why[0] != '\0' ? why : err_message(err));
	text_printf(out, ",\"code\":\"%s\"", err_code(err));
	if (data[0] != '\0') {
		text_puts(out, ",\"data\":");
		text_puts(out, data);
	}
	text_putc(out, '}');
}

static void set_status(struct http_response *response, int status)
{
	response->status = status;
	if (status == 429 || status == 503)
		response->retry_after_s = RETRY_AFTER_S;
}

void answer_failure(struct call *call, enum err err, const char *why, const char *data)
{
	enum err shown = err_public(err);

	text_clear(&call->response->body);
	render_failure(shown, shown == err ? why : "", data, &call->response->body);
	call->response->err = err;
	set_status(call->response, err_http_status(shown));
}

/* Signs for the ticket of an issue's outcome, and says whether the worker knew it as admitted. */
static enum err sign_issued(struct call *call, const struct id *user, const char *data,
			    struct queue_token *token, bool *is_active,
			    char text[static TOKEN_TEXT_SIZE])
{
	char why[JSON_WHY_SIZE];
	char status[32] = "";
	struct json_object *object = NULL;
	enum err err = json_parse_strict(data, strlen(data), &object, why);

	*token = (struct queue_token){.user = *user, .issued_s = clock_wall_s()};
	token->expires_s = token->issued_s + call->front->conf->token_ttl_s;
	if (err == ERR_OK)
		err = json_get_int(object, "ticket", 1, JOB_MAX_ID, &token->ticket, why);
	if (err == ERR_OK)
		err = json_get_text(object, "status", 1, 7, status, sizeof status, why);
	json_free(object);
	if (err != ERR_OK)
		return ERR_UNAVAILABLE;
	*is_active = strcmp(status, "ACTIVE") == 0;
	return token_sign_queue(call->front->keys, token, text);
}

enum err answer_sign_issued(struct call *call, const struct id *user, const char *data,
			    char text[static TOKEN_TEXT_SIZE])
{
	struct queue_token token;
	bool is_active;

	return sign_issued(call, user, data, &token, &is_active, text);
}

/* The token of a ticket just given, and its place as the newest snapshot knows it; one that the
 * worker knows as admitted is looked up until a snapshot knows it too. When that has left the line
 * meanwhile (an old answer repeated), the place is what the worker said. */
static enum err render_issued(struct call *call, const struct id *user, const char *data,
			      struct text *out)
{
	struct queue_token token;
	char text[TOKEN_TEXT_SIZE];
	enum err (*find)(const struct front *, const struct queue_token *, int64_t, struct place *);
	struct place place;
	bool is_active;
	enum err err = sign_issued(call, user, data, &token, &is_active, text);

	if (err != ERR_OK)
		return err;
	find = is_active ? admission_check : admission_find;
	if (find(call->front, &token, call_deadline_us(call), &place) != ERR_OK)
		place = admission_guess(call->front, token.ticket, is_active);
	text_printf(out, "{\"token\":\"%s\",", text);
	place_write(&place, out);
	text_putc(out, '}');
	return ERR_OK;
}

enum err answer_render(struct call *call, enum job_kind kind, const struct id *user,
		       const struct outcome *outcome, struct text *out, int *status)
{
	enum err shown = err_public(outcome->err);
	enum err err = ERR_OK;

	*status = err_http_status(shown);
	if (shown != ERR_OK) {
		render_failure(shown, shown == outcome->err ? outcome->why : "", outcome->data,
			       out);
		return ERR_OK;
	}
	text_puts(out, "{\"success\":true,\"data\":");
	if (kind == JOB_ISSUE)
		err = render_issued(call, user, outcome->data, out);
	else
		text_puts(out, outcome->data[0] != '\0' ? outcome->data : "{}");
	text_putc(out, '}');
	return err;
}

enum err answer_outcome(struct call *call, enum job_kind kind, const struct id *user,
			const struct outcome *outcome)
{
	int status;
	enum err err;

	text_clear(&call->response->body);
	err = answer_render(call, kind, user, outcome, &call->response->body, &status);
	if (err != ERR_OK)
		return err;
	call->response->err = outcome->err;
	call->response->replayed = outcome->replayed;
	set_status(call->response, status);
	return ERR_OK;
}

enum err answer_queued(struct call *call, const struct parcel *parcel)
{
	struct job_handle handle = {.job = parcel->id,
				    .user = call->job_user,
				    .kind = call->route->kind,
				    .content = job_content(parcel->fingerprint),
				    .issued_s = clock_wall_s()};
	char text[TOKEN_TEXT_SIZE];
	enum err err;

	handle.expires_s = handle.issued_s + call->front->conf->token_ttl_s;
	err = token_sign_handle(call->front->keys, &handle, text);
	if (err != ERR_OK)
		return err;
	snprintf(call->response->location, sizeof call->response->location, "/jobs/%s", text);
	call->response->status = 202;
	call->response->retry_after_s = RETRY_AFTER_S;
	text_printf(answer_open(call), "{\"status\":\"queued\",\"job\":\"%s\"}",
		    call->response->location);
	answer_close(call);
	return ERR_OK;
}
