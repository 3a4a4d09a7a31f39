/* SHA256SUMS: digests of files as text, which `sha256sum -c` checks beside the files. */
#ifndef INGOT_IMAGE_SUMS_H
#define INGOT_IMAGE_SUMS_H

#include <stddef.h>

#include "base/error.h"

/*
 * One line a file, by rising names. A name is the path's last part: -EEXIST if two are the same,
 * -EINVAL if one has a character that sha256sum would have to escape. The caller frees *ret.
 */
INGOT_API INGOT_MUST_USE int ingot_sums_text(const char *const *paths, size_t count, char **ret,
					     size_t *ret_n, struct ingot_error *err);

#endif
