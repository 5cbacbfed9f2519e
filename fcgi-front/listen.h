/* The socket at which the web server finds a front: a unix(7) stream socket with a path. */
#ifndef BOXOFFICE_LISTEN_H
#define BOXOFFICE_LISTEN_H

#include "err.h"

/* Listens at path, which anybody may connect to; a socket there that nobody answers on any more
 * makes way, and nothing else does. ERR_CONF: the path is too long or taken; ERR_SYSTEM. Returns a
 * non-blocking descriptor, owned: close(), and the path is the caller's to unlink(). */
MUST_CHECK enum err listen_on(const char *path, int *listen_fd);

#endif
