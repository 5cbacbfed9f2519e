/* The rules of the waiting room: who gets a ticket, who is admitted, whose time is over. Pure. */
#ifndef BOXOFFICE_GATE_RULES_H
#define BOXOFFICE_GATE_RULES_H

#include "batch.h"
#include "gate_world.h"

/* The rules for jobs (issue, leave, seen); the world is a struct gate_world. */
struct rules gate_rules(struct gate_world *world);

/* True when an admitted ticket is over at now_us: its time, or its time to show up. While its user
 * holds a seat it is not. */
bool gate_ticket_is_over(const struct gate_ticket *ticket, int64_t now_us);

/* Joining ends at the opening, to the microsecond: from then on numbers are live ones. */
void gate_draw_close_if_due(struct gate_draw *draw, int64_t last_ticket, int64_t now_us);

/* A ticket stops being what it is: LEFT, EXPIRED or ACTIVE. One that was in the line gets the next
 * number of the order in which tickets stop waiting. */
void gate_ticket_move(struct gate_state *state, struct gate_ticket *ticket, enum ticket_status to);

#endif
