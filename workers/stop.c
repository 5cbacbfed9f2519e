#include "stop.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signals;

static void on_stop(int signal_number)
{
	(void)signal_number;
	if (++stop_signals > 1)
		_exit(1);
}

void stop_install(void)
{
	struct sigaction stop = {.sa_handler = on_stop};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

bool stop_is_wanted(void)
{
	return stop_signals > 0;
}
