/* Tickets of the line: what may become of one, by the names that the database has. */
#ifndef BOXOFFICE_TICKET_H
#define BOXOFFICE_TICKET_H

#include <stdbool.h>

enum ticket_status {
	TICKET_WAITING,
	TICKET_ASIDE,    /* was passed by, silent as it was; it can still come back to its place */
	TICKET_ACTIVE,   /* admitted */
	TICKET_EXPIRED,  /* its time was over: admitted, to show up, or to come back */
	TICKET_FINISHED, /* used up by a payment */
	TICKET_LEFT,     /* went by itself */
};

/* "WAITING" and so on. */
const char *ticket_status_name(enum ticket_status status);

/* EXPIRED for a name that is not known: whatever that is, nobody can act with it. */
enum ticket_status ticket_status_from(const char *name);

/* True for one that has a place in the line: WAITING or ASIDE. */
bool ticket_is_in_line(enum ticket_status status);

#endif
