#include "inbox.h"

#include <stdlib.h>
#include <string.h>

static bool settles(const struct outcome *outcome)
{
	return outcome->err == ERR_OK || err_settles(outcome->err);
}

static void forget(struct batch *batch)
{
	for (size_t i = 0; i < batch->known_count; i++)
		free(batch->known[i].stored);
	batch->known_count = 0;
	memset(batch->slots, 0, batch->slot_count * sizeof *batch->slots);
}

/* The slot of an id, or the free one where it belongs. The table is never more than half full. */
static uint32_t *slot_of(const struct batch *batch, const struct id *id)
{
	size_t i = (size_t)id_hash(id) & (batch->slot_count - 1);
	while (batch->slots[i] && !id_equal(&batch->known[batch->slots[i] - 1].id, id))
		i = (i + 1) & (batch->slot_count - 1);
	return &batch->slots[i];
}

void inbox_open(struct batch *batch)
{
	forget(batch);
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];
		uint32_t *slot = slot_of(batch, &entry->job.id);
		if (!*slot) {
			batch->known[batch->known_count] =
				(struct known){.id = entry->job.id, .entry = BATCH_NONE};
			*slot = (uint32_t)++batch->known_count;
		}
		entry->known = *slot - 1;
		entry->is_decided = false;
		entry->starts_hold = entry->ends_hold = entry->settles_hold = false;
		entry->source = NULL;
		entry->subject = BATCH_NONE;
		entry->outcome.err = ERR_OK;
		entry->outcome.replayed = false;
		entry->outcome.data[0] = '\0';
		entry->outcome.why[0] = '\0';
	}
}

void inbox_put_stored(struct batch *batch, const struct id *id,
		      const uint8_t fingerprint[static FINGERPRINT_SIZE], int attempt,
		      const struct outcome *outcome)
{
	uint32_t slot = *slot_of(batch, id);
	if (!slot)
		return;
	struct known *known = &batch->known[slot - 1];
	if (!known->stored && !(known->stored = malloc(sizeof *known->stored)))
		abort();
	*known->stored = *outcome;
	memcpy(known->fingerprint, fingerprint, FINGERPRINT_SIZE);
	known->attempt = attempt;
	known->is_settled = true;
	known->is_stored = true;
}

static const struct outcome *outcome_of(const struct batch *batch, const struct known *known)
{
	if (known->entry != BATCH_NONE)
		return &batch->entries[known->entry].outcome;
	return known->stored;
}

/* A refusal is decided afresh for a higher attempt; a success is final. */
static bool is_new_attempt(const struct batch *batch, const struct known *known,
			   const struct job *job)
{
	return job->attempt > known->attempt && outcome_of(batch, known)->err != ERR_OK;
}

bool inbox_has_work(const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		const struct known *known = &batch->known[entry->known];
		if (!known->is_settled || is_new_attempt(batch, known, &entry->job))
			return true;
	}
	return false;
}

bool inbox_settle(struct batch *batch, struct batch_entry *entry)
{
	const struct known *known = &batch->known[entry->known];
	if (!known->is_settled)
		return false;
	if (memcmp(known->fingerprint, entry->fingerprint, FINGERPRINT_SIZE) != 0) {
		entry->outcome.err = ERR_KEY_REUSED;
		return true;
	}
	if (is_new_attempt(batch, known, &entry->job))
		return false;
	entry->source = outcome_of(batch, known);
	return true;
}

void inbox_note(struct batch *batch, size_t index)
{
	struct batch_entry *entry = &batch->entries[index];
	struct known *known = &batch->known[entry->known];
	entry->is_decided = true;
	if (!settles(&entry->outcome))
		return;
	known->entry = index;
	known->attempt = entry->job.attempt;
	known->is_settled = true;
	memcpy(known->fingerprint, entry->fingerprint, FINGERPRINT_SIZE);
}

void inbox_share(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];
		if (!entry->source)
			continue;
		entry->outcome = *entry->source;
		entry->outcome.replayed = true;
	}
}

bool inbox_must_store(const struct batch *batch, size_t index)
{
	const struct batch_entry *entry = &batch->entries[index];
	return entry->is_decided && job_kind_stores(entry->job.kind) &&
	       batch->known[entry->known].entry == index;
}
