/* What an ext2, ext3 or ext4 filesystem says of itself: its superblock, not believed. */
#ifndef INGOT_FS_EXT_INFO_H
#define INGOT_FS_EXT_INFO_H

#include <stdbool.h>

#include "base/guid.h"
#include "io/source.h"

struct ingot_ext_info {
	const char *type; /* "ext2", "ext3", "ext4" by its features */
	uint64_t size;	  /* bytes */
	uint64_t free;	  /* bytes */
	uint32_t block_size;
	uint32_t inodes, free_inodes;
	bool read_only; /* RO_COMPAT_READONLY */
	struct ingot_guid uuid;
	char label[17];
};

/* -ENODATA: no such filesystem; -EINVAL: a superblock that cannot be true. */
INGOT_API INGOT_MUST_USE int ingot_ext_info(struct ingot_source *source, struct ingot_ext_info *ret,
					    struct ingot_error *err);

#endif
