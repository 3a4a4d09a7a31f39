#include "fs/ext2_check_internal.h"

#include <errno.h>
#include <string.h>

/* Group descriptors, the copies of them and of the superblock, and the bitmaps. */

uint32_t ext_group_start(const struct ext_checker *c, uint32_t group)
{
	return c->first_block + group * c->group_blocks;
}

uint32_t ext_group_size(const struct ext_checker *c, uint32_t group)
{
	return (uint32_t)ingot_min(c->group_blocks, c->blocks - ext_group_start(c, group));
}

/* A field of 32 or 16 bits and, in a large descriptor, its upper half. */
static uint64_t wide(const struct ext_checker *c, const unsigned char *d, size_t low, size_t high)
{
	uint64_t v = ingot_get_le32(d + low);

	return c->descriptor_size >= 64 ? v | (uint64_t)ingot_get_le32(d + high) << 32 : v;
}

static uint32_t narrow(const struct ext_checker *c, const unsigned char *d, size_t low, size_t high)
{
	uint32_t v = ingot_get_le16(d + low);

	return c->descriptor_size >= 64 ? v | (uint32_t)ingot_get_le16(d + high) << 16 : v;
}

void ext_get_group(const struct ext_checker *c, uint32_t group, struct ext_group *ret)
{
	const unsigned char *d = ext_descriptor(c, group);
	bool flags = c->metadata_csum || c->ro_compat & RO_COMPAT_GDT_CSUM;

	*ret = (struct ext_group){
		.block_bitmap = wide(c, d, 0, 32),
		.inode_bitmap = wide(c, d, 4, 36),
		.table = wide(c, d, 8, 40),
		.free_blocks = narrow(c, d, 12, 44),
		.free_inodes = narrow(c, d, 14, 46),
		.folders = narrow(c, d, 16, 48),
		.flags = flags ? ingot_get_le16(d + 18) : 0,
		.unused_inodes = flags ? narrow(c, d, 28, 50) : 0,
	};
}

/* --- loading ----------------------------------------------------------- */

static uint32_t table_blocks(const struct ext_checker *c)
{
	return c->group_inodes / (c->block_size / c->inode_size);
}

/* The group's own header: only with flex_bg it may lie in another group. */
static bool is_near(const struct ext_checker *c, uint32_t group, uint64_t block, uint32_t count)
{
	uint64_t start = ext_group_start(c, group);

	if (c->incompat & INCOMPAT_FLEX_BG)
		return true;
	return block >= start && block + count <= start + ext_group_size(c, group);
}

static bool claim_range(struct ext_checker *c, uint64_t block, uint32_t count, const char *what,
			uint32_t group)
{
	for (uint32_t i = 0; i < count; i++)
		if (!ext_claim(c, block + i, what, group))
			return false;
	return true;
}

/* Whether the inode table is where it can be read. */
static bool claim_group(struct ext_checker *c, uint32_t group)
{
	uint32_t copies =
		ext_has_super(c, group) ? 1 + c->descriptor_blocks + c->reserved_blocks : 0;
	struct ext_group g;
	bool good;

	ext_get_group(c, group, &g);
	if (!is_near(c, group, g.block_bitmap, 1) || !is_near(c, group, g.inode_bitmap, 1) ||
	    !is_near(c, group, g.table, table_blocks(c)))
		ext_problem(c, "descriptor of group %u: its bitmaps or inodes lie elsewhere",
			    group);
	if (g.unused_inodes > c->group_inodes)
		ext_problem(c, "descriptor of group %u: more unused inodes than inodes", group);
	good = claim_range(c, ext_group_start(c, group), copies, "header of group", group);
	good &= ext_claim(c, g.block_bitmap, "block bitmap of group", group);
	good &= ext_claim(c, g.inode_bitmap, "inode bitmap of group", group);
	good &= claim_range(c, g.table, table_blocks(c), "inodes of group", group);
	ext_csum_descriptor(c, group);
	if (c->ours && !ext_is_zero(ext_descriptor(c, group) + 18, 14))
		ext_problem(c, "descriptor of group %u: unused bytes are not zero", group);
	return good;
}

