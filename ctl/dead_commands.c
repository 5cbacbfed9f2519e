/* The dead commands: letters listed, shown, sent back to the queue they came from, dropped. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "dead_letters.h"
#include "dead_text.h"
#include "mem.h"
#include "text.h"

#define LIMIT_MAX 1000000000

/* What the commands share: how letters are told, and what was done. */
struct telling {
	const struct ctl *ctl;
	int64_t told;
	int64_t sent, kept;
	struct text line; /* of the letter at hand */
	bool is_broken;   /* stdout takes no more */
	/* Letters that were published, as they are told, until it is known what became of them. */
	struct text *pending;
	size_t pending_count, pending_capacity, pending_told;
};

/* The filter -------------------------------------------------------------------------------- */

static bool read_moment(const struct ctl *ctl, const char *name, int64_t *us)
{
	const char *value = ctl_option(ctl, name);

	if (value == NULL)
		return true;
	*us = dead_moment(value);
	if (*us != 0)
		return true;
	ctl_fail("--%s takes a time like 2026-12-01T20:00:00Z, or an age: 90s, 10m, 2h, 1d", name);
	return false;
}

static bool read_filter(const struct ctl *ctl, struct dead_filter *filter)
{
	const char *id = ctl_option(ctl, "id");

	*filter = (struct dead_filter){.code = ctl_option(ctl, "code"),
				       .queue = ctl_option(ctl, "queue"),
				       .kind = ctl_option(ctl, "kind"),
				       .has_id = id != NULL};
	if (id != NULL && !id_parse(id, strlen(id), &filter->id)) {
		ctl_fail("--id takes the id of a job, a UUID");
		return false;
	}
	return read_moment(ctl, "before", &filter->before_us) &&
	       read_moment(ctl, "after", &filter->after_us) &&
	       ctl_option_number(ctl, "limit", 1, LIMIT_MAX, &filter->limit);
}

/* Who changes something says which letters; a slip of the finger must not mean all of them. */
static bool is_bounded(const struct ctl *ctl, const struct dead_filter *filter)
{
	if (filter->code != NULL || filter->queue != NULL || filter->kind != NULL ||
	    filter->has_id || filter->before_us != 0 || filter->after_us != 0 ||
	    filter->limit != 0 || ctl_option(ctl, "all") != NULL)
		return true;
	ctl_fail("which letters? Say --code, --queue, --kind, --id, --before, --after or --limit, "
		 "or else --all");
	return false;
}

/* Telling ----------------------------------------------------------------------------------- */

static void print_line(struct telling *telling)
{
	text_putc(&telling->line, '\n');
	if (fputs(telling->line.bytes, stdout) == EOF)
		telling->is_broken = true;
	text_clear(&telling->line);
	telling->told++;
}

/* True when there are such. Who looks is told; who changes something has not done all of it. */
static bool tell_unseen(const struct dead_pass *pass)
{
	if (pass->unseen > 0)
		ctl_fail("%" PRId64
			 " more are not to be seen now: somebody else is going over them",
			 pass->unseen);
	return pass->unseen > 0;
}

/* Opens the answer of a command that tells letters as one JSON object. */
static void begin(const struct telling *telling)
{
	fputs(telling->ctl->json ? "{\"letters\":[\n" : "", stdout);
}

static enum ctl_status end(struct telling *telling, const struct dead_pass *pass, enum err err)
{
	text_fini(&telling->line);
	if (telling->ctl->json)
		printf("],\"looked\":%" PRId64 ",\"meant\":%" PRId64 "}\n", pass->looked,
		       pass->meant);
	if (fflush(stdout) != 0)
		telling->is_broken = true;
	tell_unseen(pass);
	if (err != ERR_OK)
		return ctl_fail("the broker did not do it: %s", err_message(err));
	return telling->is_broken ? ctl_fail("the output could not be written") : CTL_DONE;
}

/* Looking ----------------------------------------------------------------------------------- */

static enum dead_fate tell(void *arg, struct broker *broker, const struct dead_letter *letter)
{
	struct telling *telling = arg;

