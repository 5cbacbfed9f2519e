/* A URL that names several hosts: amqp://user:password@a:5672,b:5672,c/vhost. They are the nodes of
 * one cluster, so account, password and path are the same on all of them. */
#ifndef BOXOFFICE_ADDRESS_H
#define BOXOFFICE_ADDRESS_H

#include <stdatomic.h>
#include <stddef.h>

#include "err.h"

/* How many hosts it names; what is no URL counts as one. */
unsigned address_count(const char *url);

/* Writes the URL with that one of its hosts alone (index from 0, below address_count()). A URL with
 * one host comes out as it is, whatever it looks like. ERR_CONF: a host is empty, or size bytes are
 * too few. */
MUST_CHECK enum err address_pick(const char *url, unsigned index, char *out, size_t size);

/* Which of the hosts a process is at. Its connections share it, so that what one of them found out
 * costs the others no time. Zero-initialise; every thread may use it at once. */
struct address_turn {
	atomic_uint step; /* hosts that were left so far */
};

/* The host for a connection that is opened now, when the process is to begin at the first one given
 * (counted round); step is to be kept for address_leave(). */
unsigned address_now(struct address_turn *turn, unsigned first, unsigned count, unsigned *step);

/* The host of a connection of that step is of no use: whoever opens one now goes to the next. Of
 * many connections to a host that is gone one makes the step. */
void address_leave(struct address_turn *turn, unsigned step);

#endif
