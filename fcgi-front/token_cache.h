/* Queue tokens that were verified lately: whoever waits sends the same one again and again, and a
 * signature costs more than all the rest of a poll. Thread-safe. A token that is found was signed
 * by us; its life is the caller's to check. */
#ifndef BOXOFFICE_TOKEN_CACHE_H
#define BOXOFFICE_TOKEN_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "token.h"

struct token_cache; /* opaque */

/* Room for so many tokens, rounded up to a power of two, some 450 bytes each once used. ERR_MEMORY.
 * Returns owned: token_cache_free(). */
MUST_CHECK enum err token_cache_new(struct token_cache **cache, size_t count);

/* NULL is fine. */
void token_cache_free(struct token_cache *cache);

/* True when this very text was put there. */
bool token_cache_find(struct token_cache *cache, const char *text, struct queue_token *token);

/* Remembers a token that was verified, in place of another one perhaps. */
void token_cache_put(struct token_cache *cache, const char *text, const struct queue_token *token);

#endif
