/* A URL that names several hosts, and the way round them. */
#include "address.h"

#include <stdio.h>
#include <string.h>

/* A URL in three parts. */
struct parts {
	size_t before; /* bytes of scheme and account */
	const char *hosts;
	size_t length; /* of the hosts */
};

/* What is no URL is all host. */
static struct parts split(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *start = scheme ? scheme + 3 : url;
	size_t length = scheme ? strcspn(start, "/?#") : strlen(url);

	for (size_t i = length; i > 0 && scheme; i--) {
		if (start[i - 1] == '@') {
			start += i;
			length -= i;
			break;
		}
	}
	return (struct parts){(size_t)(start - url), start, length};
}

unsigned address_count(const char *url)
{
	const struct parts parts = split(url);
	unsigned count = 1;

	for (size_t i = 0; i < parts.length && parts.before > 0; i++)
		count += parts.hosts[i] == ',';
	return count;
}

enum err address_pick(const char *url, unsigned index, char *out, size_t size)
{
	const struct parts parts = split(url);
	const char *end = parts.hosts + parts.length;
	const char *host = parts.hosts;
	size_t length = parts.length;
	int written;

	if (address_count(url) > 1) {
		for (; index > 0; index--)
			host += strcspn(host, ",") + 1;
		length = strcspn(host, ",");
		if (length > (size_t)(end - host))
			length = (size_t)(end - host);
		if (length == 0)
			return ERR_CONF;
	}
	written = snprintf(out, size, "%.*s%.*s%s", (int)parts.before, url, (int)length, host, end);
	return written >= 0 && (size_t)written < size ? ERR_OK : ERR_CONF;
}

unsigned address_now(struct address_turn *turn, unsigned first, unsigned count, unsigned *step)
{
	*step = atomic_load(&turn->step);
	return (first % count + *step % count) % count;
}

void address_leave(struct address_turn *turn, unsigned step)
{
	atomic_compare_exchange_strong(&turn->step, &step, step + 1);
}
