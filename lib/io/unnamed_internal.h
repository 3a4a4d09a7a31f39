/* Files without a name, which are gone when they are closed. */
#ifndef INGOT_IO_UNNAMED_INTERNAL_H
#define INGOT_IO_UNNAMED_INTERNAL_H

#include <stdbool.h>

#include "base/error.h"

/* What open says where there are no unnamed files: this filesystem, kernels before 3.11. */
bool ingot_unnamed_unknown(int errnum);

/* Readable and writable, for this user only; the caller closes it. */
INGOT_MUST_USE int ingot_unnamed_open(const char *folder, int *ret_fd, struct ingot_error *err);

#endif
