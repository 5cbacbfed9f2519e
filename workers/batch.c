#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "inbox.h"
#include "mem.h"

void batch_init(struct batch *batch)
{
	*batch = (struct batch){0};
}

void batch_fini(struct batch *batch)
{
	batch_clear(batch);
	free(batch->entries);
	free(batch->known);
	free(batch->slots);
	*batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
	batch->count = 0;
	if (batch->slots)
		inbox_open(batch);
	batch->look_deep = batch->was_lost = false;
}

static void grow(struct batch *batch)
{
	batch->capacity = batch->capacity ? batch->capacity * 2 : 64;
	batch->entries = mem_array(batch->entries, batch->capacity, sizeof *batch->entries);
	batch->known = mem_array(batch->known, batch->capacity, sizeof *batch->known);
	batch->slot_count = batch->capacity * 2;
	batch->slots = mem_array(batch->slots, batch->slot_count, sizeof *batch->slots);
}

void batch_add(struct batch *batch, const struct job *job)
{
	if (batch->count == batch->capacity)
		grow(batch);
	struct batch_entry *entry = &batch->entries[batch->count++];
	entry->job = *job;
	job_fingerprint(job, entry->fingerprint);
}

static void decide_all(struct batch *batch, const struct rules *rules)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];
		if (inbox_settle(batch, entry))
			continue;
		rules->decide(rules->world, entry, batch->now_us);
		inbox_note(batch, i);
	}
}

static void describe_all(struct batch *batch, const struct rules *rules)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->entries[i].is_decided)
			rules->describe(rules->world, &batch->entries[i]);
}

/* The world is loaded and locked, then the clock is read, then the rules decide in the order of
 * arrival: a hold that ends while we wait for its lock has ended. */
static enum err work(struct batch *batch, const struct store *store, const struct rules *rules)
{
	enum err err = store->load(store->self, batch);
	if (!err)
		err = store->clock(store->self, &batch->now_us);
	if (err)
		return err;
	decide_all(batch, rules);
	err = store->write(store->self, batch);
	if (err)
		return err;
	describe_all(batch, rules);
	return store->save_outcomes(store->self, batch);
}

enum err batch_apply(struct batch *batch, const struct store *store, const struct rules *rules)
{
	inbox_open(batch);
	enum err err = store->begin(store->self);
	if (err)
		return err;
	err = store->find_outcomes(store->self, batch);
	if (!err && inbox_has_work(batch)) {
		err = work(batch, store, rules);
	} else if (!err) {
		err = store->clock(store->self, &batch->now_us);
		for (size_t i = 0; i < batch->count && !err; i++)
			(void)inbox_settle(batch, &batch->entries[i]);
	}
	fault_point("before-commit");
	if (!err)
		err = store->commit(store->self);
	if (err) {
		store->rollback(store->self);
		return err;
	}
	inbox_share(batch);
	return ERR_OK;
}
