/* The broker's management API, as far as the command needs it. */
#ifndef BOXOFFICE_CTL_MANAGEMENT_H
#define BOXOFFICE_CTL_MANAGEMENT_H

#include "conf.h"
#include "err.h"
#include "text.h"

/* Appends what the API answers to GET PATH ("/api/overview"): with the account of amqp_url, at the
 * first host of management_url that answers. ERR_CONF for a bad amqp_url or management_url,
 * ERR_BROKER_GONE when the API does not answer or refuses. */
MUST_CHECK enum err management_get(const struct conf *conf, const char *path, struct text *out);

/* The same for the queues of our virtual host, a JSON array: what they hold, their consumers,
 * arguments and members that are there. Numbers are some seconds old. */
MUST_CHECK enum err management_queues(const struct conf *conf, struct text *out);

#endif
