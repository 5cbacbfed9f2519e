/* Users: register, charge, balance. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "routes.h"
#include "write.h"

enum err handle_register(struct call *call)
{
	static const char *const members[] = {"name"};
	/* A repeat carries another userId; the worker answers with the first one's. */
	struct job job = {.kind = JOB_REGISTER, .user = id_random()};
	enum err err = json_refuse_others(call->body, members, 1, call->why);

	if (err == ERR_OK)
		err = json_get_text(call->body, "name", 1, JOB_NAME_CHARS, job.name,
				    sizeof job.name, call->why);
	return err != ERR_OK ? err : write_submit(call, &job, NULL);
}

enum err handle_charge(struct call *call)
{
	static const char *const members[] = {"userId", "amount"};
	struct job job = {.kind = JOB_CHARGE};
	enum err err = json_refuse_others(call->body, members, 2, call->why);

	if (err == ERR_OK)
		err = json_get_id(call->body, "userId", &job.user, call->why);
	if (err == ERR_OK)
		err = json_get_int(call->body, "amount", 1, JOB_MAX_AMOUNT, &job.amount, call->why);
	if (err != ERR_OK)
		return err;
	call_set_user(call, &job.user);
	return write_submit(call, &job, &job.user);
}

/* The user in the query, else the token's. */
static enum err whose_balance(struct call *call, struct id *user)
{
	const char *text = http_param(&call->request, "userId");
	enum err err;

	if (text != NULL) {
		if (id_parse(text, strlen(text), user))
			return ERR_OK;
		snprintf(call->why, sizeof call->why, "userId must be a UUID");
		return ERR_BAD_FIELD;
	}
	if (call->request.token == NULL) {
		snprintf(call->why, sizeof call->why, "send userId or a queue-token");
		return ERR_BAD_REQUEST;
	}
	err = call_check_token(call);
	if (err == ERR_OK)
		*user = call->token.user;
	return err;
}

enum err handle_balance(struct call *call)
{
	struct id user;
	int64_t balance;
	enum err err = whose_balance(call, &user);

	if (err != ERR_OK)
		return err;
	call_set_user(call, &user);
	err = lookup_balance(call->front->lookup, &user, &balance);
	if (err != ERR_OK)
		return err;
	text_printf(answer_open(call), "{\"balance\":%lld}", (long long)balance);
	answer_close(call);
	return ERR_OK;
}
