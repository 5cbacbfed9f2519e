/* Writes: the one way of every call that changes something, from the job to the answer. */
#ifndef BOXOFFICE_WRITE_H
#define BOXOFFICE_WRITE_H

#include "call.h"
#include "err.h"
#include "id.h"
#include "job.h"

/* Settles the call's idempotency key, sent or made, and puts it into the answer, whatever that
 * becomes. ERR_BAD_KEY: this call takes only a UUID. */
MUST_CHECK enum err write_begin(struct call *call);

/* Makes the call's errand of the job (its kind and fields are set; id, attempt and request id are
 * set here), which is carried once the handler is done. scope: the user whom the key belongs to,
 * NULL for none. When the queue check refused the call, nothing is to be sent: a repeat of a job
 * that is done gets the stored answer, everything else the refusal. */
MUST_CHECK enum err write_submit(struct call *call, struct job *job, const struct id *scope);

/* Answers with what became of the call's errand: the outcome, or 202; or returns why neither. */
MUST_CHECK enum err write_answer(struct call *call);

#endif
