/* The rules of accounts: register and charge. */
#include "worker_sample.h"

#include "account_rules.h"

static struct ledger ledger;
static struct batch_entry entries[8];
static size_t entry_count;

static int begin(void **state)
{
	(void)state;
	ledger = (struct ledger){0};
	entry_count = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	ledger_fini(&ledger);
	return 0;
}

/* A user that there is, as the store loads it. */
static struct account *add_user(int64_t user_id, int64_t balance)
{
	struct id uuid = user_of(user_id);
	struct account *account = ledger_account(&ledger, &uuid);
	account->user_id = user_id;
	account->exists = true;
	account->balance = balance;
	return account;
}

static struct account *account_of(int64_t user_id)
{
	struct id uuid = user_of(user_id);
	return ledger_find(&ledger, &uuid);
}

static const struct outcome *run(const struct job *job)
{
	struct rules rules = account_rules(&ledger);
	assert_true(entry_count < sizeof entries / sizeof *entries);
	struct batch_entry *entry = &entries[entry_count++];
	*entry = entry_of(job);
	rules.decide(rules.world, entry, NOW_US);
	rules.describe(rules.world, entry);
	return &entry->outcome;
}

static const struct outcome *sign_up(int64_t user_id, const char *name)
{
	struct job job = job_of(entry_count + 1, JOB_REGISTER);
	job.user = user_of(user_id);
	strcpy(job.name, name);
	return run(&job);
}

static const struct outcome *charge(int64_t user_id, int64_t amount)
{
	struct job job = job_of(entry_count + 1, JOB_CHARGE);
	job.user = user_of(user_id);
	job.amount = amount;
	strcpy(job.memo, "top-up");
	return run(&job);
}

static void a_new_user_is_registered(void **state)
{
	(void)state;
	const struct outcome *outcome = sign_up(1, "김");
	assert_int_equal(outcome->err, ERR_OK);
	assert_string_equal(outcome->data, "{\"userId\":\"aa000000-0000-0000-0000-000000000001\"}");
	assert_true(account_of(1)->exists);
	assert_string_equal(account_of(1)->registration->name, "김");
	assert_int_equal(ledger.posting_count, 0);
}

static void a_user_id_is_taken_once(void **state)
{
	(void)state;
	assert_int_equal(sign_up(1, "a")->err, ERR_OK);
	assert_int_equal(sign_up(1, "b")->err, ERR_USER_EXISTS);
	assert_string_equal(account_of(1)->registration->name, "a");
	add_user(2, 50);
	assert_int_equal(sign_up(2, "c")->err, ERR_USER_EXISTS);
	assert_null(account_of(2)->registration);
	assert_int_equal(account_of(2)->balance, 50);
}

static void a_charge_raises_the_balance_and_is_noted(void **state)
{
	(void)state;
	add_user(1, 50);
	const struct outcome *outcome = charge(1, 1000);
	assert_int_equal(outcome->err, ERR_OK);
	assert_string_equal(outcome->data, "{\"balance\":1050}");
	assert_int_equal(account_of(1)->balance, 1050);
	assert_true(account_of(1)->is_changed);
	assert_int_equal(ledger.posting_count, 1);
	assert_int_equal(ledger.postings[0].amount, 1000);
	assert_string_equal(ledger.postings[0].memo, "top-up");
	assert_true(id_equal(&ledger.postings[0].job, &entries[0].job.id));
}

static void each_charge_of_a_batch_tells_its_own_balance(void **state)
{
	(void)state;
	add_user(1, 0);
	charge(1, 1);
	charge(1, 2);
	charge(1, 3);
	assert_string_equal(entries[0].outcome.data, "{\"balance\":1}");
	assert_string_equal(entries[1].outcome.data, "{\"balance\":3}");
	assert_string_equal(entries[2].outcome.data, "{\"balance\":6}");
}

static void one_who_registers_in_the_batch_can_charge_in_it(void **state)
{
	(void)state;
	assert_int_equal(charge(1, 5)->err, ERR_UNKNOWN_USER);
	sign_up(1, "a");
	assert_string_equal(charge(1, 5)->data, "{\"balance\":5}");
}

static void an_unknown_user_is_refused(void **state)
{
	struct id uuid = user_of(2);
	(void)state;
	assert_int_equal(charge(1, 5)->err, ERR_UNKNOWN_USER);
	ledger_account(&ledger, &uuid); /* asked for, and not in the database */
	assert_int_equal(charge(2, 5)->err, ERR_UNKNOWN_USER);
	assert_string_equal(entries[1].outcome.data, "");
	assert_int_equal(ledger.posting_count, 0);
}

static void a_balance_reaches_its_limit_and_no_further(void **state)
{
	(void)state;
	add_user(1, JOB_MAX_BALANCE - 10);
	assert_int_equal(charge(1, 11)->err, ERR_BALANCE_LIMIT);
	assert_false(account_of(1)->is_changed);
	assert_string_equal(charge(1, 10)->data, "{\"balance\":9007199254740991}");
	assert_int_equal(charge(1, 1)->err, ERR_BALANCE_LIMIT);
	assert_int_equal(charge(1, JOB_MAX_AMOUNT)->err, ERR_BALANCE_LIMIT);
	assert_true(account_of(1)->balance == JOB_MAX_BALANCE);
	assert_int_equal(ledger.posting_count, 1);
}

