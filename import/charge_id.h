/* The id of an imported charge: a function of who it comes from and what he calls it, and of
 * nothing else. PROTOCOL.md, "The id of a charge", has the same in Python: never change it, or a
 * file that is imported again would be applied again.
 *
 * An id begins with 24 bits of the source, goes on with the number in which the reference ends, and
 * ends with 64 bits of a digest of both. So the rows of a file, whose references count up, stand
 * one after the other in the database's keys, and are inserted twice as fast as in random order. */
#ifndef BOXOFFICE_IMPORT_CHARGE_ID_H
#define BOXOFFICE_IMPORT_CHARGE_ID_H

#include <stddef.h>
#include <stdint.h>

#include "id.h"

#define CHARGE_SOURCE_CHARS 64
#define CHARGE_REFERENCE_CHARS 100

enum charge_naming {
	CHARGE_BY_REFERENCE, /* the source's reference of the row */
	CHARGE_BY_ROW,       /* the row's number in a file with this id */
};

/* Where charges come from. Made by charge_source_init(). */
struct charge_source {
	enum charge_naming naming;
	uint32_t prefix;                        /* 24 bits */
	char text[CHARGE_SOURCE_CHARS * 4 + 1]; /* the source, or the file's id */
};

/* text: 1 to CHARGE_SOURCE_CHARS characters. */
void charge_source_init(struct charge_source *source, enum charge_naming naming, const char *text);

/* name: a reference of 1 to CHARGE_REFERENCE_CHARS characters, or a row's number in decimal. */
struct id charge_id(const struct charge_source *source, const char *name, size_t length);

#endif
