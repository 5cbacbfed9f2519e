/* POST /user/charge without a queue: each request takes a connection from a pool and runs one
 * transaction. Takes the front's settings front_socket, front_threads and front_db_connections,
 * and a worker's account. */
#include <stdio.h>
#include <string.h>

#include "job.h"
#include "json.h"
#include "key.h"
#include "log.h"
#include "pessimistic_store.h"
#include "pool.h"
#include "serve.h"

static enum err make_store(void **item, const void *arg)
{
	return pessimistic_store_new((struct pessimistic_store **)item, arg);
}

static void free_store(void *item)
{
	pessimistic_store_free(item);
}

/* Checks what the front checks, and gives the charge the id that the front would. */
static enum err charge_read(const struct http_request *request, struct charge *charge,
			    char why[static JSON_WHY_SIZE])
{
	static const char *const members[] = {"userId", "amount"};
	struct job job = {.kind = JOB_CHARGE};
	char user[ID_TEXT_SIZE];
	struct json_object *body = NULL;
	enum err err;

	if (request->key == NULL)
		return ERR_BAD_KEY;
	err = json_parse_strict(request->body, request->body_length, &body, why);
	if (err == ERR_OK)
		err = json_refuse_others(body, members, 2, why);
	if (err == ERR_OK)
		err = json_get_id(body, "userId", &job.user, why);
	if (err == ERR_OK)
		err = json_get_int(body, "amount", 1, JOB_MAX_AMOUNT, &job.amount, why);
	if (err != ERR_OK)
		goto out;
	id_format(&job.user, user);
	charge->job = key_to_job_id(user, "POST /user/charge", request->key);
	charge->user = job.user;
	charge->amount = job.amount;
	job_fingerprint(&job, charge->fingerprint);
out:
	json_free(body);
	return err;
}

static void answer(enum err err, const struct charge_answer *granted,
		   struct http_response *response)
{
	enum err shown = err_public(err);

	response->err = err;
	response->status = err_http_status(shown);
	if (err == ERR_OK) {
		response->replayed = granted->replayed;
		text_printf(&response->body, "{\"success\":true,\"data\":%s}", granted->data);
	} else {
		text_printf(&response->body,
			    "{\"success\":false,\"message\":\"%s\",\"code\":\"%s\"}",
			    err_message(shown), err_code(shown));
	}
}

static bool serve(void *arg, struct exchange *exchange)
{
	struct charge_answer granted = {0};
	struct http_request request;
	struct charge charge;
	char why[HTTP_WHY_SIZE] = "";
	enum err err = serve_begin(exchange, &request, why);

	if (err == ERR_OK)
		err = charge_read(&request, &charge, why);
	if (err == ERR_OK) {
		struct pessimistic_store *store = pool_take(arg);

		err = pessimistic_store_charge(store, &charge, &granted);
		pool_give_back(arg, store);
		snprintf(exchange->response.key, sizeof exchange->response.key, "%s", request.key);
	}
	answer(err, &granted, &exchange->response);
	return true;
}

int main(void)
{
	static struct conf conf;
	struct pool *pool = NULL;
	int status = 1;

	if (serve_load(&conf) != ERR_OK)
		return 2;
	if (pool_new(&pool, (size_t)conf.front_db_connections, make_store, free_store, &conf) ==
	    ERR_OK)
		status = serve_until_told(&conf, serve, pool);
	else
		log_error("not-started", LOG_ERR(ERR_DB_GONE));
	pool_free(pool);
	return status;
}
