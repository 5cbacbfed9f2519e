/* The ledger in memory. */
#include "worker_sample.h"

#include <stdlib.h>

#include "ledger.h"

static struct ledger ledger;

static int begin(void **state)
{
	(void)state;
	ledger = (struct ledger){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	ledger_fini(&ledger);
	return 0;
}

static struct account *account_of(int64_t user_id)
{
	struct id uuid = user_of(user_id);
	return ledger_account(&ledger, &uuid);
}

static struct account *found(int64_t user_id)
{
	struct id uuid = user_of(user_id);
	return ledger_find(&ledger, &uuid);
}

static void post(int64_t user_id, uint64_t job, int64_t amount, const char *memo)
{
	struct id id = id_of(job);
	ledger_post(&ledger, found(user_id), &id, amount, memo);
}

static void an_account_is_made_once(void **state)
{
	(void)state;
	assert_null(found(1));
	struct account *account = account_of(1);
	assert_false(account->exists);
	assert_int_equal(account->balance, 0);
	account->balance = 7;
	assert_int_equal(account_of(1)->balance, 7);
	assert_int_equal(ledger.count, 1);
	assert_null(found(2));
	assert_int_equal(ledger.count, 1);
}

static void many_accounts_are_all_found(void **state)
{
	(void)state;
	for (int64_t user = 1; user <= 2000; user++)
		account_of(user)->user_id = user;
	assert_int_equal(ledger.count, 2000);
	for (int64_t user = 1; user <= 2000; user++)
		assert_int_equal(found(user)->user_id, user);
	assert_null(found(2001));
}

static void a_posting_moves_money_and_notes_it(void **state)
{
	(void)state;
	account_of(1);
	account_of(2);
	post(2, 5, 1000, "top-up");
	post(2, 6, -300, "");
	assert_int_equal(found(2)->balance, 700);
	assert_true(found(2)->is_changed);
	assert_false(found(1)->is_changed);
	assert_int_equal(ledger.posting_count, 2);
	const struct id job = id_of(6);
	const struct posting *last = &ledger.postings[1];
	assert_int_equal(last->account, 1);
	assert_true(id_equal(&last->job, &job));
	assert_int_equal(last->amount, -300);
	assert_int_equal(last->balance_after, 700);
	assert_string_equal(last->memo, "");
	assert_int_equal(ledger.postings[0].balance_after, 1000);
	assert_string_equal(ledger.postings[0].memo, "top-up");
}

static void the_longest_memo_is_kept_whole(void **state)
{
	char memo[JOB_MEMO_CHARS * 4 + 1] = "";
	(void)state;
	for (int i = 0; i < JOB_MEMO_CHARS; i++)
		strcat(memo, "😀");
	account_of(1);
	post(1, 1, 1, memo);
	assert_string_equal(ledger.postings[0].memo, memo);
}

static void many_postings_are_all_kept(void **state)
{
	(void)state;
	account_of(1);
	for (uint64_t i = 1; i <= 1000; i++)
		post(1, i, 2, "m");
	assert_int_equal(found(1)->balance, 2000);
	assert_int_equal(ledger.posting_count, 1000);
	assert_int_equal(ledger.postings[499].balance_after, 1000);
}

static void the_order_is_ascending_and_leaves_out_who_has_no_number(void **state)
{
	static const int64_t user_ids[] = {30, 0, 10, 20};
	size_t count = 0;
	(void)state;
	for (size_t i = 0; i < 4; i++)
		account_of((int64_t)i + 1)->user_id = user_ids[i];
	size_t *order = ledger_order(&ledger, &count);
	assert_int_equal(count, 3);
	assert_int_equal(order[0], 2);
	assert_int_equal(order[1], 3);
	assert_int_equal(order[2], 0);
	free(order);
}

static void the_order_of_nobody_is_empty(void **state)
{
	size_t count = 1;
	(void)state;
	free(ledger_order(&ledger, &count));
	assert_int_equal(count, 0);
}

static void a_cleared_ledger_knows_nobody(void **state)
{
	(void)state;
	account_of(1)->balance = 5;
	post(1, 1, 1, "");
	ledger_clear(&ledger);
	assert_null(found(1));
	assert_int_equal(ledger.posting_count, 0);
	account_of(2)->balance = 3;
	assert_null(found(1));
	assert_int_equal(account_of(1)->balance, 0);
	assert_int_equal(found(2)->balance, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_account_is_made_once),
		TEST(many_accounts_are_all_found),
		TEST(a_posting_moves_money_and_notes_it),
		TEST(the_longest_memo_is_kept_whole),
		TEST(many_postings_are_all_kept),
		TEST(the_order_is_ascending_and_leaves_out_who_has_no_number),
		TEST(the_order_of_nobody_is_empty),
		TEST(a_cleared_ledger_knows_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
