/* Privileges: fronts and workers need none, whoever starts them. */
#ifndef BOXOFFICE_PRIVILEGE_H
#define BOXOFFICE_PRIVILEGE_H

#include "err.h"

/* Gives up, for this process and all that it starts, what only root may do: capabilities, and
 * getting them again by executing another program. What is left to root is its own files, and to
 * read (CAP_DAC_READ_SEARCH, where it had that). Before any thread is started. ERR_SYSTEM, with the
 * reason in the log. */
MUST_CHECK enum err privilege_drop(void);

#endif
