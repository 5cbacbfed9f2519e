#include "seat_rules.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct hold_policy hold_policy_from(const struct conf *conf)
{
	return (struct hold_policy){.hold_us = conf->hold_s * INT64_C(1000000),
				    .cap_us = conf->hold_cap_s * INT64_C(1000000)};
}

/* Everything a rule looks at, found once. */
struct scene {
	struct seat_world *world;
	struct batch_entry *entry;
	int64_t now_us;
	struct seat *seat;       /* NULL: there is no such seat, or it was taken off */
	struct ticket *ticket;   /* NULL: no such ticket, or another user's */
	struct hold *hold;       /* on the seat, PENDING or PAID; NULL: it is free */
	struct account *account; /* the payer's; NULL: not loaded */
};

static size_t index_of_hold(const struct scene *scene, const struct hold *hold)
{
	return (size_t)(hold - scene->world->holds);
}

static bool is_in_time(const struct scene *scene, const struct hold *hold)
{
	return hold->status == HOLD_PENDING && scene->now_us < hold->expires_us;
}

static bool is_mine(const struct scene *scene, const struct hold *hold)
{
	return scene->ticket && hold->user_id == scene->ticket->user_id;
}

static struct hold *hold_of_ticket(const struct scene *scene)
{
	size_t index = scene->ticket->hold;
	return index == WORLD_NONE ? NULL : &scene->world->holds[index];
}

static void change_hold(struct hold *hold, enum hold_status status)
{
	hold->status = status;
	hold->is_changed = true;
}

/* A hold whose time is over ends here, whichever job comes across it first. */
static void release_if_overdue(struct scene *scene)
{
	struct hold *hold = scene->hold;
	if (!hold || hold->status != HOLD_PENDING || is_in_time(scene, hold))
		return;
	change_hold(hold, HOLD_EXPIRED);
	scene->entry->ends_hold = true;
	scene->hold = NULL;
}

/* May the ticket act? */
static enum err check_ticket(const struct scene *scene)
{
	const struct ticket *ticket = scene->ticket;
	if (!ticket)
		return ERR_TOKEN_INVALID;
	switch (ticket->status) {
	case TICKET_WAITING:
	case TICKET_ASIDE:
		return ERR_NOT_ADMITTED;
	case TICKET_LEFT:
		return ERR_TOKEN_LEFT;
	case TICKET_FINISHED:
		return ERR_TOKEN_FINISHED;
	case TICKET_EXPIRED:
		return ERR_TOKEN_EXPIRED;
	case TICKET_ACTIVE:
		break;
	}
	return scene->now_us < ticket->expires_us ? ERR_OK : ERR_TOKEN_EXPIRED;
}

/* A hold lengthens its ticket's life to cover it, so that whoever holds a seat can pay for it. But
 * not for ever: beyond the cap a chain of holds ends, and a hold that would need more is refused.
 */
static enum err cover_hold(struct scene *scene, int64_t hold_until_us)
{
	struct ticket *ticket = scene->ticket;
	if (hold_until_us <= ticket->expires_us)
		return ERR_OK;
	if (scene->now_us >= ticket->admitted_us + scene->world->policy.cap_us)
		return ERR_TOKEN_EXPIRED;
	ticket->expires_us = hold_until_us;
	ticket->is_changed = true;
	return ERR_OK;
}

static enum err make_hold(struct scene *scene)
{
	const struct hold fresh = {.job = scene->entry->job.id,
				   .seat_id = scene->seat->id,
				   .user_id = scene->ticket->user_id,
				   .ticket_id = scene->ticket->id,
				   .price = scene->seat->price,
				   .created_us = scene->now_us,
				   .expires_us = scene->now_us + scene->world->policy.hold_us,
				   .status = HOLD_PENDING};
	enum err err = cover_hold(scene, fresh.expires_us);
	if (err)
		return err;
	scene->ticket->hold = seat_world_add_hold(scene->world, &fresh);
	scene->entry->starts_hold = true;
	return ERR_OK;
}

static bool is_on_sale(const struct scene *scene)
{
	const struct seat *seat = scene->seat;
	return seat->is_active && seat->booking_start_us <= scene->now_us &&
	       scene->now_us < seat->booking_end_us;
}

/* Which hold an entry speaks of, for describe(). Holds move when their array grows: an index. */
static void set_subject(struct scene *scene, size_t index)
{
	scene->entry->subject = index;
}

static enum err reserve(struct scene *scene)
{
	enum err err = check_ticket(scene);
	if (err)
		return err;
	if (!scene->seat)
		return ERR_UNKNOWN_SEAT;
	release_if_overdue(scene);
	if (scene->hold && scene->hold->status == HOLD_PENDING && is_mine(scene, scene->hold)) {
		set_subject(scene, index_of_hold(scene, scene->hold)); /* my own: not extended */
		return ERR_OK;
	}
	if (scene->hold)
		return scene->hold->status == HOLD_PAID ? ERR_SEAT_SOLD : ERR_SEAT_HELD;
	if (!is_on_sale(scene))
		return ERR_NOT_ON_SALE;
	const struct hold *other = hold_of_ticket(scene);
	if (other && is_in_time(scene, other))
		return ERR_ALREADY_HOLDING;
	err = make_hold(scene);
	set_subject(scene, scene->ticket->hold);
	return err;
}

