/* The gate's metrics: the line as the database has it. Every gate worker reads it for itself, so
 * that one that stands by tells the same as the one that ticks. */
#ifndef BOXOFFICE_GATE_METRICS_H
#define BOXOFFICE_GATE_METRICS_H

#include "gate_tick_store.h"

struct gate_metrics {      /* zero-initialise */
	int64_t read_us;   /* when the numbers were read last, by clock_us() */
	int64_t ticked_us; /* when this process itself ticked last */
};

/* Notes a tick that was done (ERR_OK), left to another one (ERR_TIMEOUT, ERR_DB_CONFLICT), or
 * failed; and reads the numbers when those of the last time are too old. */
void gate_metrics_note(struct gate_metrics *metrics, struct gate_tick_store *store, enum err err);

#endif
