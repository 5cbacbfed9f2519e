/* Jobs from outside: a message body taken apart, each job judged by itself. */
#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>

#include "json.h"

#define ATTEMPT_MAX 1000
#define KIND_CHARS 32
#define NAMES_MAX 16

_Static_assert(JOB_WHY_SIZE == JSON_WHY_SIZE, "a reason of json.h is a reason of a job");

static enum err read_version(const struct json_object *object, char why[static JOB_WHY_SIZE])
{
	int64_t version;

	if (json_get_int(object, "v", JOB_ENVELOPE_VERSION, JOB_ENVELOPE_VERSION, &version, why)) {
		snprintf(why, JOB_WHY_SIZE, "v must be %d", JOB_ENVELOPE_VERSION);
		return ERR_BAD_VERSION;
	}
	return ERR_OK;
}

static enum err read_kind(const struct json_object *object, unsigned queue, enum job_kind *kind,
			  char why[static JOB_WHY_SIZE])
{
	char name[KIND_CHARS * 4 + 1];
	unsigned i = 0;

	if (json_get_text(object, "kind", 1, KIND_CHARS, name, sizeof(name), why))
		return ERR_BAD_KIND;
	while (i < JOB_KIND_COUNT && strcmp(job_kind_name((enum job_kind)i), name) != 0)
		i++;
	if (i == JOB_KIND_COUNT) {
		snprintf(why, JOB_WHY_SIZE, "kind \"%s\" is not known", name);
		return ERR_BAD_KIND;
	}
	if (!(job_kind_queues((enum job_kind)i) & queue)) {
		snprintf(why, JOB_WHY_SIZE, "kind \"%s\" is not taken by this queue",
			 job_kind_name((enum job_kind)i));
		return ERR_BAD_KIND;
	}
	*kind = (enum job_kind)i;
	return ERR_OK;
}

static enum err read_attempt(const struct json_object *object, int *attempt,
			     char why[static JOB_WHY_SIZE])
{
	int64_t value = 1;
	enum err err = ERR_OK;

	if (json_has(object, "attempt"))
		err = json_get_int(object, "attempt", 1, ATTEMPT_MAX, &value, why);
	*attempt = (int)value;
	return err;
}

static enum err read_request_id(const struct json_object *object,
				char out[static JOB_REQUEST_ID_SIZE], char why[static JOB_WHY_SIZE])
{
	char value[(JOB_REQUEST_ID_SIZE - 1) * 4 + 1];
	enum err err;

	if (!json_has(object, "requestId"))
		return ERR_OK;
	err = json_get_text(object, "requestId", 0, JOB_REQUEST_ID_SIZE - 1, value, sizeof(value),
			    why);
	if (err)
		return err;
	for (const char *at = value; *at; at++) {
		if (*at <= ' ' || *at > '~') {
			snprintf(why, JOB_WHY_SIZE, "requestId must be visible ASCII");
			return ERR_BAD_FIELD;
		}
	}
	memcpy(out, value, strlen(value) + 1);
	return ERR_OK;
}

static enum err read_field(const struct json_object *object, enum field_set field, struct job *job,
			   char why[static JOB_WHY_SIZE])
{
	const char *name = job_field_name(field);

	switch (field) {
	case FIELD_USER:
		return json_get_id(object, name, &job->user, why);
	case FIELD_NAME:
		return json_get_text(object, name, 1, JOB_NAME_CHARS, job->name, sizeof(job->name),
				     why);
	case FIELD_AMOUNT:
		return json_get_int(object, name, 1, JOB_MAX_AMOUNT, &job->amount, why);
	case FIELD_MEMO:
		return json_get_text(object, name, 0, JOB_MEMO_CHARS, job->memo, sizeof(job->memo),
				     why);
	case FIELD_RESUME:
		return json_get_bool(object, name, &job->resume, why);
	case FIELD_TICKET:
		return json_get_int(object, name, 1, JOB_MAX_ID, &job->ticket, why);
	case FIELD_SEAT:
		return json_get_int(object, name, 1, JOB_MAX_ID, &job->seat, why);
	case FIELD_HOLD:
		return json_get_id(object, name, &job->hold, why);
	case FIELD_PAYMENT:
		return json_get_int(object, name, 1, JOB_MAX_ID, &job->payment, why);
	case FIELD_CHARGE:
		return json_get_id(object, name, &job->charge, why);
	}
	return ERR_BAD_FIELD;
}

/* Reads the fields of the job's kind, and refuses members that are none of them. */
static enum err read_fields(const struct json_object *object, bool bare, struct job *job,
			    char why[static JOB_WHY_SIZE])
{
	const char *names[NAMES_MAX] = {"id", "kind", "attempt", "requestId"};
	size_t count = 4;
	unsigned must = job_kind_fields(job->kind);
	unsigned may = job_kind_optional(job->kind);

	if (bare)
		names[count++] = "v";
	for (unsigned bit = 1; bit <= (must | may); bit <<= 1) {
		const char *name = job_field_name((enum field_set)bit);
		enum err err;

		if (!((must | may) & bit))
			continue;
		names[count++] = name;
		if (!(must & bit) && !json_has(object, name))
			continue;
		err = read_field(object, (enum field_set)bit, job, why);
		if (err)
			return err;
	}
	return json_refuse_others(object, names, count, why);
}

/* An id of zeroes is what "no id" reads as everywhere (results, columns that are NULL). */
static enum err read_job_id(const struct json_object *object, struct id *id,
			    char why[static JOB_WHY_SIZE])
{
	static const struct id none;
	struct id read = none;
	enum err err = json_get_id(object, "id", &read, why);

	if (err)
		return err;
	if (id_equal(&read, &none)) {
		snprintf(why, JOB_WHY_SIZE, "id must not be the UUID of zeroes");
		return ERR_BAD_FIELD;
	}
	*id = read;
	return ERR_OK;
}

