/* boxoffice-topology: prints the broker's definitions, made from the same table and settings that
 * the workers declare, for an operator to import:
 *
 *     boxoffice-topology --vhost boxoffice --accounts > definitions.json
 *     rabbitmqctl import_definitions definitions.json
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf.h"
#include "err.h"
#include "text.h"
#include "topology.h"

static const struct option options[] = {
	{"vhost", required_argument, NULL, 'v'},
	{"accounts", no_argument, NULL, 'a'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void print_usage(FILE *out)
{
	fputs("usage: boxoffice-topology [--vhost NAME] [--accounts]\n"
	      "Prints the RabbitMQ definitions (exchanges, queues, bindings) as JSON.\n"
	      "  --vhost NAME  the virtual host they are for (default: /)\n"
	      "  --accounts    the accounts too, with rights and policies, but no passwords\n"
	      "  --help        this text\n",
	      out);
}

static int print_definitions(const char *vhost, bool has_accounts)
{
	struct conf conf;
	struct text definitions = {0};
	bool written;

	if (conf_load(&conf) != ERR_OK)
		return EXIT_FAILURE;
	topology_write_definitions(&conf, vhost, has_accounts, &definitions);
	written = fwrite(definitions.bytes, 1, definitions.length, stdout) == definitions.length;
	written = fflush(stdout) == 0 && written;
	text_fini(&definitions);
	if (!written)
		perror("boxoffice-topology");
	return written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const char *vhost = "/";
	bool has_accounts = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'v':
			vhost = optarg;
			break;
		case 'a':
			has_accounts = true;
			break;
		case 'h':
			print_usage(stdout);
			puts("\nSettings (partitions and hold_s matter here):");
			conf_print_help(stdout);
			return EXIT_SUCCESS;
		default:
			print_usage(stderr);
			return EXIT_FAILURE;
		}
	}
	if (optind < argc) {
		print_usage(stderr);
		return EXIT_FAILURE;
	}
	return print_definitions(vhost, has_accounts);
}