/* As a map of the seats shows it. */
static const char *seat_state(const struct scene *scene)
{
	if (scene->hold)
		return scene->hold->status == HOLD_PAID ? "sold" : "held";
	return scene->seat->is_active ? "free" : "closed";
}

/* Why somebody who does not hold the seat cannot pay for or cancel it: their hold ran out, or
 * there was none. */
static enum err why_not_held(const struct scene *scene)
{
	const struct hold *past =
		seat_world_hold_of(scene->world, scene->seat, scene->ticket->user_id);
	if (!past || past->status != HOLD_EXPIRED)
		return ERR_NOT_HELD;
	snprintf(scene->entry->outcome.data, sizeof scene->entry->outcome.data,
		 "{\"seatState\":\"%s\"}", seat_state(scene));
	return ERR_HOLD_EXPIRED;
}

static void write_shortage(struct scene *scene)
{
	int64_t balance = scene->account->balance;
	int64_t price = scene->hold->price;
	snprintf(scene->entry->outcome.data, sizeof scene->entry->outcome.data,
		 "{\"balance\":%" PRId64 ",\"price\":%" PRId64 ",\"missing\":%" PRId64 "}", balance,
		 price, price - balance);
}

/* All or nothing: the debit, the seat, the payment and the end of the ticket. */
static void settle_payment(struct scene *scene)
{
	const struct job *job = &scene->entry->job;
	const struct seat *seat = scene->seat;
	struct hold *hold = scene->hold;
	ledger_post(&scene->world->ledger, scene->account, &job->id, -hold->price, "payment");
	change_hold(hold, HOLD_PAID);
	scene->entry->settles_hold = true;
	scene->ticket->status = TICKET_FINISHED;
	scene->ticket->is_changed = true;
	struct payment *payment = seat_world_add_payment(scene->world, index_of_hold(scene, hold));
	payment->job = job->id;
	payment->amount = hold->price;
	payment->created_us = scene->now_us;
	payment->payer = job->user;
	payment->open_us = seat->open_us;
	payment->close_us = seat->close_us;
	memcpy(payment->seat_number, seat->number, sizeof payment->seat_number);
	memcpy(payment->concert_name, seat->concert_name, sizeof payment->concert_name);
}

static void set_payment_subject(struct scene *scene)
{
	assert(scene->hold->payment != WORLD_NONE); /* made in the transaction that made it PAID */
	scene->entry->subject = scene->hold->payment;
}

/* The order of the checks is fixed: my own payment for the seat, the ticket, held by me, not
 * expired, the balance. */
static enum err pay(struct scene *scene)
{
	if (!scene->ticket)
		return ERR_TOKEN_INVALID;
	if (!scene->seat)
		return ERR_UNKNOWN_SEAT;
	if (scene->hold && scene->hold->status == HOLD_PAID && is_mine(scene, scene->hold)) {
		set_payment_subject(scene);
		return ERR_OK;
	}
	enum err err = check_ticket(scene);
	if (err)
		return err;
	release_if_overdue(scene);
	if (!scene->hold || !is_mine(scene, scene->hold))
		return why_not_held(scene);
	if (!scene->account || scene->account->balance < scene->hold->price) {
		if (scene->account)
			write_shortage(scene);
		return ERR_INSUFFICIENT_BALANCE;
	}
	settle_payment(scene);
	set_payment_subject(scene);
	return ERR_OK;
}

static enum err cancel(struct scene *scene)
{
	enum err err = check_ticket(scene);
	if (err)
		return err;
	if (!scene->seat)
		return ERR_UNKNOWN_SEAT;
	release_if_overdue(scene);
	if (!scene->hold || !is_mine(scene, scene->hold) || scene->hold->status != HOLD_PENDING)
		return why_not_held(scene);
	change_hold(scene->hold, HOLD_CANCELLED);
	scene->entry->settles_hold = true;
	set_subject(scene, index_of_hold(scene, scene->hold));
	return ERR_OK;
}

/* The money back, the seat free again, the payment marked: all or nothing, and once. The ticket
 * stays finished. */
static void settle_refund(struct scene *scene, struct payment *payment, struct account *account)
{
	const struct job *job = &scene->entry->job;
	ledger_post(&scene->world->ledger, account, &job->id, payment->amount,
		    job->memo[0] ? job->memo : "refund");
	change_hold(&scene->world->holds[payment->hold], HOLD_REFUNDED);
	payment->is_refunded = true;
	payment->refund_job = job->id;
	payment->is_changed = true;
}

