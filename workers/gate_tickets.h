/* Rows of waiting_queue to and from struct gate_ticket, for batches of jobs and for ticks. */
#ifndef BOXOFFICE_GATE_TICKETS_H
#define BOXOFFICE_GATE_TICKETS_H

#include "db_store.h"
#include "gate_world.h"

/* Locks the tickets whose ids stand in the store's rows, ascending, reads them with the end of
 * their last holds, and hands each to take: gate_tickets_from_row(). */
MUST_CHECK enum err gate_tickets_lock(struct db_store *store, db_row_fn *take, void *arg);

struct gate_ticket gate_tickets_from_row(const struct db_row *row);

/* Writes those of count tickets that are changed, which the transaction has locked or which wait,
 * and inserts those that are new. ERR_DB_DUPLICATE: a user has another live ticket. */
MUST_CHECK enum err gate_tickets_write(struct db_store *store, const struct gate_ticket *tickets,
				       size_t count, int64_t now_us);

extern const struct db_query *const gate_tickets_queries[];

#endif
