/* The tables of a run: fresh before it, looked at after it, and gone. Each connects by itself,
 * since other sessions prepare statements on them. */
#ifndef BOXOFFICE_BENCH_TABLES_H
#define BOXOFFICE_BENCH_TABLES_H

#include "order.h"

MUST_CHECK enum err tables_make(const struct order *order);
MUST_CHECK enum err tables_drop(const struct conf *conf);

/* Looks whether the tables say what the result says. */
MUST_CHECK enum err tables_check(const struct order *order, const struct arm_result *result,
				 bool *is_right);

#endif
