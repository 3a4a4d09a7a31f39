#include "fs/fat_read.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum {
	BOOT_SIZE = 512,
	FAT12_CLUSTERS_MAX = 4084, /* with fewer it would be FAT12 */
	CLUSTERS_MAX = 0x0ffffff5,
};

static int corrupt(struct ingot_error *err, const char *what)
{
	return ingot_raise(err, -EINVAL, "FAT volume: %s", what);
}

/* --- boot sector ------------------------------------------------------------------------------ */

static bool is_boot_sector(const unsigned char *b)
{
	uint16_t sector = ingot_get_le16(b + 11);

	return b[510] == 0x55 && b[511] == 0xaa && (b[0] == 0xeb || b[0] == 0xe9) &&
	       ingot_is_power_of_two(sector) && sector >= 512 && sector <= 4096 &&
	       ingot_is_power_of_two(b[13]) && (b[16] == 1 || b[16] == 2) && b[21] >= 0xf0;
}

static void copy_label(const unsigned char *from, char label[12])
{
	size_t n = 11;

	memcpy(label, from, n);
	while (n > 0 && label[n - 1] == ' ')
		n--;
	label[n] = '\0';
}

/* Everything that follows from the BIOS parameter block. */
static int take_geometry(const unsigned char *b, uint64_t size, struct ingot_fat_volume *v,
			 struct ingot_error *err)
{
	uint32_t sectors = ingot_get_le16(b + 19) ? ingot_get_le16(b + 19) : ingot_get_le32(b + 32);
	uint32_t table = ingot_get_le16(b + 22) ? ingot_get_le16(b + 22) : ingot_get_le32(b + 36);
	uint64_t tables = (uint64_t)table * b[16];
	uint64_t front;

	v->sector_size = ingot_get_le16(b + 11);
	v->cluster_size = v->sector_size * b[13];
	v->bits = ingot_get_le16(b + 22) ? 16 : 32;
	v->table = (uint64_t)ingot_get_le16(b + 14) * v->sector_size;
	v->root = v->table + tables * v->sector_size;
	v->root_size = (uint32_t)ingot_get_le16(b + 17) * 32;
	v->data = v->root + ingot_round_up(v->root_size, v->sector_size);
	front = v->data / v->sector_size;
	if (v->table == 0 || table == 0 || front >= sectors)
		return corrupt(err, "the tables leave no room for data");
	if ((uint64_t)sectors * v->sector_size > size)
		return corrupt(err, "it is larger than its partition");
	v->cluster_count = (uint32_t)((sectors - front) / b[13]);
	if (v->cluster_count > CLUSTERS_MAX)
		return corrupt(err, "more clusters than FAT32 can have");
	if (((uint64_t)v->cluster_count + 2) * (v->bits / 8) > (uint64_t)table * v->sector_size)
		return corrupt(err, "its table is too short for its clusters");
	return 0;
}

int ingot_fat_open(struct ingot_source *source, struct ingot_fat_volume *ret,
		   struct ingot_error *err)
{
	struct ingot_fat_volume v = {.source = source};
	unsigned char b[BOOT_SIZE];
	int rc;

	if (source->size < sizeof(b))
		return ingot_raise(err, -ENODATA, "'%s' is no FAT volume", source->name);
	rc = ingot_source_read(source, 0, b, sizeof(b), err);
	if (rc < 0)
		return rc;
	if (!is_boot_sector(b))
		return ingot_raise(err, -ENODATA, "'%s' is no FAT volume", source->name);
	rc = take_geometry(b, source->size, &v, err);
	if (rc < 0)
		return rc;
	if (v.bits == 16 && v.cluster_count <= FAT12_CLUSTERS_MAX)
		return ingot_raise(err, -ENODATA, "'%s' is FAT12", source->name);
	v.root_cluster = v.bits == 32 ? ingot_get_le32(b + 44) : 0;
	v.volume_id = ingot_get_le32(b + (v.bits == 32 ? 67 : 39));
	copy_label(b + (v.bits == 32 ? 71 : 43), v.label);
	*ret = v;
	return 0;
}

/* --- chains ----------------------------------------------------------------------------------- */

static bool is_cluster(const struct ingot_fat_volume *v, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < v->cluster_count;
}

static uint64_t cluster_offset(const struct ingot_fat_volume *v, uint32_t cluster)
{
	return v->data + (uint64_t)(cluster - 2) * v->cluster_size;
}

