/* Ids, jobs and chance for the tests of workers. */
#ifndef BOXOFFICE_TEST_WORKER_SAMPLE_H
#define BOXOFFICE_TEST_WORKER_SAMPLE_H

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "job.h"

/* 2026-11-22T10:00:00Z: what tests call now. */
#define NOW_US INT64_C(1795341600000000)
#define SECOND_US INT64_C(1000000)

/* The same number, the same id; ascending with it. */
static inline struct id id_of(uint64_t number)
{
	struct id id = {{0}};
	for (int i = 0; i < 8; i++)
		id.bytes[15 - i] = (uint8_t)(number >> (8 * i));
	return id;
}

/* Users have ids of their own. */
static inline struct id user_of(int64_t user_id)
{
	struct id id = id_of((uint64_t)user_id);
	id.bytes[0] = 0xAA;
	return id;
}

static inline struct job job_of(uint64_t id, enum job_kind kind)
{
	return (struct job){.id = id_of(id), .kind = kind, .attempt = 1};
}

static inline struct batch_entry entry_of(const struct job *job)
{
	return (struct batch_entry){.job = *job, .subject = BATCH_NONE};
}

/* xorshift64: chance that comes out the same on every machine. */
static inline uint64_t chance(uint64_t *seed, uint64_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % below;
}

#endif
