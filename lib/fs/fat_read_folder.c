#include <string.h>

#include "base/bytes.h"
#include "fs/fat_read_internal.h"

/* fatgen103, "FAT Directory Structure". */

enum {
	ENTRY_SIZE = 32,
	ENTRIES_AT_ONCE = 64,
	ATTRIBUTES = 11, /* offset of the byte */
	ATTRIBUTE_LABEL = 0x08,
	ATTRIBUTE_FOLDER = 0x10,
	ATTRIBUTES_LONG = 0x0f,
	DELETED = 0xe5,
};

struct walk {
	const struct ingot_fat_volume *volume;
	ingot_fat_visit visit;
	void *context;
	uint32_t entries;
	unsigned depth;
	uint32_t folders[INGOT_FAT_DEPTH_MAX]; /* first clusters, from the root down */
	char path[INGOT_FAT_PATH_MAX];
	size_t length;
};

static int walk_folder(struct walk *w, uint32_t cluster, struct ingot_error *err);

/* A name behind the path; the caller cuts it off again. */
static int append(struct walk *w, const char *name, size_t n, struct ingot_error *err)
{
	if (w->length + n + 2 > sizeof(w->path))
		return ingot_fat_corrupt(err, "a path is too long");
	if (w->length > 0)
		w->path[w->length++] = '/';
	memcpy(w->path + w->length, name, n + 1);
	w->length += n;
	return 0;
}

static int visit_entry(struct walk *w, const unsigned char *e, const struct fat_long *name,
		       struct ingot_error *err)
{
	char text[FAT_TEXT_MAX];
	size_t before = w->length, n = ingot_fat_entry_name(name, e, text);
	struct ingot_fat_entry entry = {
		.path = w->path,
		.folder = e[ATTRIBUTES] & ATTRIBUTE_FOLDER,
		.size = ingot_get_le32(e + 28),
		.cluster = ingot_get_le16(e + 26),
	};
	int rc = append(w, text, n, err);

	if (w->volume->bits == 32) /* others keep something else there */
		entry.cluster |= (uint32_t)ingot_get_le16(e + 20) << 16;
	if (rc == 0)
		rc = w->visit(w->context, &entry, err);
	if (rc >= 0 && entry.folder)
		rc = walk_folder(w, entry.cluster, err);
	w->length = before;
	w->path[before] = '\0';
	return rc < 0 ? rc : 0;
}

/* *end: it is the one behind the folder's last. */
static int take_entry(struct walk *w, const unsigned char *e, struct fat_long *name, bool *end,
		      struct ingot_error *err)
{
	int rc = 0;

	*end = e[0] == 0;
	if (*end)
		return 0;
	if (++w->entries > INGOT_FAT_ENTRIES_MAX)
		return ingot_fat_corrupt(err, "too many entries in its folders");
	if (e[0] != DELETED && (e[ATTRIBUTES] & 0x3f) == ATTRIBUTES_LONG) {
		ingot_fat_take_piece(name, e);
		return 0;
	}
	/* Only "." and ".." start with a dot: a short name cannot. */
	if (e[0] != DELETED && e[0] != '.' && !(e[ATTRIBUTES] & ATTRIBUTE_LABEL))
		rc = visit_entry(w, e, name, err);
	*name = (struct fat_long){0};
	return rc;
}

/* The entries in one stretch, read some at a time; *end: the folder's last one was among them. */
static int walk_stretch(struct walk *w, uint64_t offset, uint32_t size, struct fat_long *name,
			bool *end, struct ingot_error *err)
{
	unsigned char entries[ENTRIES_AT_ONCE * ENTRY_SIZE];
	int rc = 0;

	size -= size % ENTRY_SIZE;
	for (uint32_t at = 0, n; at < size && !*end && rc == 0; at += n) {
		n = (uint32_t)ingot_min(size - at, sizeof(entries));
		rc = ingot_source_read(w->volume->source, offset + at, entries, n, err);
		for (uint32_t i = 0; i < n && !*end && rc == 0; i += ENTRY_SIZE)
			rc = take_entry(w, entries + i, name, end, err);
	}
	return rc;
}

/* Every cluster of a chain that loops counts as entries, so the walk ends. */
static int walk_chain(struct walk *w, uint32_t cluster, struct ingot_error *err)
{
	const struct ingot_fat_volume *v = w->volume;
	struct fat_window window = {0};
	struct fat_long name = {0};
	bool end = false;
	int rc = 0;

	while (cluster && !end && rc == 0) {
		rc = walk_stretch(w, fat_cluster_offset(v, cluster), v->cluster_size, &name, &end,
				  err);
		if (rc == 0 && !end)
			rc = ingot_fat_next_cluster(v, &window, cluster, &cluster, err);
	}
	return rc;
}

static int walk_folder(struct walk *w, uint32_t cluster, struct ingot_error *err)
{
	int rc;

	if (!fat_is_cluster(w->volume, cluster))
		return ingot_fat_corrupt(err, "a folder starts at a cluster that is not there");
	for (unsigned i = 0; i < w->depth; i++)
		if (w->folders[i] == cluster)
			return ingot_fat_corrupt(err, "a folder is in itself");
	if (w->depth == INGOT_FAT_DEPTH_MAX)
		return ingot_fat_corrupt(err, "folders are too deep");
	w->folders[w->depth++] = cluster;
	rc = walk_chain(w, cluster, err);
	w->depth--;
	return rc;
}

int ingot_fat_walk(const struct ingot_fat_volume *volume, ingot_fat_visit visit, void *context,
		   struct ingot_error *err)
{
	struct walk w = {.volume = volume, .visit = visit, .context = context};
	struct fat_long name = {0};
	bool end = false;

	if (volume->bits == 32)
		return walk_folder(&w, volume->root_cluster, err);
	return walk_stretch(&w, volume->root, volume->root_size, &name, &end, err);
}
