#include "import.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "progress.h"
#include "rejects.h"
#include "sender.h"
#include "summary.h"
#include "window.h"

#define TURN_MS 200

struct import {
	const struct import_options *options;
	struct sheet *sheet;
	struct charge_file file;
	struct window window;
	struct sender sender;
	struct rejects rejects;
	struct progress progress;
	struct score score;
	struct text rejects_path;
	int64_t done_bytes; /* of the file, up to the last row whose outcome is known */
	bool is_read;       /* the whole file */
	bool is_done;       /* and each of its rows has its outcome */
	bool has_failed;
};

static volatile sig_atomic_t stop_signals;

static void on_stop(int signal_number)
{
	static const char said[] = "\nboxoffice-import: stopped at once; run it again to go on: no "
				   "row is applied twice\n";
	(void)signal_number;
	if (++stop_signals == 1)
		return;
	if (write(STDERR_FILENO, said, sizeof said - 1) < 0)
		_exit(IMPORT_NOT_DONE);
	_exit(IMPORT_NOT_DONE);
}

static void install_signals(void)
{
	struct sigaction stop = {.sa_handler = on_stop};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* Says why the import cannot go on. */
static void fail(struct import *import, const char *what, const char *why)
{
	progress_clear(&import->progress);
	fprintf(stderr, "boxoffice-import: %s: %s\n", what, why);
	import->has_failed = true;
}

/* Opening ---------------------------------------------------------------------------------------
 */

/* The ids of rows must be told apart from those of all other files, on purpose. */
static const char *check_naming(const struct import_options *options, bool has_references)
{
	if (has_references && options->file_id)
		return "it has a column of references: give --source, not --file-id";
	if (has_references && !options->source)
		return "it has a column of references: say with --source whose they are";
	if (!has_references && options->source)
		return "it has no column of references: give --file-id, not --source";
	if (!has_references && !options->file_id)
		return "it has no column of references: give it a name of its own with --file-id";
	return NULL;
}

/* Columns that nobody reads may be misspelled ones: they are named. */
static void tell_ignored(const struct import *import, const struct sheet_row *header)
{
	struct text names = {0};
	for (size_t i = 0; i < header->count; i++) {
		if (columns_at(&import->file.columns, i) != COLUMN_COUNT)
			continue;
		text_printf(&names, "%s%s", names.length ? ", " : "", header->fields[i].text);
	}
	if (names.length && !import->options->is_quiet)
		fprintf(stderr, "boxoffice-import: columns that are not read: %s\n", names.bytes);
	text_fini(&names);
}

static bool read_header(struct import *import, const struct sheet_row *header)
{
	const struct import_options *options = import->options;
	char why[COLUMNS_WHY_SIZE];
	if (columns_read(&import->file.columns, header, why)) {
		fail(import, options->path, why);
		return false;
	}
	bool has_references = columns_has(&import->file.columns, COLUMN_REFERENCE);
	const char *fault = check_naming(options, has_references);
	if (fault) {
		fail(import, options->path, fault);
		return false;
	}
	charge_source_init(&import->file.source,
			   has_references ? CHARGE_BY_REFERENCE : CHARGE_BY_ROW,
			   has_references ? options->source : options->file_id);
	import->file.attempt = options->attempt;
	tell_ignored(import, header);
	rejects_init(&import->rejects, import->rejects_path.bytes, import->sheet,
		     &import->file.columns, header);
	return true;
}

/* A rejects file in the place of the file itself would end both. */
static bool is_same_file(const char *path, int fd)
{
	struct stat one, other;
	return stat(path, &one) == 0 && fstat(fd, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

static bool open_file(struct import *import)
{
	const struct import_options *options = import->options;
	bool is_stream = strcmp(options->path, "-") == 0;
	if (options->rejects)
		text_puts(&import->rejects_path, options->rejects);
	else
		text_printf(&import->rejects_path, "%s.rejects.csv",
			    is_stream ? "stdin" : options->path);
	enum err err = sheet_open(&import->sheet, options->path);
	if (err) {
		fail(import, options->path, err == ERR_SYSTEM ? strerror(errno) : err_message(err));
		return false;
	}
	const char *rejects = import->rejects_path.bytes;
	if (is_same_file(rejects, sheet_fd(import->sheet)))
		fail(import, options->path, "rejected rows cannot go into the file itself");
	else if (!rejects_may_take(rejects))
		fail(import, rejects,
		     "it is there and is no rejects file: move it, or give another --rejects");
	return !import->has_failed;
}

/* Rows ------------------------------------------------------------------------------------------
 */

static void add_row(struct import *import, struct parcel *parcel, const struct sheet_row *row)
{
	struct job job;
	char why[JOB_WHY_SIZE];
	int64_t number;
	enum err err = charge_row_number(&import->file, row, &number, why);
	if (!err)
		err = charge_row_read(&import->file, row, number, &job, why);
	parcel->end = row->end;
	if (err)
		parcel_add_refused(parcel, number, row->raw, row->raw_length, err, why);
	else
		parcel_add(parcel, number, row->raw, row->raw_length, &job);
}

static void end_reading(struct import *import, enum sheet_state state)
{
	if (state == SHEET_BROKEN)
		fail(import, import->options->path, sheet_why(import->sheet));
	else
		import->is_read = true;
}

static bool is_reading(const struct import *import)
{
	return !import->is_read && !import->has_failed && !stop_signals;
}

/* Fills one parcel with what is there. True: it needs input from a stream. */
static bool read_rows(struct import *import)
{
	struct sheet_row row;
	struct parcel *parcel = window_filling(&import->window);
	if (!parcel || !is_reading(import))
		return false;
	enum sheet_state state = SHEET_ROW;
	while (!parcel_is_full(parcel, import->options->message_rows) &&
	       (state = sheet_next(import->sheet, &row)) == SHEET_ROW)
		add_row(import, parcel, &row);
	if (state == SHEET_END || state == SHEET_BROKEN)
		end_reading(import, state);
	/* What a slow stream has brought goes out before more comes. */
	if (parcel->row_count)
		window_close(&import->window);
	return state == SHEET_AGAIN;
}

static void take_outcomes(struct import *import)
{
	struct parcel *parcel;
	while ((parcel = window_answered(&import->window))) {
		for (size_t i = 0; i < parcel->row_count; i++) {
			score_add(&import->score, &parcel->rows[i]);
			if (parcel->rows[i].err)
				rejects_add(&import->rejects, parcel, &parcel->rows[i]);
		}
		import->done_bytes = parcel->end;
		window_retire(&import->window);
	}
}

/* A dry run takes a row that could be sent for one that was granted. */
static void pretend(struct import *import)
{
	struct parcel *parcel;
	while ((parcel = window_ready(&import->window)))
		parcel->state = PARCEL_ANSWERED;
}

static void send_and_take(struct import *import, int input, int timeout_ms)
{
	enum err err = sender_turn(&import->sender, input, timeout_ms);
	if (err == ERR_BROKER_DENIED)
		fail(import, "BOXOFFICE_AMQP_URL", err_message(err));
	else if (err)
		fail(import, "the import stopped", "see the message above");
}

static void turn(struct import *import)
{
	bool needs_input = read_rows(import);
	int input = needs_input ? sheet_fd(import->sheet) : -1;
	bool can_read = !needs_input && is_reading(import) && window_filling(&import->window);
	if (import->options->is_dry_run) {
		pretend(import);
		if (needs_input)
			sheet_await(import->sheet, TURN_MS);
	} else {
		send_and_take(import, input, can_read ? 0 : TURN_MS);
	}
	take_outcomes(import);
	progress_show(&import->progress, import->score.rows, import->done_bytes,
		      sender_trouble(&import->sender));
}

/* The header may be late, of a stream. */
static bool await_header(struct import *import)
{
	struct sheet_row header;
	enum sheet_state state;
	while ((state = sheet_next(import->sheet, &header)) == SHEET_AGAIN && !stop_signals)
		sheet_await(import->sheet, TURN_MS);
	if (state == SHEET_ROW)
		return read_header(import, &header);
	if (state == SHEET_END)
		fail(import, import->options->path, "it is empty");
	else if (state == SHEET_BROKEN)
		fail(import, import->options->path, sheet_why(import->sheet));
	return false;
}

/* What is under way is finished, unless it was told to stop and the broker is away: that may last.
 */
static bool is_going_on(const struct import *import)
{
	if (import->has_failed || (stop_signals && !sender_is_connected(&import->sender)))
		return false;
	return is_reading(import) || !window_is_empty(&import->window);
}

static void run(struct import *import, const struct conf *conf)
{
	window_init(&import->window);
	sender_init(&import->sender, conf, &import->window, import->options->answer_within_ms);
	while (is_going_on(import))
		turn(import);
	import->is_done = import->is_read && window_is_empty(&import->window);
	progress_clear(&import->progress);
	sender_fini(&import->sender);
	window_fini(&import->window);
}

static void end(struct import *import)
{
	const struct import_options *options = import->options;
	const char *rejects = import->rejects_path.bytes;
	struct summary summary = {
		.path = options->path,
		.score = &import->score,
		.is_dry_run = options->is_dry_run,
		.is_done = import->is_done && !import->has_failed,
		.spent_ms = clock_ms() - import->progress.began_ms,
	};
	/* A dry run has tried nothing: what an import has left to be corrected still holds. */
	if (rejects_end(&import->rejects, summary.is_done && !options->is_dry_run)) {
		fail(import, rejects, strerror(errno));
		summary.is_done = false;
	}
	summary.rejects = import->score.rejected ? rejects : NULL;
	summary_print(&summary, options->is_json);
}

enum import_status import_run(const struct import_options *options, const struct conf *conf)
{
	struct import import = {.options = options};
	install_signals();
	if (open_file(&import)) {
		progress_init(&import.progress, options->is_quiet, sheet_size(import.sheet));
		if (await_header(&import)) {
			run(&import, conf);
			end(&import);
		}
	}
	bool is_done = import.is_done && !import.has_failed;
	rejects_fini(&import.rejects);
	sheet_free(import.sheet);
	text_fini(&import.rejects_path);
	if (!is_done)
		return IMPORT_NOT_DONE;
	return import.score.rejected ? IMPORT_REJECTS : IMPORT_DONE;
}
