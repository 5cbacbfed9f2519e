/* A database in memory for the tests of batches, in the place of the real store. Each test runs
 * between begin and end. */
#ifndef BOXOFFICE_TEST_BATCH_SAMPLE_H
#define BOXOFFICE_TEST_BATCH_SAMPLE_H

#include "worker_sample.h"

#include "batch.h"
#include "inbox.h"

#define ROWS_MAX 128

/* What the database holds. The effect of a job is to add its amount to the total. */
struct contents {
	struct {
		struct id id;
		uint8_t fingerprint[FINGERPRINT_SIZE];
		int attempt;
		struct outcome outcome;
	} jobs[ROWS_MAX];
	size_t job_count;
	int64_t total;
};

enum step { BEGIN, FIND, LOAD, CLOCK, WRITE, SAVE, COMMIT, STEP_COUNT };

static struct contents committed, seen; /* seen: as the transaction sees it */
static struct batch batch;
static enum step failing; /* this step fails ... */
static enum err failure;  /* ... so, once; OK: none does */
static char steps[64];    /* what was called, a letter each */
static int64_t loaded;    /* the world of the rules: the total */
static enum err answer;   /* what the rules say */
static size_t decisions;
static bool rival_is_quick; /* another worker commits the first job while this one decides */

static inline enum err pass(enum step step)
{
	steps[strlen(steps)] = "bflcwsC"[step];
	if (failure == ERR_OK || step != failing)
		return ERR_OK;
	enum err err = failure;
	failure = ERR_OK;
	return err;
}

static inline enum err begin_work(void *self)
{
	(void)self;
	seen = committed;
	return pass(BEGIN);
}

static inline enum err commit(void *self)
{
	(void)self;
	for (size_t i = 0; i < batch.count; i++)
		assert_false(batch.entries[i].outcome.replayed); /* shared only after this */
	enum err err = pass(COMMIT);
	if (!err)
		committed = seen;
	return err;
}

static inline void rollback(void *self)
{
	(void)self;
	steps[strlen(steps)] = 'R';
}

static inline enum err read_clock(void *self, int64_t *now_us)
{
	(void)self;
	*now_us = NOW_US;
	return pass(CLOCK);
}

static inline enum err find_outcomes(void *self, struct batch *of)
{
	(void)self;
	for (size_t i = 0; i < seen.job_count; i++)
		inbox_put_stored(of, &seen.jobs[i].id, seen.jobs[i].fingerprint,
				 seen.jobs[i].attempt, &seen.jobs[i].outcome);
	return pass(FIND);
}

static inline size_t row_of(const struct contents *contents, const struct id *id)
{
	size_t i = 0;
	while (i < contents->job_count && !id_equal(&contents->jobs[i].id, id))
		i++;
	return i;
}

static inline void put_row(struct contents *contents, const struct batch_entry *entry,
			   const struct outcome *outcome)
{
	size_t i = row_of(contents, &entry->job.id);
	assert_true(i < ROWS_MAX);
	contents->jobs[i].id = entry->job.id;
	contents->jobs[i].attempt = entry->job.attempt;
	contents->jobs[i].outcome = *outcome;
	memcpy(contents->jobs[i].fingerprint, entry->fingerprint, FINGERPRINT_SIZE);
	if (i == contents->job_count)
		contents->job_count++;
}

static inline enum err save_outcomes(void *self, const struct batch *of)
{
	(void)self;
	if (rival_is_quick) {
		const struct outcome theirs = {.data = "{\"total\":10}"};
		rival_is_quick = false;
		put_row(&committed, &of->entries[0], &theirs);
		committed.total += of->entries[0].job.amount;
		return ERR_DB_DUPLICATE;
	}
	for (size_t i = 0; i < of->count; i++) {
		const struct batch_entry *entry = &of->entries[i];
		if (!inbox_must_store(of, i))
			continue;
		bool is_there = row_of(&seen, &entry->job.id) < seen.job_count;
		assert_int_equal(is_there, of->known[entry->known].is_stored);
		put_row(&seen, entry, &entry->outcome);
	}
	return pass(SAVE);
}

static inline enum err load(void *self, const struct batch *of)
{
	(void)self;
	(void)of;
	loaded = seen.total;
	return pass(LOAD);
}

static inline enum err write_total(void *self, const struct batch *of)
{
	(void)self;
	assert_true(of->now_us == NOW_US);
	seen.total = loaded;
	return pass(WRITE);
}

static inline void decide(void *world, struct batch_entry *entry, int64_t now_us)
{
	assert_true(now_us == NOW_US);
	decisions++;
	entry->outcome.err = answer;
	if (!answer)
		*(int64_t *)world += entry->job.amount;
}

static inline void describe(void *world, struct batch_entry *entry)
{
	assert_true(entry->is_decided && strchr(steps, 'w'));
	if (!entry->outcome.err)
		snprintf(entry->outcome.data, sizeof entry->outcome.data, "{\"total\":%lld}",
			 (long long)*(int64_t *)world);
}

static inline int begin(void **state)
{
	(void)state;
	committed = (struct contents){0};
	failure = answer = ERR_OK;
	decisions = 0;
	rival_is_quick = false;
	batch_init(&batch);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	batch_fini(&batch);
	return 0;
}

static inline void add_attempt(uint64_t id, int64_t amount, int attempt)
{
	struct job job = job_of(id, JOB_CHARGE);
	job.amount = amount;
	job.attempt = attempt;
	batch_add(&batch, &job);
}

static inline void add(uint64_t id, int64_t amount)
{
	add_attempt(id, amount, 1);
}

static inline enum err apply(void)
{
	static const struct store store = {.begin = begin_work,
					   .commit = commit,
					   .rollback = rollback,
					   .clock = read_clock,
					   .find_outcomes = find_outcomes,
					   .save_outcomes = save_outcomes,
					   .load = load,
					   .write = write_total};
	const struct rules rules = {.world = &loaded, .decide = decide, .describe = describe};
	memset(steps, 0, sizeof steps);
	return batch_apply(&batch, &store, &rules);
}

/* Runs a batch of this one job. */
static inline const struct outcome *run_one(uint64_t id, int64_t amount, int attempt)
{
	batch_clear(&batch);
	add_attempt(id, amount, attempt);
	assert_int_equal(apply(), ERR_OK);
	return &batch.entries[0].outcome;
}

static inline void assert_outcome(size_t index, enum err err, bool is_replayed)
{
	assert_int_equal(batch.entries[index].outcome.err, err);
	assert_int_equal(batch.entries[index].outcome.replayed, is_replayed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
