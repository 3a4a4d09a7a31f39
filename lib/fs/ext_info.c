#include "fs/ext_info.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum {
	OFFSET = 1024,
	SIZE = 1024,
	MAGIC = 0xef53,
	LOG_BLOCK_MAX = 6, /* 64 KiB */
	COMPAT_JOURNAL = 0x4,
	INCOMPAT_64BIT = 0x80,
	RO_COMPAT_READONLY = 0x1000,
	/* What is older than ext4, or says nothing about it: FILETYPE, RECOVER, JOURNAL_DEV,
	   META_BG; */
	INCOMPAT_OLD = 0x1e,
	/* SPARSE_SUPER, LARGE_FILE, BTREE_DIR, READONLY, SHARED_BLOCKS. */
	RO_COMPAT_OLD = 0x5007,
};

/* Kernel, Documentation/filesystems/ext4/super.rst. */
static const char *type_of(const unsigned char *s)
{
	if (ingot_get_le32(s + 96) & ~(uint32_t)INCOMPAT_OLD ||
	    ingot_get_le32(s + 100) & ~(uint32_t)RO_COMPAT_OLD)
		return "ext4";
	return ingot_get_le32(s + 92) & COMPAT_JOURNAL ? "ext3" : "ext2";
}

int ingot_ext_info(struct ingot_source *source, struct ingot_ext_info *ret, struct ingot_error *err)
{
	struct ingot_ext_info info = {0};
	unsigned char s[SIZE];
	uint64_t blocks, free_blocks;
	uint32_t log;
	int rc;

	if (source->size < OFFSET + SIZE)
		return ingot_raise(err, -ENODATA, "'%s' is no ext filesystem", source->name);
	rc = ingot_source_read(source, OFFSET, s, sizeof(s), err);
	if (rc < 0)
		return rc;
	log = ingot_get_le32(s + 24);
	if (ingot_get_le16(s + 56) != MAGIC)
		return ingot_raise(err, -ENODATA, "'%s' is no ext filesystem", source->name);
	blocks = ingot_get_le32(s + 4);
	free_blocks = ingot_get_le32(s + 12);
	if (ingot_get_le32(s + 96) & INCOMPAT_64BIT) {
		blocks |= (uint64_t)ingot_get_le32(s + 336) << 32;
		free_blocks |= (uint64_t)ingot_get_le32(s + 344) << 32;
	}
	if (log > LOG_BLOCK_MAX || blocks == 0 || free_blocks > blocks ||
	    ingot_get_le32(s + 16) > ingot_get_le32(s + 0) ||
	    !ingot_mul(blocks, UINT64_C(1024) << log, &info.size) || info.size > source->size)
		return ingot_raise(err, -EINVAL,
				   "the superblock of the ext filesystem cannot be true: "
				   "%llu blocks of %llu bytes, %llu free, in %llu bytes",
				   (unsigned long long)blocks, 1024ULL << ingot_min(log, 31),
				   (unsigned long long)free_blocks,
				   (unsigned long long)source->size);
	info.block_size = 1024U << log;
	info.free = free_blocks * info.block_size;
	info.type = type_of(s);
	info.inodes = ingot_get_le32(s + 0);
	info.free_inodes = ingot_get_le32(s + 16);
	info.read_only = ingot_get_le32(s + 100) & RO_COMPAT_READONLY;
	memcpy(info.uuid.bytes, s + 104, sizeof(info.uuid.bytes));
	memcpy(info.label, s + 120, 16);
	*ret = info;
	return 0;
}