static enum err read_job(const struct json_part *part, const struct json_object *object,
			 unsigned queue, bool bare, struct job_entry *entry)
{
	struct job *job = &entry->job;
	enum err err;

	entry->raw = part->text;
	entry->raw_length = part->length;
	if (!json_object_is_type(object, json_type_object)) {
		snprintf(entry->why, sizeof(entry->why), "a job must be a JSON object");
		return ERR_BAD_MESSAGE;
	}
	err = json_refuse_faults(part, object, entry->why);
	if (err)
		return err;
	err = read_job_id(object, &job->id, entry->why);
	if (err)
		return err;
	entry->has_id = true;
	err = read_kind(object, queue, &job->kind, entry->why);
	if (err)
		return err;
	err = read_attempt(object, &job->attempt, entry->why);
	if (err)
		return err;
	err = read_request_id(object, job->request_id, entry->why);
	if (err)
		return err;
	return read_fields(object, bare, job, entry->why);
}

/* Finds "jobs" in the text. The object tells a member given twice no more: the text does. */
static enum err find_jobs(const char *body, size_t length, struct json_part *jobs,
			  char why[static JOB_WHY_SIZE])
{
	struct json_cursor cursor;
	struct json_part part;
	size_t count = 0;

	json_cursor_init(&cursor, body, length);
	while (json_cursor_next(&cursor, &part)) {
		/* With its quotes, which stand around it. */
		if (json_scan(part.name - 1, part.name_length + 2).nul)
			count = SIZE_MAX / 2;
		count++;
		if (*part.text == '[')
			*jobs = part;
	}
	if (count != 2) {
		snprintf(why, JOB_WHY_SIZE, "an envelope has v and jobs, each once");
		return ERR_BAD_MESSAGE;
	}
	return ERR_OK;
}

static enum err check_envelope(const struct json_object *object, char why[static JOB_WHY_SIZE])
{
	static const char *const names[] = {"v", "jobs"};
	const struct json_object *jobs = json_object_object_get(object, "jobs");
	enum err err = read_version(object, why);

	if (err)
		return err;
	if (json_refuse_others(object, names, sizeof(names) / sizeof(names[0]), why))
		return ERR_BAD_MESSAGE;
	if (!json_object_is_type(jobs, json_type_array) || json_object_array_length(jobs) == 0) {
		snprintf(why, JOB_WHY_SIZE, "jobs must be an array of one job or more");
		return ERR_BAD_MESSAGE;
	}
	if (json_object_array_length(jobs) > JOB_MAX_PER_MESSAGE) {
		snprintf(why, JOB_WHY_SIZE, "a message takes at most %d jobs", JOB_MAX_PER_MESSAGE);
		return ERR_MESSAGE_TOO_LARGE;
	}
	return ERR_OK;
}

static enum err new_entries(size_t count, struct job_entry **entries)
{
	*entries = calloc(count, sizeof(**entries));
	return *entries ? ERR_OK : ERR_MEMORY;
}

/* Text and objects go side by side: what find_jobs() let through has the same places in both. */
static enum err decode_envelope(const char *body, size_t length, const struct json_object *object,
				unsigned queue, struct job_entry **entries, size_t *count,
				char why[static JOB_WHY_SIZE])
{
	const struct json_object *jobs = json_object_object_get(object, "jobs");
	struct json_part jobs_part = {0};
	struct json_cursor cursor;
	struct json_part part;
	struct job_entry *made;
	enum err err = check_envelope(object, why);

	if (err)
		return err;
	err = find_jobs(body, length, &jobs_part, why);
	if (err)
		return err;
	err = new_entries(json_object_array_length(jobs), &made);
	if (err)
		return err;
	json_cursor_init(&cursor, jobs_part.text, jobs_part.length);
	for (size_t i = 0; i < json_object_array_length(jobs) && json_cursor_next(&cursor, &part);
	     i++)
		made[i].err =
			read_job(&part, json_object_array_get_idx(jobs, i), queue, false, &made[i]);
	*entries = made;
	*count = json_object_array_length(jobs);
	return ERR_OK;
}

static enum err decode_bare(const char *body, size_t length, const struct json_object *object,
			    unsigned queue, struct job_entry **entries, size_t *count,
			    char why[static JOB_WHY_SIZE])
{
	struct json_part part = {.text = body, .length = length};
	struct job_entry *made;
	enum err err = json_has(object, "v") ? read_version(object, why) : ERR_OK;

	if (err)
		return err;
	err = new_entries(1, &made);
	if (err)
		return err;
	part.facts = json_scan(body, length);
	made->err = read_job(&part, object, queue, true, made);
	*entries = made;
	*count = 1;
	return ERR_OK;
}

enum err job_decode(const char *body, size_t length, unsigned queue, struct job_entry **entries,
		    size_t *count, char why[static JOB_WHY_SIZE])
{
	struct json_object *object;
	enum err err;

	why[0] = '\0';
	if (length > (size_t)JOB_MAX_MESSAGE_BYTES) {
		snprintf(why, JOB_WHY_SIZE, "a message takes at most %d bytes",
			 JOB_MAX_MESSAGE_BYTES);
		return ERR_MESSAGE_TOO_LARGE;
	}
	err = json_parse_loosely(body, length, &object, why);
	if (err)
		return err == ERR_MEMORY ? err : ERR_BAD_MESSAGE;
	if (json_has(object, "jobs"))
		err = decode_envelope(body, length, object, queue, entries, count, why);
	else
		err = decode_bare(body, length, object, queue, entries, count, why);
	json_free(object);
	return err;
}
