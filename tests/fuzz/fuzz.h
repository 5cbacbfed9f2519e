/* What the fuzzers share. Each fuzz_<target>.c is one: it takes bytes, hands them to a decoder of
 * ours, and holds what comes of it against what the decoder's header promises. libFuzzer and AFL++
 * drive it (tests/fuzz/run), and replay.c goes over its corpus. */
#ifndef BOXOFFICE_FUZZ_H
#define BOXOFFICE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Data is size bytes on the heap and no more: a sanitizer sees who reads beyond. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__attribute__((noreturn)) static inline void fuzz_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* In any build: an assert() may be compiled away. */
#define FUZZ_HOLDS(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

/* The bytes as a string of their own, cut at the first zero byte; owned by the caller. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *string = strndup((const char *)data, size);

	FUZZ_HOLDS(string != NULL);
	return string;
}

/* A reason for people: some text, fit to be shown and logged. */
static inline void fuzz_check_reason(const char *why)
{
	size_t chars = 0;

	FUZZ_HOLDS(why[0] != '\0' && text_is_plain_utf8(why, strlen(why), &chars));
}

static inline bool fuzz_same_text(const struct text *a, const struct text *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

#endif
