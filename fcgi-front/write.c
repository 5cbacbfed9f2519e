/* Writes. */
#include "write.h"

#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "courier.h"
#include "key.h"
#include "routes.h"

enum err write_begin(struct call *call)
{
	const char *key = call->request.key;
	char made[ID_TEXT_SIZE];
	struct id id;

	if (call->request.has_bad_key)
		return ERR_BAD_KEY;
	/* Without a user to scope it to, a key must be one that nobody else can come upon. */
	if (key != NULL && call->route->kind == JOB_REGISTER && !id_parse(key, strlen(key), &id)) {
		snprintf(call->why, sizeof call->why,
			 "Idempotency-Key must be a UUID on this call");
		return ERR_BAD_KEY;
	}
	if (key == NULL) {
		/* A front that dies has perhaps sent the job: the next one, to which the web server
		 * sends the request again, must send the same. */
		id = call->request.has_origin ? call->request.origin : id_ordered();
		id_format(&id, made);
		key = made;
	}
	snprintf(call->response->key, sizeof call->response->key, "%s", key);
	return ERR_OK;
}

/* A buyer whose answer was lost repeats the payment with the token that this payment finished. */
static enum err answer_repeat(struct call *call, const struct job *job)
{
	uint8_t fingerprint[FINGERPRINT_SIZE];
	struct lookup_job done = {0};
	enum err err;

	if (call->request.key == NULL || call->refusal == ERR_NOT_ADMITTED)
		return call->refusal;
	err = lookup_job(call->front->lookup, &job->id, &done);
	if (err == ERR_UNKNOWN_JOB)
		return call->refusal;
	if (err != ERR_OK)
		return err;
	job_fingerprint(job, fingerprint);
	if (memcmp(fingerprint, done.fingerprint, sizeof fingerprint) != 0)
		return ERR_KEY_REUSED;
	return answer_outcome(call, job->kind, &job->user, &done.outcome);
}

enum err write_submit(struct call *call, struct job *job, const struct id *scope)
{
	char user[ID_TEXT_SIZE] = "";

	if (scope != NULL)
		id_format(scope, user);
	job->id = key_to_job_id(user, call->route->call, call->response->key);
	job->attempt = 1;
	snprintf(job->request_id, sizeof job->request_id, "%s", call->request.id);
	if (call->refusal != ERR_OK)
		return answer_repeat(call, job);
	call->job_user = job->user;
	return courier_pack(call->front->courier, job, &call->errand);
}

enum err write_answer(struct call *call)
{
	const struct errand *errand = &call->errand;
	struct outcome outcome;

	if (errand->err == ERR_TIMEOUT)
		return answer_queued(call, errand->parcel);
	if (errand->err != ERR_OK)
		return errand->err;
	courier_outcome(errand, &outcome);
	return answer_outcome(call, call->route->kind, &call->job_user, &outcome);
}
