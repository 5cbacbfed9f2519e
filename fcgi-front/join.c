/* The way without JavaScript. */
#include "join.h"

#include <stdio.h>
#include <string.h>

#include "admission.h"
#include "answer.h"
#include "plain_page.h"
#include "routes.h"
#include "write.h"

#define COOKIE "boxoffice_line"

static void answer_page(struct call *call, enum err err)
{
	enum err shown = err_public(err);

	call->response->is_page = true;
	call->response->err = err;
	call->response->status = err_http_status(shown);
	if (call->response->status == 503)
		call->response->retry_after_s = 1;
}

void join_answer_failure(struct call *call, enum err err)
{
	const char *name = http_param(&call->request, "name");
	struct plain_form form = {0};
	size_t chars;

	if (route_is_write(call->route)) {
		/* What is no text cannot be said back in a page. */
		if (name != NULL && text_is_plain_utf8(name, strlen(name), &chars))
			form.name = name;
		form.key = call->response->key;
	}
	text_clear(&call->response->body);
	plain_page_failure(plain_page_language(call->request.languages), err, &form,
			   &call->response->body);
	answer_page(call, err);
}

/* The token of the cookie, verified, into the call. As call_check_token(). */
static enum err check_cookie(struct call *call, char token[static TOKEN_TEXT_SIZE])
{
	if (!http_cookie(&call->request, COOKIE, token, TOKEN_TEXT_SIZE))
		return ERR_TOKEN_MISSING;
	call->request.token = token;
	return call_check_token(call);
}

enum err handle_line(struct call *call)
{
	char token[TOKEN_TEXT_SIZE];
	enum err err = check_cookie(call, token);

	if (err == ERR_OK)
		err = admission_find(call->front, &call->token, call_deadline_us(call),
				     &call->place);
	call->request.token = NULL; /* it ends with this function */
	if (err != ERR_OK)
		return err;
	text_clear(&call->response->body);
	plain_page_place(plain_page_language(call->request.languages), &call->place, token,
			 &call->response->body);
	answer_page(call, ERR_OK);
	return ERR_OK;
}

/* What became of the errand. A page has no handle to ask later: it offers to try again. */
static enum err take_outcome(struct call *call, struct outcome *outcome)
{
	enum err err = call->errand.err;

	if (err == ERR_OK)
		courier_outcome(&call->errand, outcome);
	courier_release(&call->errand);
	if (err != ERR_OK)
		return err == ERR_TIMEOUT ? ERR_UNAVAILABLE : err;
	return outcome->err;
}

static enum err ticket_issued(struct call *call)
{
	struct http_response *response = call->response;
	char token[TOKEN_TEXT_SIZE];
	struct outcome outcome;
	enum err err = take_outcome(call, &outcome);

	if (err == ERR_OK)
		err = answer_sign_issued(call, &call->job_user, outcome.data, token);
	if (err != ERR_OK)
		return err;
	snprintf(response->cookie, sizeof response->cookie,
		 COOKIE "=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s", token,
		 (long long)call->front->conf->token_ttl_s,
		 call->request.is_https ? "; Secure" : "");
	snprintf(response->location, sizeof response->location, "/line");
	answer_page(call, ERR_OK);
	response->status = 303;
	return ERR_OK;
}

static enum err issue(struct call *call, const struct id *user, bool resume)
{
	struct job job = {.kind = JOB_ISSUE, .user = *user, .resume = resume};

	call_set_user(call, user);
	call->next = ticket_issued;
	return write_submit(call, &job, &job.user);
}

static enum err user_registered(struct call *call)
{
	char why[JSON_WHY_SIZE];
	struct json_object *object = NULL;
	struct outcome outcome;
	struct id user;
	enum err err = take_outcome(call, &outcome);

	if (err != ERR_OK)
		return err;
	err = json_parse_strict(outcome.data, strlen(outcome.data), &object, why);
	if (err == ERR_OK)
		err = json_get_id(object, "userId", &user, why);
	json_free(object);
	return err == ERR_OK ? issue(call, &user, false) : ERR_UNAVAILABLE;
}

/* Another site's page may send this form, but without our cookie: it would make the browser forget
 * the place it has. */
static bool is_foreign(const struct call *call)
{
	const char *site = call->request.fetch_site;

	return site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

static enum err read_form(struct call *call, char name[static JOB_NAME_CHARS * 4 + 1])
{
	const char *given, *key;
	size_t chars;
	struct id id;

	given = http_param(&call->request, "name");
	key = http_param(&call->request, "key");
	if (given == NULL || !text_is_plain_utf8(given, strlen(given), &chars) || chars < 1 ||
	    chars > JOB_NAME_CHARS)
		return ERR_BAD_FIELD;
	if (key != NULL && !id_parse(key, strlen(key), &id))
		return ERR_BAD_KEY;
	if (key != NULL)
		snprintf(call->response->key, sizeof call->response->key, "%s", key);
	memcpy(name, given, strlen(given) + 1);
	return ERR_OK;
}

enum err handle_join(struct call *call)
{
	struct job job = {.kind = JOB_REGISTER, .user = id_random()};
	char token[TOKEN_TEXT_SIZE];
	struct id user;
	enum err err;

	/* A form cannot sign in, and here nobody goes without. */
	if (call->front->bearer != NULL)
		return ERR_BEARER_MISSING;
	if (is_foreign(call))
		return ERR_BAD_REQUEST;
	if (!http_is_form(call->request.content_type))
		return ERR_UNSUPPORTED_MEDIA_TYPE;
	err = http_form_parse(&call->request, call->why);
	if (err != ERR_OK)
		return err;
	err = check_cookie(call, token);
	call->request.token = NULL;
	user = call->token.user;
	if (err == ERR_OK)
		return issue(call, &user, true);
	err = read_form(call, job.name);
	if (err != ERR_OK)
		return err;
	call->next = user_registered;
	return write_submit(call, &job, NULL);
}
