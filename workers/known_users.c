#include "known_users.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define SET_SIZE 8

void known_users_fini(struct known_users *users)
{
	free(users->users);
	*users = (struct known_users){0};
}

static struct known_user *set_of(const struct known_users *users, const struct id *uuid)
{
	size_t sets = KNOWN_USERS_MAX / SET_SIZE;
	return &users->users[(size_t)id_hash(uuid) % sets * SET_SIZE];
}

int64_t known_users_find(const struct known_users *users, const struct id *uuid, int64_t now_ms)
{
	if (!users->users)
		return 0;
	const struct known_user *set = set_of(users, uuid);
	for (size_t i = 0; i < SET_SIZE; i++)
		if (set[i].user_id && now_ms < set[i].until_ms && id_equal(&set[i].uuid, uuid))
			return set[i].user_id;
	return 0;
}

/* The user's own place in the set, else the one that ends first. */
static struct known_user *place_in(struct known_user *set, const struct id *uuid)
{
	struct known_user *place = set;
	for (size_t i = 0; i < SET_SIZE; i++) {
		if (id_equal(&set[i].uuid, uuid))
			return &set[i];
		if (set[i].until_ms < place->until_ms)
			place = &set[i];
	}
	return place;
}

void known_users_put(struct known_users *users, const struct id *uuid, int64_t user_id,
		     int64_t now_ms)
{
	if (!users->life_ms)
		return;
	if (!users->users) {
		users->users = mem_array(NULL, KNOWN_USERS_MAX, sizeof *users->users);
		memset(users->users, 0, KNOWN_USERS_MAX * sizeof *users->users);
	}
	*place_in(set_of(users, uuid), uuid) = (struct known_user){
		.uuid = *uuid, .user_id = user_id, .until_ms = now_ms + users->life_ms};
}
