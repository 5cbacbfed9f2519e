/* 4. Optimistic: the write finds the version that was read, else all is done again after a random
 * pause that grows. */
#include "crowd.h"

#define PAUSE_US 500

enum err arm_optimistic(const struct order *order, struct arm_result *result)
{
	return crowd_run(order, NULL, TRANSACTION_VERSION, PAUSE_US, result);
}
