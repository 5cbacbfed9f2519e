/* Signs of life: request threads note whose calls count as one, and every few seconds all of them
 * go to the gate in one message. A poll costs no write of its own. */
#ifndef BOXOFFICE_SIGNS_H
#define BOXOFFICE_SIGNS_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "courier.h"
#include "err.h"

struct signs; /* opaque */

/* Starts the thread that passes them on, by the setting signs_ms. conf and courier are borrowed.
 * ERR_MEMORY, ERR_SYSTEM. Returns owned: signs_free(). */
MUST_CHECK enum err signs_new(struct signs **signs, const struct conf *conf,
			      struct courier *courier);

/* Ends the thread. NULL is fine. */
void signs_free(struct signs *signs);

/* A call for this ticket came; is_arrival: its first ones after it was admitted. What was passed on
 * a short time ago is not again. */
void signs_note(struct signs *signs, int64_t ticket, bool is_arrival);

#endif
