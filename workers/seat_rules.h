/* The rules of seats: reserve, pay, cancel, refund, expire. Pure: no SQL, no AMQP, no clock. */
#ifndef BOXOFFICE_SEAT_RULES_H
#define BOXOFFICE_SEAT_RULES_H

#include "batch.h"
#include "conf.h"
#include "seat_world.h"

/* The policy that the settings give. */
struct hold_policy hold_policy_from(const struct conf *conf);

struct rules seat_rules(struct seat_world *world);

#endif
