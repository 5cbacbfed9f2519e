#include "ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

void ledger_fini(struct ledger *ledger)
{
	free(ledger->accounts);
	free(ledger->postings);
	free(ledger->charges);
	free(ledger->slots);
	*ledger = (struct ledger){0};
}

void ledger_clear(struct ledger *ledger)
{
	ledger->count = 0;
	ledger->posting_count = 0;
	ledger->charge_count = 0;
	if (ledger->slots)
		memset(ledger->slots, 0, ledger->slot_count * sizeof *ledger->slots);
}

static uint32_t *slot_of(const struct ledger *ledger, const struct id *uuid)
{
	size_t i = (size_t)id_hash(uuid) & (ledger->slot_count - 1);
	while (ledger->slots[i] && !id_equal(&ledger->accounts[ledger->slots[i] - 1].uuid, uuid))
		i = (i + 1) & (ledger->slot_count - 1);
	return &ledger->slots[i];
}

static void grow(struct ledger *ledger)
{
	ledger->capacity = ledger->capacity ? ledger->capacity * 2 : 64;
	ledger->accounts = mem_array(ledger->accounts, ledger->capacity, sizeof *ledger->accounts);
	ledger->slot_count = ledger->capacity * 2;
	ledger->slots = mem_array(ledger->slots, ledger->slot_count, sizeof *ledger->slots);
	memset(ledger->slots, 0, ledger->slot_count * sizeof *ledger->slots);
	for (size_t i = 0; i < ledger->count; i++)
		*slot_of(ledger, &ledger->accounts[i].uuid) = (uint32_t)i + 1;
}

struct account *ledger_account(struct ledger *ledger, const struct id *uuid)
{
	if (ledger->count == ledger->capacity)
		grow(ledger);
	uint32_t *slot = slot_of(ledger, uuid);
	if (!*slot) {
		ledger->accounts[ledger->count] = (struct account){.uuid = *uuid};
		*slot = (uint32_t)++ledger->count;
	}
	return &ledger->accounts[*slot - 1];
}

struct account *ledger_find(const struct ledger *ledger, const struct id *uuid)
{
	if (!ledger->count)
		return NULL;
	uint32_t slot = *slot_of(ledger, uuid);
	return slot ? &ledger->accounts[slot - 1] : NULL;
}

void ledger_post(struct ledger *ledger, struct account *account, const struct id *job,
		 int64_t amount, const char *memo)
{
	assert(amount != 0 && account->balance + amount >= 0);
	if (ledger->posting_count == ledger->posting_capacity) {
		ledger->posting_capacity =
			ledger->posting_capacity ? ledger->posting_capacity * 2 : 64;
		ledger->postings = mem_array(ledger->postings, ledger->posting_capacity,
					     sizeof *ledger->postings);
	}
	account->balance += amount;
	account->is_changed = true;
	struct posting *posting = &ledger->postings[ledger->posting_count++];
	posting->account = (size_t)(account - ledger->accounts);
	posting->job = *job;
	posting->amount = amount;
	posting->balance_after = account->balance;
	posting->reverses = 0;
	size_t length = strnlen(memo, sizeof posting->memo - 1);
	memcpy(posting->memo, memo, length);
	posting->memo[length] = '\0';
}

void ledger_add_charge(struct ledger *ledger, const struct charge *charge)
{
	ledger->charges =
		mem_array(ledger->charges, ledger->charge_count + 1, sizeof *ledger->charges);
	ledger->charges[ledger->charge_count++] = *charge;
}

struct charge *ledger_charge(const struct ledger *ledger, const struct id *job)
{
	for (size_t i = 0; i < ledger->charge_count; i++)
		if (id_equal(&ledger->charges[i].job, job))
			return &ledger->charges[i];
	return NULL;
}

void ledger_reverse(struct ledger *ledger, struct account *account, struct charge *charge,
		    const struct id *job, const char *memo)
{
	ledger_post(ledger, account, job, -charge->amount, memo);
	ledger->postings[ledger->posting_count - 1].reverses = charge->id;
	charge->is_reversed = true;
	charge->reversed_by = *job;
}

static int by_user_id(const void *a, const void *b, void *arg)
{
	const struct account *accounts = arg;
	int64_t left = accounts[*(const size_t *)a].user_id;
	int64_t right = accounts[*(const size_t *)b].user_id;
	return (left > right) - (left < right);
}

size_t *ledger_order(const struct ledger *ledger, size_t *count)
{
	size_t *order = mem_array(NULL, ledger->count + 1, sizeof *order);
	size_t n = 0;
	for (size_t i = 0; i < ledger->count; i++)
		if (ledger->accounts[i].user_id)
			order[n++] = i;
	qsort_r(order, n, sizeof *order, by_user_id, ledger->accounts);
	*count = n;
	return order;
}