/* What follows a cluster; *ret 0: it is the last. */
static int next_cluster(const struct ingot_fat_volume *v, uint32_t cluster, uint32_t *ret,
			struct ingot_error *err)
{
	unsigned char raw[4] = {0};
	unsigned bytes = v->bits / 8;
	uint32_t next;
	int rc = ingot_source_read(v->source, v->table + (uint64_t)cluster * bytes, raw, bytes, err);

	if (rc < 0)
		return rc;
	next = ingot_get_le32(raw) & (v->bits == 32 ? 0x0fffffff : 0xffff);
	if (next >= (v->bits == 32 ? 0x0ffffff8 : 0xfff8))
		next = 0;
	else if (!is_cluster(v, next))
		return corrupt(err, "a chain leads to a cluster that is not there");
	*ret = next;
	return 0;
}

/* --- files as sources ------------------------------------------------------------------------- */

int ingot_fat_file_source(const struct ingot_fat_volume *v, const struct ingot_fat_entry *entry,
			  struct ingot_source **ret, struct ingot_error *err)
{
	uint64_t want = ingot_div_up(entry->size, v->cluster_size);
	struct ingot_source **pieces = NULL;
	size_t count = 0, room = 0;
	uint32_t cluster = entry->cluster;
	uint64_t left = entry->size;
	int rc = 0;

	if (want > v->cluster_count)
		return corrupt(err, "a file is larger than the volume");
	/* Clusters that follow each other become one piece. */
	while (left > 0 && rc == 0) {
		uint32_t first = cluster, next = cluster;
		uint64_t length = 0;

		if (!is_cluster(v, cluster)) {
			rc = corrupt(err, "a file's chain is shorter than the file");
			break;
		}
		while (length < left && next == cluster && rc == 0) {
			length += v->cluster_size;
			rc = next_cluster(v, cluster, &next, err);
			cluster++;
		}
		cluster = next;
		length = ingot_min(length, left);
		left -= length;
		if (rc == 0)
			rc = ingot_grow((void **)&pieces, &room, count + 1, sizeof(struct ingot_source *),
					err);
		if (rc == 0)
			rc = ingot_source_part(v->source, cluster_offset(v, first), length,
					       &pieces[count], err);
		if (rc == 0)
			count++;
	}
	if (rc == 0)
		rc = ingot_source_concat(entry->path, pieces, count, ret, err);
	for (size_t i = 0; rc < 0 && i < count; i++)
		ingot_source_free(pieces[i]);
	free(pieces);
	return rc;
}

/* --- names ------------------------------------------------------------------------------------ */

enum { NAME_UNITS = 255 };

struct long_name {
	uint16_t units[20 * 13];
	unsigned expected; /* sequence number that has to come next; 0: none is being read */
	uint8_t checksum;
};

static uint8_t short_checksum(const unsigned char *e)
{
	uint8_t sum = 0;

	for (int i = 0; i < 11; i++)
		sum = (uint8_t)(((sum & 1) << 7) + (sum >> 1) + e[i]);
	return sum;
}

static void take_long(struct long_name *name, const unsigned char *e)
{
	static const unsigned char at[] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
	unsigned number = e[0] & 0x3f;

	if (e[0] & 0x40) {
		memset(name, 0, sizeof(*name));
		name->expected = number;
		name->checksum = e[13];
	}
	if (number == 0 || number > 20 || number != name->expected || e[13] != name->checksum) {
		name->expected = 0;
		name->checksum = 0;
		name->units[0] = 0;
		return;
	}
	for (size_t i = 0; i < 13; i++)
		name->units[(number - 1) * 13 + i] = ingot_get_le16(e + at[i]);
	name->expected--;
}

/* UTF-16 to UTF-8, what is not valid becomes '?'. Returns the length. */
static size_t to_utf8(const uint16_t *units, size_t n, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < n && units[i]; i++) {
		uint32_t c = units[i];

		if (c >= 0xd800 && c < 0xdc00 && i + 1 < n && units[i + 1] >= 0xdc00 &&
		    units[i + 1] < 0xe000)
			c = 0x10000 + ((c - 0xd800) << 10) + (units[++i] - 0xdc00U);
		else if ((c >= 0xd800 && c < 0xe000) || c < 0x20 || c == '/')
			c = '?';
		if (c < 0x80) {
			out[at++] = (char)c;
		} else if (c < 0x800) {
			out[at++] = (char)(0xc0 | c >> 6);
			out[at++] = (char)(0x80 | (c & 0x3f));
		} else if (c < 0x10000) {
			out[at++] = (char)(0xe0 | c >> 12);
			out[at++] = (char)(0x80 | (c >> 6 & 0x3f));
			out[at++] = (char)(0x80 | (c & 0x3f));
		} else {
			out[at++] = (char)(0xf0 | c >> 18);
			out[at++] = (char)(0x80 | (c >> 12 & 0x3f));
			out[at++] = (char)(0x80 | (c >> 6 & 0x3f));
			out[at++] = (char)(0x80 | (c & 0x3f));
		}
	}
	out[at] = '\0';
	return at;
}

