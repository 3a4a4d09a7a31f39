#include "fs/ext2_check_internal.h"

#include <errno.h>
#include <string.h>

/*
 * The superblock: offsets as in the kernel's document, "The Super Block". Only what is right here
 * lets the rest be checked, so a geometry that makes no sense ends the check.
 */

enum {
	MAGIC = 0xef53,
	STATE_CLEAN = 1,
	LOG_BLOCK_MAX = 6,
	GROUP_BLOCKS_MIN = 256,
	CHECKSUM_CRC32C = 1,

	/* What can be checked. compat says nothing about the structure, but for sparse_super2. */
	COMPAT_KNOWN = 0x1 | 0x2 | COMPAT_JOURNAL | 0x8 | COMPAT_RESIZE_INODE | 0x20 | 0x400 |
		       0x800 | COMPAT_ORPHAN_FILE,
	INCOMPAT_KNOWN = INCOMPAT_FILETYPE | INCOMPAT_RECOVER | INCOMPAT_EXTENTS | INCOMPAT_64BIT |
			 INCOMPAT_FLEX_BG | INCOMPAT_CSUM_SEED,
	RO_COMPAT_KNOWN = RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE | 0x4 |
			  RO_COMPAT_HUGE_FILE | RO_COMPAT_GDT_CSUM | RO_COMPAT_DIR_NLINK | 0x40 |
			  RO_COMPAT_METADATA_CSUM | RO_COMPAT_READONLY,

	OURS_COMPAT = 0x0008, /* ext_attr */
	OURS_INCOMPAT = INCOMPAT_FILETYPE,
	OURS_RO_COMPAT = RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE | RO_COMPAT_READONLY,
};

