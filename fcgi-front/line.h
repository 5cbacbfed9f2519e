/* The line as a front knows it: which places still wait, so that how many are ahead of one is exact
 * and costs a few instructions. Immutable once finished, and shared by the snapshots that see no
 * change. A line of a hundred thousand takes some 20 KB. */
#ifndef BOXOFFICE_LINE_H
#define BOXOFFICE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line; /* opaque */

/* Making one --------------------------------------------------------------------------------- */

/* The places up to last, of which those wait that line_wait() says. One reference, owned:
 * line_release(). NULL: out of memory. */
struct line *line_new(int64_t last);

/* A copy to go on with: every place after its last, up to last, waits. The same ownership. */
struct line *line_renew(const struct line *line, int64_t last);

/* A place waits, or waits no more. Before line_finish(). A place beyond the last one makes the line
 * longer; those between wait. */
void line_wait(struct line *line, int64_t place);
void line_take_out(struct line *line, int64_t place);

/* Up to which number of gate_state.out_seq its places are known. */
void line_set_seq(struct line *line, int64_t seq);
int64_t line_seq(const struct line *line);

/* Makes it ready to be asked: none of the above may follow. */
void line_finish(struct line *line);

struct line *line_hold(struct line *line); /* one reference more */
void line_release(struct line *line);      /* NULL is fine */

/* Asking it ---------------------------------------------------------------------------------- */

int64_t line_last(const struct line *line);

/* True when the place waits, as does one beyond the last: it is newer than what we know. */
bool line_has(const struct line *line, int64_t place);

/* How many wait before the place. */
int64_t line_ahead(const struct line *line, int64_t place);

/* How many wait in all. */
int64_t line_count(const struct line *line);

/* The place that has so many others ahead of it; 0 when there are not so many. */
int64_t line_place(const struct line *line, int64_t ahead);

#endif
