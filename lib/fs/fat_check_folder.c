#include "fs/fat_check_internal.h"

#include <errno.h>
#include <string.h>

/* Folders and the chains of what is in them, from the root down. */

enum {
	LABEL = 0x08,
	FOLDER = 0x10,
	FILE_BIT = 0x20,
	LONG = 0x0f,
	RESERVED = 0xc0,
	LOWER_CASE = 0x18, /* byte 12: the name, the extension */
	DELETED = 0xe5,
	FOLDER_ENTRIES_MAX = 65536,
	PATH_MAX_BYTES = 1024,
};

/* A folder being read. */
struct level {
	uint32_t first, parent; /* clusters; 0: the root */
	uint32_t entries;
	bool ended;
	struct fatc_long name;
	uint64_t *hashes; /* of names, to find two of the same */
	size_t hash_count, hash_room;
};

struct walk {
	struct fat_checker *c;
	unsigned depth;
	size_t length;
	char path[PATH_MAX_BYTES];
};

static int walk_folder(struct walk *w, uint32_t first, uint32_t parent, struct ingot_error *err);

static void bad(struct walk *w, const char *what)
{
	if (what)
		fatc_problem(w->c, "'%s': %s", w->length ? w->path : "/", what);
}

/* A name behind the path; what does not fit is left out. Returns the length before. */
static size_t push(struct walk *w, const unsigned char *e)
{
	size_t before = w->length, n;
	char text[16];

	n = fatc_name_text(e, text);
	if (before + n + 2 > sizeof(w->path))
		return before;
	if (before)
		w->path[w->length++] = '/';
	memcpy(w->path + w->length, text, n + 1);
	w->length += n;
	return before;
}

static void pop(struct walk *w, size_t before)
{
	w->length = before;
	w->path[before] = '\0';
}

/* --- names twice ------------------------------------------------------- */

static int note_hash(struct level *l, uint64_t hash, struct ingot_error *err)
{
	int rc;

	if (hash == 0)
		return 0;
	rc = ingot_grow((void **)&l->hashes, &l->hash_room, l->hash_count + 1, sizeof(*l->hashes),
			err);
	if (rc == 0)
		l->hashes[l->hash_count++] = hash;
	return rc;
}

