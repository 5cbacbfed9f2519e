/* use_cash USER COUNT AMOUNT PROCESSES
 *
 * Takes AMOUNT from a user's balance, COUNT times in all, from so many processes at once, each time
 * in a transaction of its own through the cash store: what a payment does to the balance. Settings
 * are a worker's. Prints how many times it was applied; a balance that does not cover the amount
 * is left alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cash_store.h"
#include "conf.h"
#include "log.h"

#define TRIES_MAX 10000

struct till {
	struct db_store store;
	struct ledger ledger;
	struct id user;
	int64_t user_id;
	int64_t amount;
};

/* No locks. user by user_uuid. */
static const struct db_query find_user = {
	"use-cash-find-user", "SELECT u.id FROM JSON_TABLE(?, '$[*]' COLUMNS (uuid CHAR(32) PATH"
			      " '$.uuid')) d STRAIGHT_JOIN user u ON u.uuid = UNHEX(d.uuid)"};

static enum err take_user_id(void *arg, const struct db_row *row)
{
	*(int64_t *)arg = db_row_int(row, 0);
	return ERR_OK;
}

static enum err open_till(struct till *till, const struct conf *conf)
{
	enum err err = db_new(&till->store.db, conf, 30);
	if (err)
		return err;
	rows_clear(&till->store.rows);
	rows_next(&till->store.rows);
	rows_id(&till->store.rows, "uuid", &till->user);
	err = db_store_select(&till->store, &find_user, take_user_id, &till->user_id);
	return !err && !till->user_id ? ERR_UNKNOWN_USER : err;
}

static void close_till(struct till *till)
{
	ledger_fini(&till->ledger);
	db_store_fini(&till->store);
	db_free(till->store.db);
}

/* Between begin and commit. */
static enum err use(struct till *till)
{
	ledger_clear(&till->ledger);
	struct account *account = ledger_account(&till->ledger, &till->user);
	account->user_id = till->user_id;
	enum err err = cash_store_lock(&till->store, &till->ledger);
	if (err)
		return err;
	if (account->balance < till->amount)
		return ERR_INSUFFICIENT_BALANCE;
	const struct id job = id_ordered();
	ledger_post(&till->ledger, account, &job, -till->amount, "use");
	return cash_store_write(&till->store, &till->ledger);
}

/* Once, however often it takes. A lost connection is no reason to try again here: whether the
 * commit happened is then unknown. */
static enum err use_once(struct till *till)
{
	enum err err = ERR_OK;
	for (int i = 0; i < TRIES_MAX; i++) {
		err = db_begin(till->store.db);
		if (!err)
			err = use(till);
		if (!err)
			err = db_commit(till->store.db);
		if (err)
			db_rollback(till->store.db);
		if (err != ERR_DB_CONFLICT && err != ERR_DB_DUPLICATE)
			return err;
	}
	return err;
}

/* One process: count times. Writes how often it was applied into the pipe. */
static int work(const struct conf *conf, const struct till *order, int64_t count, int pipe_fd)
{
	struct till till = *order;
	int64_t applied = 0;
	enum err err = open_till(&till, conf);
	for (int64_t i = 0; i < count && !err; i++) {
		err = use_once(&till);
		if (!err)
			applied++;
		else if (err == ERR_INSUFFICIENT_BALANCE)
			err = ERR_OK;
	}
	close_till(&till);
	if (err)
		log_error("use-cash-failed", LOG_ERR(err), LOG_I("applied", applied));
	bool is_told = write(pipe_fd, &applied, sizeof applied) == (ssize_t)sizeof applied;
	return err || !is_told ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Starts the processes, which share the count; the number that started. */
static int64_t start(const struct conf *conf, const struct till *order, int64_t count,
		     int64_t processes, int pipe_fd)
{
	for (int64_t i = 0; i < processes; i++) {
		int64_t share = count / processes + (i < count % processes);
		pid_t pid = fork();
		if (pid < 0)
			return i;
		if (pid == 0)
			_exit(work(conf, order, share, pipe_fd));
	}
	return processes;
}

static bool read_number(const char *text, int64_t most, int64_t *number)
{
	char *rest;
	*number = strtoll(text, &rest, 10);
	return *text && !*rest && *number >= 1 && *number <= most;
}

int main(int argc, char **argv)
{
	struct conf conf;
	struct till order = {0};
	int64_t count, processes;
	if (argc != 5 || !id_parse(argv[1], strlen(argv[1]), &order.user) ||
	    !read_number(argv[2], INT64_MAX, &count) ||
	    !read_number(argv[3], JOB_MAX_AMOUNT, &order.amount) ||
	    !read_number(argv[4], 64, &processes)) {
		fprintf(stderr, "usage: use_cash USER COUNT AMOUNT PROCESSES\n");
		return EXIT_FAILURE;
	}
	int ends[2];
	if (conf_load(&conf) || log_open("use-cash", conf.log_level) || pipe(ends))
		return EXIT_FAILURE;
	int64_t started = start(&conf, &order, count, processes, ends[1]);
	close(ends[1]);
	bool is_whole = started == processes;
	for (int status; wait(&status) > 0;)
		is_whole = is_whole && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
	int64_t total = 0;
	for (int64_t applied; read(ends[0], &applied, sizeof applied) == (ssize_t)sizeof applied;)
		total += applied;
	close(ends[0]);
	printf("%" PRId64 "\n", total);
	return is_whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
