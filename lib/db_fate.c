#include "db_fate.h"

#include "config.h"

#include <stddef.h>
#include <string.h>

#ifdef HAVE_MYSQL_H
#include <errmsg.h>
#include <mysqld_error.h>
#else
#include <mysql/errmsg.h>
#include <mysql/mysqld_error.h>
#endif

/* Numbers that one server's header lacks are written out. */
static const struct {
	unsigned number;
	enum err err;
} fates[] = {
	{CR_SERVER_GONE_ERROR, ERR_DB_GONE},
	{CR_SERVER_LOST, ERR_DB_GONE},
	{CR_CONN_HOST_ERROR, ERR_DB_GONE},
	{CR_CONNECTION_ERROR, ERR_DB_GONE},
	{CR_UNKNOWN_HOST, ERR_DB_GONE},
	{CR_SERVER_HANDSHAKE_ERR, ERR_DB_GONE},
	{CR_COMMANDS_OUT_OF_SYNC, ERR_DB_GONE},
	{CR_OUT_OF_MEMORY, ERR_DB_GONE},
	{ER_CON_COUNT_ERROR, ERR_DB_GONE},
	{ER_SERVER_SHUTDOWN, ERR_DB_GONE},
	{ER_NORMAL_SHUTDOWN, ERR_DB_GONE},
	{1927 /* MariaDB: the connection was killed */, ERR_DB_GONE},
	{4031 /* MySQL 8: disconnected for inactivity */, ERR_DB_GONE},
	/* The server takes no writes (any more): another one may, by the same name or the next. */
	{ER_OPTION_PREVENTS_STATEMENT, ERR_DB_GONE},
	{1836 /* MySQL: read-only mode */, ERR_DB_GONE},
	{ER_QUERY_INTERRUPTED, ERR_DB_CONFLICT},
	{1969 /* MariaDB: max_statement_time */, ERR_DB_CONFLICT},
	{3024 /* MySQL 8: max_execution_time */, ERR_DB_CONFLICT},
	{ER_LOCK_DEADLOCK, ERR_DB_CONFLICT},
	{ER_LOCK_WAIT_TIMEOUT, ERR_DB_CONFLICT},
	{1020 /* the row changed since it was read */, ERR_DB_CONFLICT},
	{3101 /* MySQL 8: group replication rolled back at the commit */, ERR_DB_CONFLICT},
	{3572 /* MySQL 8: NOWAIT found a lock */, ERR_DB_CONFLICT},
	{ER_DUP_ENTRY, ERR_DB_DUPLICATE},
	/* Values whose SQLSTATE is the general HY000. */
	{ER_NET_PACKET_TOO_LARGE, ERR_DB_DATA},
	{CR_NET_PACKET_TOO_LARGE, ERR_DB_DATA},
	{ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, ERR_DB_DATA},
	{WARN_DATA_TRUNCATED, ERR_DB_DATA},
	{3819 /* MySQL 8: a check is not kept */, ERR_DB_DATA},
	{4035 /* MariaDB, from here: JSON that cannot be read */, ERR_DB_DATA},
	{4036, ERR_DB_DATA},
	{4037, ERR_DB_DATA},
	{4038, ERR_DB_DATA},
	{4039, ERR_DB_DATA},
	{4040, ERR_DB_DATA},
	{4176 /* MariaDB, from here: a value that JSON_TABLE cannot turn */, ERR_DB_DATA},
	{4178, ERR_DB_DATA},
	{4179, ERR_DB_DATA},
};

enum err db_fate(unsigned number, const char *sqlstate)
{
	for (size_t i = 0; i < sizeof fates / sizeof *fates; i++)
		if (fates[i].number == number)
			return fates[i].err;
	/* 22: data exception; 23: integrity constraint violation. 08: connection exception. */
	if (strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0)
		return ERR_DB_DATA;
	return strncmp(sqlstate, "08", 2) == 0 ? ERR_DB_GONE : ERR_DB_REFUSED;
}
