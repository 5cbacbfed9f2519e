/* The tick: what everybody in line is told at once, by one broadcast a second. From it each client
 * works out its own place: PROTOCOL.md, "Push". Pure. */
#ifndef BOXOFFICE_TICK_H
#define BOXOFFICE_TICK_H

#include "snapshot.h"
#include "text.h"

/* Appends the JSON object. Its marks are pairs of a place and how many wait before it: of the first
 * of the line, the 2nd, 4th, 8th and so on, and of the first place behind the line. */
void tick_write(const struct snapshot *snapshot, struct text *out);

/* A number that differs when a tick of that snapshot would say something else but for its time. */
uint64_t tick_sum(const struct snapshot *snapshot);

#endif
