/* 5. Publish and subscribe: a lock in redis, of one command; who does not get it subscribes to its
 * channel and tries again when its release is told there, or after a while: a message may have
 * been published between the attempt and the subscription, or its sender have died. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "crowd.h"
#include "redis.h"

#define WAIT_MS 1000

/* Deletes the lock only when it is still ours. */
#define RELEASE                                                                                    \
	"if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1])"                 \
	" redis.call('publish', KEYS[1], '') end return 0"

struct hand {
	redisContext *caller;
	redisContext *listener; /* a connection that subscribes can do nothing else */
	char script[41];        /* RELEASE by its digest */
	char token[REDIS_TOKEN_SIZE];
};

static void leave(void *arg)
{
	struct hand *hand = arg;

	if (hand->caller)
		redisFree(hand->caller);
	if (hand->listener)
		redisFree(hand->listener);
	free(hand);
}

static enum err load_script(struct hand *hand)
{
	redisReply *reply = redisCommand(hand->caller, "SCRIPT LOAD %s", RELEASE);

	if (!reply)
		return redis_failed(hand->caller, "SCRIPT LOAD");
	bool is_loaded = reply->type == REDIS_REPLY_STRING && reply->len == 40;
	if (is_loaded)
		memcpy(hand->script, reply->str, 41);
	freeReplyObject(reply);
	return is_loaded ? ERR_OK : redis_failed(hand->caller, "SCRIPT LOAD");
}

static enum err join(void *shared, void **out)
{
	struct hand *hand = calloc(1, sizeof *hand);

	if (!hand)
		return ERR_MEMORY;
	enum err err = redis_connect(shared, 0, &hand->caller);
	if (!err)
		err = redis_connect(shared, 0, &hand->listener);
	if (!err)
		err = load_script(hand);
	if (err)
		leave(hand);
	else
		*out = hand;
	return err;
}

/* Sends a command to the listener, whose answer comes among the messages. */
static enum err tell(struct hand *hand, const char *command, int64_t balance)
{
	int done = 0;

	if (redisAppendCommand(hand->listener, "%s lock:%" PRId64, command, balance))
		return redis_failed(hand->listener, command);
	while (!done)
		if (redisBufferWrite(hand->listener, &done))
			return redis_failed(hand->listener, command);
	return ERR_OK;
}

/* Waits for the next message of this kind (subscribe, message, unsubscribe), skipping others, or
 * until the deadline, when is_here is false. */
static enum err await(struct hand *hand, const char *kind, int64_t deadline_ms, bool *is_here)
{
	*is_here = false;
	for (;;) {
		void *got = NULL;
		if (redisGetReplyFromReader(hand->listener, &got))
			return redis_failed(hand->listener, kind);
		if (got) {
			const redisReply *reply = got;
			*is_here = reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
				   strcmp(reply->element[0]->str, kind) == 0;
			freeReplyObject(got);
			if (*is_here)
				return ERR_OK;
			continue;
		}
		struct pollfd input = {.fd = hand->listener->fd, .events = POLLIN};
		int64_t left_ms = deadline_ms - clock_ms();
		if (left_ms <= 0 || poll(&input, 1, (int)left_ms) == 0)
			return ERR_OK;
		if (redisBufferRead(hand->listener))
			return redis_failed(hand->listener, kind);
	}
}

/* Between the subscription and each wait it tries: what was released meanwhile is told nobody. */
static enum err take_subscribed(struct hand *hand, int64_t balance)
{
	bool is_ours = false, is_here;
	enum err err = await(hand, "subscribe", clock_ms() + WAIT_MS, &is_here);

	while (!err && !is_ours) {
		err = redis_lock(hand->caller, balance, hand->token, &is_ours);
		if (!err && !is_ours)
			err = await(hand, "message", clock_ms() + WAIT_MS, &is_here);
	}
	return err;
}

static enum err take(void *shared, void *arg, int64_t balance)
{
	struct hand *hand = arg;
	bool is_ours = false, is_here;

	(void)shared;
	redis_write_token(hand->token);
	enum err err = redis_lock(hand->caller, balance, hand->token, &is_ours);
	if (err || is_ours)
		return err;
	err = tell(hand, "SUBSCRIBE", balance);
	if (!err)
		err = take_subscribed(hand, balance);
	if (!err)
		err = tell(hand, "UNSUBSCRIBE", balance);
	return err ? err : await(hand, "unsubscribe", clock_ms() + WAIT_MS, &is_here);
}

/* A lock that cannot be released ends with its lease. */
static void give(void *shared, void *arg, int64_t balance)
{
	struct hand *hand = arg;
	redisReply *reply = redisCommand(hand->caller, "EVALSHA %s 1 lock:%" PRId64 " %s",
					 hand->script, balance, hand->token);

	(void)shared;
	if (reply)
		freeReplyObject(reply);
	else
		(void)redis_failed(hand->caller, "release");
}

enum err arm_pubsub(const struct order *order, struct arm_result *result)
{
	struct redis redis;
	const struct lock_way way = {
		.shared = &redis, .join = join, .leave = leave, .take = take, .give = give};
	enum err err = redis_open(&redis, order->scratch, 1);

	if (err)
		return err;
	err = crowd_run(order, &way, TRANSACTION_PLAIN, 0, result);
	redis_close(&redis);
	return err;
}
