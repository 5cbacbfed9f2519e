#include "pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "turn.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t returned;
	pool_free_fn *free_item;
	size_t free_count;
	void *free[];
};

enum err pool_new(struct pool **pool, size_t count, pool_make_fn *make, pool_free_fn *free_item,
		  const void *arg)
{
	struct pool *made = calloc(1, sizeof *made + count * sizeof made->free[0]);
	enum err err = made != NULL ? ERR_OK : ERR_MEMORY;

	if (made == NULL)
		return err;
	pthread_mutex_init(&made->lock, NULL);
	pthread_cond_init(&made->returned, NULL);
	made->free_item = free_item;
	while (err == ERR_OK && made->free_count < count) {
		err = make(&made->free[made->free_count], arg);
		made->free_count += err == ERR_OK;
	}
	if (err == ERR_OK)
		*pool = made;
	else
		pool_free(made);
	return err;
}

void pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	while (pool->free_count > 0)
		pool->free_item(pool->free[--pool->free_count]);
	pthread_cond_destroy(&pool->returned);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void *pool_take(struct pool *pool)
{
	void *item;

	(void)turn_yield();
	pthread_mutex_lock(&pool->lock);
	while (pool->free_count == 0)
		pthread_cond_wait(&pool->returned, &pool->lock);
	item = pool->free[--pool->free_count];
	pthread_mutex_unlock(&pool->lock);
	return item;
}

void pool_give_back(struct pool *pool, void *item)
{
	pthread_mutex_lock(&pool->lock);
	pool->free[pool->free_count++] = item;
	pthread_cond_signal(&pool->returned);
	pthread_mutex_unlock(&pool->lock);
}
