/* The table of what is served. */
#ifndef BOXOFFICE_ROUTES_H
#define BOXOFFICE_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "call.h"
#include "err.h"
#include "job.h"

enum route_needs {
	NEEDS_BODY = 1,     /* a JSON object */
	NEEDS_TOKEN = 2,    /* a queue token signed by us */
	NEEDS_ADMITTED = 4, /* whose turn it is; a write may be a repeat even if it is not */
	ANSWERS_PAGE = 8,   /* HTML for people, its refusals too */
};

struct route {
	const char *method;
	const char *path;
	const char *call; /* "POST /user": the scope of idempotency keys, and its name in the log */
	unsigned needs;
	const char *param;
	enum job_kind kind;
	call_handler *handler;
};

/* Finds the route. ERR_NOT_FOUND; ERR_METHOD_NOT_ALLOWED, with allow the methods of the path. rest
 * points behind the matched prefix. */
MUST_CHECK enum err routes_find(const char *method, const char *path, const struct route **route,
				const char **rest, const char **allow);

bool route_is_write(const struct route *route);

/* Its place in the table, by which it is counted; the last place of the label for NULL. */
size_t routes_index(const struct route *route);

/* Tells the metrics the paths of all routes. */
void routes_name_metrics(void);

call_handler handle_register, handle_charge, handle_balance;
call_handler handle_reservations, handle_cash_history;
call_handler handle_issue, handle_status, handle_events, handle_leave, handle_draw;
call_handler handle_dates, handle_seats, handle_seat_map, handle_seat_events;
call_handler handle_seat_write;
call_handler handle_job;
call_handler handle_join, handle_line;
call_handler handle_health, handle_ready;

#endif
