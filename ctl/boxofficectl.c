/* boxofficectl: what an operator looks at and changes while the service runs. */
#include <getopt.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "fault.h"
#include "log.h"
#include "text.h"

#define DB_SILENCE_S 10
#define FIRST_OWN 256 /* no letter: the numbers of a command's own options */

const struct ctl_option ctl_general_options[] = {
	{"json", NULL, "answer as one JSON object"},
	{"yes", NULL, "ask nothing"},
	{"by", "NAME", "who changes something; else the user of the operating system"},
	{"settings", NULL, "print the settings that tell where database and broker are"},
	{"help", NULL, "this text"},
	{NULL, NULL, NULL},
};

static const struct option options[] = {
	{"json", no_argument, NULL, 'j'},     {"yes", no_argument, NULL, 'y'},
	{"by", required_argument, NULL, 'b'}, {"help", no_argument, NULL, 'h'},
	{"settings", no_argument, NULL, 's'}, {NULL, 0, NULL, 0},
};

enum ctl_status ctl_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("boxofficectl: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	return CTL_FAILED;
}

enum ctl_status ctl_fail_database(enum err err)
{
	return ctl_fail("the database did not do it: %s", err_message(err));
}

bool ctl_confirm(const struct ctl *ctl, const char *question)
{
	char answer[16];

	if (ctl->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		ctl_fail("%s Say --yes to do it without being asked", question);
		return false;
	}
	fprintf(stderr, "%s [y/N] ", question);
	return fgets(answer, sizeof answer, stdin) != NULL &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}

static void print_options(FILE *out, const char *indent, const struct ctl_option *list)
{
	char name[48];

	for (; list != NULL && list->name != NULL; list++) {
		snprintf(name, sizeof name, "--%s %s", list->name,
			 list->argument != NULL ? list->argument : "");
		fprintf(out, "%s%-20s %s\n", indent, name, list->help);
	}
}

static void print_command(FILE *out, const struct ctl_command *command)
{
	char name[48];

	snprintf(name, sizeof name, "%s %s", command->group, command->name);
	fprintf(out, "  %-14s %-16s %s\n", name, command->arguments, command->help);
	print_options(out, "    ", command->options);
}

static void print_usage(FILE *out)
{
	fputs("usage: boxofficectl [OPTION…] COMMAND [OPTION…] [ARGUMENT…]\n\n", out);
	for (size_t i = 0; ctl_command_lists[i] != NULL; i++)
		for (const struct ctl_command *each = ctl_command_lists[i]; each->group != NULL;
		     each++)
			print_command(out, each);
	fputc('\n', out);
	print_options(out, "  ", ctl_general_options);
	fputs("\nExit status: 0 done, 1 refused, not possible, (audit) broken or\n"
	      "(preflight) not ready, 2 a mistake in the call.\n",
	      out);
}

/* Finds the command that the words begin with, and how many of them are its name. */
static const struct ctl_command *find_command(int argc, char **argv, int *words)
{
	for (size_t i = 0; ctl_command_lists[i] != NULL; i++) {
		for (const struct ctl_command *each = ctl_command_lists[i]; each->group != NULL;
		     each++) {
			*words = each->name[0] != '\0' ? 2 : 1;
			if (argc >= *words && strcmp(each->group, argv[0]) == 0 &&
			    (*words == 1 || strcmp(each->name, argv[1]) == 0))
				return each;
		}
	}
	return NULL;
}

const char *ctl_option(const struct ctl *ctl, const char *name)
{
	const struct ctl_option *own = ctl->command->options;

	for (size_t i = 0; own[i].name != NULL; i++)
		if (strcmp(own[i].name, name) == 0)
			return ctl->values[i];
	return NULL;
}

bool ctl_option_number(const struct ctl *ctl, const char *name, int64_t least, int64_t most,
		       int64_t *number)
{
	const char *value = ctl_option(ctl, name);
	char *end;
	long long given;

	if (value == NULL)
		return true;
	given = strtoll(value, &end, 10);
	if (end == value || *end != '\0' || given < least || given > most) {
		ctl_fail("--%s takes a number from %" PRId64 " to %" PRId64, name, least, most);
		return false;
	}
	*number = given;
	return true;
}

/* Who calls: behind sudo, the one who called that. */
static const char *caller(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *entry = getpwuid(getuid());

	if (sudo != NULL && sudo[0] != '\0')
		return sudo;
	return entry != NULL ? entry->pw_name : "unknown";
}

