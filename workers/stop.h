/* Told to stop: TERM or INT. What is in hand is finished, then the process ends; a second signal
 * ends it at once. */
#ifndef BOXOFFICE_STOP_H
#define BOXOFFICE_STOP_H

#include <stdbool.h>

/* Takes the signals from here on, and ignores SIGPIPE. */
void stop_install(void);

/* True once a signal came. */
bool stop_is_wanted(void);

#endif
