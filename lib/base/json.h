/* Reading JSON with jansson, which does not tell want of memory from a mistake in the text. */
#ifndef INGOT_BASE_JSON_H
#define INGOT_BASE_JSON_H

#include <jansson.h>

#include "base/error.h"

/*
 * 0; -EINVAL: it is no JSON, or has a key twice, and *why says where; -ENOMEM, and err says so.
 * The caller drops its reference to *ret.
 */
INGOT_API INGOT_MUST_USE int ingot_json_parse(const char *text, size_t n, json_t **ret,
					      json_error_t *why, struct ingot_error *err);

#endif
