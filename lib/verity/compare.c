#include "verity/compare_internal.h"

#include <errno.h>
#include <string.h>

#include "io/pool.h"

struct slot {
	struct ingot_verity_chunk chunk;
	uint8_t *want;
};

static int slot_init(void *context, void *user, struct ingot_error *err)
{
	const struct ingot_verity_compare *compare = context;
	struct slot *slot = user;
	int rc = ingot_verity_chunk_init(&compare->area, &slot->chunk, err);

	if (rc < 0)
		return rc;
	slot->want = ingot_alloc_buffer(
		ingot_verity_slot(&compare->area, ingot_verity_chunk_blocks(&compare->area)) + 1,
		err);
	return slot->want ? 0 : -ENOMEM;
}

static void slot_done(void *context, void *user)
{
	struct slot *slot = user;

	(void)context;
	ingot_verity_chunk_done(&slot->chunk);
	free(slot->want);
}

static int read_wanted(const struct ingot_verity_compare *compare, struct slot *slot,
		       struct ingot_error *err)
{
	const struct ingot_verity_area *area = &compare->area;
	const struct ingot_verity_geometry *g = area->geometry;
	uint64_t first = slot->chunk.first;
	uint64_t offset = compare->want_offset +
			  first / g->digests_per_block * area->params->hash_block_size +
			  first % g->digests_per_block * g->slot_size;
	size_t size = ingot_verity_slot(area, slot->chunk.count - 1) + g->digest_size;

	return ingot_source_read(compare->want, offset, slot->want, size, err);
}

static int work(void *context, uint64_t index, void *user, struct ingot_error *err)
{
	const struct ingot_verity_compare *compare = context;
	struct slot *slot = user;
	int rc = ingot_verity_chunk_run(&compare->area, index, &slot->chunk, err);

	return rc == 0 ? read_wanted(compare, slot, err) : rc;
}

static bool is_good(const struct ingot_verity_compare *compare, const struct slot *slot, uint64_t i)
{
	size_t at = ingot_verity_slot(&compare->area, i);

	return memcmp(slot->chunk.hashes + at, slot->want + at,
		      compare->area.geometry->digest_size) == 0;
}

/* Chunks come in order, and so do the bad blocks. */
static int commit(void *context, uint64_t index, void *user, struct ingot_error *err)
{
	struct ingot_verity_compare *compare = context;
	const struct slot *slot = user;
	uint64_t done = slot->chunk.first + slot->chunk.count;

	(void)index;
	for (uint64_t i = 0; i < slot->chunk.count; i++) {
		if (is_good(compare, slot, i) ||
		    compare->bad(compare->context, slot->chunk.first + i))
			continue;
		compare->ended = true;
		return ingot_raise(err, -ECANCELED, "a bad block: the rest does not matter");
	}
	ingot_progress_report(compare->progress, done * compare->area.block_size,
			      compare->area.blocks * compare->area.block_size);
	return 0;
}

struct ingot_verity_compare ingot_verity_compare_level(const struct ingot_verity_params *params,
						       const struct ingot_verity_geometry *geometry,
						       int level, struct ingot_source *data,
						       struct ingot_source *hash,
						       struct ingot_source *root)
{
	bool is_data = level == INGOT_VERITY_LEVEL_DATA;
	bool is_top = level == (int)geometry->level_count - 1;
	struct ingot_verity_compare compare = {
		.area = {.params = params, .geometry = geometry, .source = is_data ? data : hash},
		.want = is_top ? root : hash,
		.want_offset = is_top ? 0 : geometry->levels[level + 1].offset,
	};

	if (is_data) {
		compare.area.blocks = geometry->data_blocks;
		compare.area.block_size = params->data_block_size;
	} else {
		compare.area.offset = geometry->levels[level].offset;
		compare.area.blocks = geometry->levels[level].blocks;
		compare.area.block_size = params->hash_block_size;
	}
	return compare;
}

int ingot_verity_compare(struct ingot_verity_compare *compare, unsigned jobs,
			 struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = sizeof(struct slot),
						  .slot_init = slot_init,
						  .slot_done = slot_done,
						  .work = work,
						  .commit = commit};

	return ingot_pool_run(jobs, ingot_verity_chunk_count(&compare->area), &ops, compare, err);
}
