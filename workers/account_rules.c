#include "account_rules.h"

#include <inttypes.h>
#include <stdio.h>

static enum err register_user(struct ledger *world, const struct job *job)
{
	struct account *account = ledger_account(world, &job->user);
	if (account->exists)
		return ERR_USER_EXISTS;
	account->exists = true;
	account->registration = job;
	return ERR_OK;
}

static enum err charge(struct ledger *world, const struct job *job)
{
	struct account *account = ledger_find(world, &job->user);
	if (!account || !account->exists || account->is_deleted)
		return ERR_UNKNOWN_USER;
	if (account->balance > JOB_MAX_BALANCE - job->amount)
		return ERR_BALANCE_LIMIT;
	ledger_post(world, account, &job->id, job->amount, job->memo);
	return ERR_OK;
}

/* Takes a charge back, once. A deleted user's too: the money was not theirs. */
static enum err reverse(struct ledger *world, const struct job *job)
{
	struct account *account = ledger_find(world, &job->user);
	struct charge *charge = ledger_charge(world, &job->charge);
	if (!account || !account->exists)
		return ERR_UNKNOWN_USER;
	if (!charge || charge->amount <= 0 || charge->is_refund ||
	    !id_equal(&charge->user, &job->user))
		return ERR_UNKNOWN_CHARGE;
	if (charge->is_reversed)
		return id_equal(&charge->reversed_by, &job->id) ? ERR_OK : ERR_ALREADY_REVERSED;
	if (account->balance < charge->amount)
		return ERR_BALANCE_SPENT;
	ledger_reverse(world, account, charge, &job->id, job->memo[0] ? job->memo : "reversal");
	return ERR_OK;
}

static void write_balance(struct outcome *outcome, int64_t balance)
{
	snprintf(outcome->data, sizeof outcome->data, "{\"balance\":%" PRId64 "}", balance);
}

static void write_user_id(struct outcome *outcome, const struct id *user)
{
	char text[ID_TEXT_SIZE];
	id_format(user, text);
	snprintf(outcome->data, sizeof outcome->data, "{\"userId\":\"%s\"}", text);
}

/* The balance is told as of this charge: a later one of the same batch must not show in it. */
static void decide(void *world, struct batch_entry *entry, int64_t now_us)
{
	(void)now_us;
	struct outcome *outcome = &entry->outcome;
	switch (entry->job.kind) {
	case JOB_REGISTER:
		outcome->err = register_user(world, &entry->job);
		if (!outcome->err)
			write_user_id(outcome, &entry->job.user);
		break;
	case JOB_REVERSE:
		outcome->err = reverse(world, &entry->job);
		if (!outcome->err)
			write_balance(outcome, ledger_find(world, &entry->job.user)->balance);
		break;
	case JOB_CHARGE:
		outcome->err = charge(world, &entry->job);
		if (!outcome->err)
			write_balance(outcome, ledger_find(world, &entry->job.user)->balance);
		break;
	default:
		outcome->err = ERR_BAD_KIND;
	}
}

static void describe(void *world, struct batch_entry *entry)
{
	(void)world; /* decide() has said all: no answer of an account names a new row */
	(void)entry;
}

struct rules account_rules(struct ledger *world)
{
	return (struct rules){.world = world, .decide = decide, .describe = describe};
}
