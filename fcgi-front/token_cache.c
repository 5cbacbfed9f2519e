/* The cache: a table of one entry a slot, found by a hash of the text and compared in full. */
#include "token_cache.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#define LOCKS 64 /* a power of two; each is held for the copy of an entry */

struct entry {
	struct queue_token token;
	size_t length;
	char text[];
};

struct token_cache {
	pthread_mutex_t locks[LOCKS];
	size_t slot_count; /* a power of two */
	struct entry *slots[];
};

enum err token_cache_new(struct token_cache **cache, size_t count)
{
	size_t slot_count = LOCKS;
	struct token_cache *made;

	while (slot_count < count)
		slot_count *= 2;
	made = calloc(1, sizeof *made + slot_count * sizeof made->slots[0]);
	if (made == NULL)
		return ERR_MEMORY;
	made->slot_count = slot_count;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&made->locks[i], NULL);
	*cache = made;
	return ERR_OK;
}

void token_cache_free(struct token_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < cache->slot_count; i++)
		free(cache->slots[i]);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&cache->locks[i]);
	free(cache);
}

/* FNV-1a over the end of the text: a signature, so as good as chance. */
static size_t slot_of(const struct token_cache *cache, const char *text, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = length > 32 ? length - 32 : 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return (size_t)(hash ^ hash >> 32) & (cache->slot_count - 1);
}

bool token_cache_find(struct token_cache *cache, const char *text, struct queue_token *token)
{
	size_t length = strlen(text);
	size_t slot = slot_of(cache, text, length);
	pthread_mutex_t *lock = &cache->locks[slot & (LOCKS - 1)];
	const struct entry *entry;
	bool is_found;

	pthread_mutex_lock(lock);
	entry = cache->slots[slot];
	/* In a time that does not tell how much of a signature was right. */
	is_found = entry != NULL && entry->length == length &&
		   CRYPTO_memcmp(entry->text, text, length) == 0;
	if (is_found)
		*token = entry->token;
	pthread_mutex_unlock(lock);
	return is_found;
}

void token_cache_put(struct token_cache *cache, const char *text, const struct queue_token *token)
{
	size_t length = strlen(text);
	size_t slot = slot_of(cache, text, length);
	pthread_mutex_t *lock = &cache->locks[slot & (LOCKS - 1)];
	struct entry *fresh = malloc(sizeof *fresh + length);
	struct entry *old;

	if (fresh == NULL)
		return;
	fresh->token = *token;
	fresh->length = length;
	memcpy(fresh->text, text, length);
	pthread_mutex_lock(lock);
	old = cache->slots[slot];
	cache->slots[slot] = fresh;
	pthread_mutex_unlock(lock);
	free(old);
}
