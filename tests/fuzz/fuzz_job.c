/* Envelopes of jobs, as a worker gets them from anybody who may publish. */
#include "fuzz.h"

#include "job.h"

#define ALL_QUEUES (QUEUE_SEAT | QUEUE_GATE | QUEUE_ACCOUNT | QUEUE_IMPORT)

static void check_limits(const struct job *job)
{
	unsigned fields = job_kind_fields(job->kind);
	size_t chars = 0;

	FUZZ_HOLDS(job->attempt >= 1 && job->attempt <= 1000);
	FUZZ_HOLDS(!(fields & FIELD_AMOUNT) || (job->amount >= 1 && job->amount <= JOB_MAX_AMOUNT));
	FUZZ_HOLDS(!(fields & FIELD_TICKET) || (job->ticket >= 1 && job->ticket <= JOB_MAX_ID));
	FUZZ_HOLDS(!(fields & FIELD_SEAT) || (job->seat >= 1 && job->seat <= JOB_MAX_ID));
	FUZZ_HOLDS(!(fields & FIELD_PAYMENT) || (job->payment >= 1 && job->payment <= JOB_MAX_ID));
	FUZZ_HOLDS(text_is_plain_utf8(job->name, strlen(job->name), &chars));
	FUZZ_HOLDS(chars <= JOB_NAME_CHARS && (chars >= 1 || !(fields & FIELD_NAME)));
	FUZZ_HOLDS(text_is_plain_utf8(job->memo, strlen(job->memo), &chars));
	FUZZ_HOLDS(chars <= JOB_MEMO_CHARS);
	FUZZ_HOLDS(strlen(job->request_id) < JOB_REQUEST_ID_SIZE);
}

/* What was read is written so that it reads the same. */
static void check_round_trip(const struct job *job)
{
	uint8_t fingerprint[FINGERPRINT_SIZE], again[FINGERPRINT_SIZE];
	struct text written = {0}, rewritten = {0};
	struct job_entry *entries = NULL;
	char why[JOB_WHY_SIZE];
	size_t count = 0;

	job_encode_envelope(&written, (const struct job *const[]){job}, 1);
	FUZZ_HOLDS(job_decode(written.bytes, written.length, job_kind_queues(job->kind), &entries,
			      &count, why) == ERR_OK);
	FUZZ_HOLDS(count == 1 && entries[0].err == ERR_OK);
	job_encode_envelope(&rewritten, (const struct job *const[]){&entries[0].job}, 1);
	FUZZ_HOLDS(fuzz_same_text(&written, &rewritten));
	job_fingerprint(job, fingerprint);
	job_fingerprint(&entries[0].job, again);
	FUZZ_HOLDS(memcmp(fingerprint, again, sizeof again) == 0);
	free(entries);
	text_fini(&written);
	text_fini(&rewritten);
}

static void check_entry(const struct job_entry *entry, const char *body, size_t length)
{
	static const struct id none;

	FUZZ_HOLDS(entry->raw >= body && entry->raw + entry->raw_length <= body + length);
	if (entry->err != ERR_OK) {
		FUZZ_HOLDS(err_class_of(entry->err) == ERR_CLASS_CLIENT);
		fuzz_check_reason(entry->why);
		return;
	}
	FUZZ_HOLDS(entry->has_id && !id_equal(&entry->job.id, &none));
	check_limits(&entry->job);
	check_round_trip(&entry->job);
}

/* A queue takes what all of them together take, if the kind is one of its own. */
static void check_queue(const char *body, size_t length, unsigned queue,
			const struct job_entry *all, size_t count)
{
	struct job_entry *entries = NULL;
	char why[JOB_WHY_SIZE];
	size_t found = 0;

	FUZZ_HOLDS(job_decode(body, length, queue, &entries, &found, why) == ERR_OK);
	FUZZ_HOLDS(found == count);
	for (size_t i = 0; i < count; i++) {
		bool is_taken =
			all[i].err == ERR_OK && (job_kind_queues(all[i].job.kind) & queue) != 0;

		FUZZ_HOLDS((entries[i].err == ERR_OK) == is_taken);
	}
	free(entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	struct job_entry *entries = NULL;
	char why[JOB_WHY_SIZE];
	size_t count = 0;
	enum err err = job_decode(body, size, ALL_QUEUES, &entries, &count, why);

	if (err != ERR_OK) {
		FUZZ_HOLDS(entries == NULL && count == 0);
		FUZZ_HOLDS(err == ERR_BAD_MESSAGE || err == ERR_BAD_VERSION ||
			   err == ERR_MESSAGE_TOO_LARGE);
		fuzz_check_reason(why);
		return 0;
	}
	FUZZ_HOLDS(count >= 1 && count <= JOB_MAX_PER_MESSAGE);
	for (size_t i = 0; i < count; i++)
		check_entry(&entries[i], body, size);
	for (unsigned queue = QUEUE_SEAT; queue <= QUEUE_IMPORT; queue <<= 1)
		check_queue(body, size, queue, entries, count);
	free(entries);
	return 0;
}
