#include "db_hosts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* At most five digits, nothing else. */
static bool read_port(const char *text, size_t length, unsigned *port)
{
	unsigned long number = 0;
	if (length == 0 || length > 5)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		number = number * 10 + (unsigned long)(text[i] - '0');
	}
	*port = (unsigned)number;
	return number >= 1 && number <= 65535;
}

/* Splits "host:port", "[address]:port" and what has no port. A bare address of IPv6 has colons of
 * its own, so more than one of them are no port's. */
static bool read_host(struct db_host *host, const char *entry, size_t length)
{
	const char *name = entry, *rest = entry + length;
	size_t name_length = length;
	if (length > 0 && entry[0] == '/') {
		host->port = 0;
	} else if (length > 0 && entry[0] == '[') {
		const char *end = memchr(entry, ']', length);
		if (!end)
			return false;
		name = entry + 1;
		name_length = (size_t)(end - name);
		rest = end + 1;
	} else {
		const char *colon = memchr(entry, ':', length);
		if (colon && !memchr(colon + 1, ':', (size_t)(entry + length - colon - 1))) {
			name_length = (size_t)(colon - entry);
			rest = colon;
		}
	}
	if (name_length == 0 || name_length >= sizeof host->name)
		return false;
	snprintf(host->name, sizeof host->name, "%.*s", (int)name_length, name);
	size_t rest_length = (size_t)(entry + length - rest);
	return rest_length == 0 ||
	       (rest[0] == ':' && read_port(rest + 1, rest_length - 1, &host->port));
}

enum err db_hosts_read(struct db_hosts *hosts, const char *text, unsigned port)
{
	hosts->count = 0;
	for (const char *at = text;; at++) {
		size_t length = strcspn(at, ",");
		if (hosts->count == DB_HOSTS_MAX)
			return ERR_CONF;
		struct db_host *host = &hosts->hosts[hosts->count++];
		host->port = port;
		if (!read_host(host, at, length))
			return ERR_CONF;
		at += length;
		if (!*at)
			return ERR_OK;
	}
}

bool db_hosts_have_socket(const struct db_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (hosts->hosts[i].port == 0)
			return true;
	return false;
}
