/* Faults on purpose: named points in the code where a test makes a process die or misbehave.
 *
 * The setting `fault` is a comma-separated list of point:action[:count]; the action happens at
 * the count-th passage (default 1) of that point. Actions: kill (SIGKILL to oneself), stop
 * (SIGSTOP), on (fault_is_on() is true from then on). Without the setting a point costs one
 * comparison. */
#ifndef BOXOFFICE_FAULT_H
#define BOXOFFICE_FAULT_H

#include <stdbool.h>

#include "err.h"

/* Reads the setting. ERR_CONF when it cannot be understood. */
MUST_CHECK enum err fault_open(const char *setting);

/* A point that the program passes. */
void fault_point(const char *point);

/* True when the setting switches this fault on; asking is a passage too. */
bool fault_is_on(const char *point);

#endif
