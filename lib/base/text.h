/* Hex, sizes and numbers as a person types them. No locale takes part. */
#ifndef INGOT_BASE_TEXT_H
#define INGOT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

/* Lower-case hex of n bytes into text[2 * n + 1]. */
INGOT_API void ingot_hex(const void *data, size_t n, char *text);

/* Bytes of an even number of hex digits (either case). -EINVAL: not hex, or more than max. */
INGOT_API INGOT_MUST_USE int ingot_unhex(const char *text, void *data, size_t max, size_t *ret_n,
					 struct ingot_error *err);

/* Decimal digits only, no sign, no blank. */
INGOT_API INGOT_MUST_USE int ingot_parse_u64(const char *text, uint64_t *ret,
					     struct ingot_error *err);

/* A size in bytes: digits, then nothing or K, M, G, T (binary). */
INGOT_API INGOT_MUST_USE int ingot_parse_size(const char *text, uint64_t *ret,
					      struct ingot_error *err);

/* A size for people: "1016 MiB", "12.3 KiB", "17 bytes". */
#define INGOT_SIZE_TEXT 32
INGOT_API const char *ingot_size_text(uint64_t bytes, char text[INGOT_SIZE_TEXT]);

/*
 * A name from outside, safe to print: control characters, quotes, backslashes and what is not
 * UTF-8 become \xNN. At most size - 1 bytes, size >= 16; a longer one ends in "...". Returns text.
 */
INGOT_API const char *ingot_printable(const void *name, size_t n, char *text, size_t size);

/* The same of a sentence, which may have quotes and backslashes and any length, to a stream. */
INGOT_API void ingot_print_sentence(const char *text, size_t n, FILE *stream);

/* What follows the last '/' of a path; a path that ends in one has an empty name. */
INGOT_API const char *ingot_base_name(const char *path);

/*
 * Shell-style match of a whole path below a root, "usr/lib/x": `*` and `?` stop at '/', `[...]` is
 * a set, `\` takes the next character as it is, a component `**` matches any number of names, but
 * as the last one at least one: usr and then `**` is everything in usr, not usr. A '/' at either
 * end of the pattern says nothing; "/" matches the root itself.
 */
INGOT_API bool ingot_path_match(const char *pattern, const char *path);

#endif