static bool is_power_of(uint32_t n, uint32_t base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

bool ext_has_super(const struct ext_checker *c, uint32_t group)
{
	if (group <= 1 || !(c->ro_compat & RO_COMPAT_SPARSE_SUPER))
		return true;
	return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

/* --- geometry ---------------------------------------------------------- */

static int check_features(struct ext_checker *c, struct ingot_error *err)
{
	const unsigned char *s = c->super;

	c->compat = ingot_get_le32(s + 92);
	c->incompat = ingot_get_le32(s + 96);
	c->ro_compat = ingot_get_le32(s + 100);
	if (ingot_get_le32(s + 76) == 0) /* revision 0 has no features */
		c->compat = c->incompat = c->ro_compat = 0;
	if ((c->compat & ~(uint32_t)COMPAT_KNOWN) || (c->incompat & ~(uint32_t)INCOMPAT_KNOWN) ||
	    (c->ro_compat & ~(uint32_t)RO_COMPAT_KNOWN))
		return ingot_raise(err, -EOPNOTSUPP,
				   "the ext filesystem has features that cannot be checked "
				   "(0x%x, 0x%x, 0x%x)",
				   c->compat & ~(uint32_t)COMPAT_KNOWN,
				   c->incompat & ~(uint32_t)INCOMPAT_KNOWN,
				   c->ro_compat & ~(uint32_t)RO_COMPAT_KNOWN);
	c->metadata_csum = c->ro_compat & RO_COMPAT_METADATA_CSUM;
	c->seen.read_only = c->ro_compat & RO_COMPAT_READONLY;
	c->seen.checksums = c->metadata_csum;
	c->seen.journal = c->compat & COMPAT_JOURNAL;
	return 0;
}

static void take_fields(struct ext_checker *c)
{
	const unsigned char *s = c->super;
	bool dynamic = ingot_get_le32(s + 76) != 0;

	c->block_size = 1024U << ingot_get_le32(s + 24);
	c->first_block = ingot_get_le32(s + 20);
	c->blocks = ingot_get_le32(s + 4);
	c->inodes = ingot_get_le32(s + 0);
	c->group_blocks = ingot_get_le32(s + 32);
	c->group_inodes = ingot_get_le32(s + 40);
	c->inode_size = dynamic ? ingot_get_le16(s + 88) : 128;
	c->first_inode = dynamic ? ingot_get_le32(s + 84) : 11;
	c->descriptor_size = c->incompat & INCOMPAT_64BIT ? ingot_get_le16(s + 254) : 32;
	c->reserved_blocks = c->compat & COMPAT_RESIZE_INODE ? ingot_get_le16(s + 206) : 0;
}

/* NULL, or what makes no sense. */
static const char *bad_sizes(const struct ext_checker *c)
{
	const unsigned char *s = c->super;
	uint32_t per_block = c->block_size / c->inode_size;

	if (ingot_get_le32(s + 28) != ingot_get_le32(s + 24))
		return "clusters";
	if (c->first_block != (c->block_size == 1024))
		return "first block";
	if (c->inode_size < 128 || c->inode_size > c->block_size ||
	    !ingot_is_power_of_two(c->inode_size))
		return "inode size";
	if (c->descriptor_size < 32 || c->descriptor_size > 1024 ||
	    !ingot_is_power_of_two(c->descriptor_size) ||
	    (c->incompat & INCOMPAT_64BIT && c->descriptor_size < 64))
		return "descriptor size";
	if (c->group_blocks < GROUP_BLOCKS_MIN || c->group_blocks > 8 * c->block_size ||
	    c->group_blocks % 8)
		return "blocks of a group";
	if (c->group_inodes == 0 || c->group_inodes > 8 * c->block_size ||
	    c->group_inodes % per_block || c->group_inodes % 8)
		return "inodes of a group";
	if (c->first_inode < 11 || c->first_inode > c->group_inodes)
		return "first inode";
	return NULL;
}

/* 0, 1: nonsense, negative: too large to be checked. */
static int check_geometry(struct ext_checker *c, struct ingot_error *err)
{
	const unsigned char *s = c->super;
	const char *bad;

	if (ingot_get_le32(s + 24) > LOG_BLOCK_MAX) {
		ext_problem(c, "superblock: the block size cannot be true");
		return 1;
	}
	take_fields(c);
	bad = c->inode_size == 0 ? "inode size" : bad_sizes(c);
	if (!bad &&
	    (c->blocks <= c->first_block || (uint64_t)c->blocks * c->block_size > c->source->size))
		bad = "number of blocks";
	if (bad) {
		ext_problem(c, "superblock: the %s cannot be true", bad);
		return 1;
	}
	c->groups = (uint32_t)ingot_div_up(c->blocks - c->first_block, c->group_blocks);
	if ((c->incompat & INCOMPAT_64BIT && ingot_get_le32(s + 336)) ||
	    c->blocks > INGOT_EXT_CHECK_BLOCKS_MAX || c->groups > INGOT_EXT_CHECK_GROUPS_MAX ||
	    c->inodes > INGOT_EXT_CHECK_INODES_MAX)
		return ingot_raise(err, -EFBIG, "the ext filesystem is too large to be checked");
	if (c->inodes != (uint64_t)c->groups * c->group_inodes) {
		ext_problem(c, "superblock: %u inodes are not %u for each of %u groups", c->inodes,
			    c->group_inodes, c->groups);
		return 1;
	}
	c->descriptor_blocks =
		(uint32_t)ingot_div_up((uint64_t)c->groups * c->descriptor_size, c->block_size);
	return 0;
}

/* --- values ------------------------------------------------------------ */

static void check_values(struct ext_checker *c)
{
	const unsigned char *s = c->super;

	if (ingot_get_le16(s + 58) != STATE_CLEAN)
		ext_problem(c,
			    "superblock: the filesystem was not unmounted cleanly, or has errors");
	if (c->incompat & INCOMPAT_RECOVER)
		ext_problem(c, "superblock: the journal has to be replayed");
	if (ingot_get_le32(s + 232))
		ext_problem(c, "superblock: inodes wait to be deleted");
	if (ingot_get_le32(s + 76) > 1)
		ext_problem(c, "superblock: revision %u", ingot_get_le32(s + 76));
	if (ingot_get_le16(s + 90))
		ext_problem(c, "superblock: it says that it is the copy of group %u",
			    ingot_get_le16(s + 90));
	if (ingot_get_le32(s + 36) != c->group_blocks)
		ext_problem(c, "superblock: clusters of a group");
	if (ingot_get_le32(s + 8) > c->blocks)
		ext_problem(c, "superblock: more reserved blocks than blocks");
	if (c->metadata_csum && c->super[373] != CHECKSUM_CRC32C)
		ext_problem(c, "superblock: checksums of kind %u", c->super[373]);
	if (c->metadata_csum && c->ro_compat & RO_COMPAT_GDT_CSUM)
		ext_problem(c, "superblock: two kinds of checksums");
}

static void copy(unsigned char *to, const unsigned char *from, size_t at, size_t n)
{
	memcpy(to + at, from + at, n);
}

/* The superblock that our writer makes of the same numbers. */
static void expect(const struct ext_checker *c, unsigned char e[EXT_SUPER])
{
	const unsigned char *s = c->super;

	memset(e, 0, EXT_SUPER);
	copy(e, s, 0, 8);	   /* inodes, blocks */
	copy(e, s, 12, 8);	   /* free ones */
	ingot_put_le32(e + 24, 2); /* 4096 bytes */
	ingot_put_le32(e + 28, 2);
	ingot_put_le32(e + 32, 32768);
	ingot_put_le32(e + 36, 32768);
	copy(e, s, 40, 4);		/* inodes of a group */
	copy(e, s, 48, 4);		/* the one time, low 32 bits */
	ingot_put_le16(e + 54, 0xffff); /* mounts until a check: no number */
	ingot_put_le16(e + 56, MAGIC);
	ingot_put_le16(e + 58, STATE_CLEAN);
	ingot_put_le16(e + 60, 1); /* on errors: continue */
	memcpy(e + 64, s + 48, 4);
	ingot_put_le32(e + 76, 1); /* revision */
	ingot_put_le32(e + 84, 11);
	ingot_put_le16(e + 88, 256);
	ingot_put_le32(e + 92, OURS_COMPAT);
	ingot_put_le32(e + 96, OURS_INCOMPAT);
	ingot_put_le32(e + 100, OURS_RO_COMPAT | (c->ro_compat & RO_COMPAT_DIR_NLINK));
	copy(e, s, 104, 16); /* UUID */
	copy(e, s, 120, strnlen((const char *)s + 120, 16));
	copy(e, s, 236, 16); /* hash seed */
	e[252] = 1;
	memcpy(e + 264, s + 48, 4);
	ingot_put_le16(e + 348, 32); /* extra fields of inodes */
	ingot_put_le16(e + 350, 32);
	e[352] = 1;			   /* signed directory hash */
	e[628] = e[630] = e[631] = s[628]; /* bits 32.. of the time */
}

static void check_ours(struct ext_checker *c)
{
	unsigned char e[EXT_SUPER];

	expect(c, e);
	for (size_t i = 0; i < sizeof(e); i++) {
		if (e[i] == c->super[i])
			continue;
		ext_problem(c, "superblock: byte %zu is 0x%02x, not 0x%02x", i, c->super[i], e[i]);
		return;
	}
}

int ext_check_super(struct ext_checker *c, struct ingot_error *err)
{
	int rc;

	if (c->source->size < 2 * EXT_SUPER)
		return ingot_raise(err, -ENODATA, "'%s' is no ext filesystem", c->source->name);
	rc = ingot_source_read(c->source, EXT_SUPER, c->super, EXT_SUPER, err);
	if (rc < 0)
		return rc;
	if (ingot_get_le16(c->super + 56) != MAGIC)
		return ingot_raise(err, -ENODATA, "'%s' is no ext filesystem", c->source->name);
	rc = check_features(c, err);
	if (rc == 0)
		rc = check_geometry(c, err);
	if (rc != 0)
		return rc;
	c->seed = c->incompat & INCOMPAT_CSUM_SEED ? ingot_get_le32(c->super + 624)
						   : ext_crc32c(UINT32_MAX, c->super + 104, 16);
	c->seen.block_size = c->block_size;
	c->seen.blocks = c->blocks;
	c->seen.groups = c->groups;
	c->seen.inodes = c->inodes;
	ext_csum_super(c, c->super, 0);
	check_values(c);
	if (c->ours)
		check_ours(c);
	return 0;
}
