/* The preflight command: is all ready for an on-sale? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "preflight.h"

#define DISK_LEAST_GIB 2

enum { SKIPPED = PREFLIGHT_UNKNOWN + 1, STATES };

static const struct {
	const char *shown, *told;
} state_names[STATES] = {
	[PREFLIGHT_PASSED] = {"ok", "passed"},
	[PREFLIGHT_FAILED] = {"FAILED", "failed"},
	[PREFLIGHT_UNKNOWN] = {"UNKNOWN", "not-evaluated"},
	[SKIPPED] = {"skipped", "skipped"},
};

/* Takes the next name of a list with commas between; false at the end. */
static bool next_name(const char **list, char name[static 64])
{
	size_t length = strcspn(*list, ",");

	if (**list == '\0')
		return false;
	snprintf(name, 64, "%.*s", (int)length, *list);
	*list += length + ((*list)[length] == ',');
	return true;
}

static bool is_among(const char *list, const char *wanted)
{
	char name[64];

	while (list != NULL && next_name(&list, name))
		if (strcmp(name, wanted) == 0)
			return true;
	return false;
}

static bool is_check(const char *name)
{
	for (const struct preflight_check *each = preflight_checks; each->name != NULL; each++)
		if (strcmp(each->name, name) == 0)
			return true;
	return false;
}

static bool read_options(const struct ctl *ctl, struct preflight_facts *facts)
{
	const char *skip = ctl_option(ctl, "skip");
	const char *gate = ctl_option(ctl, "gate");
	char name[64];

	while (skip != NULL && next_name(&skip, name))
		if (!is_check(name)) {
			ctl_fail("--skip: there is no check \"%s\"", name);
			return false;
		}
	if (gate != NULL && strcmp(gate, policy_state_name(policy_state_from(gate))) != 0) {
		ctl_fail("--gate takes open, paused or closed");
		return false;
	}
	facts->gate = gate;
	facts->disk_least_gib = DISK_LEAST_GIB;
	return ctl_option_number(ctl, "disk", 0, 1000000, &facts->disk_least_gib);
}

static void gather(struct ctl *ctl, struct preflight_facts *facts)
{
	const char *site = ctl_option(ctl, "site"), *metrics = ctl_option(ctl, "metrics");

	/* The audit may take long: the gate is asked after it. */
	if (!is_among(ctl_option(ctl, "skip"), "audit-clean"))
		preflight_ask_audit(facts);
	preflight_ask_database(facts, ctl->db);
	preflight_ask_broker(facts);
	preflight_ask_site(facts, site != NULL ? site : ctl->conf.site_url);
	preflight_ask_metrics(facts, metrics != NULL ? metrics : ctl->conf.metrics_targets);
	preflight_ask_host(facts);
}

/* Sentences of the table may have quotation marks. */
static void print_member(const char *name, const char *value)
{
	struct text quoted = {0};

	text_json_string(&quoted, value);
	printf(",\"%s\":%s", name, quoted.bytes);
	text_fini(&quoted);
}

static void print_json(const struct preflight_check *check, unsigned state, const char *measured)
{
	printf("%s{\"name\":\"%s\",\"state\":\"%s\"", check == preflight_checks ? "" : ",",
	       check->name, state_names[state].told);
	print_member("required", check->required);
	print_member("measured", measured);
	print_member("remedy", check->remedy);
	putchar('}');
}

static void print_text(const struct preflight_check *check, unsigned state, const char *measured)
{
	printf("%-8s %-21s %s\n", state_names[state].shown, check->name, check->required);
	if (state == SKIPPED)
		return;
	printf("%31smeasured: %s\n", "", measured);
	if (state != PREFLIGHT_PASSED)
		printf("%31sto do: %s\n", "", check->remedy);
}

static unsigned run_check(const struct ctl *ctl, const struct preflight_check *check,
			  const struct preflight_facts *facts)
{
	struct text measured = {0};
	unsigned state = SKIPPED;

	text_puts(&measured, "");
	if (!is_among(ctl_option(ctl, "skip"), check->name))
		state = preflight_judge(check, facts, &measured);
	(ctl->json ? print_json : print_text)(check, state, measured.bytes);
	text_fini(&measured);
	return state;
}

static enum ctl_status preflight(struct ctl *ctl, int argc, char **argv)
{
	static struct preflight_facts facts;
	int64_t counts[STATES] = {0};

	(void)argc;
	(void)argv;
	facts.conf = &ctl->conf;
	if (!read_options(ctl, &facts))
		return CTL_MISUSED;
	gather(ctl, &facts);
	fputs(ctl->json ? "{\"checks\":[" : "", stdout);
	for (const struct preflight_check *each = preflight_checks; each->name != NULL; each++)
		counts[run_check(ctl, each, &facts)]++;
	preflight_facts_fini(&facts);
	printf(ctl->json ? "],\"passed\":%" PRId64 ",\"failed\":%" PRId64
			   ",\"not_evaluated\":%" PRId64 ",\"skipped\":%" PRId64 "}\n"
			 : "%" PRId64 " passed, %" PRId64 " failed, %" PRId64
			   " not evaluated, %" PRId64 " skipped\n",
	       counts[PREFLIGHT_PASSED], counts[PREFLIGHT_FAILED], counts[PREFLIGHT_UNKNOWN],
	       counts[SKIPPED]);
	return counts[PREFLIGHT_FAILED] + counts[PREFLIGHT_UNKNOWN] > 0 ? CTL_FAILED : CTL_DONE;
}

static const struct ctl_option preflight_options[] = {
	{"site", "URL", "the site's address; else the setting site_url"},
	{"metrics", "FILE", "Prometheus' list of targets; else the setting metrics_targets"},
	{"gate", "STATE", "what the gate is to be: open, paused or closed"},
	{"disk", "GIB", "room that the database's data needs; 2"},
	{"skip", "NAMES", "checks that are left out, commas between"},
	{NULL, NULL, NULL},
};

const struct ctl_command ctl_preflight_commands[] = {
	{"preflight", "", "",
	 "is all ready for an on-sale? exit status 1 unless every check passes", 0, 0, preflight,
	 preflight_options},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
