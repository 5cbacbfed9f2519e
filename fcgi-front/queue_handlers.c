/* The line: joining it, and the place in it. */
#include "admission.h"
#include "answer.h"
#include "routes.h"
#include "write.h"

enum err handle_issue(struct call *call)
{
	static const char *const members[] = {"userId", "resume"};
	struct job job = {.kind = JOB_ISSUE};
	enum err err = json_refuse_others(call->body, members, 2, call->why);

	if (err == ERR_OK)
		err = json_get_id(call->body, "userId", &job.user, call->why);
	if (err == ERR_OK && json_has(call->body, "resume"))
		err = json_get_bool(call->body, "resume", &job.resume, call->why);
	if (err == ERR_OK)
		err = call_claim_user(call, &job.user);
	if (err != ERR_OK)
		return err;
	return write_submit(call, &job, &job.user);
}

/* The call that everybody in line repeats: no query while the ticket is live. */
enum err handle_status(struct call *call)
{
	struct text *out;
	enum err err =
		admission_find(call->front, &call->token, call_deadline_us(call), &call->place);

	if (err != ERR_OK)
		return err;
	out = answer_open(call);
	text_putc(out, '{');
	place_write(&call->place, out);
	text_putc(out, '}');
	answer_close(call);
	call->response->retry_after_s = place_retry_after_s(&call->place);
	return ERR_OK;
}

/* nginx asks whether it may let this token listen, and streams the ticks itself. */
enum err handle_events(struct call *call)
{
	enum err err =
		admission_find(call->front, &call->token, call_deadline_us(call), &call->place);

	if (err != ERR_OK)
		return err;
	text_puts(answer_open(call), "{}");
	answer_close(call);
	return ERR_OK;
}

/* Whether the ticket may go is the gate's to say: what else it waits for may have changed. */
enum err handle_leave(struct call *call)
{
	struct job job = {
		.kind = JOB_LEAVE, .user = call->token.user, .ticket = call->token.ticket};

	return write_submit(call, &job, &job.user);
}
