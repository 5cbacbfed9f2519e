/* Idempotency keys. */
#include "key.h"

#include <string.h>

#define TIMESTAMP_BYTES 6

static bool is_time_ordered(const char *key, struct id *id)
{
	return id_parse(key, strlen(key), id) && id->bytes[6] >> 4 == 7 && id->bytes[8] >> 6 == 2;
}

struct id key_to_job_id(const char *user, const char *call, const char *key)
{
	struct id id = id_from_parts((const char *const[]){user, call, key}, 3);
	struct id ordered;

	if (is_time_ordered(key, &ordered)) {
		memcpy(id.bytes, ordered.bytes, TIMESTAMP_BYTES);
		id.bytes[6] = (uint8_t)(0x80 | (id.bytes[6] & 0x0f));
	}
	return id;
}