static uint64_t short_hash(const unsigned char *e)
{
	uint64_t hash = UINT64_C(14695981039346656037) ^ 1; /* never that of a long name */

	for (size_t i = 0; i < FATC_SHORT; i++)
		hash = (hash ^ e[i]) * UINT64_C(1099511628211);
	return hash;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void check_twice(struct walk *w, struct level *l)
{
	if (l->hash_count)
		qsort(l->hashes, l->hash_count, sizeof(*l->hashes), compare_hashes);
	for (size_t i = 1; i < l->hash_count; i++)
		if (l->hashes[i - 1] == l->hashes[i]) {
			bad(w, "two entries have one name");
			return;
		}
}

/* --- one entry --------------------------------------------------------- */

static uint32_t first_cluster(const struct fat_checker *c, const unsigned char *e)
{
	uint32_t cluster = ingot_get_le16(e + 26);

	return c->bits == 32 ? cluster | (uint32_t)ingot_get_le16(e + 20) << 16 : cluster;
}

/* All of an entry but its name, place, size and kind is the same everywhere. */
static void check_ours(struct walk *w, const unsigned char *e)
{
	struct fat_checker *c = w->c;
	static const uint8_t stamp[] = {13, 14, 15, 16, 17, 18, 19, 22, 23, 24, 25};

	if (e[11] != FOLDER && e[11] != FILE_BIT && e[11] != LABEL)
		bad(w, "attributes that are not written");
	if (e[12] || (c->bits != 32 && ingot_get_le16(e + 20)))
		bad(w, "unused fields are not zero");
	if (!c->has_stamp) {
		c->has_stamp = true;
		memcpy(c->stamp, e, FATC_ENTRY);
		if (memcmp(e + 14, e + 22, 4) != 0 || memcmp(e + 16, e + 18, 2) != 0 ||
		    (e[13] != 0 && e[13] != 100))
			bad(w, "its times differ");
	}
	for (size_t i = 0; i < sizeof(stamp); i++)
		if (e[stamp[i]] != c->stamp[stamp[i]]) {
			bad(w, "a time that is not that of the volume");
			return;
		}
}

static int check_slack(struct walk *w, uint32_t last, uint32_t size, struct ingot_error *err)
{
	uint32_t inside = size % w->c->cluster_size;

	if (!w->c->ours || inside == 0)
		return 0;
	return fatc_zero(w->c, fatc_cluster_at(w->c, last) + inside, w->c->cluster_size - inside,
			 "behind the end of a file", err);
}

static int check_file(struct walk *w, const unsigned char *e, struct ingot_error *err)
{
	uint32_t size = ingot_get_le32(e + 28), cluster = first_cluster(w->c, e), last = 0;
	uint64_t want = ingot_div_up(size, w->c->cluster_size), have = 0;

	w->c->seen.files++;
	if (size == 0 && cluster == 0)
		return 0;
	if (cluster == 0) {
		bad(w, "it has a size, but no cluster");
		return 0;
	}
	while (cluster) {
		last = cluster;
		if (!fatc_take(w->c, cluster, w->path, &cluster))
			return 0;
		have++;
	}
	if (have != want) {
		fatc_problem(w->c, "'%s': %u bytes in %llu clusters", w->path, size,
			     (unsigned long long)have);
		return 0;
	}
	return check_slack(w, last, size, err);
}

static int check_folder(struct walk *w, const struct level *l, const unsigned char *e,
			struct ingot_error *err)
{
	uint32_t cluster = first_cluster(w->c, e);

	w->c->seen.folders++;
	if (ingot_get_le32(e + 28))
		bad(w, "a folder with a size");
	if (!fatc_is_cluster(w->c, cluster)) {
		bad(w, "a folder that starts at a cluster that is not there");
		return 0;
	}
	return walk_folder(w, cluster, l->first, err);
}

/* "." and "..", the first two entries of every folder but the root. */
static void check_dot(struct walk *w, const struct level *l, const unsigned char *e)
{
	static const unsigned char dots[] = "..         ";
	uint32_t index = l->entries - 1, cluster = first_cluster(w->c, e);

	if (memcmp(e, index ? dots : (const unsigned char *)".          ", FATC_SHORT) != 0 ||
	    !(e[11] & FOLDER))
		bad(w, index ? "its second entry is not '..'" : "its first entry is not '.'");
	else if (cluster != (index ? l->parent : l->first))
		bad(w, index ? "'..' leads elsewhere" : "'.' leads elsewhere");
	if (w->c->ours)
		check_ours(w, e);
	if (ingot_get_le32(e + 28))
		bad(w, "'.' or '..' with a size");
}

/* The label stands in the boot sector, too, unless that says "NO NAME". */
static const unsigned char NO_NAME[] = "NO NAME    ";

static const unsigned char *boot_label(const struct fat_checker *c)
{
	return c->boot + (c->bits == 32 ? 71 : 43);
}

static void check_label(struct walk *w, const struct level *l, const unsigned char *e)
{
	const unsigned char *boot = boot_label(w->c);

	if (l->first || w->c->has_label)
		bad(w, "a label where none may be");
	w->c->has_label = true;
	if (first_cluster(w->c, e) || ingot_get_le32(e + 28))
		bad(w, "a label with content");
	if (memcmp(e, boot, FATC_SHORT) != 0 &&
	    (w->c->ours || memcmp(boot, NO_NAME, FATC_SHORT) != 0))
		bad(w, "the label is not that of the boot sector");
	if (w->c->ours)
		check_ours(w, e);
}

static int check_named(struct walk *w, struct level *l, const unsigned char *e,
		       struct ingot_error *err)
{
	size_t before = push(w, e);
	uint64_t hash;
	int rc;

	bad(w, fatc_short_name(e));
	bad(w, fatc_long_end(&l->name, e, &hash));
	if (e[12] & ~LOWER_CASE)
		bad(w, "reserved fields");
	if (w->c->ours)
		check_ours(w, e);
	rc = note_hash(l, short_hash(e), err);
	if (rc == 0)
		rc = note_hash(l, hash, err);
	if (rc == 0)
		rc = e[11] & FOLDER ? check_folder(w, l, e, err) : check_file(w, e, err);
	pop(w, before);
	return rc;
}

static int check_entry(struct walk *w, struct level *l, const unsigned char *e,
		       struct ingot_error *err)
{
	l->entries++;
	if (++w->c->entries > INGOT_FAT_CHECK_ENTRIES_MAX)
		return ingot_raise(err, -EFBIG, "the folders are too large to be checked");
	if (e[0] != DELETED && e[11] & RESERVED)
		bad(w, "reserved attributes");
	if (e[0] == DELETED) {
		if (w->c->ours || l->name.pending)
			bad(w, "a deleted entry");
		l->name = (struct fatc_long){0};
		return 0;
	}
	if (l->first && l->entries <= 2) {
		check_dot(w, l, e);
		return 0;
	}
	if ((e[11] & 0x3f) == LONG) {
		bad(w, fatc_long_piece(w->c, &l->name, e));
		return 0;
	}
	if (e[11] & LABEL) {
		if (l->name.pending)
			bad(w, "a long name that belongs to nothing");
		l->name = (struct fatc_long){0};
		check_label(w, l, e);
		return 0;
	}
	return check_named(w, l, e, err);
}

/* --- a folder ---------------------------------------------------------- */

static int check_entries(struct walk *w, struct level *l, const unsigned char *data, size_t size,
			 struct ingot_error *err)
{
	int rc = 0;

	for (size_t at = 0; at + FATC_ENTRY <= size && rc == 0; at += FATC_ENTRY) {
		if (l->ended || data[at] == 0) {
			l->ended = true;
			if (w->c->ours && ingot_first_nonzero(data + at, size - at) != size - at)
				bad(w, "behind its end it is not zero");
			return 0;
		}
		rc = check_entry(w, l, data + at, err);
	}
	return rc;
}

static void end_folder(struct walk *w, struct level *l)
{
	if (l->name.pending)
		bad(w, "a long name that belongs to nothing");
	if (l->first && l->entries < 2)
		bad(w, "a folder without '.' and '..'");
	if (l->entries > FOLDER_ENTRIES_MAX)
		bad(w, "a folder of too many entries");
	check_twice(w, l);
}

/* A chain of clusters. */
static int walk_chain(struct walk *w, struct level *l, uint32_t cluster, struct ingot_error *err)
{
	INGOT_FREE unsigned char *data = ingot_alloc(w->c->cluster_size, 1, err);
	uint32_t next = cluster;
	int rc = data ? 0 : -ENOMEM;

	while (next && rc == 0) {
		cluster = next;
		if (!fatc_take(w->c, cluster, w->length ? w->path : "/", &next))
			break;
		rc = ingot_source_read(w->c->source, fatc_cluster_at(w->c, cluster), data,
				       w->c->cluster_size, err);
		if (rc == 0)
			rc = check_entries(w, l, data, w->c->cluster_size, err);
	}
	return rc;
}

static int walk_folder(struct walk *w, uint32_t first, uint32_t parent, struct ingot_error *err)
{
	struct level l = {.first = first, .parent = parent};
	int rc;

	if (w->depth == INGOT_FAT_CHECK_DEPTH_MAX) {
		bad(w, "folders are too deep");
		return 0;
	}
	w->depth++;
	rc = walk_chain(w, &l, first, err);
	if (rc == 0)
		end_folder(w, &l);
	free(l.hashes);
	w->depth--;
	return rc;
}

/* FAT12 and FAT16 have a root outside the clusters. */
static int walk_fixed_root(struct walk *w, struct ingot_error *err)
{
	size_t size = (size_t)(w->c->clusters_at - w->c->root_at);
	INGOT_FREE unsigned char *data = ingot_alloc(size + 1, 1, err);
	struct level l = {0};
	int rc;

	if (!data)
		return -ENOMEM;
	rc = ingot_source_read(w->c->source, w->c->root_at, data, size, err);
	if (rc == 0)
		rc = check_entries(w, &l, data, (size_t)w->c->root_entries * FATC_ENTRY, err);
	if (rc == 0)
		end_folder(w, &l);
	free(l.hashes);
	return rc;
}

/* FAT32's root has clusters like any folder, but no "." and "..". */
static int walk_root(struct walk *w, struct ingot_error *err)
{
	struct level l = {0};
	int rc;

	if (!fatc_is_cluster(w->c, w->c->root_cluster))
		return 0; /* said already */
	rc = walk_chain(w, &l, w->c->root_cluster, err);
	if (rc == 0)
		end_folder(w, &l);
	free(l.hashes);
	return rc;
}

int fatc_check_tree(struct fat_checker *c, struct ingot_error *err)
{
	struct walk w = {.c = c, .depth = 1};
	int rc = c->bits == 32 ? walk_root(&w, err) : walk_fixed_root(&w, err);

	if (rc == 0 && c->ours && !c->has_label && memcmp(boot_label(c), NO_NAME, FATC_SHORT) != 0)
		bad(&w, "the boot sector's label is not in the root");
	return rc;
}
