/* A run: one seed from beginning to rest. */
#ifndef BOXOFFICE_SIM_RUN_H
#define BOXOFFICE_SIM_RUN_H

#include <stdbool.h>

#include "kernel.h"

/* Runs it; false: kernel.failed says which invariant does not hold. */
bool run(const struct options *options);

#endif
