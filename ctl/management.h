/* The broker's management API, as far as the command needs it: what queues hold. The only file of
 * ctl/ that knows curl.h. */
#ifndef BOXOFFICE_CTL_MANAGEMENT_H
#define BOXOFFICE_CTL_MANAGEMENT_H

#include "conf.h"
#include "err.h"
#include "text.h"

/* Appends what the API answers to GET /api/queues of our virtual host, a JSON array: with the
 * account and the virtual host of amqp_url, at management_url. Numbers are some seconds old.
 * ERR_CONF for a bad amqp_url, ERR_BROKER_GONE when the API does not answer or refuses. */
MUST_CHECK enum err management_queues(const struct conf *conf, struct text *out);

#endif
