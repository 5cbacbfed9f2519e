/* Channels: what a front publishes to the nginx beside it, which sends it to all who listen. The
 * one module that knows libcurl. For one thread. */
#ifndef BOXOFFICE_CHANNELS_H
#define BOXOFFICE_CHANNELS_H

#include <stdbool.h>

#include "err.h"
#include "text.h"

#define CHANNELS_ID_SIZE                                                                           \
	64 /* of a message; "": none. It begins with nginx's second, which is ours */

struct channels; /* opaque */

/* socket: nginx's, where it takes messages. Does not connect yet. ERR_MEMORY, ERR_SYSTEM. Returns
 * owned: channels_free(). */
MUST_CHECK enum err channels_new(struct channels **channels, const char *socket);

/* NULL is fine. */
void channels_free(struct channels *channels);

/* Each waits for nginx, a second at most; false when it does not take it. name is a path ("/line").
 */

/* Publishes a message; id is nginx's for it. */
bool channels_publish(struct channels *channels, const char *name, const struct text *message,
		      char id[static CHANNELS_ID_SIZE]);

/* The id of the last message of a channel. */
bool channels_last(struct channels *channels, const char *name, char id[static CHANNELS_ID_SIZE]);

#endif
