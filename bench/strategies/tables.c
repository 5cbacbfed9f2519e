/* The tables of a run: balances with a version, and their history. */
#include "tables.h"

#include <inttypes.h>
#include <stdio.h>

#include "../session.h"
#define STATEMENT_SIZE 512

static const char *const drop[] = {"DROP TABLE IF EXISTS bench_history",
				   "DROP TABLE IF EXISTS bench_cash", NULL};
static const char *const make[] = {
	"CREATE TABLE bench_cash (id BIGINT NOT NULL PRIMARY KEY, balance BIGINT NOT NULL,"
	" version BIGINT NOT NULL DEFAULT 0) ENGINE=InnoDB",
	"CREATE TABLE bench_history (id BINARY(16) NOT NULL PRIMARY KEY, cash_id BIGINT NOT NULL,"
	" amount BIGINT NOT NULL, balance_after BIGINT NOT NULL, created_at DATETIME(6) NOT NULL,"
	" KEY bench_history_cash (cash_id)) ENGINE=InnoDB",
	NULL};

static enum err run_all(struct session *session, const char *const *statements)
{
	enum err err = ERR_OK;

	for (; *statements && !err; statements++)
		err = session_run(session, *statements);
	return err;
}

enum err tables_make(const struct order *order)
{
	char fill[STATEMENT_SIZE];
	struct session *session;
	enum err err = session_new(&session, &order->conf, NULL, 0);

	if (err)
		return err;
	snprintf(fill, sizeof fill,
		 "INSERT INTO bench_cash (id, balance) SELECT seq, %" PRId64
		 " FROM seq_1_to_%" PRId64,
		 order->opening, order->balances);
	err = run_all(session, drop);
	if (!err)
		err = run_all(session, make);
	if (!err)
		err = session_run(session, fill);
	session_free(session);
	return err;
}

enum err tables_drop(const struct conf *conf)
{
	struct session *session;
	enum err err = session_new(&session, conf, NULL, 0);

	if (err)
		return err;
	err = run_all(session, drop);
	session_free(session);
	return err;
}

enum err tables_check(const struct order *order, const struct arm_result *result, bool *is_right)
{
	char differing[STATEMENT_SIZE];
	struct session *session;
	int64_t rows = 0, wrong = 0;
	enum err err = session_new(&session, &order->conf, NULL, 0);

	if (err)
		return err;
	snprintf(
		differing, sizeof differing,
		"SELECT COUNT(*) FROM bench_cash c LEFT JOIN (SELECT cash_id, SUM(amount) AS amount"
		" FROM bench_history GROUP BY cash_id) h ON h.cash_id = c.id"
		" WHERE c.balance < 0 OR c.balance <> %" PRId64 " + COALESCE(h.amount, 0)",
		order->opening);
	err = session_number(session, "SELECT COUNT(*) FROM bench_history", &rows);
	if (!err)
		err = session_number(session, differing, &wrong);
	session_free(session);
	if (!err)
		*is_right = rows == result->applied && wrong == 0;
	return err;
}
