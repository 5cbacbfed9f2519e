/* Bearer tokens of a login service that is not ours: JSON Web Tokens (RFC 7519, RFC 6750) that say
 * who calls. HS256 with a shared secret, RS256 or ES256 with a public key; nothing else. */
#ifndef BOXOFFICE_BEARER_H
#define BOXOFFICE_BEARER_H

#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "id.h"

struct bearer; /* opaque */

/* Reads the keys that conf names, which is borrowed. bearer is NULL when it names none: then nobody
 * is asked for a token. ERR_CONF, with the reason in the log: a file that cannot be read, a secret
 * of fewer than 32 bytes, no PEM, or no issuer or audience. Returns owned: bearer_free(). */
MUST_CHECK enum err bearer_new(struct bearer **bearer, const struct conf *conf);
void bearer_free(struct bearer *bearer);

/* Whose token an Authorization header carries. ERR_BEARER_MISSING for none (NULL, or another
 * scheme); ERR_BEARER_INVALID unless algorithm, signature, issuer, audience and life (exp, and nbf
 * where it is said; now_s in seconds since 1970) are right and sub is a UUID. */
MUST_CHECK enum err bearer_verify(const struct bearer *bearer, const char *authorization,
				  int64_t now_s, struct id *user);

#endif
