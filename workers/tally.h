/* The tally: what a worker's metrics tell of its batches. Counted once a batch is committed, and
 * from what the rules decided: a batch that is rolled back and run again counts once. */
#ifndef BOXOFFICE_TALLY_H
#define BOXOFFICE_TALLY_H

#include <stdint.h>

#include "batch.h"
#include "intake.h"
#include "metrics.h"

/* What a committed batch did to holds. layer: of the expire jobs in it. */
void tally_holds(const struct batch *batch, enum metrics_layer layer);

/* What came: messages, how long they were under way, and how many jobs they make. now_ms: the time
 * of day, as in broker_delivery.sent_ms. */
void tally_intake(const struct intake *intake, int64_t now_ms);

/* What became of the jobs that came, and how many of them became dead letters. */
void tally_outcomes(const struct intake *intake);

#endif
