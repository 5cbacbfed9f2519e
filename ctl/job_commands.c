/* The job command: what became of a job, and what it did. */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "job_records.h"
#include "printer.h"
#include "text.h"

static void print_time(struct printer *printer, const char *key, int64_t us)
{
	char time[TIME_TEXT_SIZE];

	time_format(us, time);
	printer_text(printer, key, time);
}

static void print_outcome(struct printer *printer, const struct job_story *story)
{
	printer_text(printer, "kind", story->kind);
	printer_text(printer, "code", story->code);
	printer_text(printer, "why", story->why);
	printer_int(printer, "attempt", story->attempt);
	print_time(printer, "decided_at", story->decided_us);
	/* A user's id is a capability: it is nobody's to read here. */
	printer_text(printer, "data", strcmp(story->kind, "register") == 0 ? "" : story->data);
}

static void print_effects(struct printer *printer, const struct job_story *story)
{
	if (story->history != 0) {
		printer_int(printer, "history", story->history);
		printer_int(printer, "user", story->user);
		printer_int(printer, "amount", story->amount);
		printer_int(printer, "balance_after", story->balance_after);
		printer_text(printer, "memo", story->memo);
		printer_int(printer, "reverses", story->reverses);
	}
	if (story->reservation != 0) {
		printer_int(printer, "reservation", story->reservation);
		printer_int(printer, "seat", story->seat);
		printer_text(printer, "reservation_status", story->reservation_status);
		printer_int(printer, "price", story->price);
	}
	if (story->payment != 0) {
		printer_int(printer, "payment", story->payment);
		printer_text(printer, "payment_status", story->payment_status);
		printer_int(printer, "paid", story->paid);
	}
	if (story->refunded != 0) {
		printer_int(printer, "refunded_payment", story->refunded);
		printer_int(printer, "refunded", story->refund);
	}
	if (story->ticket != 0) {
		printer_int(printer, "ticket", story->ticket);
		printer_text(printer, "ticket_status", story->ticket_status);
		printer_int(printer, "place", story->place);
	}
}

static enum ctl_status job_show(struct ctl *ctl, int argc, char **argv)
{
	struct printer printer = {.json = ctl->json};
	struct job_story story;
	struct id id;
	char text[ID_TEXT_SIZE];
	enum err err;

	(void)argc;
	if (!id_parse(argv[0], strlen(argv[0]), &id)) {
		ctl_fail("\"%s\" is no id of a job", argv[0]);
		return CTL_MISUSED;
	}
	err = job_records_story(ctl->db, &id, &story);
	if (err != ERR_OK)
		return ctl_fail_database(err);
	if (story.kind[0] == '\0' && story.history == 0 && story.reservation == 0)
		return ctl_fail("nothing is known of this job: it waits in its queue or among the "
				"dead, was never sent, or did nothing and was pruned");
	id_format(&id, text);
	printer_text(&printer, "id", text);
	if (story.kind[0] != '\0')
		print_outcome(&printer, &story);
	print_effects(&printer, &story);
	printer_end(&printer);
	return CTL_DONE;
}

const struct ctl_command ctl_job_commands[] = {
	{"job", "show", "ID", "what became of a job, and what it did", 1, 1, job_show, NULL},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