/* 1: the groups are not where they can be read. */
int ext_load_groups(struct ext_checker *c, struct ingot_error *err)
{
	size_t size = (size_t)c->descriptor_blocks * c->block_size;
	uint64_t at = ((uint64_t)c->first_block + 1) * c->block_size;
	size_t used = (size_t)c->groups * c->descriptor_size;
	bool good = true;
	int rc;

	if (!ingot_in_range(at, size, (uint64_t)c->blocks * c->block_size)) {
		ext_problem(c, "the group descriptors do not fit");
		return 1;
	}
	c->descriptors = ingot_alloc(size, 1, err);
	if (!c->descriptors)
		return -ENOMEM;
	rc = ingot_source_read(c->source, at, c->descriptors, size, err);
	if (rc < 0)
		return rc;
	for (uint32_t g = 0; g < c->groups; g++)
		good &= claim_group(c, g);
	if (!ext_is_zero(c->descriptors + used, size - used))
		ext_problem(c, "behind the group descriptors: not zero");
	return good ? 0 : 1;
}

/* --- copies ------------------------------------------------------------ */

struct span {
	uint16_t at, size;
};

/* What stays as it is while a filesystem is mounted, changed and unmounted. */
static const struct span SUPER_FIXED[] = {
	{0, 8},	  /* inodes, blocks */
	{20, 24}, /* first block, sizes, what groups have */
	{56, 2},   {72, 8},  {84, 6},
	{92, 28}, /* magic, system and revision, inodes, features, UUID */
	{236, 16}, {254, 2}, {336, 4},
};

static const struct span DESCRIPTOR_FIXED[] = {{0, 12}, {32, 12}};

static bool same(const unsigned char *a, const unsigned char *b, const struct span *spans, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(a + spans[i].at, b + spans[i].at, spans[i].size) != 0)
			return false;
	return true;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void compare_super(struct ext_checker *c, uint32_t group, unsigned char *copy)
{
	uint16_t number = ingot_get_le16(copy + 90);
	bool equal;

	ext_csum_super(c, copy, group);
	if (number != (group & 0xffff) && (number != 0 || c->ours))
		ext_problem(c, "superblock of group %u: it says group %u", group, number);
	memcpy(copy + 90, c->super + 90, 2);
	equal = c->ours ? memcmp(copy, c->super, EXT_SUPER) == 0
			: same(copy, c->super, SUPER_FIXED, COUNT(SUPER_FIXED));
	if (!equal)
		ext_problem(c, "superblock of group %u: it differs from the first", group);
}

static void compare_descriptors(struct ext_checker *c, uint32_t group, const unsigned char *copy,
				size_t size)
{
	size_t spans = c->descriptor_size >= 64 ? 2 : 1;

	if (c->ours) {
		if (memcmp(copy, c->descriptors, size) != 0)
			ext_problem(c, "descriptors in group %u: they differ from the first",
				    group);
		return;
	}
	for (uint32_t g = 0; g < c->groups; g++) {
		if (same(copy + (size_t)g * c->descriptor_size, ext_descriptor(c, g),
			 DESCRIPTOR_FIXED, spans))
			continue;
		ext_problem(c, "descriptors in group %u: that of group %u differs from the first",
			    group, g);
		return;
	}
}

static int check_copy(struct ext_checker *c, uint32_t group, unsigned char *buffer,
		      struct ingot_error *err)
{
	size_t size = (size_t)c->descriptor_blocks * c->block_size;
	uint64_t at = (uint64_t)ext_group_start(c, group) * c->block_size;
	int rc = ingot_source_read(c->source, at, buffer, c->block_size + size, err);

	if (rc < 0)
		return rc;
	compare_super(c, group, buffer);
	if (c->ours && !ext_is_zero(buffer + EXT_SUPER, c->block_size - EXT_SUPER))
		ext_problem(c, "behind the superblock of group %u: not zero", group);
	compare_descriptors(c, group, buffer + c->block_size, size);
	return 0;
}

int ext_check_copies(struct ext_checker *c, struct ingot_error *err)
{
	INGOT_FREE unsigned char *buffer =
		ingot_alloc((size_t)(1 + c->descriptor_blocks) * c->block_size, 1, err);
	int rc = 0;

	if (!buffer)
		return -ENOMEM;
	/* The header of each group was claimed, so it lies inside. */
	for (uint32_t g = 1; g < c->groups && rc == 0; g++)
		if (ext_has_super(c, g))
			rc = check_copy(c, g, buffer, err);
	return rc;
}

