#include "transaction.h"

enum statement {
	READ_BALANCE,
	LOCK_BALANCE,
	WRITE_BALANCE,
	WRITE_VERSION,
	INSERT_HISTORY,
	STATEMENT_COUNT,
};

/* All by primary key: one row each. */
static const char *const texts[] = {
	[READ_BALANCE] = "SELECT balance, version FROM bench_cash WHERE id = ?",
	[LOCK_BALANCE] = "SELECT balance, version FROM bench_cash WHERE id = ? FOR UPDATE",
	[WRITE_BALANCE] = "UPDATE bench_cash SET balance = ? WHERE id = ?",
	[WRITE_VERSION] = "UPDATE bench_cash SET balance = ?, version = version + 1"
			  " WHERE id = ? AND version = ?",
	[INSERT_HISTORY] = "INSERT INTO bench_history (id, cash_id, amount, balance_after,"
			   " created_at) VALUES (?, ?, ?, ?, NOW(6))",
};

enum err transaction_session_new(struct session **session, const struct conf *conf)
{
	return session_new(session, conf, texts, STATEMENT_COUNT);
}

struct found {
	int64_t balance, version;
};

static enum err read_balance(struct session *session, enum transaction_way way, int64_t id,
			     struct found *found)
{
	return session_fetch(
		session, way == TRANSACTION_LOCK ? LOCK_BALANCE : READ_BALANCE,
		(MYSQL_BIND[]){session_int(&id)},
		(MYSQL_BIND[]){session_int(&found->balance), session_int(&found->version)},
		ERR_DB_DATA);
}

static enum err write_balance(struct session *session, enum transaction_way way, int64_t id,
			      struct found *found)
{
	enum statement which = way == TRANSACTION_VERSION ? WRITE_VERSION : WRITE_BALANCE;
	enum err err =
		session_execute(session, which,
				(MYSQL_BIND[]){session_int(&found->balance), session_int(&id),
					       session_int(&found->version)});

	if (err)
		return err;
	return session_affected(session, which) == 1 ? ERR_OK : ERR_DB_CONFLICT;
}

static enum err insert_history(struct session *session, struct operation operation, int64_t after)
{
	return session_execute(
		session, INSERT_HISTORY,
		(MYSQL_BIND[]){session_bytes(operation.id.bytes, sizeof operation.id.bytes),
			       session_int(&operation.balance), session_int(&operation.amount),
			       session_int(&after)});
}

enum err transaction_apply(struct session *session, enum transaction_way way,
			   const struct operation *operation)
{
	struct found found = {0};
	enum err err = read_balance(session, way, operation->balance, &found);

	if (!err && found.balance + operation->amount < 0)
		err = ERR_INSUFFICIENT_BALANCE;
	found.balance += operation->amount;
	if (!err)
		err = write_balance(session, way, operation->balance, &found);
	if (!err)
		err = insert_history(session, *operation, found.balance);
	if (!err)
		err = session_commit(session);
	if (err) {
		enum err undone = session_roll_back(session);

		return undone ? undone : err;
	}
	return ERR_OK;
}
