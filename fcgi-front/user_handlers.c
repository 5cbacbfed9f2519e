/* Users: register, charge, and what they have. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "holdings.h"
#include "routes.h"
#include "write.h"

enum err handle_register(struct call *call)
{
	static const char *const members[] = {"name"};
	/* A repeat carries another userId; the worker answers with the first one's. */
	struct job job = {.kind = JOB_REGISTER, .user = id_random()};
	enum err err = json_refuse_others(call->body, members, 1, call->why);

	if (err == ERR_OK)
		err = json_get_text(call->body, "name", 1, JOB_NAME_CHARS, job.name,
				    sizeof job.name, call->why);
	return err != ERR_OK ? err : write_submit(call, &job, NULL);
}

enum err handle_charge(struct call *call)
{
	static const char *const members[] = {"userId", "amount"};
	struct job job = {.kind = JOB_CHARGE};
	enum err err = json_refuse_others(call->body, members, 2, call->why);

	if (err == ERR_OK)
		err = json_get_id(call->body, "userId", &job.user, call->why);
	if (err == ERR_OK)
		err = json_get_int(call->body, "amount", 1, JOB_MAX_AMOUNT, &job.amount, call->why);
	if (err == ERR_OK)
		err = call_claim_user(call, &job.user);
	if (err != ERR_OK)
		return err;
	return write_submit(call, &job, &job.user);
}

/* The user in the query, else as for all reads of one's own. */
static enum err whose_balance(struct call *call, struct id *user)
{
	const char *text = http_param(&call->request, "userId");
	struct id named;
	enum err err;

	if (text == NULL)
		return call_find_user(call, user);
	if (!id_parse(text, strlen(text), &named)) {
		snprintf(call->why, sizeof call->why, "userId must be a UUID");
		return ERR_BAD_FIELD;
	}
	if (call->request.user == NULL) {
		*user = named;
		return ERR_OK;
	}
	err = call_find_user(call, user);
	if (err != ERR_OK || id_equal(user, &named))
		return err;
	snprintf(call->why, sizeof call->why, "userId and the header user-id differ");
	return ERR_BAD_REQUEST;
}

enum err handle_balance(struct call *call)
{
	struct lookup_user found;
	struct id user;
	enum err err = whose_balance(call, &user);

	if (err == ERR_OK)
		err = call_claim_user(call, &user);
	if (err != ERR_OK)
		return err;
	err = lookup_user(call->front->lookup, &user, &found);
	if (err != ERR_OK)
		return err;
	text_printf(answer_open(call), "{\"balance\":%lld}", (long long)found.balance);
	answer_close(call);
	return ERR_OK;
}

/* Whose page is asked for, and up to which id it reaches back. */
static enum err find_page(struct call *call, struct lookup_user *user, int64_t *before)
{
	struct id id;
	enum err err = call_find_user(call, &id);

	if (err == ERR_OK)
		err = call_param_id(call, "before", JOB_MAX_ID, before);
	if (err == ERR_OK)
		err = lookup_user(call->front->lookup, &id, user);
	return err;
}

static void separate(struct text *out)
{
	if (out->bytes[out->length - 1] != '[')
		text_putc(out, ',');
}

static void write_time(struct text *out, const char *name, int64_t time_us)
{
	char time[TIME_TEXT_SIZE];

	time_format(time_us, time);
	text_printf(out, ",\"%s\":\"%s\"", name, time);
}

static void write_seat(struct text *out, const struct holdings_seat *seat)
{
	text_printf(out, "\"seatId\":%lld,\"seatNumber\":", (long long)seat->id);
	text_json_string(out, seat->number);
	text_printf(out, ",\"concertScheduleId\":%lld,\"concertName\":", (long long)seat->schedule);
	text_json_string(out, seat->concert);
}

static void write_hold(void *arg, const struct holdings_hold *hold)
{
	struct text *out = arg;

	separate(out);
	text_putc(out, '{');
	write_seat(out, &hold->seat);
	text_printf(out, ",\"price\":%lld", (long long)hold->price);
	write_time(out, "expires_at", hold->expires_us);
	text_putc(out, '}');
}

static void write_payment(void *arg, const struct holdings_payment *payment)
{
	struct text *out = arg;

	separate(out);
	text_printf(out, "{\"id\":%lld,", (long long)payment->id);
	write_seat(out, &payment->seat);
	write_time(out, "openDate", payment->open_us);
	write_time(out, "closeDate", payment->close_us);
	text_printf(out, ",\"totalAmount\":%lld,\"status\":\"%s\"", (long long)payment->amount,
		    payment->status);
	write_time(out, "created_at", payment->created_us);
	text_putc(out, '}');
}

enum err handle_reservations(struct call *call)
{
	struct lookup *lookup = call->front->lookup;
	struct lookup_user user;
	struct text *out;
	int64_t before;
	enum err err = find_page(call, &user, &before);

	if (err != ERR_OK)
		return err;
	out = answer_open(call);
	text_puts(out, "{\"holds\":[");
	err = holdings_each_hold(lookup, user.number, write_hold, out);
	if (err != ERR_OK)
		return err;
	text_puts(out, "],\"payments\":[");
	err = holdings_each_payment(lookup, user.number, before, write_payment, out);
	if (err != ERR_OK)
		return err;
	text_puts(out, "]}");
	answer_close(call);
	return ERR_OK;
}

struct entry_list {
	struct text *out;
	int64_t balance; /* after the newest; -1: there is none */
};

static void write_entry(void *arg, const struct holdings_entry *entry)
{
	struct entry_list *list = arg;
	struct text *out = list->out;

	if (list->balance < 0)
		list->balance = entry->balance_after;
	separate(out);
	text_printf(out, "{\"id\":%lld,\"amount\":%lld,\"balanceAfter\":%lld,\"description\":",
		    (long long)entry->id, (long long)entry->amount,
		    (long long)entry->balance_after);
	text_json_string(out, entry->description);
	text_printf(out, ",\"kind\":\"%s\"", entry->kind);
	write_time(out, "created_at", entry->created_us);
	text_putc(out, '}');
}

/* The balance is that after the newest entry, not one read a moment before. */
enum err handle_cash_history(struct call *call)
{
	struct entry_list list = {.balance = -1};
	struct lookup_user user;
	int64_t before;
	bool is_newest;
	enum err err = find_page(call, &user, &before);

	if (err != ERR_OK)
		return err;
	is_newest = http_param(&call->request, "before") == NULL;
	list.out = answer_open(call);
	text_puts(list.out, "{\"entries\":[");
	err = holdings_each_entry(call->front->lookup, user.number, before, write_entry, &list);
	if (err != ERR_OK)
		return err;
	text_printf(list.out, "],\"balance\":%lld}",
		    (long long)(is_newest && list.balance >= 0 ? list.balance : user.balance));
	answer_close(call);
	return ERR_OK;
}