	(void)broker;
	if (telling->ctl->json) {
		text_puts(&telling->line, telling->told > 0 ? "," : "");
		dead_text_json(&telling->line, letter, false);
	} else {
		dead_text_line(&telling->line, letter);
	}
	print_line(telling);
	return DEAD_STAYS;
}

static enum dead_fate show(void *arg, struct broker *broker, const struct dead_letter *letter)
{
	struct telling *telling = arg;

	(void)broker;
	text_puts(&telling->line, telling->ctl->json && telling->told > 0 ? "," : "");
	dead_text_json(&telling->line, letter, true);
	print_line(telling);
	return DEAD_STAYS;
}

static enum ctl_status look(struct ctl *ctl, enum dead_fate (*take)(void *, struct broker *,
								    const struct dead_letter *))
{
	struct telling telling = {.ctl = ctl};
	struct dead_filter filter;
	struct dead_pass pass = {.filter = &filter, .take = take, .arg = &telling};
	enum err err;

	if (!read_filter(ctl, &filter))
		return CTL_MISUSED;
	begin(&telling);
	err = dead_pass_run(&pass, &ctl->conf);
	return end(&telling, &pass, err);
}

static enum ctl_status dead_list(struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return look(ctl, tell);
}

static enum ctl_status dead_show(struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return look(ctl, show);
}

/* Dropping ---------------------------------------------------------------------------------- */

/* It goes once it is written: what was dropped can be kept, and published again by hand. */
static enum dead_fate drop(void *arg, struct broker *broker, const struct dead_letter *letter)
{
	struct telling *telling = arg;

	(void)broker;
	if (telling->is_broken)
		return DEAD_STAYS;
	dead_text_json(&telling->line, letter, true);
	print_line(telling);
	if (fflush(stdout) != 0)
		telling->is_broken = true;
	return telling->is_broken ? DEAD_STAYS : DEAD_GOES;
}

static enum ctl_status dead_drop(struct ctl *ctl, int argc, char **argv)
{
	struct telling telling = {.ctl = ctl};
	struct dead_filter filter;
	struct dead_pass pass = {.filter = &filter, .take = drop, .arg = &telling};
	enum err err;

	(void)argc;
	(void)argv;
	if (!read_filter(ctl, &filter) || !is_bounded(ctl, &filter))
		return CTL_MISUSED;
	if (!ctl_confirm(ctl,
			 "These letters will be gone but for what is printed here. Drop them?"))
		return CTL_FAILED;
	err = dead_pass_run(&pass, &ctl->conf);
	text_fini(&telling.line);
	if (err != ERR_OK)
		return ctl_fail("the broker did not do it: %s", err_message(err));
	if (telling.is_broken)
		return ctl_fail("the output could not be written: the rest stays");
	fprintf(stderr, "boxofficectl: %" PRId64 " dropped\n", pass.meant);
	return tell_unseen(&pass) ? CTL_FAILED : CTL_DONE;
}

/* Sending back ------------------------------------------------------------------------------ */

/* A refusal that is stored would only be told again: a higher attempt is decided afresh. */
static bool needs_attempt(const struct dead_letter *letter)
{
	enum err err = err_from_code(letter->code);

	return letter->has_job && err != ERR_COUNT && err_settles(err);
}

/* Nobody waits for the answer any more: without a reply queue what is refused again comes back
 * here, with the reason. The job keeps its id, so that nothing is applied twice. */
static enum err publish(struct broker *broker, const struct dead_letter *letter)
{
	struct broker_message message = {.exchange = "",
					 .routing_key = letter->queue,
					 .body = letter->delivery->body,
					 .length = letter->delivery->length,
					 .type = JOB_TYPE,
					 .persistent = true,
					 .mandatory = true,
					 .tells_account = true};
	struct text body = {0};
	enum err err;

	if (needs_attempt(letter)) {
		struct job job = letter->job;

		job.attempt++;
		job_encode(&body, &job);
		message.body = body.bytes;
		message.length = body.length;
	}
	err = broker_publish(broker, &message, NULL);
	text_fini(&body);
	return err;
}

/* A letter as it is told, but for its fate. */
static struct text describe(const struct telling *telling, const struct dead_letter *letter)
{
	struct text description = {0};

