/* An assertion of product code that does not hold is an invariant that does not hold. */
#include <stdlib.h>

#include "kernel.h"

_Noreturn void __wrap___assert_fail(const char *text, const char *file, unsigned line,
				    const char *function);
_Noreturn void __wrap___assert_fail(const char *text, const char *file, unsigned line,
				    const char *function)
{
	(void)function;
	kernel_fail("assertion", "%s:%u: %s", file, line, text);
	abort();
}
