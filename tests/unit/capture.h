/* Takes over stderr through a datagram socket: one write(2) is one datagram, so that a test sees
 * not only what was written but in how many pieces. */
#ifndef BOXOFFICE_TEST_CAPTURE_H
#define BOXOFFICE_TEST_CAPTURE_H

#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "unit.h"

struct capture {
	int socket;
	int saved_stderr;
};

static inline void capture_begin(struct capture *capture)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	capture->saved_stderr = dup(STDERR_FILENO);
	assert_int_equal(dup2(pair[1], STDERR_FILENO), STDERR_FILENO);
	close(pair[1]);
	capture->socket = pair[0];
}

/* The next write, ended by '\0'; its length, or 0 when there was none. */
static inline size_t capture_next(const struct capture *capture, char *out, size_t size)
{
	ssize_t length = recv(capture->socket, out, size - 1, MSG_DONTWAIT);

	out[length > 0 ? length : 0] = '\0';
	return length > 0 ? (size_t)length : 0;
}

static inline void capture_end(struct capture *capture)
{
	dup2(capture->saved_stderr, STDERR_FILENO);
	close(capture->saved_stderr);
	close(capture->socket);
}

#endif
