/* What every unit test includes: cmocka, and a check that shows an error's sentence. */
#ifndef INGOT_TESTS_UNIT_H
#define INGOT_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

/* The call succeeded; otherwise the test fails with the sentence. */
#define assert_ok(call)                                                                            \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			fail_msg("%s", err.text);                                                  \
	} while (0)

/* The call failed with this code, and its sentence contains these words. */
#define assert_fails(call, want, words)                                                            \
	do {                                                                                       \
		assert_int_equal((call), (want));                                                  \
		if (!strstr(err.text, (words)))                                                    \
			fail_msg("'%s' not in: %s", (words), err.text);                            \
	} while (0)

#endif
