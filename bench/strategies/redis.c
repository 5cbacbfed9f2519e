#include "redis.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "crowd.h"
#include "log.h"

#define START_MS 10000
#define START_PAUSE_US 10000
#define PATH_SIZE 108

static void socket_path(const struct redis *redis, size_t server, char path[static PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/redis-%zu.sock", redis->folder, server);
}

/* In the child. A lock is nothing that outlives the run: nothing is written to disk. */
static void become_server(const struct redis *redis, size_t server, pid_t parent)
{
	char path[PATH_SIZE];

	socket_path(redis, server, path);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path, "--save", "",
	       "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning", "--logfile",
	       "/dev/null", (char *)NULL);
	_exit(127);
}

enum err redis_failed(const redisContext *connection, const char *doing)
{
	log_error("redis-failed", LOG_S("doing", doing),
		  LOG_S("why", connection ? connection->errstr : "no memory"));
	return ERR_UNAVAILABLE;
}

static bool answers(const struct redis *redis, size_t server)
{
	char path[PATH_SIZE];

	socket_path(redis, server, path);
	redisContext *connection = redisConnectUnix(path);
	bool is_up = connection && !connection->err;
	if (connection)
		redisFree(connection);
	return is_up;
}

/* It stays to be waited for. */
static bool has_ended(pid_t pid)
{
	siginfo_t ended = {0};

	return waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) || ended.si_pid;
}

static enum err await(const struct redis *redis, size_t server)
{
	int64_t deadline_ms = clock_ms() + START_MS;

	while (!answers(redis, server)) {
		if (clock_ms() > deadline_ms || has_ended(redis->pids[server])) {
			log_error("no-redis-server", LOG_I("server", server));
			return ERR_UNAVAILABLE;
		}
		crowd_pause_us(START_PAUSE_US);
	}
	return ERR_OK;
}

enum err redis_open(struct redis *redis, const char *folder, size_t count)
{
	const pid_t parent = getpid();
	enum err err = ERR_OK;

	*redis = (struct redis){0};
	snprintf(redis->folder, sizeof redis->folder, "%s", folder);
	for (size_t i = 0; i < count && !err; i++) {
		pid_t pid = fork();
		if (pid == 0)
			become_server(redis, i, parent);
		if (pid < 0)
			err = ERR_SYSTEM;
		else
			redis->pids[redis->count++] = pid;
	}
	for (size_t i = 0; i < redis->count && !err; i++)
		err = await(redis, i);
	if (err)
		redis_close(redis);
	return err;
}

void redis_close(struct redis *redis)
{
	for (size_t i = 0; i < redis->count; i++) {
		char path[PATH_SIZE];

		kill(redis->pids[i], SIGTERM);
		waitpid(redis->pids[i], NULL, 0);
		socket_path(redis, i, path);
		unlink(path);
	}
	redis->count = 0;
}

enum err redis_connect(const struct redis *redis, size_t server, redisContext **connection)
{
	char path[PATH_SIZE];

	socket_path(redis, server, path);
	redisContext *made = redisConnectUnix(path);
	if (made && !made->err) {
		*connection = made;
		return ERR_OK;
	}
	enum err err = redis_failed(made, "connect");
	if (made)
		redisFree(made);
	return err;
}

enum err redis_lock(redisContext *connection, int64_t balance, const char *token, bool *is_ours)
{
	redisReply *reply = redisCommand(connection, "SET lock:%" PRId64 " %s NX PX %d", balance,
					 token, REDIS_LEASE_MS);

	if (!reply)
		return redis_failed(connection, "SET");
	*is_ours = reply->type == REDIS_REPLY_STATUS;
	freeReplyObject(reply);
	return ERR_OK;
}

void redis_write_token(char token[static REDIS_TOKEN_SIZE])
{
	const struct id id = id_random();

	id_format_hex(&id, token);
}
