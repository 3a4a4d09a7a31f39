#include "fs/fat_read_internal.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum {
	BOOT_SIZE = 512,
	FAT12_CLUSTERS_MAX = 4084, /* with fewer it would be FAT12 */
	FAT16_CLUSTERS_MAX = 65524,
	FAT32_CLUSTERS_MAX = 0x0ffffff5,
};

int ingot_fat_corrupt(struct ingot_error *err, const char *what)
{
	return ingot_raise(err, -EINVAL, "FAT volume: %s", what);
}

/* --- boot sector ------------------------------------------------------- */

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
	if (strcmp(label, "NO NAME") == 0) /* fatgen103: what stands there if there is none */
		label[0] = '\0';
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
		return ingot_fat_corrupt(err, "the tables leave no room for data");
	if ((uint64_t)sectors * v->sector_size > size)
		return ingot_fat_corrupt(err, "it is larger than its partition");
	v->cluster_count = (uint32_t)((sectors - front) / b[13]);
	if (v->bits == 16 && v->cluster_count <= FAT12_CLUSTERS_MAX)
		return ingot_raise(err, -ENODATA, "'%s' is FAT12", v->source->name);
	if (v->cluster_count > (v->bits == 16 ? FAT16_CLUSTERS_MAX : FAT32_CLUSTERS_MAX))
		return ingot_fat_corrupt(err, "more clusters than it can have");
	if (((uint64_t)v->cluster_count + 2) * (v->bits / 8) > (uint64_t)table * v->sector_size)
		return ingot_fat_corrupt(err, "its table is too short for its clusters");
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
	v.root_cluster = v.bits == 32 ? ingot_get_le32(b + 44) : 0;
	v.volume_id = ingot_get_le32(b + (v.bits == 32 ? 67 : 39));
	copy_label(b + (v.bits == 32 ? 71 : 43), v.label);
	*ret = v;
	return 0;
}

/* --- table ------------------------------------------------------------- */

/* The window is moved so that n bytes at `offset` are in it; the table is known to have them. */
static int move_window(const struct ingot_fat_volume *v, struct fat_window *window, uint64_t offset,
		       size_t n, struct ingot_error *err)
{
	int rc;

	if (offset >= window->offset && offset + n <= window->offset + window->size)
		return 0;
	window->offset = offset;
	window->size = (size_t)ingot_min(sizeof(window->bytes), v->source->size - offset);
	rc = ingot_source_read(v->source, offset, window->bytes, window->size, err);
	if (rc < 0)
		window->size = 0;
	return rc;
}

int ingot_fat_next_cluster(const struct ingot_fat_volume *v, struct fat_window *window,
			   uint32_t cluster, uint32_t *ret, struct ingot_error *err)
{
	unsigned bytes = v->bits / 8;
	uint64_t offset = v->table + (uint64_t)cluster * bytes;
	int rc = move_window(v, window, offset, bytes, err);
	const unsigned char *raw = window->bytes + (offset - window->offset);
	uint32_t next;

	if (rc < 0)
		return rc;
	next = v->bits == 32 ? ingot_get_le32(raw) & 0x0fffffff : ingot_get_le16(raw);
	if (next >= (v->bits == 32 ? 0x0ffffff8 : 0xfff8))
		next = 0;
	else if (!fat_is_cluster(v, next))
		return ingot_fat_corrupt(err, "a chain leads to a cluster that is not there");
	*ret = next;
	return 0;
}
