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

/* The way to its files may lead through somebody's folder that is closed to others (a home is):
 * root keeps what takes it there, to read and nothing more. */
static enum err keep_the_way(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3] = {{0}};
	struct __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, &header, had) != 0)
		return failed("capget");
	kept[0].permitted = had[0].permitted & (1U << CAP_DAC_READ_SEARCH);
	kept[0].effective = kept[0].permitted;
	return syscall(SYS_capset, &header, kept) == 0 ? ERR_OK : failed("capset");
}

enum err privilege_drop(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed("PR_SET_NO_NEW_PRIVS");
	/* Others have none, and a system call filter may refuse even to ask. */
	return geteuid() == 0 ? keep_the_way() : ERR_OK;
}
