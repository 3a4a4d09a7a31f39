#include "fs/fat_internal.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

/* Sectors in the reserved area. */
enum { INFO_SECTOR = 1, BACKUP_SECTOR = 6, HEAD_SECTORS = 8 };

#define MEDIA	  0xf8	     /* a fixed disk */
#define CHAIN_END 0x0fffffff /* and, as the second number, "clean, no I/O errors" */

struct fat_source {
	struct ingot_source source;
	struct fat_plan plan;
	uint8_t *head; /* the first HEAD_SECTORS; the rest of the reserved ones are zero */
};

/* --- the reserved sectors (fatgen103, "Boot Sector and BPB")
 * ------------------------------------------ */

static void put_boot_sector(const struct fat_plan *plan, uint8_t *p)
{
	/* int 0x18: this disk does not boot, go on. Then halt. */
	static const uint8_t code[] = {0xcd, 0x18, 0xf4, 0xeb, 0xfd};
	const struct fat_layout *layout = &plan->layout;

	memcpy(p,
	       "\xeb\x58\x90"
	       "INGOT   ",
	       11);
	ingot_put_le16(p + 11, (uint16_t)layout->sector_size);
	p[13] = (uint8_t)(layout->cluster_size / layout->sector_size);
	ingot_put_le16(p + 14, (uint16_t)layout->reserved);
	p[16] = 2; /* tables */
	p[21] = MEDIA;
	ingot_put_le16(p + 24, 63); /* sectors per track and heads: nobody looks */
	ingot_put_le16(p + 26, 255);
	ingot_put_le32(p + 28, plan->options.hidden_sectors);
	ingot_put_le32(p + 32, layout->sectors);
	ingot_put_le32(p + 36, layout->table_sectors);
	ingot_put_le32(p + 44, FAT_ROOT_CLUSTER);
	ingot_put_le16(p + 48, INFO_SECTOR);
	ingot_put_le16(p + 50, BACKUP_SECTOR);
	p[64] = 0x80; /* drive */
	p[66] = 0x29; /* the next three fields are there */
	ingot_put_le32(p + 67, plan->options.volume_id);
	memcpy(p + 71, plan->label, FAT_SHORT_NAME);
	memcpy(p + 82, "FAT32   ", 8);
	memcpy(p + 90, code, sizeof(code));
	ingot_put_le16(p + 510, 0xaa55);
}

static void put_info_sector(const struct fat_plan *plan, uint8_t *p)
{
	uint32_t free_clusters = plan->layout.clusters - plan->used;

	ingot_put_le32(p, 0x41615252);
	ingot_put_le32(p + 484, 0x61417272);
	ingot_put_le32(p + 488, free_clusters);
	ingot_put_le32(p + 492, free_clusters ? FAT_ROOT_CLUSTER + plan->used : 0xffffffff);
	ingot_put_le32(p + 508, 0xaa550000);
}

static int make_head(struct fat_source *fat, struct ingot_error *err)
{
	size_t sector = fat->plan.layout.sector_size;

	fat->head = ingot_alloc(HEAD_SECTORS, sector, err);
	if (!fat->head)
		return -ENOMEM;
	put_boot_sector(&fat->plan, fat->head);
	put_info_sector(&fat->plan, fat->head + INFO_SECTOR * sector);
	memcpy(fat->head + BACKUP_SECTOR * sector, fat->head, 2 * sector);
	return 0;
}

/* --- what is where: every byte belongs to one piece
 * -------------------------------------------------- */

enum kind { ZERO, HEAD, TABLE, RUN };

struct piece {
	enum kind kind;
	uint64_t at, end;	     /* bytes of the volume */
	const struct fat_node *node; /* RUN; end is where its content ends */
};

static bool cut(struct piece *piece, uint64_t offset, enum kind kind, uint64_t at, uint64_t end)
{
	if (offset >= end)
		return false;
	/* Before at: the zeros that lead up to it, from wherever we are. */
	*piece = offset < at ? (struct piece){ZERO, offset, at, NULL}
			     : (struct piece){kind, at, end, NULL};
	return true;
}

/* The last run that starts at or before the cluster; the first one starts at the first cluster. */
static const struct fat_node *run_at(const struct fat_plan *plan, uint32_t cluster)
{
	size_t low = 0, high = plan->run_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (plan->runs[middle]->first <= cluster)
			low = middle;
		else
			high = middle;
	}
	return plan->runs[low];
}

static void find_in_clusters(const struct fat_source *fat, uint64_t offset, struct piece *ret)
{
	const struct fat_plan *plan = &fat->plan;
	const struct fat_layout *layout = &plan->layout;
	uint64_t cluster = (offset - layout->clusters_at) / layout->cluster_size;
	const struct fat_node *node;
	uint64_t at, end;

	if (cluster >= plan->used) {
		*ret = (struct piece){ZERO, offset, fat->source.size, NULL};
		return;
	}
	node = run_at(plan, FAT_ROOT_CLUSTER + (uint32_t)cluster);
	at = fat_cluster_at(layout, node->first);
	end = at + node->size;
	if (offset < end)
		*ret = (struct piece){RUN, at, end, node};
	else
		*ret = (struct piece){ZERO, offset,
				      fat_cluster_at(layout, node->first + node->clusters), NULL};
}

