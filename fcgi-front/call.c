/* A call from beginning to end: checks in the order of their cost, then its handler. */
#include "call.h"

#include <stdio.h>
#include <string.h>

#include "admission.h"
#include "answer.h"
#include "clock.h"
#include "join.h"
#include "log.h"
#include "metrics.h"
#include "routes.h"
#include "write.h"

int64_t call_deadline_us(const struct call *call)
{
	return call->request.arrived_us + call->front->conf->reply_deadline_ms * 1000;
}

void call_set_user(struct call *call, const struct id *user)
{
	call->user = *user;
	call->has_user = true;
}

enum err call_claim_user(struct call *call, const struct id *user)
{
	struct id caller;
	enum err err = ERR_OK;

	if (call->front->bearer != NULL)
		err = bearer_verify(call->front->bearer, call->request.authorization,
				    clock_wall_s(), &caller);
	if (err == ERR_OK && call->front->bearer != NULL && !id_equal(&caller, user))
		err = ERR_BEARER_INVALID;
	if (err == ERR_OK)
		call_set_user(call, user);
	return err;
}

static enum err check_params(struct call *call)
{
	const char *known = call->route->param;

	for (size_t i = 0; i < call->request.param_count; i++) {
		if (known != NULL && strcmp(call->request.params[i].name, known) == 0)
			continue;
		snprintf(call->why, sizeof call->why, "this call takes %s%s in the query",
			 known != NULL ? "only " : "nothing", known != NULL ? known : "");
		return ERR_BAD_FIELD;
	}
	return ERR_OK;
}

static enum err verify_token(const struct front *front, const char *text, struct queue_token *token)
{
	int64_t now_s = clock_wall_s();
	enum err err;

	if (token_cache_find(front->tokens, text, token))
		return now_s < token->expires_s ? ERR_OK : ERR_TOKEN_EXPIRED;
	err = token_verify_queue(front->keys, text, now_s, token);
	if (err == ERR_OK)
		token_cache_put(front->tokens, text, token);
	return err;
}

enum err call_check_token(struct call *call)
{
	enum err err;

	if (call->request.token == NULL)
		return ERR_TOKEN_MISSING;
	err = verify_token(call->front, call->request.token, &call->token);
	return err == ERR_OK ? call_claim_user(call, &call->token.user) : err;
}

static enum err user_header(struct call *call, struct id *user)
{
	const char *text = call->request.user;

	if (id_parse(text, strlen(text), user))
		return ERR_OK;
	snprintf(call->why, sizeof call->why, "the header user-id must be a UUID");
	return ERR_BAD_FIELD;
}

enum err call_find_user(struct call *call, struct id *user)
{
	const struct http_request *request = &call->request;
	struct id named;
	enum err err = ERR_OK;

	if (request->user == NULL && request->token == NULL) {
		snprintf(call->why, sizeof call->why, "send the header user-id or a queue-token");
		return ERR_BAD_REQUEST;
	}
	if (request->user != NULL)
		err = user_header(call, &named);
	if (err == ERR_OK && request->token != NULL)
		err = call_check_token(call);
	if (err != ERR_OK)
		return err;
	if (request->user == NULL) {
		named = call->token.user;
	} else if (request->token != NULL && !id_equal(&named, &call->token.user)) {
		snprintf(call->why, sizeof call->why, "the queue token is not this user's");
		return ERR_TOKEN_INVALID;
	}
	err = call_claim_user(call, &named);
	if (err == ERR_OK)
		*user = named;
	return err;
}

/* 0 when it is no number or a greater one. */
static int64_t read_id(const char *text)
{
	int64_t value = 0;

	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		value = value * 10 + (*text - '0');
		if (value > JOB_MAX_ID)
			return 0;
	}
	return value;
}

enum err call_param_id(struct call *call, const char *name, int64_t fallback, int64_t *id)
{
	const char *text = http_param(&call->request, name);
	int64_t value = text != NULL ? read_id(text) : fallback;

	if (value > 0) {
		*id = value;
		return ERR_OK;
	}
	if (text == NULL)
		snprintf(call->why, sizeof call->why, "%s is missing in the query", name);
	else
		snprintf(call->why, sizeof call->why, "%s must be an integer from 1 to %lld", name,
			 (long long)JOB_MAX_ID);
	return ERR_BAD_FIELD;
}

static enum err check_body(struct call *call)
{
	if (call->request.body_length == 0) {
		snprintf(call->why, sizeof call->why, "the body is empty: send a JSON object");
		return ERR_BAD_REQUEST;
	}
	if (!http_is_json(call->request.content_type))
		return ERR_UNSUPPORTED_MEDIA_TYPE;
	return json_parse_strict(call->request.body, call->request.body_length, &call->body,
				 call->why);
}