	if (!telling->ctl->json) {
		dead_text_line(&description, letter);
		return description;
	}
	dead_text_json(&description, letter, false);
	description.length--; /* in front of the last brace */
	return description;
}

/* Takes the description. */
static void tell_fate(struct telling *telling, struct text *description, const char *fate)
{
	struct text *line = &telling->line;

	if (telling->ctl->json) {
		text_puts(line, telling->told > 0 ? "," : "");
		text_add(line, description->bytes, description->length);
		text_printf(line, ",\"fate\":\"%s\"", fate);
		text_putc(line, '}');
	} else {
		text_printf(line, "%-7s ", fate);
		text_add(line, description->bytes, description->length);
	}
	text_fini(description);
	print_line(telling);
}

static void keep_pending(struct telling *telling, struct text description)
{
	if (telling->pending_count == telling->pending_capacity) {
		telling->pending_capacity =
			telling->pending_capacity ? telling->pending_capacity * 2 : 64;
		telling->pending = mem_array(telling->pending, telling->pending_capacity,
					     sizeof *telling->pending);
	}
	telling->pending[telling->pending_count++] = description;
}

static enum dead_fate send_back(void *arg, struct broker *broker, const struct dead_letter *letter)
{
	struct telling *telling = arg;
	const char *why = dead_letter_why_not(letter, &telling->ctl->conf);

	struct text description = describe(telling, letter);

	if (why == NULL && publish(broker, letter) != ERR_OK)
		why = "the broker is gone";
	if (why == NULL) {
		keep_pending(telling, description);
		return DEAD_SENT;
	}
	tell_fate(telling, &description, why);
	telling->kept++;
	return DEAD_STAYS;
}

static void note_sent(void *arg, enum err err)
{
	struct telling *telling = arg;

	tell_fate(telling, &telling->pending[telling->pending_told++],
		  err == ERR_OK ? "sent" : err_message(err));
	if (telling->pending_told == telling->pending_count)
		telling->pending_told = telling->pending_count = 0;
	telling->sent += err == ERR_OK;
	telling->kept += err != ERR_OK;
}

static enum ctl_status dead_send_back(struct ctl *ctl, int argc, char **argv)
{
	struct telling telling = {.ctl = ctl};
	struct dead_filter filter;
	struct dead_pass pass = {
		.filter = &filter, .take = send_back, .sent = note_sent, .arg = &telling};
	enum ctl_status status;

	(void)argc;
	(void)argv;
	if (!read_filter(ctl, &filter) || !is_bounded(ctl, &filter))
		return CTL_MISUSED;
	begin(&telling);
	status = end(&telling, &pass, dead_pass_run(&pass, &ctl->conf));
	free(telling.pending);
	fprintf(stderr, "boxofficectl: %" PRId64 " sent back, %" PRId64 " stay\n", telling.sent,
		telling.kept);
	return telling.kept > 0 || pass.unseen > 0 ? CTL_FAILED : status;
}

#define FILTER_OPTIONS                                                                             \
	{"code", "CODE", "those of this code; delivery-limit: moved by the broker"},               \
		{"queue", "QUEUE", "those that came from this queue"},                             \
		{"kind", "KIND", "those of this kind of job"},                                     \
		{"id", "UUID", "the one of this job"},                                             \
		{"after", "TIME|AGE", "those that died then or later: 2026-12-01T20:00:00Z, 2h"},  \
		{"before", "TIME|AGE", "those that died before"},                                  \
		{"limit", "N", "so many at most, the oldest first"},

static const struct ctl_option looking[] = {FILTER_OPTIONS{NULL, NULL, NULL}};
static const struct ctl_option changing[] = {FILTER_OPTIONS{"all", NULL, "all that are there"},
					     {NULL, NULL, NULL}};

const struct ctl_command ctl_dead_commands[] = {
	{"dead", "list", "", "dead letters, the oldest first; they stay where they are", 0, 0,
	 dead_list, looking},
	{"dead", "show", "", "the same with headers and body, as JSON", 0, 0, dead_show, looking},
	{"dead", "send-back", "", "publish them again to the queue they came from", 0, 0,
	 dead_send_back, changing},
	{"dead", "drop", "", "print them as JSON lines, and drop them; asks first", 0, 0, dead_drop,
	 changing},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
