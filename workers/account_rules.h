/* The rules of accounts: who exists, what a charge does, and its reversal. Pure: no SQL, no AMQP,
 * no clock. */
#ifndef BOXOFFICE_ACCOUNT_RULES_H
#define BOXOFFICE_ACCOUNT_RULES_H

#include "batch.h"
#include "ledger.h"

/* The world is a struct ledger that holds every user the batch names (exists says whether). */
struct rules account_rules(struct ledger *world);

#endif