/* A write goes on to its handler with the refusal: it may be a repeat. */
static enum err check_admission(struct call *call)
{
	enum err err =
		admission_check(call->front, &call->token, call_deadline_us(call), &call->place);

	if (err == ERR_OK || !route_is_write(call->route))
		return err;
	if (err_class_of(err) != ERR_CLASS_CLIENT)
		return err;
	call->refusal = err;
	return ERR_OK;
}

static enum err serve(struct call *call, const struct http_raw *raw, enum err body_err)
{
	enum err err = http_request_parse(&call->request, raw, call->why);

	if (err == ERR_OK)
		err = routes_find(call->request.method, call->request.path, &call->route,
				  &call->rest, &call->response->allow);
	if (err == ERR_OK && route_is_write(call->route))
		err = write_begin(call);
	if (err == ERR_OK)
		err = body_err;
	if (err == ERR_OK)
		err = check_params(call);
	if (err == ERR_OK && call->route->needs & NEEDS_TOKEN)
		err = call_check_token(call);
	if (err == ERR_OK && call->route->needs & NEEDS_BODY)
		err = check_body(call);
	if (err == ERR_OK && call->route->needs & NEEDS_ADMITTED)
		err = check_admission(call);
	if (err == ERR_OK)
		err = call->route->handler(call);
	return err;
}

static void answer_error(struct call *call, enum err err)
{
	struct text data = {0};

	if (err == ERR_BEARER_MISSING)
		call->response->challenge = "Bearer";
	if (err == ERR_BEARER_INVALID)
		call->response->challenge = "Bearer error=\"invalid_token\"";
	if (call->route != NULL && call->route->needs & ANSWERS_PAGE) {
		join_answer_failure(call, err);
		return;
	}
	if (err == ERR_NOT_ADMITTED) {
		text_putc(&data, '{');
		place_write(&call->place, &data);
		text_putc(&data, '}');
		call->response->retry_after_s = place_retry_after_s(&call->place);
	}
	answer_failure(call, err, call->why, data.length > 0 ? data.bytes : "");
	text_fini(&data);
}

static void count_call(const struct call *call, int64_t span_us)
{
	const struct http_response *response = call->response;
	size_t route = routes_index(call->route);

	metrics_count(METRIC_REQUESTS, route,
		      response->status == 202 ? (size_t)METRICS_QUEUED : (size_t)response->err);
	metrics_observe(METRIC_REQUEST_TIME, route, span_us);
}

static void log_call(const struct call *call, int64_t span_us)
{
	char user[16] = "-";

	if (call->has_user)
		log_mask_user(&call->user, user);
	log_info("request", LOG_S("method", call->request.method),
		 LOG_S("route", call->route != NULL ? call->route->path : "-"),
		 LOG_I("status", call->response->status),
		 LOG_S("code", err_code(call->response->err)), LOG_US("ms", span_us),
		 LOG_S("user", user), LOG_S("request", call->request.id));
}

static void finish(struct call *call, struct exchange *exchange, enum err err)
{
	int64_t span_us;

	courier_release(&call->errand);
	if (err != ERR_OK)
		answer_error(call, err);
	memcpy(exchange->request_id, call->request.id, HTTP_REQUEST_ID_SIZE);
	span_us = clock_us() - call->request.arrived_us;
	count_call(call, span_us);
	log_call(call, span_us);
}

static void errand_done(struct errand *errand)
{
	fcgi_resume(errand->arg);
}

/* From here on the call is another thread's, unless it comes back with an error. */
static enum err carry(struct call *call, struct exchange *exchange)
{
	call->errand.done = errand_done;
	call->errand.arg = exchange;
	call->errand.deadline_us = call_deadline_us(call);
	return courier_carry(call->front->courier, &call->errand);
}

bool call_serve(const struct front *front, struct exchange *exchange)
{
	struct call *call = exchange->state;
	enum err err;

	memset(call, 0, sizeof *call);
	call->front = front;
	call->response = &exchange->response;
	http_response_clear(call->response);
	call->request.arrived_us = clock_us();
	call->request.body = exchange->body;
	call->request.body_length = exchange->body_length;
	err = serve(call, &exchange->raw, exchange->body_err);
	json_free(call->body);
	if (err == ERR_OK && call->errand.parcel != NULL) {
		err = carry(call, exchange);
		if (err == ERR_OK)
			return false;
	}
	finish(call, exchange, err);
	return true;
}

bool call_resume(struct exchange *exchange)
{
	struct call *call = exchange->state;
	call_handler *next = call->next;
	enum err err;

	call->next = NULL;
	err = next != NULL ? next(call) : write_answer(call);
	if (err == ERR_OK && call->next != NULL) {
		err = carry(call, exchange);
		if (err == ERR_OK)
			return false;
	}
	finish(call, exchange, err);
	return true;
}
