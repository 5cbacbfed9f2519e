/* The rules of seats over random batches on a database in memory, which loads and writes as the
 * real store does: whatever comes in whatever order, no seat is sold twice and no money is lost. */
#include "seat_sample.h"

#define SEATS 4
#define USERS 5
#define ROWS_MAX 4096
#define BATCHES 400
#define SEEDS 40

static struct hold holds[ROWS_MAX]; /* row id is index + 1 */
static size_t hold_count;
static struct payment payments[ROWS_MAX]; /* its hold: index of holds */
static size_t payment_count;
static struct ticket tickets[ROWS_MAX];
static size_t ticket_count;
static int64_t balances[USERS + 1];
static int64_t charged[USERS + 1];
static unsigned seen[ERR_COUNT];

static bool is_live(const struct hold *hold)
{
	return hold->status == HOLD_PENDING || hold->status == HOLD_PAID;
}

/* The newest ticket of a user. */
static struct ticket *newest_ticket(int64_t user_id)
{
	size_t i = ticket_count;
	while (i && tickets[i - 1].user_id != user_id)
		i--;
	return i ? &tickets[i - 1] : NULL;
}

static void admit(int64_t user_id)
{
	assert_true(ticket_count < ROWS_MAX);
	struct ticket *ticket = &tickets[ticket_count++];
	*ticket = (struct ticket){.id = (int64_t)ticket_count,
				  .user_id = user_id,
				  .user = user_of(user_id),
				  .status = TICKET_ACTIVE,
				  .admitted_us = now_us,
				  .expires_us = now_us + HOLD_US};
}

/* Loading, in the order of the store: live holds, holds of tickets, past holds, payments. */

static void load_seats(void)
{
	for (int64_t id = 1; id <= SEATS; id++)
		add_seat(id);
	for (size_t i = 0; i < hold_count; i++)
		if (is_live(&holds[i]))
			seat_world_add_hold(&world, &holds[i]);
}

static void load_tickets(void)
{
	for (size_t i = 0; i < ticket_count; i++) {
		struct ticket *ticket = seat_world_add_ticket(&world, tickets[i].id);
		*ticket = tickets[i];
		ticket->is_changed = false;
		ticket->hold = WORLD_NONE;
		for (size_t k = 0; k < hold_count; k++)
			if (holds[k].ticket_id == ticket->id && holds[k].status == HOLD_PENDING)
				ticket->hold = seat_world_add_hold(&world, &holds[k]);
	}
}

static void load_past_holds(void)
{
	for (int64_t seat = 1; seat <= SEATS; seat++) {
		for (int64_t user = 1; user <= USERS; user++) {
			size_t i = hold_count;
			while (i && (holds[i - 1].seat_id != seat || holds[i - 1].user_id != user))
				i--;
			if (i)
				seat_world_add_hold(&world, &holds[i - 1]);
		}
	}
}

static void load_payments(void)
{
	for (size_t i = 0; i < world.hold_count; i++)
		for (size_t k = 0; k < payment_count; k++)
			if (holds[payments[k].hold].id == world.holds[i].id) {
				struct payment *payment = seat_world_add_payment(&world, i);
				*payment = payments[k];
				payment->hold = i;
			}
}

static void load(void)
{
	seat_world_clear(&world);
	load_seats();
	load_tickets();
	load_past_holds();
	load_payments();
	for (int64_t user = 1; user <= USERS; user++)
		*account_of(user) = (struct account){.uuid = user_of(user),
						     .user_id = user,
						     .balance = balances[user],
						     .exists = true};
}

static bool seat_is_taken(int64_t seat)
{
	for (size_t i = 0; i < hold_count; i++)
		if (holds[i].seat_id == seat && is_live(&holds[i]))
			return true;
	return false;
}

/* Releases before inserts; the unique key and the guard on the status hold here too. */
static void write_holds(void)
{
	for (size_t i = 0; i < world.hold_count; i++) {
		const struct hold *hold = &world.holds[i];
		if (!hold->id || !hold->is_changed)
			continue;
		assert_int_equal(holds[hold->id - 1].status, HOLD_PENDING);
		holds[hold->id - 1].status = hold->status;
	}
	for (size_t i = 0; i < world.hold_count; i++) {
		struct hold *hold = &world.holds[i];
		if (hold->id)
			continue;
		assert_true(hold_count < ROWS_MAX);
		assert_false(is_live(hold) && seat_is_taken(hold->seat_id));
		hold->id = (int64_t)hold_count + 1;
		holds[hold_count] = *hold;
		holds[hold_count++].is_changed = false;
	}
}

static void write_all(void)
{
	write_holds();
	for (size_t i = 0; i < world.payment_count; i++) {
		if (world.payments[i].id)
			continue;
		payments[payment_count] = world.payments[i];
		payments[payment_count].hold = (size_t)world.holds[world.payments[i].hold].id - 1;
		payments[payment_count].id = (int64_t)payment_count + 1;
		payment_count++;
	}
	for (size_t i = 0; i < world.ticket_count; i++)
		tickets[i] = world.tickets[i];
	for (int64_t user = 1; user <= USERS; user++)
		balances[user] = account_of(user)->balance;
}

