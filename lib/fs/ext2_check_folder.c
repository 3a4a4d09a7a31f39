#include "fs/ext2_check_internal.h"

#include <errno.h>
#include <string.h>

/*
 * Folders: entries of 0 inode, 4 length, 6 name length, 7 file type, 8 name. The blocks were
 * listed while the inodes were looked at, in the order of the folders and of their blocks.
 */

enum { HEAD = 8, NAME_MAX_BYTES = 255 };

/* The folder whose blocks are being read. */
struct folder {
	uint32_t inode;
	size_t entries; /* seen, "." and ".." counted */
	size_t spare;	/* bytes that the block before had left */
	size_t before_size;
	unsigned char before[NAME_MAX_BYTES]; /* the name before this one */
	uint64_t *hashes;		      /* of names, to find two of the same */
	size_t hash_count, hash_room;
};

struct entry {
	uint32_t inode;
	size_t length, name_size; /* bytes of the entry, of its name */
	unsigned type;
	const unsigned char *name;
};

static size_t entry_size(size_t name_size)
{
	return (HEAD + name_size + 3) & ~(size_t)3;
}

/* EXT2_FT_* of a mode >> 12 */
static unsigned file_type(uint8_t mode_type)
{
	switch (mode_type) {
	case EXT_REG:
		return 1;
	case EXT_DIR:
		return 2;
	case EXT_CHAR:
		return 3;
	case EXT_BLK:
		return 4;
	case EXT_FIFO:
		return 5;
	case EXT_SOCK:
		return 6;
	case EXT_LNK:
		return 7;
	default:
		return 0;
	}
}

/* --- names ------------------------------------------------------------- */

static bool is_dot(const struct entry *e, size_t dots)
{
	return e->name_size == dots && memcmp(e->name, "..", dots) == 0;
}

/* In the order of bytes, but that a lost+found which the tree lacks stands first in the root. */
static bool in_order(struct folder *f, const struct entry *e)
{
	static const char lost_found[] = "lost+found";
	size_t common = (size_t)ingot_min(f->before_size, e->name_size);
	int order = memcmp(f->before, e->name, common);
	bool good = order < 0 || (order == 0 && f->before_size < e->name_size);

	if (f->inode == EXT_ROOT && f->entries == 2 && e->name_size == sizeof(lost_found) - 1 &&
	    memcmp(e->name, lost_found, sizeof(lost_found) - 1) == 0)
		return true;
	memcpy(f->before, e->name, e->name_size);
	f->before_size = e->name_size;
	return good;
}

static int note_hash(struct folder *f, const struct entry *e, struct ingot_error *err)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
	int rc = ingot_grow((void **)&f->hashes, &f->hash_room, f->hash_count + 1,
			    sizeof(*f->hashes), err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < e->name_size; i++)
		hash = (hash ^ e->name[i]) * UINT64_C(1099511628211);
	f->hashes[f->hash_count++] = hash;
	return 0;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void end_folder(struct ext_checker *c, struct folder *f)
{
	if (f->inode && f->entries < 2)
		ext_problem(c, "folder %u: it lacks '.' or '..'", f->inode);
	if (f->hash_count)
		qsort(f->hashes, f->hash_count, sizeof(*f->hashes), compare_hashes);
	for (size_t i = 1; i < f->hash_count; i++) {
		if (f->hashes[i - 1] != f->hashes[i])
			continue;
		ext_problem(c, "folder %u: two entries have one name", f->inode);
		break;
	}
}

/* --- entries ----------------------------------------------------------- */

/* The inode that an entry names, NULL and a problem if it names none. */
static struct ext_state *target(struct ext_checker *c, const struct folder *f,
				const struct entry *e)
{
	struct ext_state *state;

	if (e->inode > c->inodes || (e->inode < c->first_inode && e->inode != EXT_ROOT)) {
		ext_problem(c, "folder %u: entry %zu leads to inode %u", f->inode, f->entries,
			    e->inode);
		return NULL;
	}
	state = &c->states[e->inode - 1];
	if (state->type == 0 || state->hidden) {
		ext_problem(c, "folder %u: entry %zu leads to inode %u, which is free", f->inode,
			    f->entries, e->inode);
		return NULL;
	}
	if (c->incompat & INCOMPAT_FILETYPE && e->type != file_type(state->type) &&
	    (e->type != 0 || c->ours))
		ext_problem(c, "folder %u: entry %zu says file type %u of inode %u, which is %u",
			    f->inode, f->entries, e->type, e->inode, file_type(state->type));
	state->found++;
	return state;
}

