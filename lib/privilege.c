/* Privileges, after capabilities(7). */
#include "privilege.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "log.h"

static enum err failed(const char *doing)
{
	log_error("privileges-kept", LOG_S("doing", doing), LOG_S("why", strerror(errno)));
	return ERR_SYSTEM;
}

enum err privilege_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed("PR_SET_NO_NEW_PRIVS");
	/* Others have none, and a system call filter may refuse even to ask. */
	if (geteuid() == 0 && syscall(SYS_capset, &header, none) != 0)
		return failed("capset");
	return ERR_OK;
}
