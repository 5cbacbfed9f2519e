#include "publishers.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"

struct publisher {
	struct publishers *all;
	pthread_t thread;
	enum err err;
};

struct publishers {
	struct numbers numbers;
	publisher_fn *publish;
	void *arg;
	size_t count;
	struct publisher *each;
};

bool numbers_take(struct numbers *numbers, struct operation *operation)
{
	int64_t number = numbers->next++;
	int_least64_t none = 0;

	if (number >= order_total(numbers->order) || numbers->has_failed)
		return false;
	if (number == 0)
		atomic_compare_exchange_strong(&numbers->first_us, &none, clock_us());
	*operation = order_operation(numbers->order, number);
	return true;
}

static void *publisher_main(void *arg)
{
	struct publisher *publisher = arg;
	struct publishers *all = publisher->all;

	publisher->err = all->publish(all->arg, &all->numbers);
	if (publisher->err) {
		log_error("publisher-failed", LOG_ERR(publisher->err));
		all->numbers.has_failed = true;
	}
	return NULL;
}

struct publishers *publishers_start(const struct order *order, publisher_fn *publish, void *arg)
{
	struct publishers *made = mem_array(NULL, 1, sizeof *made);

	*made = (struct publishers){.numbers = {.order = order},
				    .publish = publish,
				    .arg = arg,
				    .count = (size_t)order->threads};
	made->each = mem_array(NULL, made->count, sizeof *made->each);
	for (size_t i = 0; i < made->count; i++) {
		made->each[i] = (struct publisher){.all = made};
		if (pthread_create(&made->each[i].thread, NULL, publisher_main, &made->each[i]))
			abort();
	}
	return made;
}

struct numbers *publishers_numbers(struct publishers *publishers)
{
	return &publishers->numbers;
}

enum err publishers_join(struct publishers *publishers)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < publishers->count; i++) {
		pthread_join(publishers->each[i].thread, NULL);
		if (!err)
			err = publishers->each[i].err;
	}
	free(publishers->each);
	free(publishers);
	return err;
}