/* What must hold after every job, of the world, and after every batch, of the database. */
static void check_holds(const struct hold *of, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = i + 1; k < count; k++) {
			if (of[i].seat_id == of[k].seat_id)
				assert_false(is_live(&of[i]) && is_live(&of[k]));
			if (of[i].ticket_id == of[k].ticket_id && of[i].status == HOLD_PENDING &&
			    of[k].status == HOLD_PENDING)
				assert_false(now_us < of[i].expires_us &&
					     now_us < of[k].expires_us);
		}
	}
}

static void check_money(void)
{
	int64_t paid[USERS + 1] = {0};
	size_t paid_holds = 0;
	for (size_t i = 0; i < payment_count; i++) {
		const struct hold *hold = &holds[payments[i].hold];
		assert_int_equal(hold->status, HOLD_PAID);
		assert_int_equal(payments[i].amount, hold->price);
		assert_int_equal(tickets[hold->ticket_id - 1].status, TICKET_FINISHED);
		paid[hold->user_id] += payments[i].amount;
		for (size_t k = 0; k < i; k++)
			assert_true(payments[k].hold != payments[i].hold);
	}
	for (size_t i = 0; i < hold_count; i++)
		paid_holds += holds[i].status == HOLD_PAID;
	assert_int_equal(paid_holds, payment_count);
	for (int64_t user = 1; user <= USERS; user++) {
		assert_true(balances[user] >= 0);
		assert_int_equal(balances[user], charged[user] - paid[user]);
	}
}

static void do_something(uint64_t *seed)
{
	static const enum job_kind kinds[] = {JOB_RESERVE, JOB_RESERVE, JOB_PAY, JOB_CANCEL};
	const int64_t user = (int64_t)chance(seed, USERS) + 1;
	const int64_t seat = (int64_t)chance(seed, SEATS) + 1;
	const uint64_t dice = chance(seed, 10);
	enum err err;
	if (dice < 2 && world.hold_count) {
		const struct hold *hold = &world.holds[chance(seed, world.hold_count)];
		err = expire(hold->seat_id, hold->job);
	} else {
		const struct ticket *ticket = newest_ticket(user);
		/* Now and then another one's ticket, or an old one. */
		int64_t number = dice == 9 ? (int64_t)chance(seed, ticket_count) + 1 : ticket->id;
		err = run_ticket(kinds[chance(seed, 4)], user, number, seat);
	}
	seen[err]++;
	check_holds(world.holds, world.hold_count);
}

/* Between batches: time passes, money comes in, the gate lets people in again. */
static void let_time_pass(uint64_t *seed)
{
	static const int64_t steps_us[] = {0, 1, SECOND_US, HOLD_US - 1, HOLD_US / 3, HOLD_US};
	now_us += steps_us[chance(seed, 6)];
	const int64_t user = (int64_t)chance(seed, USERS) + 1;
	if (chance(seed, 3) == 0) {
		balances[user] += PRICE;
		charged[user] += PRICE;
	}
	for (int64_t i = 1; i <= USERS; i++) {
		struct ticket *ticket = newest_ticket(i);
		if (ticket->status == TICKET_FINISHED || now_us >= ticket->expires_us)
			if (chance(seed, 4) == 0)
				admit(i);
	}
	/* A refund puts a seat back on sale, else all would be sold soon. */
	if (chance(seed, 8) == 0 && payment_count) {
		const struct payment *last_one = &payments[--payment_count];
		struct hold *hold = &holds[last_one->hold];
		hold->status = HOLD_CANCELLED;
		charged[hold->user_id] -= last_one->amount;
	}
}

static void run_seed(uint64_t seed)
{
	hold_count = payment_count = ticket_count = 0;
	memset(balances, 0, sizeof balances);
	memset(charged, 0, sizeof charged);
	now_us = NOW_US;
	entry_count = 0;
	for (int64_t user = 1; user <= USERS; user++)
		admit(user);
	for (int i = 0; i < BATCHES; i++) {
		load();
		for (uint64_t jobs = chance(&seed, 12) + 1; jobs; jobs--)
			do_something(&seed);
		write_all();
		check_holds(holds, hold_count);
		check_money();
		let_time_pass(&seed);
	}
}

static void no_order_of_jobs_breaks_an_invariant(void **state)
{
	static const enum err all[] = {
		ERR_OK,           ERR_TOKEN_INVALID,       ERR_TOKEN_EXPIRED,   ERR_TOKEN_FINISHED,
		ERR_SEAT_HELD,    ERR_SEAT_SOLD,           ERR_ALREADY_HOLDING, ERR_NOT_HELD,
		ERR_HOLD_EXPIRED, ERR_INSUFFICIENT_BALANCE};
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed * 7919);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!seen[all[i]])
			fail_msg("chance never led to %s", err_code(all[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_order_of_jobs_breaks_an_invariant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
