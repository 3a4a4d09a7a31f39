/*
 * POSIX ACLs: the kernel hands them out as an attribute in one form (version 2, eight
 * bytes an entry, linux/posix_acl_xattr.h) and ext stores them in another (version 1,
 * an id only where the entry has one).
 */
#ifndef INGOT_FS_ACL_H
#define INGOT_FS_ACL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Bytes of the stored form, which is never longer than the other; -EINVAL: not an ACL. */
INGOT_API INGOT_MUST_USE int ingot_acl_to_ext(const void *value, size_t size, uint8_t *out,
					      size_t *ret_size, struct ingot_error *err);

#endif
