/* The inside of a connection, shared by the two files that speak to the client library, db.c and
 * db_insert.c. Included after config.h. */
#ifndef BOXOFFICE_DB_MYSQL_H
#define BOXOFFICE_DB_MYSQL_H

#ifdef HAVE_MYSQL_H
#include <mysql.h>
#else
#include <mysql/mysql.h>
#endif

#include "db.h"
#include "db_hosts.h"

#define MAX_COLUMNS 24
#define MAX_USES 2 /* of the parameter in one statement */
#define MAX_STATEMENTS 128

struct column {
	bool is_text;
	int64_t number;
	char *bytes; /* owned, only for text */
	unsigned long length;
	char is_null; /* my_bool of MariaDB, bool of MySQL 8: one byte in both */
};

struct db_row {
	struct column columns[MAX_COLUMNS];
	unsigned count;
};

struct statement {
	const struct db_query *query;
	size_t rows; /* that it inserts at once; else 1 */
	MYSQL_STMT *handle;
	struct db_row row;
};

struct db {
	const struct conf *conf;
	struct db_hosts hosts;
	unsigned io_timeout_s;
	MYSQL *mysql;               /* NULL when there is no connection */
	const struct db_host *host; /* of the connection */
	int64_t writable_us;        /* when its server last said that it takes writes */
	struct statement statements[MAX_STATEMENTS];
	size_t statement_count;
	bool in_transaction;
	bool was_lost; /* the connection before: the next one is a reconnect */
};

MUST_CHECK enum err db_ensure_connected(struct db *db);

/* The statement of a query for so many rows, if it is prepared. */
struct statement *db_find_statement(struct db *db, const struct db_query *query, size_t rows);
MUST_CHECK enum err db_prepare(struct db *db, const struct db_query *query, size_t rows,
			       const char *text, size_t length, struct statement **out);

/* Logs what failed and gives its fate. */
MUST_CHECK enum err db_failed_statement(struct db *db, struct statement *statement);

#endif
