/* The completion command: what bash proposes, written from the table of commands itself. */
#include <stdio.h>
#include <string.h>

#include "ctl.h"

static void print_general_options(void)
{
	for (const struct ctl_option *each = ctl_general_options; each->name != NULL; each++)
		printf(" --%s", each->name);
}

/* The groups, or the commands of one group; each word once. */
static void print_words(const char *group)
{
	const char *last = "";

	for (size_t i = 0; ctl_command_lists[i] != NULL; i++) {
		for (const struct ctl_command *each = ctl_command_lists[i]; each->group != NULL;
		     each++) {
			if (group == NULL && strcmp(each->group, last) != 0)
				printf(" %s", each->group);
			else if (group != NULL && strcmp(each->group, group) == 0)
				printf(" %s", each->name);
			last = each->group;
		}
	}
}

/* The words that may follow each group, and the options of each command. */
static void print_cases(void)
{
	const char *last = "";

	fputs("    case ${plain[0]-} in\n    '') words='", stdout);
	print_words(NULL);
	puts("' ;;");
	for (size_t i = 0; ctl_command_lists[i] != NULL; i++) {
		for (const struct ctl_command *each = ctl_command_lists[i]; each->group != NULL;
		     each++) {
			if (each->name[0] != '\0' && strcmp(each->group, last) != 0) {
				printf("    %s) [ ${#plain[@]} -gt 1 ] || words='", each->group);
				print_words(each->group);
				puts("' ;;");
			}
			last = each->group;
		}
	}
	puts("    esac");
}

static void print_options(void)
{
	fputs("    options='", stdout);
	print_general_options();
	puts("'\n    case \"${plain[0]-} ${plain[1]-}\" in");
	for (size_t i = 0; ctl_command_lists[i] != NULL; i++) {
		for (const struct ctl_command *each = ctl_command_lists[i]; each->group != NULL;
		     each++) {
			if (each->options == NULL)
				continue;
			printf("    '%s %s'%s) options+='", each->group, each->name,
			       each->name[0] == '\0' ? "*" : "");
			for (const struct ctl_option *option = each->options; option->name != NULL;
			     option++)
				printf(" --%s", option->name);
			puts("' ;;");
		}
	}
	puts("    esac");
}

/* Options that take an argument: the word after them is no command. */
static void print_takers(const struct ctl_option *options)
{
	for (; options != NULL && options->name != NULL; options++)
		if (options->argument != NULL)
			printf("|--%s", options->name);
}

static enum ctl_status completion_bash(struct ctl *ctl, int argc, char **argv)
{
	(void)ctl;
	(void)argc;
	(void)argv;
	puts("# bash completion for boxofficectl; made by: boxofficectl completion bash\n"
	     "_boxofficectl() {\n"
	     "    local words='' options='' i\n"
	     "    local -a plain=()\n"
	     "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "        case ${COMP_WORDS[i]} in");
	fputs("        --", stdout);
	print_takers(ctl_general_options);
	for (size_t i = 0; ctl_command_lists[i] != NULL; i++)
		for (const struct ctl_command *each = ctl_command_lists[i]; each->group != NULL;
		     each++)
			print_takers(each->options);
	puts(") i=$((i + 1)) ;;\n"
	     "        -*) ;;\n"
	     "        *) plain+=(\"${COMP_WORDS[i]}\") ;;\n"
	     "        esac\n"
	     "    done");
	print_cases();
	print_options();
	puts("    [[ $2 != -* ]] || words=$options\n"
	     "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$2\")\n"
	     "}\n"
	     "complete -o default -F _boxofficectl boxofficectl");
	return CTL_DONE;
}

const struct ctl_command ctl_completion_commands[] = {
	{"completion", "bash", "", "what bash completes: source it, or put it where bash looks", 0,
	 0, completion_bash, NULL},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
