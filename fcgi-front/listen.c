#include "listen.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096

/* Makes way for our socket: removes one that nobody answers on, and nothing else. */
static enum err path_clear(const struct sockaddr_un *address)
{
	struct stat status;
	bool answered;
	int fd;

	if (lstat(address->sun_path, &status) != 0)
		return errno == ENOENT ? ERR_OK : ERR_CONF;
	if (!S_ISSOCK(status.st_mode))
		return ERR_CONF;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_SYSTEM;
	answered = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
	close(fd);
	if (answered)
		return ERR_CONF;
	return unlink(address->sun_path) == 0 ? ERR_OK : ERR_CONF;
}

enum err listen_on(const char *path, int *listen_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	enum err err;
	int fd;

	if (strlen(path) >= sizeof address.sun_path)
		return ERR_CONF;
	strcpy(address.sun_path, path);
	err = path_clear(&address);
	if (err != ERR_OK)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ERR_SYSTEM;
	/* The web server's workers run as another user. */
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    chmod(path, 0666) != 0 || listen(fd, BACKLOG) != 0) {
		close(fd);
		return ERR_CONF;
	}
	*listen_fd = fd;
	return ERR_OK;
}
