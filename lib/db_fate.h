/* What becomes of a statement that the database did not carry out. */
#ifndef BOXOFFICE_DB_FATE_H
#define BOXOFFICE_DB_FATE_H

#include "err.h"

/* Judges by the error's number and its SQLSTATE (five characters; MySQL 8.0 Error Message
 * Reference, MariaDB's list of error codes):
 *
 * ERR_DB_GONE       the connection is lost, and the transaction with it, or is of no use since the
 *                   server is read-only: connect and do it again.
 * ERR_DB_CONFLICT   a deadlock or lock wait: do it again.
 * ERR_DB_DUPLICATE  a unique key refused a row.
 * ERR_DB_DATA       a value's own fault: the job alone is guilty.
 * ERR_DB_REFUSED    everything else, known or not: the server's state, an account, a schema under
 *                   change. Waiting mends it, and no job is to blame, so none is lost. */
enum err db_fate(unsigned number, const char *sqlstate);

#endif
