/* The gate commands: numbers, and changes of the policy, each recorded with who, when, what from
 * and what to. A change that makes no sense is refused with the reason, and the old policy stays.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "gate_numbers.h"
#include "gate_records.h"
#include "printer.h"
#include "text.h"

#define STALE_US INT64_C(5000000) /* no tick for so long: no gate worker runs */

static void print_number(void *arg, const char *name, int64_t value, const char *help)
{
	(void)help;
	printer_int(arg, name, value);
}

static void print_policy(struct printer *printer, const struct policy *policy)
{
	printer_text(printer, "state", policy_state_name(policy->state));
	policy_each_number(policy, print_number, printer);
	printer_text(printer, "counts", policy->counts_arrivals ? "arrivals" : "releases");
	printer_text(printer, "reason", policy->reason);
	printer_text(printer, "message", policy->message);
}

/* Looking ----------------------------------------------------------------------------------- */

static void print_numbers(struct printer *printer, const struct gate_numbers *numbers)
{
	int64_t oldest_s =
		numbers->oldest_us ? (numbers->now_us - numbers->oldest_us) / 1000000 : 0;

	printer_text(printer, "stock", gate_stock_name(numbers->stock));
	printer_int(printer, "waiting", numbers->waiting);
	printer_int(printer, "aside", numbers->aside);
	printer_int(printer, "active", numbers->active);
	printer_int(printer, "expected", numbers->expected);
	printer_int(printer, "per_minute", numbers->per_minute);
	printer_int(printer, "oldest_s", oldest_s);
	printer_int(printer, "served", numbers->served);
	printer_int(printer, "last_ticket", numbers->last_ticket);
	printer_int(printer, "reclaimed", numbers->reclaimed);
	printer_int(printer, "abandoned", numbers->abandoned);
	printer_int(printer, "departed", numbers->departed);
	printer_int(printer, "tick_age_ms", (numbers->now_us - numbers->ticked_us) / 1000);
}

static enum ctl_status gate_status(struct ctl *ctl, int argc, char **argv)
{
	struct gate_numbers numbers;
	struct policy_change newest = {0};
	struct printer printer = {.json = ctl->json};
	char why[POLICY_WHY_SIZE];
	size_t count = 0;
	enum err err = gate_numbers_read(ctl->db, &numbers);

	(void)argc;
	(void)argv;
	if (err == ERR_OK)
		err = gate_records_history(ctl->db, &newest, 1, &count);
	if (err != ERR_OK)
		return ctl_fail_database(err);
	if (count == 0)
		return ctl_fail("there is no policy yet: no gate worker has run");
	print_policy(&printer, &newest.policy);
	print_numbers(&printer, &numbers);
	printer_end(&printer);
	if (policy_check(&newest.policy, &ctl->conf, why) != ERR_OK)
		return ctl_fail("this policy does not rule, an older one does: %s", why);
	if (numbers.now_us - numbers.ticked_us > STALE_US)
		return ctl_fail(
			"the gate does not tick: no gate worker runs, or the database is slow");
	return CTL_DONE;
}

/* What changed from one to the next, as a text of "name old -> new". */
struct difference {
	const struct policy *old;
	struct text *out;
	bool json;
};

static void put_difference(struct difference *difference, const char *name, const char *from,
			   const char *to)
{
	struct text *out = difference->out;

	if (strcmp(from, to) == 0)
		return;
	if (!difference->json) {
		text_printf(out, "  %s: %s -> %s", name, from[0] ? from : "\"\"",
			    to[0] ? to : "\"\"");
		return;
	}
	text_printf(out, "%s\"%s\":{\"from\":", out->bytes[out->length - 1] == '{' ? "" : ",",
		    name);
	text_json_string(out, from);
	text_puts(out, ",\"to\":");
	text_json_string(out, to);
	text_putc(out, '}');
}

struct number_seeker {
	const char *name;
	int64_t value;
};

static void seek_number(void *arg, const char *name, int64_t value, const char *help)
{
	struct number_seeker *seeker = arg;

	(void)help;
	if (strcmp(seeker->name, name) == 0)
		seeker->value = value;
}

static void differ_in_number(void *arg, const char *name, int64_t value, const char *help)
{
	struct difference *difference = arg;
	struct number_seeker old = {.name = name};
	char from[24], to[24];

	(void)help;
	policy_each_number(difference->old, seek_number, &old);
	snprintf(from, sizeof from, "%" PRId64, old.value);
	snprintf(to, sizeof to, "%" PRId64, value);
	put_difference(difference, name, from, to);
}

static void differ(struct difference *difference, const struct policy *to)
{
	const struct policy *from = difference->old;

	put_difference(difference, "state", policy_state_name(from->state),
		       policy_state_name(to->state));
	policy_each_number(to, differ_in_number, difference);
	put_difference(difference, "counts", from->counts_arrivals ? "arrivals" : "releases",
		       to->counts_arrivals ? "arrivals" : "releases");
	put_difference(difference, "reason", from->reason, to->reason);
	put_difference(difference, "message", from->message, to->message);
}

static void put_change(const struct ctl *ctl, const struct policy_change *change,
		       const struct policy_change *before, struct text *out)
{
	struct difference difference = {.out = out, .json = ctl->json};
	char at[TIME_TEXT_SIZE];

	time_format(change->at_us, at);
	if (ctl->json) {
		text_printf(out, "{\"id\":%" PRId64 ",\"at\":\"%s\",\"by\":", change->id, at);
		text_json_string(out, change->by);
		text_puts(out, ",\"changes\":{");
	} else {
		text_printf(out, "%s  %s", at, change->by);
	}
	if (before != NULL) {
		difference.old = &before->policy;
		differ(&difference, &change->policy);
	}
	text_puts(out, ctl->json ? "}}" : "\n");
}