static bool set_who(struct ctl *ctl, const char *who)
{
	size_t chars = 0;

	if (who == NULL || strlen(who) >= sizeof ctl->who ||
	    !text_is_plain_utf8(who, strlen(who), &chars) || chars == 0)
		return false;
	snprintf(ctl->who, sizeof ctl->who, "%s", who);
	return true;
}

/* Takes an option that every command knows. MISUSED: it is none, or has a wrong value; DONE with
 * is_over set: all was said. */
static enum ctl_status take_option(struct ctl *ctl, int option, bool *is_over)
{
	switch (option) {
	case 'j':
		ctl->json = true;
		return CTL_DONE;
	case 'y':
		ctl->yes = true;
		return CTL_DONE;
	case 'b':
		if (set_who(ctl, optarg))
			return CTL_DONE;
		ctl_fail("--by takes a name of 1 to 100 bytes");
		return CTL_MISUSED;
	case 'h':
		if (ctl->command != NULL)
			print_command(stdout, ctl->command);
		else
			print_usage(stdout);
		*is_over = true;
		return CTL_DONE;
	case 's':
		conf_print_help(stdout);
		*is_over = true;
		return CTL_DONE;
	default:
		if (ctl->command == NULL)
			print_usage(stderr);
		return CTL_MISUSED;
	}
}

/* The general options and the command's own, whose number is their place. */
static void list_options(const struct ctl_command *command, struct option *list)
{
	size_t count = sizeof options / sizeof *options - 1;

	memcpy(list, options, count * sizeof *list);
	for (int i = 0; command->options != NULL && command->options[i].name != NULL; i++)
		list[count++] = (struct option){
			command->options[i].name,
			command->options[i].argument != NULL ? required_argument : no_argument,
			NULL, FIRST_OWN + i};
	list[count] = (struct option){0};
}

/* Options after the command may stand among its arguments: argv[1] and up, which are moved to the
 * front. argv[0] is for getopt's messages. */
static enum ctl_status read_options(struct ctl *ctl, int *argc, char **argv, bool *is_over)
{
	struct option list[sizeof options / sizeof *options + CTL_OPTIONS_MAX];
	enum ctl_status status = CTL_DONE;
	int option;

	list_options(ctl->command, list);
	optind = 0;
	while (status == CTL_DONE && !*is_over &&
	       (option = getopt_long(*argc, argv, "", list, NULL)) != -1) {
		if (option >= FIRST_OWN)
			ctl->values[option - FIRST_OWN] = optarg != NULL ? optarg : "";
		else
			status = take_option(ctl, option, is_over);
	}
	*argc -= optind;
	memmove(argv, argv + optind, (size_t)*argc * sizeof *argv);
	return status;
}

static enum ctl_status start(struct ctl *ctl, int argc, char **argv)
{
	enum ctl_status status;

	if (conf_load(&ctl->conf) != ERR_OK || log_open("boxofficectl", "warn") != ERR_OK ||
	    fault_open(ctl->conf.fault) != ERR_OK)
		return CTL_FAILED;
	if (db_new(&ctl->db, &ctl->conf, DB_SILENCE_S) != ERR_OK)
		return ctl_fail("out of memory");
	status = ctl->command->run(ctl, argc, argv);
	db_free(ctl->db);
	return status;
}

static enum ctl_status run(struct ctl *ctl, int argc, char **argv)
{
	enum ctl_status status;
	bool is_over = false;
	int words = 0;

	ctl->command = find_command(argc, argv, &words);
	if (ctl->command == NULL) {
		print_usage(stderr);
		return CTL_MISUSED;
	}
	argc -= words - 1;
	argv += words - 1;
	status = read_options(ctl, &argc, argv, &is_over);
	if (status != CTL_DONE || is_over)
		return status;
	if (argc < ctl->command->least || (ctl->command->most >= 0 && argc > ctl->command->most)) {
		fputs("usage of this command:\n", stderr);
		print_command(stderr, ctl->command);
		return CTL_MISUSED;
	}
	return start(ctl, argc, argv);
}

int main(int argc, char **argv)
{
	static struct ctl ctl;
	enum ctl_status status = CTL_DONE;
	bool is_over = false;
	int option;

	if (!set_who(&ctl, caller()))
		set_who(&ctl, "unknown");
	/* "+": what follows the command is read when the command is known. */
	while (status == CTL_DONE && !is_over &&
	       (option = getopt_long(argc, argv, "+", options, NULL)) != -1)
		status = take_option(&ctl, option, &is_over);
	if (status == CTL_DONE && !is_over)
		status = run(&ctl, argc - optind, argv + optind);
	return (int)status;
}
