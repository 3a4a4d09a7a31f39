#include "fs/fat_internal.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define CHAIN_END 0x0fffffff /* and, as the second number, "clean, no I/O errors" */

struct fat_source {
	struct ingot_source source;
	struct fat_plan plan;
	uint8_t *head; /* the first sectors; the rest of the reserved ones are zero */
	size_t head_size;
};

/* --- what is where: every byte belongs to one piece -------------------- */

enum kind { ZERO, HEAD, TABLE, NODE };

struct piece {
	enum kind kind;
	uint64_t at, end;	     /* bytes of the volume */
	const struct fat_node *node; /* NODE; its bytes, without what fills the last cluster */
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
	node = run_at(plan, FAT_FIRST_CLUSTER + (uint32_t)cluster);
	at = fat_cluster_at(layout, node->first);
	end = at + node->size;
	if (offset < end)
		*ret = (struct piece){NODE, at, end, node};
	else
		*ret = (struct piece){ZERO, offset,
				      fat_cluster_at(layout, node->first + node->clusters), NULL};
}

static void find_piece(const struct fat_source *fat, uint64_t offset, struct piece *ret)
{
	const struct fat_layout *layout = &fat->plan.layout;
	uint64_t table_end = ((uint64_t)fat->plan.used + FAT_FIRST_CLUSTER) * (layout->bits / 8);

	if (offset >= layout->clusters_at) {
		find_in_clusters(fat, offset, ret);
		return;
	}
	if (cut(ret, offset, HEAD, 0, fat->head_size))
		return;
	for (int i = 0; i < 2; i++)
		if (cut(ret, offset, TABLE, layout->tables_at[i], layout->tables_at[i] + table_end))
			return;
	if (layout->root_size &&
	    cut(ret, offset, NODE, layout->root_at, layout->root_at + fat->plan.root->size)) {
		ret->node = fat->plan.root;
		return;
	}
	*ret = (struct piece){ZERO, offset, layout->clusters_at, NULL};
}

/* --- reading ----------------------------------------------------------- */

static uint32_t table_number(const struct fat_plan *plan, uint32_t cluster)
{
	const struct fat_node *node;

	if (cluster == 0)
		return 0x0fffff00 | FAT_MEDIA;
	if (cluster == 1)
		return CHAIN_END;
	node = run_at(plan, cluster);
	return cluster + 1 < node->first + node->clusters ? cluster + 1 : CHAIN_END;
}

/* n bytes at `offset` of a table; neither need be a multiple of a number's width. FAT16 has the
 * lower half of each number. */
static void read_table(const struct fat_plan *plan, uint64_t offset, uint8_t *p, size_t n)
{
	size_t width = plan->layout.bits / 8;

	while (n > 0) {
		size_t inside = offset % width;
		size_t part = (size_t)ingot_min(width - inside, n);
		uint8_t number[4];

		ingot_put_le32(number, table_number(plan, (uint32_t)(offset / width)));
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
	case NODE:
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
	if (piece.kind == NODE && piece.node->content)
		return ingot_source_extent(piece.node->content, offset - piece.at, ret, err);
	*ret = (struct ingot_extent){.length = piece.end - offset, .hole = piece.kind == ZERO};
	return 0;
}

/* --- making ------------------------------------------------------------ */

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
	fat->source = (struct ingot_source){&FAT_OPS, "FAT volume", options->size};
	source = &fat->source;
	fat->plan.options = *options;
	rc = make_plan(&fat->plan, files, count, err);
	if (rc < 0)
		return rc;
	fat->head_size = ingot_fat_head_size(&fat->plan.layout);
	fat->head = ingot_alloc(1, fat->head_size, err);
	if (!fat->head)
		return -ENOMEM;
	ingot_fat_put_head(&fat->plan, fat->head);
	*ret = INGOT_TAKE(source);
	return 0;
}
