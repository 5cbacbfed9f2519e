/* What must hold whatever goes wrong. State is looked at with every commit, since nothing else
 * changes it; messages when they are published and acknowledged; all of it again at rest. */
#ifndef BOXOFFICE_SIM_INVARIANTS_H
#define BOXOFFICE_SIM_INVARIANTS_H

#include "broker.h"
#include "conf.h"
#include "exchange.h"
#include "session.h"

/* conf is borrowed. */
void invariants_start(const struct conf *conf);

/* What a transaction is about to make of its rows, and what all is afterwards. */
void invariants_before_commit(const struct session *session);
void invariants_after_commit(void);

/* A worker publishes: a result must be what is committed. */
void invariants_check_publish(const struct broker_message *message);

/* A worker acknowledges: each job must have its outcome, and have been answered. */
void invariants_check_ack(const struct delivered *delivered);

/* A message came to a queue that nobody consumes: `dead`, or the one of holds. */
void invariants_note_arrival(const struct message *message);

/* One was refused there. */
void invariants_note_refusal(const struct message *message);

/* True when nothing is left that time or workers still have to do. */
bool invariants_are_at_rest(void);

/* At rest every job that was sent has one outcome. */
void invariants_check_rest(void);

#endif
