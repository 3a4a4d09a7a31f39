#include "fs/ext2_check_internal.h"

#include <errno.h>
#include <string.h>

/* Inodes, group by group: offsets as in the kernel's document, "Index Nodes". */

enum { INLINE_LINK = 60, INODE_OURS = 256, EXTRA_OURS = 32 };

static uint64_t size_of(const unsigned char *i)
{
	return ingot_get_le32(i + 4) | (uint64_t)ingot_get_le32(i + 108) << 32;
}

static bool is_hidden(const struct ext_checker *c, uint32_t number)
{
	return (number < c->first_inode && number != EXT_ROOT) ||
	       (c->compat & COMPAT_ORPHAN_FILE && number == ingot_get_le32(c->super + 640));
}

/* --- block count ------------------------------------------------------- */

static void check_block_count(struct ext_checker *c, const struct ext_inode *inode)
{
	const unsigned char *i = inode->raw;
	uint64_t said = ingot_get_le32(i + 28), unit = c->block_size / 512;

	if (c->ro_compat & RO_COMPAT_HUGE_FILE) {
		said |= (uint64_t)ingot_get_le16(i + 116) << 32;
		if (inode->flags & INODE_HUGE)
			unit = 1;
	}
	if (said != inode->mapped * unit)
		ext_problem(c, "inode %u: it counts %llu blocks of %u bytes, it has %llu",
			    inode->number, (unsigned long long)said,
			    unit == 1 ? c->block_size : 512,
			    (unsigned long long)(inode->mapped * unit));
}

/* --- sizes ------------------------------------------------------------- */

static int check_slack(struct ext_checker *c, const struct ext_inode *inode,
		       struct ingot_error *err)
{
	uint64_t inside = inode->size % c->block_size;

	if (!c->ours || inside == 0 || inode->end != inode->size / c->block_size + 1)
		return 0;
	return ext_check_zero(c, inode->last * c->block_size + inside, c->block_size - inside,
			      "behind the end of a file", err);
}

static void check_size(struct ext_checker *c, const struct ext_inode *inode)
{
	uint64_t blocks = ingot_div_up(inode->size, c->block_size);

	if (inode->type == EXT_DIR &&
	    (inode->size % c->block_size || inode->size == 0 || blocks != inode->end))
		ext_problem(c, "inode %u: a folder of %llu bytes in %llu blocks", inode->number,
			    (unsigned long long)inode->size, (unsigned long long)inode->end);
	if (inode->type != EXT_DIR && blocks < inode->end && !inode->preallocated)
		ext_problem(c, "inode %u: it has blocks behind its %llu bytes", inode->number,
			    (unsigned long long)inode->size);
	if (inode->size >> 31 && !(c->ro_compat & RO_COMPAT_LARGE_FILE) && inode->type == EXT_REG)
		ext_problem(c, "inode %u: a large file without large_file", inode->number);
}

/* --- symbolic links ---------------------------------------------------- */

static int check_target(struct ext_checker *c, const struct ext_inode *inode,
			struct ingot_error *err)
{
	INGOT_FREE unsigned char *target = ingot_alloc(c->block_size, 1, err);
	size_t n = (size_t)ingot_min(inode->size, c->block_size - 1);
	int rc;

	if (!target)
		return -ENOMEM;
	if (inode->end != 1 || inode->size >= c->block_size) {
		ext_problem(c, "inode %u: a symbolic link of %llu bytes in %llu blocks",
			    inode->number, (unsigned long long)inode->size,
			    (unsigned long long)inode->end);
		return 0;
	}
	rc = ext_read_block(c, inode->last, target, err);
	if (rc < 0)
		return rc;
	if (memchr(target, 0, n) || target[n] != 0)
		ext_problem(c, "inode %u: the symbolic link's target does not end with its size",
			    inode->number);
	return check_slack(c, inode, err);
}

static int check_symlink(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err)
{
	const unsigned char *target = inode->raw + 40;
	size_t n = (size_t)ingot_min(inode->size, INLINE_LINK);
	int rc;

	c->seen.links++;
	if (inode->size == 0)
		ext_problem(c, "inode %u: a symbolic link to nothing", inode->number);
	if (inode->size < INLINE_LINK && !(inode->flags & INODE_EXTENTS)) {
		if (memchr(target, 0, n) || !ext_is_zero(target + n, INLINE_LINK - n))
			ext_problem(c,
				    "inode %u: the symbolic link's target does not end with its "
				    "size",
				    inode->number);
		return 0;
	}
	rc = ext_check_map(c, inode, err);
	return rc == 0 ? check_target(c, inode, err) : rc;
}

/* --- one inode --------------------------------------------------------- */

