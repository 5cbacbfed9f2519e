#include "parcel.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "reply.h"

/* The longest job: its memo, each byte escaped, and all else. */
#define JOB_BYTES_MAX (6 * JOB_MEMO_CHARS * 4 + 512)

_Static_assert(JOB_BYTES_MAX < JOB_MAX_MESSAGE_BYTES / 2, "a job must fit into a message");

void parcel_fini(struct parcel *parcel)
{
	text_fini(&parcel->body);
	text_fini(&parcel->texts);
	free(parcel->rows);
	*parcel = (struct parcel){0};
}

void parcel_open(struct parcel *parcel, int64_t number)
{
	parcel->state = PARCEL_FILLING;
	parcel->number = number;
	parcel->sequence = 0;
	parcel->is_probe = false;
	parcel->row_count = 0;
	parcel->job_count = 0;
	text_clear(&parcel->body);
	text_clear(&parcel->texts);
	text_putc(&parcel->texts, '\0'); /* nothing stands at 0 */
}

static struct parcel_row *add_row(struct parcel *parcel, int64_t number, const char *raw,
				  size_t length)
{
	if (parcel->row_count == parcel->row_capacity) {
		parcel->row_capacity = parcel->row_capacity ? parcel->row_capacity * 2 : 64;
		parcel->rows = mem_array(parcel->rows, parcel->row_capacity, sizeof *parcel->rows);
	}
	struct parcel_row *row = &parcel->rows[parcel->row_count++];
	*row = (struct parcel_row){
		.number = number, .raw = parcel->texts.length, .raw_length = length};
	text_add(&parcel->texts, raw, length);
	return row;
}

static void refuse(struct parcel *parcel, struct parcel_row *row, enum err err, const char *why)
{
	row->err = err;
	row->why = 0;
	if (!why[0])
		return;
	row->why = parcel->texts.length;
	text_add(&parcel->texts, why, strlen(why) + 1);
}

void parcel_add_refused(struct parcel *parcel, int64_t number, const char *raw, size_t length,
			enum err err, const char *why)
{
	refuse(parcel, add_row(parcel, number, raw, length), err, why);
}

void parcel_add(struct parcel *parcel, int64_t number, const char *raw, size_t length,
		const struct job *job)
{
	struct parcel_row *row = add_row(parcel, number, raw, length);
	row->amount = job->amount;
	row->id = job->id;
	if (parcel->job_count)
		text_putc(&parcel->body, ',');
	else
		text_puts(&parcel->body, "{\"v\":1,\"jobs\":[");
	job_encode(&parcel->body, job);
	parcel->jobs[parcel->job_count++] = (uint16_t)(parcel->row_count - 1);
}

/* Rows that are refused stay in memory too. */
bool parcel_is_full(const struct parcel *parcel, size_t most)
{
	return parcel->row_count >= most ||
	       parcel->body.length + JOB_BYTES_MAX > JOB_MAX_MESSAGE_BYTES;
}

void parcel_close(struct parcel *parcel)
{
	text_puts(&parcel->body, "]}");
	parcel->state = parcel->job_count ? PARCEL_READY : PARCEL_ANSWERED;
}

static bool belong(const struct parcel *parcel, const struct result *results, size_t count)
{
	if (count != parcel->job_count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (results[i].index != i ||
		    !id_equal(&results[i].id, &parcel->rows[parcel->jobs[i]].id))
			return false;
	return true;
}

enum err parcel_take_results(struct parcel *parcel, const char *body, size_t length)
{
	struct result *results;
	size_t count;
	enum err err = reply_decode(body, length, &results, &count);
	if (err)
		return err;
	if (!belong(parcel, results, count)) {
		free(results);
		return ERR_BAD_MESSAGE;
	}
	for (size_t i = 0; i < count; i++) {
		struct parcel_row *row = &parcel->rows[parcel->jobs[i]];
		row->is_replayed = results[i].outcome.replayed;
		if (results[i].outcome.err)
			refuse(parcel, row, results[i].outcome.err, results[i].outcome.why);
	}
	free(results);
	parcel->state = PARCEL_ANSWERED;
	return ERR_OK;
}

const char *parcel_why(const struct parcel *parcel, const struct parcel_row *row)
{
	return row->why ? parcel->texts.bytes + row->why : err_message(row->err);
}
