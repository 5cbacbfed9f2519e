/* boxofficectl: looks at the line, changes its policy and holds draws while the service runs. */
#include <getopt.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "log.h"
#include "text.h"

#define DB_SILENCE_S 10

static const struct ctl_command *const groups[] = {ctl_gate_commands, ctl_draw_commands};
#define GROUPS (sizeof groups / sizeof *groups)

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

static void print_usage(FILE *out)
{
	fputs("usage: boxofficectl [OPTION…] GROUP COMMAND [ARGUMENT…]\n\n", out);
	for (size_t i = 0; i < GROUPS; i++)
		for (const struct ctl_command *each = groups[i]; each->name != NULL; each++)
			fprintf(out, "  %s %-8s %-14s %s\n", each->group, each->name,
				each->arguments, each->help);
	fputs("\n  --json      answer as one JSON object\n"
	      "  --yes       ask nothing\n"
	      "  --by NAME   who changes something; else the user of the operating system\n"
	      "  --settings  print the settings that tell where the database is\n"
	      "  --help      this text\n\n"
	      "Exit status: 0 done, 1 refused or not possible, 2 a mistake in the call.\n",
	      out);
}

static const struct ctl_command *find_command(const char *group, const char *name)
{
	for (size_t i = 0; i < GROUPS; i++)
		for (const struct ctl_command *each = groups[i]; each->name != NULL; each++)
			if (strcmp(each->group, group) == 0 && strcmp(each->name, name) == 0)
				return each;
	return NULL;
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

	if (strlen(who) >= sizeof ctl->who || !text_is_plain_utf8(who, strlen(who), &chars) ||
	    chars == 0)
		return false;
	snprintf(ctl->who, sizeof ctl->who, "%s", who);
	return true;
}

static enum ctl_status run(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_command *command;
	enum ctl_status status;

	if (argc < 2 || (command = find_command(argv[0], argv[1])) == NULL) {
		print_usage(stderr);
		return CTL_MISUSED;
	}
	argc -= 2;
	argv += 2;
	if (argc < command->least || (command->most >= 0 && argc > command->most)) {
		fprintf(stderr, "usage: boxofficectl %s %s %s\n", command->group, command->name,
			command->arguments);
		return CTL_MISUSED;
	}
	if (conf_load(&ctl->conf) != ERR_OK || log_open("boxofficectl", "warn") != ERR_OK)
		return CTL_FAILED;
	if (db_new(&ctl->db, &ctl->conf, DB_SILENCE_S) != ERR_OK)
		return ctl_fail("out of memory");
	status = command->run(ctl, argc, argv);
	db_free(ctl->db);
	return status;
}

int main(int argc, char **argv)
{
	static struct ctl ctl;
	int option;

	if (!set_who(&ctl, caller()))
		set_who(&ctl, "unknown");
	/* "+": what follows the command is the command's. */
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			ctl.json = true;
			break;
		case 'y':
			ctl.yes = true;
			break;
		case 'b':
			if (set_who(&ctl, optarg))
				break;
			ctl_fail("--by takes a name of 1 to 100 bytes");
			return CTL_MISUSED;
		case 'h':
			print_usage(stdout);
			return CTL_DONE;
		case 's':
			conf_print_help(stdout);
			return CTL_DONE;
		default:
			print_usage(stderr);
			return CTL_MISUSED;
		}
	}
	return (int)run(&ctl, argc - optind, argv + optind);
}
