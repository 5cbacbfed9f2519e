/* What every unit test includes: cmocka with the headers that it wants first. */
#ifndef BOXOFFICE_TEST_UNIT_H
#define BOXOFFICE_TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
