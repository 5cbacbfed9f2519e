/* Jobs: the answer of a call that took longer than its deadline. */
#include "answer.h"
#include "clock.h"
#include "routes.h"

enum err handle_job(struct call *call)
{
	struct job_handle handle;
	struct lookup_job done = {0};
	struct text response = {0};
	struct text *out;
	int status = 0;
	enum err err = token_verify_handle(call->front->keys, call->rest, clock_wall_s(), &handle);

	if (err != ERR_OK) /* forged, or too old: nothing to tell either way */
		return ERR_UNKNOWN_JOB;
	call_set_user(call, &handle.user);
	err = lookup_job(call->front->lookup, &handle.job, &done);
	if (err == ERR_UNKNOWN_JOB) {
		text_puts(answer_open(call), "{\"status\":\"queued\"}");
		answer_close(call);
		return ERR_OK;
	}
	/* The key's outcome belongs to another content: that is what this sending was told. */
	if (err == ERR_OK && job_content(done.fingerprint) != handle.content)
		done.outcome = (struct outcome){.err = ERR_KEY_REUSED};
	if (err == ERR_OK)
		err = answer_render(call, handle.kind, &handle.user, &done.outcome, &response,
				    &status);
	if (err != ERR_OK)
		goto out;
	out = answer_open(call);
	text_printf(out, "{\"status\":\"done\",\"httpStatus\":%d,\"response\":", status);
	text_add(out, response.bytes, response.length);
	text_putc(out, '}');
	answer_close(call);
out:
	text_fini(&response);
	return err;
}