static void check_dots(struct ext_checker *c, const struct folder *f, const struct entry *e)
{
	if (!is_dot(e, f->entries + 1))
		ext_problem(c, "folder %u: entry %zu is not '%s'", f->inode, f->entries,
			    f->entries ? ".." : ".");
	if (!target(c, f, e))
		return;
	if (f->entries == 0 && e->inode != f->inode)
		ext_problem(c, "folder %u: '.' leads to inode %u", f->inode, e->inode);
	if (f->entries == 1)
		c->states[f->inode - 1].dotdot = e->inode;
}

static int check_name(struct ext_checker *c, struct folder *f, const struct entry *e,
		      struct ingot_error *err)
{
	struct ext_state *state = target(c, f, e);

	if (e->name_size == 0 || is_dot(e, 1) || is_dot(e, 2) || memchr(e->name, 0, e->name_size) ||
	    memchr(e->name, '/', e->name_size))
		ext_problem(c, "folder %u: entry %zu has a name that none can have", f->inode,
			    f->entries);
	if (state && state->type == EXT_DIR) {
		if (state->parent || e->inode == EXT_ROOT)
			ext_problem(c, "folder %u: folder %u has another name already", f->inode,
				    e->inode);
		state->parent = f->inode;
	}
	if (c->ours && !in_order(f, e))
		ext_problem(c, "folder %u: entry %zu is out of order", f->inode, f->entries);
	return note_hash(f, e, err);
}

static int check_entry(struct ext_checker *c, struct folder *f, const struct entry *e,
		       struct ingot_error *err)
{
	int rc = 0;

	if (f->entries < 2)
		check_dots(c, f, e);
	else
		rc = check_name(c, f, e, err);
	f->entries++;
	return rc;
}

/* --- blocks ------------------------------------------------------------ */

static bool take_entry(const struct ext_checker *c, const unsigned char *p, size_t room,
		       struct entry *ret)
{
	size_t length;

	if (room < HEAD)
		return false;
	length = ingot_get_le16(p + 4);
	if (c->block_size == EXT_BLOCK_MAX && (length == 0 || length == 0xffff))
		length = EXT_BLOCK_MAX;
	*ret = (struct entry){
		.inode = ingot_get_le32(p),
		.length = length,
		.name_size = p[6],
		.type = c->incompat & INCOMPAT_FILETYPE ? p[7] : 0,
		.name = p + HEAD,
	};
	return length >= HEAD && length % 4 == 0 && length <= room &&
	       HEAD + ret->name_size <= length && (c->incompat & INCOMPAT_FILETYPE || p[7] == 0);
}

/* Our writer packs entries without gaps, and fills a block before it takes the next. */
static void check_packing(struct ext_checker *c, struct folder *f, const struct entry *e, size_t at,
			  size_t end)
{
	size_t used = entry_size(e->name_size);
	bool last = at + e->length == end;

	if (e->inode == 0 || (!last && e->length != used) || (at == 0 && f->spare >= used))
		ext_problem(c, "folder %u: entry %zu is not packed", f->inode, f->entries);
	if (!ext_is_zero(e->name + e->name_size, e->length - HEAD - e->name_size))
		ext_problem(c, "folder %u: behind entry %zu: not zero", f->inode, f->entries);
	if (last)
		f->spare = e->length - used;
}

static int check_block(struct ext_checker *c, struct folder *f, const struct ext_folder_block *b,
		       const unsigned char *data, struct ingot_error *err)
{
	size_t end = ext_csum_folder(c, b, data), at = 0;
	struct entry e;
	int rc = 0;

	for (; at < end && rc == 0; at += e.length) {
		if (!take_entry(c, data + at, end - at, &e)) {
			ext_problem(c, "folder %u: entry %zu cannot be true", f->inode, f->entries);
			return 0;
		}
		if (c->ours)
			check_packing(c, f, &e, at, end);
		if (e.inode)
			rc = check_entry(c, f, &e, err);
	}
	return rc;
}

static int check_folders(struct ext_checker *c, struct folder *f, struct ingot_error *err)
{
	INGOT_FREE unsigned char *data = ingot_alloc(c->block_size, 1, err);
	int rc = data ? 0 : -ENOMEM;

	for (size_t i = 0; i < c->folder_block_count && rc == 0; i++) {
		const struct ext_folder_block *b = &c->folder_blocks[i];

		if (b->inode != f->inode) {
			end_folder(c, f);
			f->inode = b->inode;
			f->entries = f->spare = f->before_size = f->hash_count = 0;
		}
		rc = ext_read_block(c, b->block, data, err);
		if (rc == 0)
			rc = check_block(c, f, b, data, err);
	}
	if (rc == 0)
		end_folder(c, f);
	return rc;
}

int ext_check_folders(struct ext_checker *c, struct ingot_error *err)
{
	struct folder f = {0};
	int rc = check_folders(c, &f, err);

	free(f.hashes);
	return rc;
}
