/*
 * Errors: one sentence that names the thing, the place and the cause.
 *
 * A function that can fail returns a negative errno value and takes, last, a
 * struct ingot_error that receives the sentence. Who raises, writes the cause;
 * every caller that knows more puts its own words in front:
 *
 *	partition 'USR-A': hash level 1: write 4096 bytes at 0x200000 of 'demo.raw':
 *	No space left on device
 *
 * The library never prints. An error may be NULL where nobody wants the words.
 */
#ifndef INGOT_BASE_ERROR_H
#define INGOT_BASE_ERROR_H

#include <stddef.h>

#include "base/api.h"

#define INGOT_ERROR_MAX 2048

struct ingot_error {
	int code;		    /* negative errno; 0: nothing was raised */
	char text[INGOT_ERROR_MAX]; /* NUL terminated; a longer sentence loses its middle */
};

/* Start a sentence. Returns rc, which must be negative. */
INGOT_API INGOT_MUST_USE int ingot_raise(struct ingot_error *err, int rc, const char *format, ...)
	INGOT_PRINTF(3, 4);

/*
 * Start a sentence that ends in ": " and the system's words for errnum. Returns -errnum. Foreign
 * code may fail and leave no number: 0 and less count as EIO, never as success.
 */
INGOT_API INGOT_MUST_USE int ingot_raise_errno(struct ingot_error *err, int errnum,
					       const char *format, ...) INGOT_PRINTF(3, 4);

/* Put words and ": " in front of the sentence. Returns rc. */
INGOT_API INGOT_MUST_USE int ingot_wrap(struct ingot_error *err, int rc, const char *format, ...)
	INGOT_PRINTF(3, 4);

/* The sentence for a failed allocation of size bytes (0: not known). Returns -ENOMEM. */
INGOT_API INGOT_MUST_USE int ingot_raise_oom(struct ingot_error *err, size_t size);

#endif
