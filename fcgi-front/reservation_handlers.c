/* Reservations: reserve, cancel and pay are one seat and one ticket each. */
#include "routes.h"
#include "write.h"

enum err handle_seat_write(struct call *call)
{
	static const char *const members[] = {"seatId"};
	struct job job = {
		.kind = call->route->kind, .user = call->token.user, .ticket = call->token.ticket};
	enum err err = json_refuse_others(call->body, members, 1, call->why);

	if (err == ERR_OK)
		err = json_get_int(call->body, "seatId", 1, JOB_MAX_ID, &job.seat, call->why);
	return err != ERR_OK ? err : write_submit(call, &job, &job.user);
}
