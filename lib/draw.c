#include "draw.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

static const char *const names[] = {"joining", "closed", "drawing", "drawn"};

const char *draw_state_name(enum draw_state state)
{
	return names[state];
}

enum draw_state draw_state_from(const char *name)
{
	unsigned state = DRAW_JOINING;

	while (state < DRAW_DRAWN && strcmp(names[state], name) != 0)
		state++;
	return (enum draw_state)state;
}

/* Fails only without memory or without SHA-256 in the library: nobody could go on. */
static void must(bool is_done)
{
	if (!is_done)
		abort();
}

static void put_ticket(uint8_t out[static 8], int64_t ticket)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)((uint64_t)ticket >> (56 - 8 * i));
}

void draw_commit(const uint8_t secret[static DRAW_DIGEST_SIZE],
		 uint8_t commitment[static DRAW_DIGEST_SIZE])
{
	digest_bytes(secret, DRAW_DIGEST_SIZE, commitment);
}

void draw_mask_user(const struct id *user, uint8_t mask[static DRAW_DIGEST_SIZE])
{
	digest_bytes(user->bytes, sizeof user->bytes, mask);
}

struct draw_roster {
	EVP_MD_CTX *context;
};

struct draw_roster *draw_roster_begin(void)
{
	struct draw_roster *roster = malloc(sizeof *roster);

	if (roster == NULL)
		return NULL;
	roster->context = EVP_MD_CTX_new();
	must(roster->context != NULL &&
	     EVP_DigestInit_ex(roster->context, digest_sha256(), NULL) == 1);
	return roster;
}

void draw_roster_add(struct draw_roster *roster, int64_t ticket, const struct id *user)
{
	uint8_t entry[8 + DRAW_DIGEST_SIZE];

	put_ticket(entry, ticket);
	draw_mask_user(user, entry + 8);
	must(EVP_DigestUpdate(roster->context, entry, sizeof entry) == 1);
}

void draw_roster_end(struct draw_roster *roster, uint8_t out[static DRAW_DIGEST_SIZE])
{
	must(EVP_DigestFinal_ex(roster->context, out, NULL) == 1);
	EVP_MD_CTX_free(roster->context);
	free(roster);
}

void draw_seed(const uint8_t secret[static DRAW_DIGEST_SIZE],
	       const uint8_t roster[static DRAW_DIGEST_SIZE], const char *public_value,
	       uint8_t seed[static DRAW_DIGEST_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	must(context != NULL && EVP_DigestInit_ex(context, digest_sha256(), NULL) == 1 &&
	     EVP_DigestUpdate(context, secret, DRAW_DIGEST_SIZE) == 1 &&
	     EVP_DigestUpdate(context, roster, DRAW_DIGEST_SIZE) == 1 &&
	     EVP_DigestUpdate(context, public_value, strlen(public_value)) == 1 &&
	     EVP_DigestFinal_ex(context, seed, NULL) == 1);
	EVP_MD_CTX_free(context);
}

struct lot {
	uint8_t key[DRAW_DIGEST_SIZE];
	size_t index;
};

static int by_key(const void *a, const void *b)
{
	return memcmp(((const struct lot *)a)->key, ((const struct lot *)b)->key, DRAW_DIGEST_SIZE);
}

enum err draw_order(const uint8_t seed[static DRAW_DIGEST_SIZE], int64_t first, size_t count,
		    int64_t *places)
{
	struct lot *lots = reallocarray(NULL, count ? count : 1, sizeof *lots);
	uint8_t text[DRAW_DIGEST_SIZE + 8];

	if (lots == NULL)
		return ERR_MEMORY;
	memcpy(text, seed, DRAW_DIGEST_SIZE);
	for (size_t i = 0; i < count; i++) {
		lots[i].index = i;
		put_ticket(text + DRAW_DIGEST_SIZE, first + (int64_t)i);
		digest_bytes(text, sizeof text, lots[i].key);
	}
	if (count > 0)
		qsort(lots, count, sizeof *lots, by_key);
	for (size_t i = 0; i < count; i++)
		places[lots[i].index] = first + (int64_t)i;
	free(lots);
	return ERR_OK;
}
