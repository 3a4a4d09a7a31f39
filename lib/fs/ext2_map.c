#include "fs/ext2_internal.h"

#include "base/bytes.h"

/*
 * Block maps: twelve direct pointers, then a single, a double and a triple indirect tree.
 * The indirect blocks of a file are numbered in the order in which a walk meets them,
 * parents first; a subtree that maps only holes has none.
 */

/* How many data blocks one pointer at this level covers. */
static uint64_t span(unsigned level)
{
	uint64_t n = 1;

	while (level-- > 0)
		n *= POINTERS;
	return n;
}

/* The first data run that ends after the logical block. */
static const struct run *run_after(const struct ext2_map_query *q, uint64_t logical)
{
	size_t low = 0, high = q->data_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct run *run = &q->data[middle];

		if ((uint64_t)run->logical + run->count <= logical)
			low = middle + 1;
		else
			high = middle;
	}
	return low < q->data_count ? &q->data[low] : NULL;
}

static bool any_data(const struct ext2_map_query *q, uint64_t base, uint64_t length)
{
	const struct run *run = run_after(q, base);

	return run && run->logical < base + length;
}

static uint32_t data_block(const struct ext2_map_query *q, uint64_t logical)
{
	const struct run *run = run_after(q, logical);

	if (!run || run->logical > logical)
		return 0;
	return run->block + (uint32_t)(logical - run->logical);
}

static uint32_t indirect_block(const struct ext2_map_query *q, uint32_t ordinal)
{
	for (size_t i = 0; i < q->indirect_count; i++)
		if (ordinal - q->indirect[i].logical < q->indirect[i].count)
			return q->indirect[i].block + (ordinal - q->indirect[i].logical);
	return 0;
}

static void put(unsigned char *out, uint32_t index, uint32_t pointer)
{
	if (out)
		ingot_put_le32(out + (size_t)index * 4, pointer);
}

/* The pointers of a lowest-level indirect block, run by run. */
static void fill_leaf(const struct ext2_map_query *q, uint64_t base, unsigned char *out)
{
	const struct run *run = run_after(q, base), *end = q->data + q->data_count;

	for (; run && run < end && run->logical < base + POINTERS; run++) {
		uint64_t from = ingot_max(run->logical, base);
		uint64_t to = ingot_min((uint64_t)run->logical + run->count, base + POINTERS);

		for (uint64_t l = from; l < to; l++)
			put(out, (uint32_t)(l - base), run->block + (uint32_t)(l - run->logical));
	}
}

/* The indirect block of this level for the blocks from base on; 0: they are all holes. */
static uint32_t visit(struct ext2_map_query *q, unsigned level, uint64_t base)
{
	unsigned char *out = NULL;
	uint32_t ordinal;

	if (!any_data(q, base, span(level)))
		return 0;
	ordinal = q->total++;
	if (ordinal - q->first < q->count)
		out = q->out + (size_t)(ordinal - q->first) * BLOCK;
	if (level == 1) {
		if (out)
			fill_leaf(q, base, out);
	} else {
		for (uint32_t i = 0; i < POINTERS; i++)
			put(out, i, visit(q, level - 1, base + i * span(level - 1)));
	}
	return indirect_block(q, ordinal);
}

void ext2_map(struct ext2_map_query *q)
{
	uint64_t base = DIRECT;

	q->total = 0;
	for (uint32_t i = 0; i < DIRECT; i++)
		q->pointers[i] = data_block(q, i);
	for (unsigned level = 1; level <= 3; level++) {
		q->pointers[DIRECT + level - 1] = visit(q, level, base);
		base += span(level);
	}
}

struct ext2_map_query ext2_entry_map(const struct ext2 *fs, size_t entry)
{
	struct ext2_map_query q = {0};
	size_t i = fs->entries[entry].first_run;

	if (i == NO_RUN)
		return q;
	q.indirect = fs->runs + i;
	for (; i < fs->run_count && fs->runs[i].owner == entry &&
	       fs->runs[i].kind == RUN_INDIRECT;
	     i++)
		q.indirect_count++;
	q.data = fs->runs + i;
	for (; i < fs->run_count && fs->runs[i].owner == entry && fs->runs[i].kind == RUN_DATA; i++)
		q.data_count++;
	return q;
}
