/* Users whose number was looked up lately: who charges once charges again, and the look-up is a
 * fifth of what a charge costs the database. A user's number never changes; that a user was deleted
 * is noticed when its time here is over. One thread's. */
#ifndef BOXOFFICE_KNOWN_USERS_H
#define BOXOFFICE_KNOWN_USERS_H

#include <stddef.h>
#include <stdint.h>

#include "id.h"

#define KNOWN_USERS_MAX 65536 /* 2 MiB */

struct known_user {
	struct id uuid;
	int64_t user_id; /* 0: the place is free */
	int64_t until_ms;
};

struct known_users {              /* zero-initialise */
	struct known_user *users; /* KNOWN_USERS_MAX, in sets of a few that share a hash */
	int64_t life_ms;          /* 0: nobody is remembered */
};

void known_users_fini(struct known_users *users);

/* The user's number; 0 when it is not known at now_ms. */
int64_t known_users_find(const struct known_users *users, const struct id *uuid, int64_t now_ms);

/* Remembers a user that is there and not deleted, in place of another one perhaps. Only what was
 * read before the transaction's own writes may be put: they may be rolled back. */
void known_users_put(struct known_users *users, const struct id *uuid, int64_t user_id,
		     int64_t now_ms);

#endif
