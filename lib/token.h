/* Signed tokens: JSON Web Tokens (RFC 7519), HS256, with a key id for rotation. */
#ifndef BOXOFFICE_TOKEN_H
#define BOXOFFICE_TOKEN_H

#include <stdint.h>

#include "err.h"
#include "id.h"
#include "job.h"

#define TOKEN_TEXT_SIZE 512

struct token_keys; /* opaque */

/* What a queue token says: whose it is and which ticket. A waiting one needs no look-up at all. */
struct queue_token {
	struct id user;
	int64_t ticket;   /* ticket number */
	int64_t issued_s; /* seconds since 1970 */
	int64_t expires_s;
};

/* What a job handle says. */
struct job_handle {
	struct id job;
	struct id user;
	enum job_kind kind;
	int64_t content; /* job_content(): of several sendings under one key, which one this is */
	int64_t issued_s;
	int64_t expires_s;
};

/* Reads "kid:hex[,kid:hex…]": the first key signs, all verify. Keys of fewer than 32 bytes,
 * repeated kids and anything else malformed are ERR_CONF. Returns owned: token_keys_free(). */
MUST_CHECK enum err token_keys_new(struct token_keys **keys, const char *setting);
void token_keys_free(struct token_keys *keys);

/* Signs. ERR_MEMORY. */
MUST_CHECK enum err token_sign_queue(const struct token_keys *keys, const struct queue_token *token,
				     char text[static TOKEN_TEXT_SIZE]);
MUST_CHECK enum err token_sign_handle(const struct token_keys *keys,
				      const struct job_handle *handle,
				      char text[static TOKEN_TEXT_SIZE]);

/* Verifies signature, algorithm (HS256 alone), purpose and life. ERR_TOKEN_INVALID for whatever
 * is not ours, ERR_TOKEN_EXPIRED when now_s is past its life. A job handle is no queue token. */
MUST_CHECK enum err token_verify_queue(const struct token_keys *keys, const char *text,
				       int64_t now_s, struct queue_token *token);
MUST_CHECK enum err token_verify_handle(const struct token_keys *keys, const char *text,
					int64_t now_s, struct job_handle *handle);

#endif
