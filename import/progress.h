/* Progress on stderr: a bar on a terminal, else a line every few seconds. */
#ifndef BOXOFFICE_IMPORT_PROGRESS_H
#define BOXOFFICE_IMPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool is_quiet;
	bool is_terminal;
	bool is_drawn; /* a bar stands on the terminal's last line */
	int64_t began_ms, shown_ms;
	int64_t size; /* bytes of the file; 0: not known */
};

void progress_init(struct progress *progress, bool is_quiet, int64_t size);

/* Shows it when it is time: so many rows and bytes of the file are done; trouble says what is
 * waited for, "" for nothing. */
void progress_show(struct progress *progress, int64_t rows, int64_t bytes, const char *trouble);

/* Takes the bar off the terminal, for another message to be written. */
void progress_clear(struct progress *progress);

#endif