static enum ctl_status gate_history(struct ctl *ctl, int argc, char **argv)
{
	static struct policy_change changes[GATE_HISTORY_MOST];
	struct text out = {0};
	size_t count;
	enum err err = gate_records_history(ctl->db, changes, GATE_HISTORY_MOST, &count);

	(void)argc;
	(void)argv;
	if (err != ERR_OK)
		return ctl_fail_database(err);
	text_puts(&out, ctl->json ? "{\"changes\":[" : "");
	for (size_t i = 0; i < count; i++) {
		text_puts(&out, ctl->json && i > 0 ? "," : "");
		put_change(ctl, &changes[i], i + 1 < count ? &changes[i + 1] : NULL, &out);
	}
	text_puts(&out, ctl->json ? "]}\n" : "");
	fputs(out.bytes, stdout);
	text_fini(&out);
	return CTL_DONE;
}

/* Changing ---------------------------------------------------------------------------------- */

/* The policy that is to be changed; nobody else changes it until this process ends. */
static enum ctl_status begin_change(struct ctl *ctl, struct policy *policy)
{
	struct policy_change newest = {0};
	size_t count = 0;
	enum err err = gate_records_lock(ctl->db);

	if (err == ERR_TIMEOUT)
		return ctl_fail("somebody else is changing the policy: try again");
	if (err == ERR_OK)
		err = gate_records_history(ctl->db, &newest, 1, &count);
	if (err != ERR_OK)
		return ctl_fail_database(err);
	*policy = count > 0 ? newest.policy : policy_from_conf(&ctl->conf);
	return CTL_DONE;
}

static enum ctl_status end_change(struct ctl *ctl, const struct policy *policy)
{
	char why[POLICY_WHY_SIZE];
	struct printer printer = {.json = ctl->json};
	enum err err;

	if (policy_check(policy, &ctl->conf, why) != ERR_OK)
		return ctl_fail("refused: %s", why);
	err = gate_records_record(ctl->db, policy, ctl->who);
	if (err != ERR_OK)
		return ctl_fail_database(err);
	print_policy(&printer, policy);
	printer_end(&printer);
	return CTL_DONE;
}

static enum ctl_status gate_set(struct ctl *ctl, int argc, char **argv)
{
	struct policy policy = {0};
	char why[POLICY_WHY_SIZE];
	enum ctl_status status = begin_change(ctl, &policy);

	for (int i = 0; i < argc && status == CTL_DONE; i++) {
		char *equals = strchr(argv[i], '=');

		if (equals == NULL)
			return ctl_fail("\"%s\" is not name=value", argv[i]);
		*equals = '\0';
		if (policy_set(&policy, argv[i], equals + 1, why) != ERR_OK)
			return ctl_fail("refused: %s", why);
	}
	return status == CTL_DONE ? end_change(ctl, &policy) : status;
}

/* Words for people, at most POLICY_TEXT_CHARS characters. */
static bool take_words(char out[static POLICY_TEXT_SIZE], const char *words)
{
	size_t chars = 0;

	if (words[0] != '\0' &&
	    (!text_is_plain_utf8(words, strlen(words), &chars) || chars > POLICY_TEXT_CHARS)) {
		ctl_fail("refused: a text has at most %d characters, none of them a control "
			 "character",
			 POLICY_TEXT_CHARS);
		return false;
	}
	snprintf(out, POLICY_TEXT_SIZE, "%s", words);
	return true;
}

static enum ctl_status change_state(struct ctl *ctl, enum policy_state state, const char *reason)
{
	struct policy policy = {0};
	enum ctl_status status = begin_change(ctl, &policy);

	if (status != CTL_DONE)
		return status;
	policy.state = state;
	if (!take_words(policy.reason, reason))
		return CTL_FAILED;
	return end_change(ctl, &policy);
}

static enum ctl_status gate_open(struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return change_state(ctl, POLICY_OPEN, "");
}

static enum ctl_status gate_pause(struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return change_state(ctl, POLICY_PAUSED, "");
}

static enum ctl_status gate_close(struct ctl *ctl, int argc, char **argv)
{
	if (!ctl_confirm(ctl, "Nobody can join the line any more, and nobody is let in. Close it?"))
		return CTL_FAILED;
	return change_state(ctl, POLICY_CLOSED, argc > 0 ? argv[0] : "");
}

static enum ctl_status gate_message(struct ctl *ctl, int argc, char **argv)
{
	struct policy policy = {0};
	enum ctl_status status = begin_change(ctl, &policy);

	if (status != CTL_DONE)
		return status;
	if (!take_words(policy.message, argc > 0 ? argv[0] : ""))
		return CTL_FAILED;
	return end_change(ctl, &policy);
}

const struct ctl_command ctl_gate_commands[] = {
	{"gate", "status", "", "the policy and the numbers of the line", 0, 0, gate_status, NULL},
	{"gate", "set", "NAME=VALUE…", "change numbers of the policy, or counts=arrivals|releases",
	 1, -1, gate_set, NULL},
	{"gate", "open", "", "let people in", 0, 0, gate_open, NULL},
	{"gate", "pause", "", "let nobody in; the line keeps, and its numbers", 0, 0, gate_pause,
	 NULL},
	{"gate", "close", "[REASON]", "let nobody in or join; asks first", 0, 1, gate_close, NULL},
	{"gate", "message", "[TEXT]", "tell everybody in line; without TEXT: no more", 0, 1,
	 gate_message, NULL},
	{"gate", "history", "", "who changed what, when, the newest first", 0, 0, gate_history,
	 NULL},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