/* --- bitmaps ----------------------------------------------------------- */

/* Bits behind the end of a bitmap are set; byte by byte, because it may be long. */
static void check_tail(struct ext_checker *c, uint32_t group, const unsigned char *bitmap,
		       uint32_t bits)
{
	uint32_t i = bits, end = 8 * c->block_size;

	while (i < end && ext_bit(bitmap, i))
		i += i % 8 == 0 && bitmap[i / 8] == 0xff ? 8 : 1;
	if (i < end)
		ext_problem(c, "block bitmap of group %u: the bits behind its end are not set",
			    group);
}

/* Returns how many blocks of the group are free. */
static uint32_t compare_bitmap(struct ext_checker *c, uint32_t group, const unsigned char *bitmap)
{
	uint32_t start = ext_group_start(c, group), size = ext_group_size(c, group), free = 0;
	const unsigned char *used = c->used + (start - c->first_block) / 8;
	bool told[2] = {false, false};

	for (uint32_t i = 0; i < size; i++) {
		bool is_used = ext_bit(used, i);

		free += !is_used;
		if (!bitmap || is_used == ext_bit(bitmap, i) || told[is_used])
			continue;
		told[is_used] = true;
		ext_problem(c,
			    is_used ? "block bitmap of group %u: block %u is in use, not free"
				    : "block bitmap of group %u: nothing uses block %u",
			    group, start + i);
	}
	return free;
}

/* Free blocks hold nothing. */
static int check_free(struct ext_checker *c, uint32_t group, struct ingot_error *err)
{
	uint32_t start = ext_group_start(c, group), size = ext_group_size(c, group), i = 0;
	const unsigned char *used = c->used + (start - c->first_block) / 8;
	int rc = 0;

	while (i < size && rc == 0) {
		uint32_t first = i;

		while (i < size && !ext_bit(used, i))
			i++;
		if (i > first)
			rc = ext_check_zero(c, (uint64_t)(start + first) * c->block_size,
					    (uint64_t)(i - first) * c->block_size, "a free block",
					    err);
		while (i < size && ext_bit(used, i))
			i++;
	}
	return rc;
}

static int check_bitmap(struct ext_checker *c, uint32_t group, unsigned char *bitmap,
			struct ingot_error *err)
{
	struct ext_group g;
	uint32_t free;
	bool there;
	int rc;

	ext_get_group(c, group, &g);
	there = !(g.flags & GROUP_BLOCK_UNINIT);
	if (there) {
		rc = ext_read_block(c, g.block_bitmap, bitmap, err);
		if (rc < 0)
			return rc;
		ext_csum_bitmap(c, group, bitmap, /* blocks = */ true);
		check_tail(c, group, bitmap, ext_group_size(c, group));
	}
	free = compare_bitmap(c, group, there ? bitmap : NULL);
	if (free != g.free_blocks)
		ext_problem(c, "descriptor of group %u: it counts %u free blocks, there are %u",
			    group, g.free_blocks, free);
	if (c->group_folders[group] != g.folders)
		ext_problem(c, "descriptor of group %u: it counts %u folders, there are %u", group,
			    g.folders, c->group_folders[group]);
	c->seen.free_blocks += free;
	return c->ours ? check_free(c, group, err) : 0;
}

int ext_check_bitmaps(struct ext_checker *c, struct ingot_error *err)
{
	INGOT_FREE unsigned char *bitmap = ingot_alloc(c->block_size, 1, err);
	uint64_t said = ingot_get_le32(c->super + 12);
	int rc = 0;

	if (!bitmap)
		return -ENOMEM;
	for (uint32_t g = 0; g < c->groups && rc == 0; g++)
		rc = check_bitmap(c, g, bitmap, err);
	if (rc < 0)
		return rc;
	if (c->incompat & INCOMPAT_64BIT)
		said |= (uint64_t)ingot_get_le32(c->super + 344) << 32;
	if (said != c->seen.free_blocks)
		ext_problem(c, "superblock: it counts %llu free blocks, there are %llu",
			    (unsigned long long)said, (unsigned long long)c->seen.free_blocks);
	if (ingot_get_le32(c->super + 16) != c->seen.free_inodes)
		ext_problem(c, "superblock: it counts %u free inodes, there are %u",
			    ingot_get_le32(c->super + 16), c->seen.free_inodes);
	return 0;
}
