#include "fs/ext2_check_internal.h"

#include <errno.h>
#include <string.h>

/*
 * Attributes: in a block that several inodes may share, or behind the fields of a large inode.
 *
 *	block: 0 magic  4 shared by  8 blocks  12 hash  16 checksum
 *	entry: 0 name length  1 name index  2 value offset  4 value inode  8 value size
 *	       12 hash  16 name, padded to 4
 */

enum { MAGIC_SIZE = 4, HEAD = 32, ENTRY = 16, INDEX_MAX = 10 };

static const uint32_t MAGIC = 0xEA020000;

/* Where entries stand, and what the offsets of their values count from. */
struct area {
	const unsigned char *start, *end, *base;
	const char *what; /* "inode", "attribute block" */
	uint32_t number;
	bool in_inode;
	/* Our writer's order, and what a block's hash is made of. */
	const unsigned char *before;
	const unsigned char *values; /* the lowest so far */
	uint32_t hash;
	bool hashed;
};

static size_t pad4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* The bytes of a name are unsigned; some kernels took them as signed. */
static uint32_t hash_of(const unsigned char *e, const unsigned char *value, size_t size,
			bool is_signed)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < e[0]; i++) {
		uint32_t byte = e[ENTRY + i];

		if (is_signed && byte > 127)
			byte |= 0xffffff00;
		hash = (hash << 5) ^ (hash >> 27) ^ byte;
	}
	for (size_t i = 0; i < pad4(size); i += 4)
		hash = (hash << 16) ^ (hash >> 16) ^ ingot_get_le32(value + i);
	return hash;
}

static void bad(struct ext_checker *c, const struct area *a, const char *what)
{
	ext_problem(c, "%s %u: attributes: %s", a->what, a->number, what);
}

/* Sorted by index, length and name, values packed from the end, nothing between. */
static void check_ours(struct ext_checker *c, struct area *a, const unsigned char *e,
		       const unsigned char *value, size_t size)
{
	const unsigned char *b = a->before;
	int order = !b ? -1 : b[1] != e[1] ? b[1] - e[1] : b[0] != e[0] ? b[0] - e[0] : 0;

	if (order == 0)
		order = memcmp(b + ENTRY, e + ENTRY, e[0]);
	if (order >= 0)
		bad(c, a, "out of order");
	if (e[1] == 5 || e[1] > 7 || (e[0] > 0) == (e[1] == 2 || e[1] == 3))
		bad(c, a, "a name that is not written");
	if (!ext_is_zero(e + ENTRY + e[0], pad4(e[0]) - e[0]))
		bad(c, a, "behind a name: not zero");
	if (size == 0 && ingot_get_le16(e + 2) != 0)
		bad(c, a, "a place for no value");
	if (size && value + pad4(size) != a->values)
		bad(c, a, "a value is not packed");
	if (size && !ext_is_zero(value + size, pad4(size) - size))
		bad(c, a, "behind a value: not zero");
	a->before = e;
}

/* False: there is no going on behind this entry. */
static bool check_entry(struct ext_checker *c, struct area *a, const unsigned char *e)
{
	size_t left = (size_t)(a->end - e), size, offset;
	const unsigned char *value;
	uint32_t said;

	if (left < ENTRY || left < ENTRY + pad4(e[0]) + MAGIC_SIZE) {
		bad(c, a, "an entry reaches over the end");
		return false;
	}
	offset = ingot_get_le16(e + 2);
	size = ingot_get_le32(e + 8);
	said = ingot_get_le32(e + 12);
	if (e[1] == 0 || e[1] > INDEX_MAX || ingot_get_le32(e + 4) || memchr(e + ENTRY, 0, e[0])) {
		bad(c, a, "a name or value of a kind that is not known");
		return false;
	}
	if (size && (offset % 4 || size > (size_t)(a->end - a->base) ||
		     !ingot_in_range(offset, pad4(size), (uint64_t)(a->end - a->base)) ||
		     a->base + offset < e + ENTRY + pad4(e[0]) + MAGIC_SIZE)) {
		bad(c, a, "a value outside");
		return false;
	}
	value = a->base + (size ? offset : 0);
	if (said != hash_of(e, value, size, /* is_signed = */ false) &&
	    (c->ours || said != hash_of(e, value, size, /* is_signed = */ true)) &&
	    !(a->in_inode && said == 0))
		bad(c, a, "the hash of an entry is wrong");
	if (c->ours)
		check_ours(c, a, e, value, size);
	if (size && value < a->values)
		a->values = value;
	a->hash = (a->hash << 16) ^ (a->hash >> 16) ^ said;
	a->hashed = a->hashed && said != 0;
	return true;
}

