/* HTTP GET: the broker's management API, the site, metrics ports. The only file of ctl/ that knows
 * curl.h. */
#ifndef BOXOFFICE_CTL_FETCH_H
#define BOXOFFICE_CTL_FETCH_H

#include "err.h"
#include "text.h"

/* What amqp_url says of an account; the virtual host stays percent-encoded, with the stroke in
 * front of it. Zero-initialise; owned: fetch_account_fini(). */
struct fetch_account {
	char *user, *password, *vhost;
};

/* ERR_CONF for a bad URL, ERR_MEMORY; the account is to be ended all the same. */
MUST_CHECK enum err fetch_account_read(const char *amqp_url, struct fetch_account *account);
void fetch_account_fini(struct fetch_account *account);

/* Appends the body and sets the status; account NULL: nobody in particular. ERR_BROKER_GONE when
 * nobody answers within 10 s, ERR_MEMORY. */
MUST_CHECK enum err fetch_get(const char *url, const struct fetch_account *account,
			      struct text *out, long *status);

#endif
