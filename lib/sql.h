/* Pieces of SQL that statements are put together from, and the form of their one parameter.
 *
 * A statement takes all its input as one JSON array of flat objects, which JSON_TABLE turns into
 * rows of a table named d; a column has the name of its member. MySQL and MariaDB both know
 * JSON_TABLE (MySQL 8.0 manual, section 12.17.6; MariaDB 10.6 and later). */
#ifndef BOXOFFICE_SQL_H
#define BOXOFFICE_SQL_H

#define SQL_ROWS(columns) "JSON_TABLE(?, '$[*]' COLUMNS (" columns ")) d"
#define SQL_COLUMN(name, type) name " " type " PATH '$." name "'"

/* The commonest: numbers of rows. */
#define SQL_IDS SQL_ROWS(SQL_COLUMN("id", "BIGINT"))

/* The same for a statement that ends in FOR UPDATE: MySQL 9.7 refuses to prepare that over a
 * JSON_TABLE ("Table d appears in multiple locking clauses"), and MariaDB knows no FOR UPDATE OF.
 * Both merge the SELECT into the statement around it. */
#define SQL_ROWS_TO_LOCK_BY(columns) "(SELECT d.* FROM " SQL_ROWS(columns) ") d"
#define SQL_IDS_TO_LOCK_BY SQL_ROWS_TO_LOCK_BY(SQL_COLUMN("id", "BIGINT"))

/* A member of the first object. MySQL guesses the type of a bare parameter, which its JSON_VALUE
 * then refuses. */
#define SQL_TEXT(member) "JSON_VALUE(CAST(? AS CHAR), '$[0]." member "')"
#define SQL_NUMBER(member) "CAST(" SQL_TEXT(member) " AS SIGNED)"

/* Microseconds since 1970 as a DATETIME(6), which holds UTC here; and back. */
#define SQL_TIME(us) "TIMESTAMP'1970-01-01 00:00:00' + INTERVAL " us " MICROSECOND"
#define SQL_US(time) "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', " time ")"

#endif