static void jobs_of_other_queues_are_refused(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < JOB_KIND_COUNT; kind++) {
		struct job job = job_of(kind + 1, (enum job_kind)kind);
		if (job_kind_queues(job.kind) & (QUEUE_ACCOUNT | QUEUE_IMPORT))
			continue;
		assert_int_equal(run(&job)->err, ERR_BAD_KIND);
	}
}

/* Every charge is applied, none twice, whatever their order. */
static void a_balance_is_the_sum_of_its_postings(void **state)
{
	uint64_t seed = 42;
	int64_t sums[5] = {0};
	(void)state;
	for (int64_t user = 0; user < 5; user++)
		add_user(user, 0);
	for (int i = 0; i < 5000; i++) {
		entry_count = 0;
		charge((int64_t)chance(&seed, 5), (int64_t)chance(&seed, JOB_MAX_AMOUNT) + 1);
	}
	assert_int_equal(ledger.posting_count, 5000);
	for (size_t i = 0; i < ledger.posting_count; i++) {
		const struct posting *posting = &ledger.postings[i];
		sums[posting->account] += posting->amount;
		assert_true(posting->balance_after == sums[posting->account]);
	}
	for (int64_t user = 0; user < 5; user++)
		assert_true(account_of(user)->balance == sums[user]);
}

/* A charge of 500 by job 77 that user 1 has, as the store loads it. */
static struct charge *add_charge(int64_t amount)
{
	struct charge charge = {.id = 9, .job = id_of(77), .user = user_of(1), .amount = amount};
	ledger_add_charge(&ledger, &charge);
	return ledger_charge(&ledger, &charge.job);
}

static const struct outcome *take_back(uint64_t id, int64_t user_id, uint64_t charge_job)
{
	struct job job = job_of(id, JOB_REVERSE);
	job.user = user_of(user_id);
	job.charge = id_of(charge_job);
	return run(&job);
}

static void a_charge_is_taken_back_once(void **state)
{
	(void)state;
	add_user(1, 700);
	add_charge(500);
	const struct outcome *outcome = take_back(1, 1, 77);
	assert_int_equal(outcome->err, ERR_OK);
	assert_string_equal(outcome->data, "{\"balance\":200}");
	assert_int_equal(take_back(1, 1, 77)->err, ERR_OK);
	assert_int_equal(take_back(2, 1, 77)->err, ERR_ALREADY_REVERSED);
	assert_int_equal(ledger.posting_count, 1);
	assert_true(ledger.postings[0].amount == -500 && ledger.postings[0].reverses == 9);
	assert_string_equal(ledger.postings[0].memo, "reversal");
	assert_true(account_of(1)->balance == 200);
}

static void what_was_spent_is_not_taken_back(void **state)
{
	(void)state;
	add_user(1, 499);
	add_charge(500);
	assert_int_equal(take_back(1, 1, 77)->err, ERR_BALANCE_SPENT);
	account_of(1)->balance = 500;
	assert_int_equal(take_back(1, 1, 77)->err, ERR_OK);
	assert_true(account_of(1)->balance == 0);
}

static void what_is_no_charge_of_the_user_is_not_taken_back(void **state)
{
	(void)state;
	add_user(1, 5000);
	add_user(2, 5000);
	struct charge *charge = add_charge(500);
	assert_int_equal(take_back(1, 2, 77)->err, ERR_UNKNOWN_CHARGE);
	assert_int_equal(take_back(2, 1, 78)->err, ERR_UNKNOWN_CHARGE);
	assert_int_equal(take_back(3, 3, 77)->err, ERR_UNKNOWN_USER);
	charge->is_refund = true;
	assert_int_equal(take_back(4, 1, 77)->err, ERR_UNKNOWN_CHARGE);
	charge->is_refund = false;
	charge->amount = -500;
	assert_int_equal(take_back(5, 1, 77)->err, ERR_UNKNOWN_CHARGE);
	assert_int_equal(ledger.posting_count, 0);
}

static void a_deleted_users_charge_is_taken_back(void **state)
{
	(void)state;
	add_user(1, 500)->is_deleted = true;
	add_charge(500);
	assert_int_equal(take_back(1, 1, 77)->err, ERR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_user_is_registered),
		TEST(a_user_id_is_taken_once),
		TEST(a_charge_raises_the_balance_and_is_noted),
		TEST(each_charge_of_a_batch_tells_its_own_balance),
		TEST(one_who_registers_in_the_batch_can_charge_in_it),
		TEST(an_unknown_user_is_refused),
		TEST(a_balance_reaches_its_limit_and_no_further),
		TEST(jobs_of_other_queues_are_refused),
		TEST(a_balance_is_the_sum_of_its_postings),
		TEST(a_charge_is_taken_back_once),
		TEST(what_was_spent_is_not_taken_back),
		TEST(what_is_no_charge_of_the_user_is_not_taken_back),
		TEST(a_deleted_users_charge_is_taken_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
