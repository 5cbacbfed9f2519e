/* Sends a job as the operator and waits for its result. */
#ifndef BOXOFFICE_CTL_JOB_SENDER_H
#define BOXOFFICE_CTL_JOB_SENDER_H

#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "job.h"
#include "reply.h"

/* Publishes one job to an exchange, confirmed, and waits up to timeout_ms for its result.
 * ERR_TIMEOUT: the job is queued, and its result did not come; ERR_BROKER_NACKED, _RETURNED: it was
 * not taken; ERR_BROKER_GONE: unknown. The same job again is safe in each case. */
MUST_CHECK enum err job_sender_ask(const struct conf *conf, const char *exchange,
				   const char *routing_key, const struct job *job,
				   int64_t timeout_ms, struct result *result);

#endif
