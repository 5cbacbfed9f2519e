/* Private redis servers on unix sockets in the run's folder, and their locks. */
#ifndef BOXOFFICE_BENCH_REDIS_H
#define BOXOFFICE_BENCH_REDIS_H

#include <sys/types.h>

#include <hiredis/hiredis.h>

#include "order.h"

#define REDIS_SERVERS_MAX 5
#define REDIS_LEASE_MS 10000 /* a lock whose holder died is free after so long */
#define REDIS_TOKEN_SIZE 33  /* a lock's random value */

struct redis {
	size_t count;
	pid_t pids[REDIS_SERVERS_MAX];
	char folder[64];
};

/* Starts so many servers and waits until they answer. On an error (logged) all are ended. */
MUST_CHECK enum err redis_open(struct redis *redis, const char *folder, size_t count);
void redis_close(struct redis *redis);

/* A connection to one of them. Returns owned: redisFree(). */
MUST_CHECK enum err redis_connect(const struct redis *redis, size_t server,
				  redisContext **connection);

/* Logs why a call failed. Always ERR_UNAVAILABLE. */
enum err redis_failed(const redisContext *connection, const char *doing);

/* SET NX PX: whether the lock was free and is ours now. */
MUST_CHECK enum err redis_lock(redisContext *connection, int64_t balance, const char *token,
			       bool *is_ours);

void redis_write_token(char token[static REDIS_TOKEN_SIZE]);

#endif
