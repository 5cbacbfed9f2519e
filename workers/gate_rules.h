/* The rules of the waiting room: who gets a ticket, who is admitted, whose time is over. Pure. */
#ifndef BOXOFFICE_GATE_RULES_H
#define BOXOFFICE_GATE_RULES_H

#include "batch.h"
#include "gate_world.h"

/* The rules for jobs (issue); the world is a struct gate_world. */
struct rules gate_rules(struct gate_world *world);

/* How many may be admitted now: min(max active - active, window limit - admitted in the window),
 * never more than wait; a limit of 0 is none; nobody when paused or closed. */
int64_t gate_allowance(const struct gate_policy *policy, int64_t active, int64_t in_window,
		       int64_t waiting);

/* One tick: expires the admitted whose time is over and who hold no seat in time, then admits the
 * first of the line as far as the policy allows. Changes the world's tickets and counters. */
void gate_tick_decide(struct gate_tick *tick, int64_t now_us);

#endif
