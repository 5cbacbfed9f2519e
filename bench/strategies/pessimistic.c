/* 3. Pessimistic: SELECT … FOR UPDATE; the database lets the others wait. */
#include "crowd.h"

enum err arm_pessimistic(const struct order *order, struct arm_result *result)
{
	return crowd_run(order, NULL, TRANSACTION_LOCK, 0, result);
}