/* The kernel has two encodings: 8 and 8 bits in the first word, or 12 and 20 in the second. */
static void check_device(struct ext_checker *c, const struct ext_inode *inode)
{
	const unsigned char *p = inode->raw + 40;
	uint32_t first = ingot_get_le32(p), second = ingot_get_le32(p + 4);
	bool device = inode->type == EXT_CHAR || inode->type == EXT_BLK;

	c->seen.others++;
	if ((device && ((first && second) || first > 0xffff)) || (!device && (first || second)) ||
	    !ext_is_zero(p + 8, 52))
		ext_problem(c, "inode %u: its device number is none", inode->number);
	if (inode->size)
		ext_problem(c, "inode %u: it has a size, but no content", inode->number);
}

static int check_content(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err)
{
	int rc;

	switch (inode->type) {
	case EXT_REG:
	case EXT_DIR:
		c->seen.files += inode->type == EXT_REG;
		c->seen.folders += inode->type == EXT_DIR;
		rc = ext_check_map(c, inode, err);
		if (rc < 0)
			return rc;
		check_size(c, inode);
		return check_slack(c, inode, err);
	case EXT_LNK:
		return check_symlink(c, inode, err);
	case EXT_CHAR:
	case EXT_BLK:
	case EXT_FIFO:
	case EXT_SOCK:
		check_device(c, inode);
		return 0;
	default:
		ext_problem(c, "inode %u: a file of type %u", inode->number, inode->type);
		return 0;
	}
}

/* Everything of an inode that our writer decides must be as it decides. */
static void check_ours(struct ext_checker *c, const struct ext_inode *inode)
{
	static const unsigned char low[] = {12, 16, 144}, extra[] = {132, 136, 148};
	const unsigned char *i = inode->raw;
	unsigned char e[INODE_OURS] = {0};

	memcpy(e, i, 12); /* mode, owner, size, time */
	for (size_t k = 0; k < sizeof(low); k++) {
		memcpy(e + low[k], i + 8, 4);
		e[extra[k]] = i[140] & 3;
	}
	e[140] = i[140] & 3;
	memcpy(e + 24, i + 24, 8);   /* group, links, blocks */
	memcpy(e + 40, i + 40, 60);  /* blocks */
	memcpy(e + 104, i + 104, 8); /* attributes, size */
	memcpy(e + 120, i + 120, 4); /* owner and group */
	ingot_put_le16(e + 128, EXTRA_OURS);
	for (size_t k = 0; k < sizeof(e); k++) {
		if (e[k] == i[k])
			continue;
		ext_problem(c, "inode %u: byte %zu is 0x%02x, not 0x%02x", inode->number, k, i[k],
			    e[k]);
		return;
	}
}

static int note_xattr_block(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err)
{
	uint64_t block = ingot_get_le32(inode->raw + 104);
	int rc;

	if (c->incompat & INCOMPAT_64BIT)
		block |= (uint64_t)ingot_get_le16(inode->raw + 118) << 32;
	if (block == 0)
		return 0;
	if (block < c->first_block || block >= c->blocks) {
		ext_problem(c, "inode %u: its attribute block is outside the filesystem",
			    inode->number);
		return 0;
	}
	inode->mapped++;
	rc = ingot_grow((void **)&c->xattrs, &c->xattr_room, c->xattr_count + 1, sizeof(*c->xattrs),
			err);
	if (rc < 0)
		return rc;
	c->xattrs[c->xattr_count++] = (struct ext_xattr_ref){(uint32_t)block, inode->number};
	return 0;
}

static int check_used(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err)
{
	struct ext_state *state = &c->states[inode->number - 1];
	const unsigned char *i = inode->raw;
	int rc;

	state->type = inode->type;
	state->links = ingot_get_le16(i + 26);
	state->hidden = is_hidden(c, inode->number);
	state->indexed = inode->flags & INODE_INDEX;
	if (ingot_get_le32(i + 20))
		ext_problem(c, "inode %u: deleted, but in use", inode->number);
	if (c->inode_size > 128 &&
	    (ingot_get_le16(i + 128) > c->inode_size - 128U || ingot_get_le16(i + 128) % 4))
		ext_problem(c, "inode %u: extra fields of %u bytes", inode->number,
			    ingot_get_le16(i + 128));
	ext_csum_inode(c, inode);
	rc = note_xattr_block(c, inode, err);
	if (rc == 0)
		rc = check_content(c, inode, err);
	if (rc < 0)
		return rc;
	check_block_count(c, inode);
	ext_check_inode_xattrs(c, inode);
	if (inode->type == EXT_DIR)
		c->group_folders[(inode->number - 1) / c->group_inodes]++;
	/* Of another size: the superblock's check has said that they are not ours. */
	if (c->ours && c->inode_size == INODE_OURS)
		check_ours(c, inode);
	return 0;
}

/* An inode that the format keeps for itself and that has no type. */
static int check_reserved(struct ext_checker *c, struct ext_inode *inode, struct ingot_error *err)
{
	int rc;

	ext_csum_inode(c, inode);
	rc = inode->flags & INODE_EXTENTS ? 0 : ext_check_map(c, inode, err);
	if (rc == 0 && c->ours && !ext_is_zero(inode->raw, c->inode_size))
		ext_problem(c, "inode %u: reserved, but not zero", inode->number);
	return rc;
}

