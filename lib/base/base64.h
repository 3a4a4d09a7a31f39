/* Base64 (RFC 4648, section 4), with its padding and without line breaks. */
#ifndef INGOT_BASE_BASE64_H
#define INGOT_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The text of at most 1 GiB; the caller frees it. NULL: an error was raised. */
INGOT_API char *ingot_base64(const void *data, size_t n, struct ingot_error *err);

/* Its bytes, which the caller frees. -EINVAL: it is empty or not exactly base64. */
INGOT_API INGOT_MUST_USE int ingot_unbase64(const char *text, uint8_t **ret, size_t *ret_n,
					    struct ingot_error *err);

#endif