/* Returns the place of the four zeros that end the entries, or NULL. */
static const unsigned char *check_entries(struct ext_checker *c, struct area *a)
{
	const unsigned char *e = a->start;

	while (a->end - e >= MAGIC_SIZE && ingot_get_le32(e) != 0) {
		if (!check_entry(c, a, e))
			return NULL;
		e += ENTRY + pad4(e[0]);
	}
	if (a->end - e < MAGIC_SIZE) {
		bad(c, a, "they have no end");
		return NULL;
	}
	if (e > a->values) {
		bad(c, a, "names and values overlap");
		return NULL;
	}
	return e;
}

/* --- in an inode ------------------------------------------------------- */

void ext_check_inode_xattrs(struct ext_checker *c, const struct ext_inode *inode)
{
	const unsigned char *i = inode->raw, *end = i + c->inode_size, *start;
	size_t extra = c->inode_size > 128 ? ingot_get_le16(i + 128) : 0;
	struct area a;

	if (c->inode_size == 128 || extra == 0 || 128 + extra + MAGIC_SIZE > c->inode_size)
		return;
	start = i + 128 + extra;
	if (ingot_get_le32(start) != MAGIC)
		return;
	start += MAGIC_SIZE;
	a = (struct area){.start = start,
			  .end = end,
			  .base = start,
			  .what = "inode",
			  .number = inode->number,
			  .in_inode = true,
			  .values = end};
	(void)check_entries(c, &a);
}

/* --- a block ----------------------------------------------------------- */

static void check_block(struct ext_checker *c, uint32_t block, uint32_t shared,
			const unsigned char *data)
{
	struct area a = {.start = data + HEAD,
			 .end = data + c->block_size,
			 .base = data,
			 .what = "attribute block",
			 .number = block,
			 .values = data + c->block_size,
			 .hashed = true};
	const unsigned char *end;

	ext_csum_xattr(c, block, data);
	if (ingot_get_le32(data) != MAGIC || ingot_get_le32(data + 8) != 1) {
		bad(c, &a, "not an attribute block");
		return;
	}
	if (ingot_get_le32(data + 4) != shared)
		ext_problem(c, "attribute block %u: it counts %u inodes, there are %u", block,
			    ingot_get_le32(data + 4), shared);
	end = check_entries(c, &a);
	if (!end || !c->ours)
		return;
	if (ingot_get_le32(data + 12) != (a.hashed ? a.hash : 0))
		bad(c, &a, "the hash of all is wrong");
	if (!ext_is_zero(data + 16, 16) || !ext_is_zero(end, (size_t)(a.values - end)))
		bad(c, &a, "unused bytes are not zero");
}

static int compare(const void *a, const void *b)
{
	const struct ext_xattr_ref *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

int ext_check_xattr_blocks(struct ext_checker *c, struct ingot_error *err)
{
	INGOT_FREE unsigned char *data = ingot_alloc(c->block_size, 1, err);
	size_t next;

	if (!data)
		return -ENOMEM;
	if (c->xattr_count)
		qsort(c->xattrs, c->xattr_count, sizeof(*c->xattrs), compare);
	for (size_t i = 0; i < c->xattr_count; i = next) {
		uint32_t block = c->xattrs[i].block;
		int rc;

		for (next = i; next < c->xattr_count && c->xattrs[next].block == block;)
			next++;
		if (!ext_claim(c, block, "attributes of inode", c->xattrs[i].inode))
			continue;
		rc = ext_read_block(c, block, data, err);
		if (rc < 0)
			return rc;
		check_block(c, block, (uint32_t)(next - i), data);
	}
	return 0;
}
