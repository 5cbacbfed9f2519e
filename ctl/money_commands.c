/* The commands that give money back, or take a charge back: jobs like all others, whose ids follow
 * from the payment or the charge, so that asking twice is one job. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "job_sender.h"
#include "money_records.h"
#include "text.h"
#include "topology.h"

#define TIMEOUT_S 10
#define TIMEOUT_MOST_S 3600

/* "refund by kim: seats were wet". */
static bool write_memo(const struct ctl *ctl, const char *what, struct job *job)
{
	const char *note = ctl_option(ctl, "memo");
	size_t chars = 0;
	int length = snprintf(job->memo, sizeof job->memo, "%s by %s%s%s", what, ctl->who,
			      note != NULL ? ": " : "", note != NULL ? note : "");

	if (length > 0 && (size_t)length < sizeof job->memo &&
	    text_is_plain_utf8(job->memo, strlen(job->memo), &chars) && chars <= JOB_MEMO_CHARS)
		return true;
	ctl_fail("--memo is too long, or has control characters: it takes %d characters, with who "
		 "asks",
		 JOB_MEMO_CHARS);
	return false;
}

/* A refusal is stored; an operator who asks again wants it decided afresh. */
static enum err set_attempt(struct ctl *ctl, struct job *job)
{
	struct job_record stored;
	enum err err = money_records_job(ctl->db, &job->id, &stored);

	job->attempt = stored.is_refused ? stored.attempt + 1 : 1;
	return err;
}

static enum ctl_status tell(const struct ctl *ctl, const struct job *job,
			    const struct result *result)
{
	const struct outcome *outcome = &result->outcome;
	char id[ID_TEXT_SIZE];

	id_format(&job->id, id);
	if (outcome->err != ERR_OK)
		return ctl_fail("refused: %s (%s, job %s)",
				outcome->why[0] ? outcome->why : err_message(outcome->err),
				err_code(outcome->err), id);
	printf(ctl->json ? "{\"job\":\"%s\",\"replayed\":%s,\"data\":%s}\n"
			 : "job            %s\ndone before    %s\nresult         %s\n",
	       id, outcome->replayed ? "true" : "false", outcome->data);
	return CTL_DONE;
}

/* Anybody can work out the job's id, and who may import can use it for a charge of his own: then
 * it is asked with an id that nobody knows. Once is what the payment and the charge guarantee. */
static enum ctl_status ask(struct ctl *ctl, const char *exchange, const char *routing_key,
			   struct job *job)
{
	int64_t timeout_s = TIMEOUT_S;
	struct result result;
	char id[ID_TEXT_SIZE];
	enum err err;

	if (!ctl_option_number(ctl, "timeout", 1, TIMEOUT_MOST_S, &timeout_s))
		return CTL_MISUSED;
	err = set_attempt(ctl, job);
	if (err != ERR_OK)
		return ctl_fail_database(err);
	err = job_sender_ask(&ctl->conf, exchange, routing_key, job, timeout_s * 1000, &result);
	if (err == ERR_OK && result.outcome.err == ERR_KEY_REUSED) {
		job->id = id_random();
		job->attempt = 1;
		err = job_sender_ask(&ctl->conf, exchange, routing_key, job, timeout_s * 1000,
				     &result);
	}
	id_format(&job->id, id);
	if (err == ERR_TIMEOUT)
		return ctl_fail("job %s is queued, its result did not come yet: the same command "
				"again asks for it, and does nothing twice",
				id);
	if (err != ERR_OK)
		return ctl_fail("job %s: %s; the same command again is safe", id, err_message(err));
	return tell(ctl, job, &result);
}

static bool read_number(const char *text, int64_t *number)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	if (end == text || *end != '\0' || value < 1 || value > JOB_MAX_ID)
		return false;
	*number = value;
	return true;
}

static enum ctl_status refund(struct ctl *ctl, int argc, char **argv)
{
	struct job job = {.kind = JOB_REFUND};
	struct payment_record payment;
	char number[24], key[24];
	enum err err;

	(void)argc;
	if (!read_number(argv[0], &job.payment)) {
		ctl_fail("\"%s\" is no number of a payment", argv[0]);
		return CTL_MISUSED;
	}
	if (!write_memo(ctl, "refund", &job))
		return CTL_MISUSED;
	err = money_records_payment(ctl->db, job.payment, &payment);
	if (err != ERR_OK)
		return ctl_fail_database(err);
	if (payment.id == 0)
		return ctl_fail("there is no payment %" PRId64, job.payment);
	fprintf(stderr, "payment %" PRId64 ": %" PRId64 " KRW, seat %" PRId64 "\n", payment.id,
		payment.amount, payment.seat);
	if (!ctl_confirm(ctl, "The money goes back, and the seat is free for anybody. Refund it?"))
		return CTL_FAILED;
	snprintf(number, sizeof number, "%" PRId64, payment.id);
	job.id = id_from_parts((const char *const[]){"refund", number}, 2);
	job.seat = payment.seat;
	snprintf(key, sizeof key, "%" PRId64, topology_partition(&ctl->conf, job.seat));
	return ask(ctl, "seat", key, &job);
}

static enum err find_charge(struct ctl *ctl, const char *name, struct charge_record *charge)
{
	struct id job;
	int64_t number = 0;

	if (id_parse(name, strlen(name), &job))
		return money_records_charge_of(ctl->db, &job, charge);
	if (read_number(name, &number))
		return money_records_charge(ctl->db, number, charge);
	return ERR_BAD_FIELD;
}

static enum ctl_status charge_reverse(struct ctl *ctl, int argc, char **argv)
{
	struct job job = {.kind = JOB_REVERSE};
	struct charge_record charge = {0};
	char text[ID_TEXT_SIZE];
	enum err err = find_charge(ctl, argv[0], &charge);

	(void)argc;
	if (err == ERR_BAD_FIELD) {
		ctl_fail("\"%s\" is neither a job's id nor the number of a row of the history",
			 argv[0]);
		return CTL_MISUSED;
	}
	if (!write_memo(ctl, "reversal", &job))
		return CTL_MISUSED;
	if (err != ERR_OK)
		return ctl_fail_database(err);
	if (charge.id == 0)
		return ctl_fail("there is no charge %s", argv[0]);
	fprintf(stderr, "charge %" PRId64 ": %" PRId64 " KRW\n", charge.id, charge.amount);
	if (!ctl_confirm(ctl, "The amount is taken from the balance again. Reverse it?"))
		return CTL_FAILED;
	id_format(&charge.job, text);
	job.id = id_from_parts((const char *const[]){"reverse", text}, 2);
	job.user = charge.user;
	job.charge = charge.job;
	return ask(ctl, "account", "account", &job);
}

static const struct ctl_option money_options[] = {
	{"memo", "TEXT", "why, for the history"},
	{"timeout", "S", "seconds to wait for the result; 10"},
	{NULL, NULL, NULL},
};

const struct ctl_command ctl_money_commands[] = {
	{"refund", "", "PAYMENT",
	 "money back, seat free again, once; PAYMENT is its number; asks first", 1, 1, refund,
	 money_options},
	{"charge", "reverse", "ID",
	 "take a charge back, once; ID is its job, or its row of the history; asks first", 1, 1,
	 charge_reverse, money_options},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
