/* A durable quorum queue of the run's own, and operations as its messages. */
#ifndef BOXOFFICE_BENCH_QUEUE_H
#define BOXOFFICE_BENCH_QUEUE_H

#include "order.h"

#define QUEUE_NAME "bench.strategies" /* of the queue, and of the exchange it is bound to */
#define QUEUE_MESSAGE_SIZE 96

/* Makes both, fresh; deletes both. */
MUST_CHECK enum err queue_make(const struct conf *conf);
MUST_CHECK enum err queue_delete(const struct conf *conf);

/* "BALANCE AMOUNT ID", and back. ERR_BAD_MESSAGE. */
void queue_write(const struct operation *operation, char body[static QUEUE_MESSAGE_SIZE]);
MUST_CHECK enum err queue_read(const char *body, size_t length, struct operation *operation);

#endif
