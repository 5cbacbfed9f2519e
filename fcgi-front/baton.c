/* The baton: an abstract socket address (unix(7)), which one socket can have and no file stands
 * for. */
#include "baton.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct baton {
	const char *place;
	int fd; /* -1: it is not ours */
};

enum err baton_new(struct baton **baton, const char *place)
{
	struct baton *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	made->place = place;
	made->fd = -1;
	*baton = made;
	return ERR_OK;
}

void baton_free(struct baton *baton)
{
	if (baton == NULL)
		return;
	baton_drop(baton);
	free(baton);
}

/* Begins with a byte of zero: that is what makes it abstract. */
static socklen_t address_of(const char *place, struct sockaddr_un *address)
{
	size_t length = strnlen(place, sizeof address->sun_path - 1);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path + 1, place, length);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

bool baton_take(struct baton *baton)
{
	struct sockaddr_un address;
	socklen_t size = address_of(baton->place, &address);
	int fd;

	if (baton->fd >= 0)
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (bind(fd, (const struct sockaddr *)&address, size) != 0) {
		close(fd);
		return false;
	}
	baton->fd = fd;
	return true;
}

void baton_drop(struct baton *baton)
{
	if (baton->fd >= 0)
		close(baton->fd);
	baton->fd = -1;
}
