#include "ticket.h"

#include <string.h>

static const char *const names[] = {
	[TICKET_WAITING] = "WAITING", [TICKET_ASIDE] = "ASIDE",       [TICKET_ACTIVE] = "ACTIVE",
	[TICKET_EXPIRED] = "EXPIRED", [TICKET_FINISHED] = "FINISHED", [TICKET_LEFT] = "LEFT",
};

const char *ticket_status_name(enum ticket_status status)
{
	return names[status];
}

enum ticket_status ticket_status_from(const char *name)
{
	for (unsigned status = 0; status < sizeof names / sizeof *names; status++)
		if (strcmp(names[status], name) == 0)
			return (enum ticket_status)status;
	return TICKET_EXPIRED;
}

bool ticket_is_in_line(enum ticket_status status)
{
	return status == TICKET_WAITING || status == TICKET_ASIDE;
}
