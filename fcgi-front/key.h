/* From an idempotency key to the id of its job. Pure. */
#ifndef BOXOFFICE_KEY_H
#define BOXOFFICE_KEY_H

#include "id.h"

/* The job id of a key, scoped to the user (id text, "" when the call has none) and the call ("POST
 * /payment"): UUIDv5 over the three.
 *
 * A key of UUIDv7 form (such as the front makes for requests without one, with id_ordered()) keeps
 * its time: the id is that key's 48 timestamp bits, then the bits of the UUIDv5, marked version 8
 * (RFC 9562 section 5.8). So ids of generated keys ascend, which the database inserts faster, and
 * a repeat with the key that we sent back meets its job. The key alone is never the id: another
 * user could send it too. */
struct id key_to_job_id(const char *user, const char *call, const char *key);

#endif
