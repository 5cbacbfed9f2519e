#include "order.h"

int64_t order_total(const struct order *order)
{
	return order->charges + order->uses;
}

struct operation order_operation(const struct order *order, int64_t number)
{
	bool has_uses = order->uses > 0;
	int64_t pair = has_uses ? number / 2 : number;
	int64_t amount = 1 + pair % ORDER_AMOUNT_MAX;

	return (struct operation){.balance = 1 + pair * 7919 % order->balances,
				  .amount = has_uses && number % 2 ? -amount : amount,
				  .id = id_ordered()};
}