static int check_inode(struct ext_checker *c, uint32_t number, const unsigned char *raw,
		       struct ingot_error *err)
{
	struct ext_inode inode = {
		.raw = raw,
		.number = number,
		.generation = ingot_get_le32(raw + 100),
		.flags = ingot_get_le32(raw + 32),
		.type = (uint8_t)(ingot_get_le16(raw) >> 12),
		.size = size_of(raw),
	};

	if (number == EXT_RESIZE && c->compat & COMPAT_RESIZE_INODE)
		return ext_check_resize_inode(c, &inode, err);
	if (is_hidden(c, number) && inode.type == 0)
		return check_reserved(c, &inode, err);
	if (inode.type == 0) {
		ext_problem(c, "inode %u: marked as used, but empty", number);
		return 0;
	}
	return check_used(c, &inode, err);
}

/* --- a group ----------------------------------------------------------- */

struct table {
	unsigned char *bitmap, *inodes;
	uint32_t group;
	struct ext_group at;
};

/* A free inode is zero, or was deleted: it has no names. */
static void check_free(struct ext_checker *c, uint32_t number, const unsigned char *raw)
{
	if (c->ours && !ext_is_zero(raw, c->inode_size))
		ext_problem(c, "inode %u: free, but not zero", number);
	else if (ingot_get_le16(raw + 26) && ingot_get_le32(raw + 20) == 0)
		ext_problem(c, "inode %u: in use, but marked as free", number);
}

static int check_table_block(struct ext_checker *c, const struct table *t, uint32_t block,
			     struct ingot_error *err)
{
	uint32_t per_block = c->block_size / c->inode_size, first = block * per_block;
	uint32_t initialised = c->group_inodes - t->at.unused_inodes;
	int rc = ext_read_block(c, t->at.table + block, t->inodes, err);

	for (uint32_t k = 0; k < per_block && rc == 0; k++) {
		uint32_t number = t->group * c->group_inodes + first + k + 1;
		const unsigned char *raw = t->inodes + (size_t)k * c->inode_size;

		if (first + k >= initialised) {
			if (ext_bit(t->bitmap, first + k))
				ext_problem(c, "inode %u: in use among the unused ones", number);
			continue;
		}
		if (ext_bit(t->bitmap, first + k))
			rc = check_inode(c, number, raw, err);
		else
			check_free(c, number, raw);
	}
	return rc;
}

static void check_inode_bitmap(struct ext_checker *c, const struct table *t)
{
	uint32_t free = 0, end = 8 * c->block_size;

	for (uint32_t i = 0; i < c->group_inodes; i++)
		free += !ext_bit(t->bitmap, i);
	c->seen.free_inodes += free;
	if (free != t->at.free_inodes)
		ext_problem(c, "descriptor of group %u: it counts %u free inodes, there are %u",
			    t->group, t->at.free_inodes, free);
	for (uint32_t i = c->group_inodes / 8; i < end / 8; i++) {
		if (t->bitmap[i] == 0xff)
			continue;
		ext_problem(c, "inode bitmap of group %u: the bits behind its end are not set",
			    t->group);
		break;
	}
	for (uint32_t i = 0; t->group == 0 && i + 1 < c->first_inode; i++)
		if (!ext_bit(t->bitmap, i))
			ext_problem(c, "inode %u: reserved, but marked as free", i + 1);
}

static int check_group(struct ext_checker *c, struct table *t, struct ingot_error *err)
{
	uint32_t initialised, per_block = c->block_size / c->inode_size;
	int rc;

	ext_get_group(c, t->group, &t->at);
	if (t->at.flags & GROUP_INODE_UNINIT) {
		c->seen.free_inodes += c->group_inodes;
		if (t->at.free_inodes != c->group_inodes)
			ext_problem(c, "descriptor of group %u: inodes in use, but no bitmap",
				    t->group);
		return 0;
	}
	rc = ext_read_block(c, t->at.inode_bitmap, t->bitmap, err);
	if (rc < 0)
		return rc;
	ext_csum_bitmap(c, t->group, t->bitmap, /* blocks = */ false);
	check_inode_bitmap(c, t);
	initialised = c->group_inodes - (uint32_t)ingot_min(t->at.unused_inodes, c->group_inodes);
	t->at.unused_inodes = c->group_inodes - initialised;
	for (uint32_t b = 0; b * per_block < initialised && rc == 0; b++)
		rc = check_table_block(c, t, b, err);
	return rc;
}

int ext_check_inodes(struct ext_checker *c, struct ingot_error *err)
{
	INGOT_FREE unsigned char *bitmap = ingot_alloc(c->block_size, 1, err);
	INGOT_FREE unsigned char *inodes = ingot_alloc(c->block_size, 1, err);
	struct table t = {.bitmap = bitmap, .inodes = inodes};
	int rc = bitmap && inodes ? 0 : -ENOMEM;

	for (; t.group < c->groups && rc == 0; t.group++)
		rc = check_group(c, &t, err);
	return rc;
}
