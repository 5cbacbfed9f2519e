/* The database servers of the setting mysql_host: a list, commas between, of which one at a time
 * takes writes.
 *
 *     db1,db2:3307,[::1]:3306,/run/mysqld/mysqld.sock */
#ifndef BOXOFFICE_DB_HOSTS_H
#define BOXOFFICE_DB_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define DB_HOSTS_MAX 8

struct db_host {
	char name[256]; /* a host, an address, or a unix socket's path */
	unsigned port;  /* 0: name is a socket */
};

struct db_hosts {
	struct db_host hosts[DB_HOSTS_MAX];
	size_t count; /* 1 or more */
};

/* Reads such a list; an entry without a port gets this one. ERR_CONF, hosts then being undefined,
 * for an entry that is empty, too long or has no number from 1 to 65535 as its port, and for more
 * than DB_HOSTS_MAX of them. */
MUST_CHECK enum err db_hosts_read(struct db_hosts *hosts, const char *text, unsigned port);

/* Any of them a socket? */
bool db_hosts_have_socket(const struct db_hosts *hosts);

#endif
