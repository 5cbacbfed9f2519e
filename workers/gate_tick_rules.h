/* The rules of a tick: whose time is over, who is passed by, who is admitted. Pure. */
#ifndef BOXOFFICE_GATE_TICK_RULES_H
#define BOXOFFICE_GATE_TICK_RULES_H

#include "gate_world.h"

#define GATE_RECENT_S 300 /* the rate of admission is that of the last minutes */

/* How many may be admitted now, of any number that wait; 0 when paused or closed, and
 * while no seat is free.
 *
 * The smaller of max active - active and of what the window allows. A window of releases allows
 * limit - released. One of arrivals lets in so many that the arrivals come to the limit if people
 * go on to show up as they did lately, and never more than twice the limit. */
int64_t gate_allowance(const struct gate_tick *tick);

/* Admissions a minute, of count admissions since since_us (0: none): over a minute at least, so
 * that the first ones of a morning are no rush, rounded up. */
int64_t gate_rate(int64_t count, int64_t since_us, int64_t now_us);

/* One tick: ends the tickets whose time is over, then goes along the line: passes by whoever has
 * been silent for too long and admits the others, as far as the policy allows. Changes tickets and
 * counters. */
void gate_tick_decide(struct gate_tick *tick, int64_t now_us);

#endif
