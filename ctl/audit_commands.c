/* The audit command: every check on one moment of the database. */
#include <inttypes.h>
#include <stdio.h>

#include "audit_checks.h"
#include "ctl.h"

/* A statement may walk through millions of rows before its first answer. */
#define SILENCE_S 3600
#define ROWS_TOLD 10

struct tally {
	int64_t broken, warnings;
};

static void print_text(const struct audit_check *check, const struct audit_findings *findings)
{
	const char *state = check->is_warning ? "warning" : "BROKEN";

	printf("%-8s %s", findings->total == 0 ? "ok" : state, check->name);
	if (findings->total > 0)
		printf(": %" PRId64 " against \"%s\"\n%s", findings->total, check->means,
		       findings->rows.length > 0 ? findings->rows.bytes : "");
	else
		putchar('\n');
}

/* Names and sentences are our own: none needs JSON's escapes. */
static void print_json(const struct audit_check *check, const struct audit_findings *findings)
{
	printf("%s{\"name\":\"%s\",\"means\":\"%s\",\"severity\":\"%s\",\"count\":%" PRId64
	       ",\"rows\":[%s]}",
	       check == audit_checks ? "" : ",", check->name, check->means,
	       check->is_warning ? "warning" : "broken", findings->total,
	       findings->rows.length > 0 ? findings->rows.bytes : "");
}

static enum err run_check(struct audit *audit, const struct audit_check *check, struct tally *tally)
{
	enum err err = audit_check_run(audit, check);

	if (err == ERR_OK && audit->findings.json)
		print_json(check, &audit->findings);
	else if (err == ERR_OK)
		print_text(check, &audit->findings);
	if (audit->findings.total > 0)
		*(check->is_warning ? &tally->warnings : &tally->broken) += 1;
	text_fini(&audit->findings.rows);
	return err;
}

static enum err run_all(struct audit *audit, struct tally *tally)
{
	enum err err = audit_begin(audit);

	for (const struct audit_check *each = audit_checks; each->name != NULL && err == ERR_OK;
	     each++)
		err = run_check(audit, each, tally);
	db_rollback(audit->db); /* nothing was written */
	return err;
}

static enum ctl_status audit(struct ctl *ctl, int argc, char **argv)
{
	struct audit audit = {.conf = &ctl->conf,
			      .findings = {.most = ROWS_TOLD, .json = ctl->json}};
	struct tally tally = {0};
	enum err err;

	(void)argc;
	(void)argv;
	if (!ctl_option_number(ctl, "rows", 1, 1000000, &audit.findings.most))
		return CTL_MISUSED;
	err = db_new(&audit.db, &ctl->conf, SILENCE_S);
	if (err != ERR_OK)
		return ctl_fail("out of memory");
	fputs(ctl->json ? "{\"checks\":[" : "", stdout);
	err = run_all(&audit, &tally);
	db_free(audit.db);
	if (err != ERR_OK)
		return ctl_fail_database(err);
	if (ctl->json)
		printf("],\"broken\":%" PRId64 ",\"warnings\":%" PRId64 "}\n", tally.broken,
		       tally.warnings);
	else
		printf("%" PRId64 " broken, %" PRId64 " warnings\n", tally.broken, tally.warnings);
	return tally.broken > 0 ? CTL_FAILED : CTL_DONE;
}

static const struct ctl_option audit_options[] = {
	{"rows", "N", "rows told for each check, all are counted; 10"},
	{NULL, NULL, NULL},
};

const struct ctl_command ctl_audit_commands[] = {
	{"audit", "", "",
	 "check every invariant on one moment of the database; exit status 1 when one is broken", 0,
	 0, audit, audit_options},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
