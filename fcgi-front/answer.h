/* Answers: the envelope, for every call and outcome. */
#ifndef BOXOFFICE_ANSWER_H
#define BOXOFFICE_ANSWER_H

#include "call.h"
#include "err.h"
#include "reply.h"
#include "text.h"

/* {"success":true,"data": … }: the caller appends the data to the text in between. */
struct text *answer_open(struct call *call);
void answer_close(struct call *call);

/* {"success":false, … } with the error's status; plumbing errors show as unavailable. why: "" for
 * the error's own message. data: JSON text, "" for none. */
void answer_failure(struct call *call, enum err err, const char *why, const char *data);

/* The answer to a call from the outcome of its job. Its errors are of signing alone. */
MUST_CHECK enum err answer_outcome(struct call *call, enum job_kind kind, const struct id *user,
				   const struct outcome *outcome);

/* Appends the envelope that a call of this kind answers an outcome with: what answer_outcome()
 * sends, as a text. status: its HTTP status. */
MUST_CHECK enum err answer_render(struct call *call, enum job_kind kind, const struct id *user,
				  const struct outcome *outcome, struct text *out, int *status);

/* Signs the token of a ticket that a job of kind issue gave this user; data is its outcome's. */
MUST_CHECK enum err answer_sign_issued(struct call *call, const struct id *user, const char *data,
				       char text[static TOKEN_TEXT_SIZE]);

/* 202: the job, of call->job_user, is on its queue, its outcome is to be had at Location. */
MUST_CHECK enum err answer_queued(struct call *call, const struct parcel *parcel);

#endif