/* The balance is told as of this refund: a later job of the same batch must not show in it. */
static enum err refund(struct scene *scene)
{
	const struct job *job = &scene->entry->job;
	struct payment *payment = seat_world_payment(scene->world, job->payment);
	if (!payment || scene->world->holds[payment->hold].seat_id != job->seat)
		return ERR_UNKNOWN_PAYMENT;
	struct account *account = ledger_find(&scene->world->ledger, &payment->payer);
	assert(account); /* loaded with the payment */
	if (payment->is_refunded && !id_equal(&payment->refund_job, &job->id))
		return ERR_ALREADY_REFUNDED;
	if (!payment->is_refunded) {
		if (account->balance > JOB_MAX_BALANCE - payment->amount)
			return ERR_BALANCE_LIMIT;
		settle_refund(scene, payment, account);
	}
	snprintf(scene->entry->outcome.data, sizeof scene->entry->outcome.data,
		 "{\"id\":%" PRId64 ",\"amount\":%" PRId64 ",\"balance\":%" PRId64
		 ",\"status\":\"REFUNDED\"}",
		 payment->id, payment->amount, account->balance);
	return ERR_OK;
}

/* Only tidies, and only the very hold that the message was sent for: the seat may have a new one.
 */
static enum err expire(struct scene *scene)
{
	if (scene->hold && id_equal(&scene->hold->job, &scene->entry->job.hold))
		release_if_overdue(scene);
	return ERR_OK;
}

static enum err (*const rule_of[JOB_KIND_COUNT])(struct scene *scene) = {
	[JOB_RESERVE] = reserve, [JOB_PAY] = pay,       [JOB_CANCEL] = cancel,
	[JOB_REFUND] = refund,   [JOB_EXPIRE] = expire,
};

static void decide(void *world, struct batch_entry *entry, int64_t now_us)
{
	const struct job *job = &entry->job;
	struct scene scene = {.world = world, .entry = entry, .now_us = now_us};
	scene.seat = seat_world_seat(world, job->seat);
	scene.ticket = seat_world_ticket(world, job->ticket);
	if (scene.ticket && !id_equal(&scene.ticket->user, &job->user))
		scene.ticket = NULL;
	if (scene.seat)
		scene.hold = seat_world_live_hold(world, scene.seat);
	if (scene.seat && scene.seat->is_deleted && job->kind != JOB_EXPIRE)
		scene.seat = NULL;
	if (scene.ticket)
		scene.account = ledger_find(&scene.world->ledger, &scene.ticket->user);
	entry->outcome.err = rule_of[job->kind] ? rule_of[job->kind](&scene) : ERR_BAD_KIND;
}

/* The text is at most some 1,900 bytes: the longest names, each character escaped. */
static void take_data(struct outcome *outcome, struct text *text)
{
	assert(text->length < sizeof outcome->data);
	memcpy(outcome->data, text->bytes, text->length + 1);
	text_fini(text);
}

static void describe_hold(const struct seat_world *world, const struct hold *hold,
			  struct outcome *outcome)
{
	char created[TIME_TEXT_SIZE];
	char expires[TIME_TEXT_SIZE];
	time_format(hold->created_us, created);
	time_format(hold->expires_us, expires);
	const struct seat *seat = seat_world_seat(world, hold->seat_id);
	struct text out = {0};
	text_printf(&out, "{\"id\":%" PRId64 ",\"seat\":{\"id\":%" PRId64, hold->id, hold->seat_id);
	text_puts(&out, ",\"isActive\":false,\"seatNumber\":");
	text_json_string(&out, seat->number);
	text_printf(&out,
		    "},\"status\":\"PENDING\",\"price\":%" PRId64
		    ",\"created_at\":\"%s\",\"expires_at\":\"%s\"}",
		    hold->price, created, expires);
	take_data(outcome, &out);
}

static void describe_payment(const struct payment *payment, struct outcome *outcome)
{
	char opens[TIME_TEXT_SIZE], closes[TIME_TEXT_SIZE], created[TIME_TEXT_SIZE];
	time_format(payment->open_us, opens);
	time_format(payment->close_us, closes);
	time_format(payment->created_us, created);
	struct text out = {0};
	text_printf(&out, "{\"id\":%" PRId64 ",\"seatNumber\":", payment->id);
	text_json_string(&out, payment->seat_number);
	text_puts(&out, ",\"concertName\":");
	text_json_string(&out, payment->concert_name);
	text_printf(&out,
		    ",\"openDate\":\"%s\",\"closeDate\":\"%s\",\"totalAmount\":%" PRId64
		    ",\"status\":\"PAID\",\"created_at\":\"%s\"}",
		    opens, closes, payment->amount, created);
	take_data(outcome, &out);
}

static void describe(void *world, struct batch_entry *entry)
{
	const struct seat_world *seats = world;
	struct outcome *outcome = &entry->outcome;
	if (outcome->err)
		return;
	if (entry->job.kind == JOB_RESERVE)
		describe_hold(seats, &seats->holds[entry->subject], outcome);
	else if (entry->job.kind == JOB_PAY)
		describe_payment(&seats->payments[entry->subject], outcome);
	else if (entry->job.kind == JOB_CANCEL)
		snprintf(outcome->data, sizeof outcome->data,
			 "{\"id\":%" PRId64 ",\"status\":\"CANCELLED\"}",
			 seats->holds[entry->subject].id);
}

struct rules seat_rules(struct seat_world *world)
{
	return (struct rules){.world = world, .decide = decide, .describe = describe};
}