static void find_piece(const struct fat_source *fat, uint64_t offset, struct piece *ret)
{
	const struct fat_layout *layout = &fat->plan.layout;
	uint64_t table_end = ((uint64_t)fat->plan.used + FAT_ROOT_CLUSTER) * 4;

	if (offset >= layout->clusters_at) {
		find_in_clusters(fat, offset, ret);
		return;
	}
	if (cut(ret, offset, HEAD, 0, (uint64_t)HEAD_SECTORS * layout->sector_size))
		return;
	for (int i = 0; i < 2; i++)
		if (cut(ret, offset, TABLE, layout->tables_at[i], layout->tables_at[i] + table_end))
			return;
	*ret = (struct piece){ZERO, offset, layout->clusters_at, NULL};
}

/* --- reading
 * ----------------------------------------------------------------------------------------- */

static uint32_t table_number(const struct fat_plan *plan, uint32_t cluster)
{
	const struct fat_node *node;

	if (cluster == 0)
		return 0x0fffff00 | MEDIA;
	if (cluster == 1)
		return CHAIN_END;
	node = run_at(plan, cluster);
	return cluster + 1 < node->first + node->clusters ? cluster + 1 : CHAIN_END;
}

/* n bytes at `offset` of a table; neither need be a multiple of 4. */
static void read_table(const struct fat_plan *plan, uint64_t offset, uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t inside = offset % 4;
		size_t part = (size_t)ingot_min(4 - inside, n);
		uint8_t number[4];

		ingot_put_le32(number, table_number(plan, (uint32_t)(offset / 4)));
		memcpy(p, number + inside, part);
		p += part;
		offset += part;
		n -= part;
	}
}

static int read_piece(const struct fat_source *fat, const struct piece *piece, uint64_t offset,
		      uint8_t *p, size_t n, struct ingot_error *err)
{
	int rc;

	switch (piece->kind) {
	case ZERO:
		memset(p, 0, n);
		return 0;
	case HEAD:
		memcpy(p, fat->head + offset, n);
		return 0;
	case TABLE:
		read_table(&fat->plan, offset, p, n);
		return 0;
	case RUN:
		break;
	}
	if (!piece->node->content) {
		memcpy(p, piece->node->bytes + offset, n);
		return 0;
	}
	rc = ingot_source_read(piece->node->content, offset, p, n, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "FAT file '%s'", piece->node->path);
	return 0;
}

static int fat_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		    struct ingot_error *err)
{
	const struct fat_source *fat = (const struct fat_source *)source;
	uint8_t *p = data;

	while (n > 0) {
		struct piece piece;
		size_t part;
		int rc;

		find_piece(fat, offset, &piece);
		part = (size_t)ingot_min(piece.end - offset, n);
		rc = read_piece(fat, &piece, offset - piece.at, p, part, err);
		if (rc < 0)
			return rc;
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

static int fat_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		      struct ingot_error *err)
{
	struct piece piece;

	find_piece((const struct fat_source *)source, offset, &piece);
	if (piece.kind == RUN && piece.node->content)
		return ingot_source_extent(piece.node->content, offset - piece.at, ret, err);
	*ret = (struct ingot_extent){.length = piece.end - offset, .hole = piece.kind == ZERO};
	return 0;
}

/* --- making
 * ------------------------------------------------------------------------------------------ */

static void fat_free(struct ingot_source *source)
{
	struct fat_source *fat = (struct fat_source *)source;

	ingot_arena_done(&fat->plan.arena);
	free(fat->head);
	free(fat);
}

static const struct ingot_source_ops FAT_OPS = {fat_read, fat_extent, fat_free};

static int make_plan(struct fat_plan *plan, const struct ingot_fat_file *files, size_t count,
		     struct ingot_error *err)
{
	const struct ingot_fat_options *options = &plan->options;
	int rc = ingot_fat_layout(options->size, options->sector_size, &plan->layout, err);

	if (rc < 0)
		return rc;
	rc = ingot_fat_label(options->label, plan->label, err);
	if (rc < 0)
		return rc;
	plan->has_label = options->label && *options->label;
	rc = ingot_fat_tree(files, count, &plan->arena, &plan->root, err);
	if (rc < 0)
		return rc;
	return ingot_fat_place(plan, err);
}

int ingot_fat_source(const struct ingot_fat_options *options, const struct ingot_fat_file *files,
		     size_t count, struct ingot_source **ret, struct ingot_error *err)
{
	struct fat_source *fat = ingot_alloc(1, sizeof(*fat), err);
	INGOT_SOURCE struct ingot_source *source = NULL;
	int rc;

	if (!fat)
		return -ENOMEM;
	fat->source = (struct ingot_source){&FAT_OPS, "FAT32 volume", options->size};
	source = &fat->source;
	fat->plan.options = *options;
	rc = make_plan(&fat->plan, files, count, err);
	if (rc < 0)
		return rc;
	rc = make_head(fat, err);
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(source);
	return 0;
}
