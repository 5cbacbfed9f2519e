/* boxoffice-import: charges from a CSV file, pushed straight onto the queue. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "import.h"
#include "log.h"
#include "text.h"

#define ATTEMPT_MAX 1000
#define MESSAGE_ROWS 200 /* what a worker takes at a time beside interactive charges */
#define ANSWER_S 30
#define ANSWER_MOST_S 3600

enum {
	OPTION_SOURCE = 256,
	OPTION_FILE_ID,
	OPTION_ATTEMPT,
	OPTION_REJECTS,
	OPTION_DRY_RUN,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_MESSAGE_ROWS,
	OPTION_ANSWER,
	OPTION_HELP,
};

static const struct option options[] = {
	{"source", required_argument, NULL, OPTION_SOURCE},
	{"file-id", required_argument, NULL, OPTION_FILE_ID},
	{"attempt", required_argument, NULL, OPTION_ATTEMPT},
	{"rejects", required_argument, NULL, OPTION_REJECTS},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"json", no_argument, NULL, OPTION_JSON},
	{"quiet", no_argument, NULL, OPTION_QUIET},
	{"message-rows", required_argument, NULL, OPTION_MESSAGE_ROWS},
	{"answer-s", required_argument, NULL, OPTION_ANSWER},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

static void print_usage(FILE *out)
{
	fputs("usage: boxoffice-import [OPTION…] FILE.csv    (-: standard input)\n\n"
	      "Pushes the charges of a CSV file onto the queue charge.import and tells what became "
	      "of\n"
	      "each row. Importing a file again, in whole or in part, applies no row twice.\n\n"
	      "  --source NAME     whose references these are: with it, a reference names its row\n"
	      "  --file-id ID      for a file without references: with it, a row's number names "
	      "it\n"
	      "  --attempt N       try rows again that were refused at an attempt below N "
	      "(default: 1)\n"
	      "  --rejects FILE    where rejected rows go (default: FILE.csv.rejects.csv)\n"
	      "  --dry-run         check every row and send nothing\n"
	      "  --json            the summary as one JSON object\n"
	      "  --quiet           no progress\n"
	      "  --message-rows N  rows of one message, 1 to 1000 (default: 200)\n"
	      "  --answer-s N      ask again after so many seconds without results (default: 30)\n"
	      "  --help            this text\n\n"
	      "Columns, by their names in the header; blanks, - and _ do not count:\n",
	      out);
	columns_print_help(out);
	fputs("\nBOXOFFICE_AMQP_URL is the broker's address: "
	      "amqp://importer:PASSWORD@HOST:PORT/%2f\n"
	      "Exit status: 0 done, 1 done but some rows were rejected, 2 not done.\n",
	      out);
}

static bool misuse(const char *what)
{
	fprintf(stderr, "boxoffice-import: %s (--help)\n", what);
	return false;
}

/* A number of 1 to most. */
static bool read_number(const char *text, long most, long *number)
{
	char *end;
	if (text[0] < '1' || text[0] > '9' || strlen(text) > 9)
		return false;
	*number = strtol(text, &end, 10);
	return *end == '\0' && *number <= most;
}

/* The name of a source or file. */
static bool is_name(const char *text)
{
	size_t chars;
	return text_is_plain_utf8(text, strlen(text), &chars) && chars >= 1 &&
	       chars <= CHARGE_SOURCE_CHARS;
}

static bool take_name(const char **name, const char *value)
{
	if (!is_name(value))
		return misuse("a source or file id has 1 to 64 characters");
	*name = value;
	return true;
}

static bool take_number(int option, const char *value, struct import_options *out)
{
	long number;
	switch (option) {
	case OPTION_ATTEMPT:
		if (!read_number(value, ATTEMPT_MAX, &number))
			return misuse("--attempt takes 1 to 1000");
		out->attempt = (int)number;
		return true;
	case OPTION_MESSAGE_ROWS:
		if (!read_number(value, JOB_MAX_PER_MESSAGE, &number))
			return misuse("--message-rows takes 1 to 1000");
		out->message_rows = (size_t)number;
		return true;
	default:
		if (!read_number(value, ANSWER_MOST_S, &number))
			return misuse("--answer-s takes 1 to 3600");
		out->answer_within_ms = number * 1000;
		return true;
	}
}

static bool take_option(int option, const char *value, struct import_options *out)
{
	switch (option) {
	case OPTION_SOURCE:
		return take_name(&out->source, value);
	case OPTION_FILE_ID:
		return take_name(&out->file_id, value);
	case OPTION_ATTEMPT:
	case OPTION_MESSAGE_ROWS:
	case OPTION_ANSWER:
		return take_number(option, value, out);
	case OPTION_REJECTS:
		out->rejects = value;
		return value[0] || misuse("--rejects takes a path");
	case OPTION_DRY_RUN:
		return out->is_dry_run = true;
	case OPTION_JSON:
		return out->is_json = true;
	case OPTION_QUIET:
		return out->is_quiet = true;
	case OPTION_HELP:
		print_usage(stdout);
		exit(fflush(stdout) == 0 ? IMPORT_DONE : IMPORT_NOT_DONE);
	default:
		return false; /* getopt has said why */
	}
}

static bool read_options(int argc, char **argv, struct import_options *out)
{
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take_option(option, optarg, out))
			return false;
	if (argc - optind != 1)
		return misuse("one file is to be given");
	out->path = argv[optind];
	return true;
}

int main(int argc, char **argv)
{
	struct conf conf;
	struct import_options chosen = {
		.attempt = 1, .message_rows = MESSAGE_ROWS, .answer_within_ms = ANSWER_S * 1000};
	if (!read_options(argc, argv, &chosen))
		return IMPORT_NOT_DONE;
	if (conf_load(&conf) || log_open("import", conf.log_level))
		return IMPORT_NOT_DONE;
	enum import_status status = import_run(&chosen, &conf);
	return fflush(stdout) == 0 ? (int)status : (int)IMPORT_NOT_DONE;
}
