/* Notes of what has happened in a run: whether something was seen, by its sort and its bytes. */
#ifndef BOXOFFICE_SIM_NOTES_H
#define BOXOFFICE_SIM_NOTES_H

#include <stdbool.h>
#include <stddef.h>

enum note {
	NOTE_ANSWERED,    /* a message, by its correlation id: its reply was published */
	NOTE_UNSETTLED,   /* a job, by its id: it was told a refusal that is not stored */
	NOTE_KEY_REUSED,  /* the same: told that its key is another's */
	NOTE_DEAD,        /* a job, by its text: it is a dead letter */
	NOTE_HOLD_EXPIRY, /* a hold, by its job's id: its expiry waits, or was refused */
};

void notes_start(void);
void notes_add(enum note note, const void *bytes, size_t length);
bool notes_have(enum note note, const void *bytes, size_t length);

#endif
