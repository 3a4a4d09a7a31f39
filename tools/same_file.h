/* Files under their several names. */
#ifndef INGOT_TOOLS_SAME_FILE_H
#define INGOT_TOOLS_SAME_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Whether both paths are, or would be, one file. */
bool same_file(const char *a, const char *b);

/*
 * -EINVAL where the output is the input, by whatever name: an output replaces what stands there, so
 * that the input would be gone. Nothing is read. An input - is standard input, an output -
 * standard output; NULL is none.
 */
INGOT_MUST_USE int same_file_refuse(const char *input, const char *output, struct ingot_error *err);

/* The same of several inputs. */
INGOT_MUST_USE int same_file_refuse_all(const char *const *inputs, size_t count, const char *output,
					struct ingot_error *err);

#endif
