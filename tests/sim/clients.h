/* Clients: fans, an importer and an operator. They send, do not get an answer, send again under the
 * same key, sometimes with other content; hold, cancel, pay in time and late. */
#ifndef BOXOFFICE_SIM_CLIENTS_H
#define BOXOFFICE_SIM_CLIENTS_H

#include <stddef.h>

#include "conf.h"
#include "exchange.h"
#include "job.h"

#define CLIENTS_MAX 8
#define SEATS_COUNT 5
#define SIM_HOLD_S 20 /* the setting hold_s */

/* Plants seats and the first policy; clients are nobody yet. conf is borrowed. */
void clients_start(const struct conf *conf, size_t clients);

/* One of them does something. */
void clients_step(void);

/* A reply came. */
void clients_hear(const struct message *message);

/* All jobs that were sent. */
size_t clients_sent_count(void);
const struct job *clients_sent(size_t nth);

#endif
