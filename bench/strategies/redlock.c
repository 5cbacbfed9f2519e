/* 6. Redlock: the lock in most of five redis servers, got within its validity; who does not get it
 * releases what he got and tries again after a random pause. All five are asked at once. */
#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "crowd.h"
#include "redis.h"

#define SERVERS 5
#define MAJORITY (SERVERS / 2 + 1)
/* The longest pause, its mean half of that. Shorter ones split the votes again and again: with 32
 * clients on two cores 1 ms on average gave about a quarter of what 20 ms do. */
#define PAUSE_US 40000
#define DRIFT_MS (REDIS_LEASE_MS / 100 + 2) /* of the servers' clocks */

/* Deletes the lock only when it is still ours. */
#define RELEASE                                                                                    \
	"if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"      \
	" return 0"

struct hand {
	redisContext *servers[SERVERS];
	char token[REDIS_TOKEN_SIZE];
};

static void leave(void *arg)
{
	struct hand *hand = arg;

	for (size_t i = 0; i < SERVERS; i++)
		if (hand->servers[i])
			redisFree(hand->servers[i]);
	free(hand);
}

static enum err join(void *arg, void **out)
{
	struct hand *hand = calloc(1, sizeof *hand);
	enum err err = ERR_OK;

	if (!hand)
		return ERR_MEMORY;
	for (size_t i = 0; i < SERVERS && !err; i++)
		err = redis_connect(arg, i, &hand->servers[i]);
	if (err)
		leave(hand);
	else
		*out = hand;
	return err;
}

/* Hands what was appended to the sockets of all servers before any answer is waited for. */
static enum err send_all(struct hand *hand)
{
	for (size_t i = 0; i < SERVERS; i++)
		for (int done = 0; !done;)
			if (redisBufferWrite(hand->servers[i], &done))
				return redis_failed(hand->servers[i], "send");
	return ERR_OK;
}

/* One answer of each; how many of them are a status: OK. */
static enum err count_granted(struct hand *hand, int *granted)
{
	*granted = 0;
	for (size_t i = 0; i < SERVERS; i++) {
		void *got = NULL;
		if (redisGetReply(hand->servers[i], &got))
			return redis_failed(hand->servers[i], "answer");
		const redisReply *reply = got;
		*granted += reply->type == REDIS_REPLY_STATUS;
		freeReplyObject(got);
	}
	return ERR_OK;
}

static enum err ask_all(struct hand *hand, int64_t balance, int *granted)
{
	for (size_t i = 0; i < SERVERS; i++)
		redisAppendCommand(hand->servers[i], "SET lock:%" PRId64 " %s NX PX %d", balance,
				   hand->token, REDIS_LEASE_MS);
	enum err err = send_all(hand);
	return err ? err : count_granted(hand, granted);
}

static enum err release_all(struct hand *hand, int64_t balance)
{
	int granted;

	for (size_t i = 0; i < SERVERS; i++)
		redisAppendCommand(hand->servers[i], "EVAL %s 1 lock:%" PRId64 " %s", RELEASE,
				   balance, hand->token);
	enum err err = send_all(hand);
	return err ? err : count_granted(hand, &granted);
}

static enum err take(void *shared, void *arg, int64_t balance)
{
	struct hand *hand = arg;

	(void)shared;
	for (;;) {
		int64_t begin_ms = clock_ms();
		int granted = 0;
		redis_write_token(hand->token);
		enum err err = ask_all(hand, balance, &granted);
		if (err)
			return err;
		if (granted >= MAJORITY && clock_ms() - begin_ms < REDIS_LEASE_MS - DRIFT_MS)
			return ERR_OK;
		err = release_all(hand, balance);
		if (err)
			return err;
		crowd_pause_us(crowd_random(PAUSE_US));
	}
}

/* A lock that cannot be released ends with its lease. */
static void give(void *shared, void *hand, int64_t balance)
{
	(void)shared;
	(void)!release_all(hand, balance);
}

enum err arm_redlock(const struct order *order, struct arm_result *result)
{
	struct redis redis;
	const struct lock_way way = {
		.shared = &redis, .join = join, .leave = leave, .take = take, .give = give};
	enum err err = redis_open(&redis, order->scratch, SERVERS);

	if (err)
		return err;
	err = crowd_run(order, &way, TRANSACTION_PLAIN, 0, result);
	redis_close(&redis);
	return err;
}
