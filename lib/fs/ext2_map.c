#include "fs/ext2_internal.h"

#include <string.h>

#include "base/bytes.h"

/*
 * Block maps: twelve direct pointers, then a single, a double and a triple indirect tree.
 * An indirect block is named by its level (1 points at data) and by its base, the first
 * block of the file that it covers. It lies directly before the data it covers, which is
 * the order in which a reader of the file needs them. One that would cover only holes is
 * left out.
 */

static const uint64_t BASE[] = {
	0,
	DIRECT,
	DIRECT + POINTERS,
	DIRECT + POINTERS + (uint64_t)POINTERS *POINTERS,
};

/* How many blocks of the file an indirect block of this level covers. */
static uint64_t span(unsigned level)
{
	uint64_t n = 1;

	while (level-- > 0)
		n *= POINTERS;
	return n;
}

/* --- planning ---------------------------------------------------------- */

/* The tree (1 to 3) that a block hangs in; 0: the inode points at it. */
static unsigned tree_of(uint64_t logical)
{
	unsigned tree = 0;

	while (tree < 3 && logical >= BASE[tree + 1])
		tree++;
	return tree;
}

/* The indirect blocks above a block that the map does not have yet, the highest first. */
static int add_indirect(struct ext2 *fs, struct ext2_mapper *m, uint64_t logical,
			struct ingot_error *err)
{
	unsigned tree = tree_of(logical);
	int rc = 0;

	for (unsigned level = tree; level > 0 && rc == 0; level--) {
		uint64_t base = BASE[tree] + (logical - BASE[tree]) / span(level) * span(level);

		if (m->base[level] == base)
			continue;
		m->base[level] = base;
		rc = ext2_add_run(fs,
				  (struct run){.owner = m->owner,
					       .logical = (uint32_t)base,
					       .count = 1,
					       .kind = RUN_INDIRECT,
					       .level = (uint8_t)level},
				  err);
	}
	return rc;
}

/* Where the blocks that hang below the same lowest indirect block end. */
static uint64_t stretch_end(uint64_t logical)
{
	unsigned tree = tree_of(logical);

	if (tree == 0)
		return DIRECT;
	return BASE[tree] + ((logical - BASE[tree]) / POINTERS + 1) * POINTERS;
}

int ext2_map_add(struct ext2 *fs, struct ext2_mapper *m, uint64_t first, uint64_t end,
		 struct ingot_error *err)
{
	int rc = 0;

	while (first < end && rc == 0) {
		uint64_t stop = ingot_min(end, stretch_end(first));

		rc = add_indirect(fs, m, first, err);
		if (rc == 0)
			rc = ext2_add_run(fs,
					  (struct run){.owner = m->owner,
						       .logical = (uint32_t)first,
						       .count = (uint32_t)(stop - first),
						       .kind = RUN_DATA},
					  err);
		first = stop;
	}
	return rc;
}

/* --- looking up -------------------------------------------------------- */

struct ext2_map ext2_entry_map(const struct ext2 *fs, size_t entry)
{
	const struct entry *e = &fs->entries[entry];

	if (e->first_run == NO_RUN)
		return (struct ext2_map){0};
	return (struct ext2_map){fs->runs + e->first_run, e->run_count};
}

/* The runs of a map stand in the order of `logical`, indirect blocks before their data. */
static size_t first_from(const struct ext2_map *map, uint64_t logical)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (map->runs[middle].logical < logical)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint32_t indirect_block(const struct ext2_map *map, unsigned level, uint64_t base)
{
	for (size_t i = first_from(map, base); i < map->count && map->runs[i].logical == base; i++)
		if (map->runs[i].kind == RUN_INDIRECT && map->runs[i].level == level)
			return map->runs[i].block;
	return 0;
}

/* The pointers to data blocks first .. first + count - 1, into out; holes stay zero. */
static void put_data_pointers(const struct ext2_map *map, uint64_t first, uint64_t count,
			      unsigned char *out)
{
	size_t i = first_from(map, first);

	/* The run before may reach into the range. */
	while (i > 0 && map->runs[i - 1].kind == RUN_INDIRECT)
		i--;
	if (i > 0)
		i--;
	for (; i < map->count && map->runs[i].logical < first + count; i++) {
		const struct run *run = &map->runs[i];
		uint64_t from, to;

		if (run->kind != RUN_DATA)
			continue;
		from = ingot_max(run->logical, first);
		to = ingot_min((uint64_t)run->logical + run->count, first + count);
		for (uint64_t l = from; l < to; l++)
			ingot_put_le32(out + (l - first) * 4,
				       run->block + (uint32_t)(l - run->logical));
	}
}

void ext2_map_inode(const struct ext2_map *map, unsigned char pointers[60])
{
	memset(pointers, 0, 60);
	put_data_pointers(map, 0, DIRECT, pointers);
	for (unsigned tree = 1; tree <= 3; tree++)
		ingot_put_le32(pointers + (size_t)(DIRECT + tree - 1) * 4,
			       indirect_block(map, tree, BASE[tree]));
}

void ext2_map_indirect(const struct ext2_map *map, const struct run *run, unsigned char *data)
{
	memset(data, 0, BLOCK);
	if (run->level == 1) {
		put_data_pointers(map, run->logical, POINTERS, data);
		return;
	}
	for (uint32_t i = 0; i < POINTERS; i++)
		ingot_put_le32(data + (size_t)i * 4,
			       indirect_block(map, run->level - 1U,
					      run->logical + i * span(run->level - 1U)));
}