static size_t short_name(const unsigned char *e, char *out)
{
	size_t at = 0;

	for (unsigned i = 0; i < 11; i++) {
		unsigned char c = e[i];

		if (i == 8 && e[8] != ' ')
			out[at++] = '.';
		if (c == ' ')
			continue;
		out[at++] = c < 0x20 || c >= 0x7f || c == '/' ? '?' : (char)c;
	}
	out[at] = '\0';
	return at;
}

/* --- folders ---------------------------------------------------------------------------------- */

struct walk {
	const struct ingot_fat_volume *volume;
	ingot_fat_visit visit;
	void *context;
	uint32_t entries;
	unsigned depth;
	char path[INGOT_FAT_PATH_MAX];
	size_t length;
};

static int walk_chain(struct walk *w, uint32_t cluster, struct ingot_error *err);

static int visit_entry(struct walk *w, const unsigned char *e, const struct long_name *name,
		       struct ingot_error *err)
{
	char text[4 * NAME_UNITS + 64];
	struct ingot_fat_entry entry = {
		.path = w->path,
		.folder = e[11] & 0x10,
		.size = ingot_get_le32(e + 28),
		.cluster = ingot_get_le16(e + 26) | (uint32_t)ingot_get_le16(e + 20) << 16,
	};
	size_t before = w->length, n = 0;
	int rc;

	if (name->expected == 0 && name->units[0] && name->checksum == short_checksum(e))
		n = to_utf8(name->units, NAME_UNITS, text);
	if (n == 0)
		n = short_name(e, text);
	if (w->length + n + 2 > sizeof(w->path))
		return corrupt(err, "a path is too long");
	if (w->length > 0)
		w->path[w->length++] = '/';
	memcpy(w->path + w->length, text, n + 1);
	w->length += n;
	rc = w->visit(w->context, &entry, err);
	if (rc >= 0 && entry.folder) {
		if (++w->depth > INGOT_FAT_DEPTH_MAX)
			return corrupt(err, "folders are too deep");
		rc = walk_chain(w, entry.cluster, err);
		w->depth--;
	}
	w->length = before;
	w->path[before] = '\0';
	return rc < 0 ? rc : 0;
}

/* The entries in one stretch; *end: the folder's last entry was among them. */
static int walk_stretch(struct walk *w, uint64_t offset, uint32_t size, struct long_name *name,
			bool *end, struct ingot_error *err)
{
	unsigned char e[32];
	int rc = 0;

	for (uint32_t at = 0; at + 32 <= size && rc == 0; at += 32) {
		rc = ingot_source_read(w->volume->source, offset + at, e, sizeof(e), err);
		if (rc < 0)
			return rc;
		if (e[0] == 0) {
			*end = true;
			return 0;
		}
		if (++w->entries > INGOT_FAT_ENTRIES_MAX)
			return corrupt(err, "too many files");
		if (e[0] == 0xe5)
			continue;
		if ((e[11] & 0x3f) == 0x0f) {
			take_long(name, e);
			continue;
		}
		if (!(e[11] & 0x08) && e[0] != '.')
			rc = visit_entry(w, e, name, err);
		memset(name, 0, sizeof(*name));
	}
	return rc;
}

static int walk_chain(struct walk *w, uint32_t cluster, struct ingot_error *err)
{
	const struct ingot_fat_volume *v = w->volume;
	struct long_name name = {0};
	bool end = false;
	int rc = 0;

	/* Every cluster of a looping chain counts as entries, so the walk ends. */
	while (cluster && !end && rc == 0) {
		if (!is_cluster(v, cluster))
			return corrupt(err, "a folder starts at a cluster that is not there");
		rc = walk_stretch(w, cluster_offset(v, cluster), v->cluster_size, &name, &end, err);
		if (rc == 0 && !end)
			rc = next_cluster(v, cluster, &cluster, err);
	}
	return rc;
}

int ingot_fat_walk(const struct ingot_fat_volume *volume, ingot_fat_visit visit, void *context,
		   struct ingot_error *err)
{
	struct walk w = {.volume = volume, .visit = visit, .context = context};
	struct long_name name = {0};
	bool end = false;

	if (volume->bits == 32)
		return walk_chain(&w, volume->root_cluster, err);
	return walk_stretch(&w, volume->root, volume->root_size, &name, &end, err);
}
