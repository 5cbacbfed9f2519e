/* boxofficectl: the operator's command. What its parts share. */
#ifndef BOXOFFICE_CTL_H
#define BOXOFFICE_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "db.h"

/* Exit codes: done; refused or not possible (the reason is on stderr); a mistake in the call. */
enum ctl_status { CTL_DONE = 0, CTL_FAILED = 1, CTL_MISUSED = 2 };

#define CTL_OPTIONS_MAX 12

struct ctl {
	struct conf conf;
	struct db *db; /* connects when first needed */
	bool json;     /* --json: answers as one JSON object */
	bool yes;      /* --yes: nothing is asked */
	char who[101]; /* for what is recorded: --by, or the user of the operating system */
	const struct ctl_command *command;
	const char *values[CTL_OPTIONS_MAX]; /* of the command's options; NULL: not given */
};

/* An option of a command's own, --name ARGUMENT or, without an argument, --name. */
struct ctl_option {
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
};

/* One command: "gate set". */
struct ctl_command {
	const char *group;     /* NULL ends a list */
	const char *name;      /* "": the group is the command */
	const char *arguments; /* for the usage: "NAME=VALUE…" */
	const char *help;
	int least, most; /* arguments it takes; most -1: any number */
	enum ctl_status (*run)(struct ctl *ctl, int argc, char **argv);
	const struct ctl_option *options; /* ended by one without a name; NULL: none */
};

extern const struct ctl_command ctl_audit_commands[], ctl_catalogue_commands[],
	ctl_completion_commands[], ctl_dead_commands[], ctl_draw_commands[], ctl_gate_commands[],
	ctl_job_commands[], ctl_money_commands[], ctl_preflight_commands[], ctl_queue_commands[];

/* All of them; ended by NULL. */
extern const struct ctl_command *const ctl_command_lists[];

/* The options that every command takes; ended by one without a name. */
extern const struct ctl_option ctl_general_options[];

/* The value that was given for an option of the command that runs, "" for one without an argument;
 * NULL when it was not given. */
const char *ctl_option(const struct ctl *ctl, const char *name);

/* The same as a number; otherwise stays when it was not given. False, told on stderr, for one that
 * is none from least to most. */
bool ctl_option_number(const struct ctl *ctl, const char *name, int64_t least, int64_t most,
		       int64_t *number);

/* Says on stderr why something did not work. Returns CTL_FAILED. */
__attribute__((format(printf, 1, 2))) enum ctl_status ctl_fail(const char *format, ...);

/* The same for what the database answered. */
enum ctl_status ctl_fail_database(enum err err);

/* Asks on the terminal; true for yes, or when --yes was given. Without a terminal: no. */
bool ctl_confirm(const struct ctl *ctl, const char *question);

#endif
