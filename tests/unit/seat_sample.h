/* A small concert for the tests of the rules of seats: seats 1 to 3 on sale, users 1 to 3 admitted
 * with tickets 11 to 13 and money. Each test runs between begin and end. */
#ifndef BOXOFFICE_TEST_SEAT_SAMPLE_H
#define BOXOFFICE_TEST_SEAT_SAMPLE_H

#include "worker_sample.h"

#include "seat_rules.h"

#define HOLD_US (300 * SECOND_US)
#define CAP_US (3600 * SECOND_US)
#define PRICE 1000
#define MONEY 2500 /* two seats, not three */
#define ENTRIES_MAX 16

static struct seat_world world;
static struct batch_entry entries[ENTRIES_MAX]; /* a ring: the last ones */
static size_t entry_count;
static int64_t now_us;

static inline struct seat *add_seat(int64_t id)
{
	struct seat *seat = seat_world_add_seat(&world, id);
	seat->price = PRICE;
	seat->is_active = true;
	seat->open_us = NOW_US + 86400 * SECOND_US;
	seat->close_us = NOW_US + 90000 * SECOND_US;
	seat->booking_start_us = NOW_US - 3600 * SECOND_US;
	seat->booking_end_us = NOW_US + 36000 * SECOND_US;
	snprintf(seat->number, sizeof seat->number, "%d", (int)id);
	strcpy(seat->concert_name, "가을 \"밤\"");
	return seat;
}

static inline struct ticket *add_ticket(int64_t id, int64_t user_id)
{
	struct ticket *ticket = seat_world_add_ticket(&world, id);
	ticket->user_id = user_id;
	ticket->user = user_of(user_id);
	ticket->status = TICKET_ACTIVE;
	ticket->admitted_us = NOW_US - 60 * SECOND_US;
	ticket->expires_us = NOW_US + 60 * SECOND_US;
	return ticket;
}

static inline struct account *account_of(int64_t user_id)
{
	struct id uuid = user_of(user_id);
	return ledger_account(&world.ledger, &uuid);
}

static inline int begin(void **state)
{
	(void)state;
	world = (struct seat_world){.policy = {.hold_us = HOLD_US, .cap_us = CAP_US}};
	now_us = NOW_US;
	entry_count = 0;
	for (int64_t i = 1; i <= 3; i++) {
		add_seat(i);
		add_ticket(i + 10, i);
		*account_of(i) = (struct account){
			.uuid = user_of(i), .user_id = i, .balance = MONEY, .exists = true};
	}
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	seat_world_fini(&world);
	return 0;
}

static inline struct ticket *ticket_of(int64_t user_id)
{
	return seat_world_ticket(&world, user_id + 10);
}

/* The seat's hold that is PENDING or PAID; NULL: it is free. */
static inline struct hold *hold_on(int64_t seat)
{
	return seat_world_live_hold(&world, seat_world_seat(&world, seat));
}

static inline struct batch_entry *last(void)
{
	return &entries[(entry_count - 1) % ENTRIES_MAX];
}

/* Decides one more job of the batch. */
static inline enum err run_job(const struct job *job)
{
	struct rules rules = seat_rules(&world);
	struct batch_entry *entry = &entries[entry_count++ % ENTRIES_MAX];
	*entry = entry_of(job);
	rules.decide(rules.world, entry, now_us);
	return entry->outcome.err;
}

static inline enum err run_ticket(enum job_kind kind, int64_t user_id, int64_t ticket, int64_t seat)
{
	struct job job = job_of(entry_count + 1000, kind);
	job.user = user_of(user_id);
	job.ticket = ticket;
	job.seat = seat;
	return run_job(&job);
}

static inline enum err run(enum job_kind kind, int64_t user_id, int64_t seat)
{
	return run_ticket(kind, user_id, user_id + 10, seat);
}

static inline enum err reserve(int64_t user_id, int64_t seat)
{
	return run(JOB_RESERVE, user_id, seat);
}

static inline enum err pay(int64_t user_id, int64_t seat)
{
	return run(JOB_PAY, user_id, seat);
}

static inline enum err cancel(int64_t user_id, int64_t seat)
{
	return run(JOB_CANCEL, user_id, seat);
}

/* The message of a hold's end. */
static inline enum err expire(int64_t seat, struct id hold)
{
	struct job job = job_of(entry_count + 1000, JOB_EXPIRE);
	job.seat = seat;
	job.hold = hold;
	return run_job(&job);
}

/* Numbers the new rows, as the store does when it has written them: holds from 501, payments
 * from 701. */
static inline void number_rows(void)
{
	for (size_t i = 0; i < world.hold_count; i++)
		if (!world.holds[i].id)
			world.holds[i].id = 501 + (int64_t)i;
	for (size_t i = 0; i < world.payment_count; i++)
		if (!world.payments[i].id)
			world.payments[i].id = 701 + (int64_t)i;
}

/* What the job answers once its batch is written. */
static inline const char *data_of(struct batch_entry *entry)
{
	struct rules rules = seat_rules(&world);
	number_rows();
	rules.describe(rules.world, entry);
	return entry->outcome.data;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
