#include "verity/build.h"

#include <errno.h>
#include <string.h>

#include "io/pool.h"
#include "verity/chunk_internal.h"
#include "verity/superblock.h"
#include "verity/tree_internal.h"

struct build {
	struct ingot_verity_area area;
	struct ingot_verity_tree tree;
	const struct ingot_progress *progress;
	bool whole; /* workers finish the leaves */
};

/* A chunk under way, and the digests of its leaves if the worker finishes them. */
struct slot {
	struct ingot_verity_chunk chunk;
	struct ingot_verity_block *leaves;
	uint8_t *digests;
};

static size_t leaves_in(const struct build *build, size_t hashes_size)
{
	return hashes_size / build->area.params->hash_block_size;
}

static int slot_init(void *context, void *user, struct ingot_error *err)
{
	const struct build *build = context;
	struct slot *slot = user;
	size_t most;
	int rc = ingot_verity_chunk_init(&build->area, &slot->chunk, err);

	if (rc < 0 || !build->whole)
		return rc;
	most = (size_t)(ingot_verity_chunk_blocks(&build->area) /
			build->area.geometry->digests_per_block);
	slot->leaves = ingot_alloc(most, sizeof(*slot->leaves), err);
	slot->digests = ingot_alloc(most, INGOT_VERITY_DIGEST_MAX, err);
	return slot->leaves && slot->digests ? 0 : -ENOMEM;
}

static void slot_done(void *context, void *user)
{
	struct slot *slot = user;

	(void)context;
	ingot_verity_chunk_done(&slot->chunk);
	free(slot->leaves);
	free(slot->digests);
}

/* Write the chunk's leaves and hash them: only the levels above are left for commit. */
static int finish_leaves(const struct build *build, struct slot *slot, struct ingot_error *err)
{
	const struct ingot_verity_geometry *g = build->area.geometry;
	const struct ingot_verity_chunk *chunk = &slot->chunk;
	size_t size = build->area.params->hash_block_size;
	uint64_t first = chunk->first / g->digests_per_block;
	size_t count = leaves_in(build, chunk->hashes_size);
	int rc = ingot_sink_write(build->tree.sink, g->levels[0].offset + first * size,
				  chunk->hashes, chunk->hashes_size, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "hash level 0");
	for (size_t i = 0; i < count; i++)
		slot->leaves[i] = (struct ingot_verity_block){
			chunk->hashes + i * size, slot->digests + i * INGOT_VERITY_DIGEST_MAX};
	return ingot_verity_hash(chunk->hasher, slot->leaves, count, size, err);
}

static int work(void *context, uint64_t index, void *user, struct ingot_error *err)
{
	const struct build *build = context;
	struct slot *slot = user;
	int rc = ingot_verity_chunk_run(&build->area, index, &slot->chunk, err);

	if (rc < 0 || !build->whole)
		return rc;
	return finish_leaves(build, slot, err);
}

static int append_all(struct build *build, const struct slot *slot, struct ingot_error *err)
{
	const struct ingot_verity_chunk *chunk = &slot->chunk;
	size_t count = build->whole ? leaves_in(build, chunk->hashes_size) : (size_t)chunk->count;

	for (size_t i = 0; i < count; i++) {
		const uint8_t *digest =
			build->whole ? slot->digests + i * INGOT_VERITY_DIGEST_MAX
				     : chunk->hashes + ingot_verity_slot(&build->area, i);
		int rc = ingot_verity_tree_append(&build->tree, build->whole ? 1 : 0, digest, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int commit(void *context, uint64_t index, void *user, struct ingot_error *err)
{
	struct build *build = context;
	const struct slot *slot = user;
	int rc = append_all(build, slot, err);

	(void)index;
	if (rc < 0)
		return rc;
	ingot_progress_report(build->progress,
			      (slot->chunk.first + slot->chunk.count) * build->area.block_size,
			      build->area.geometry->data_size);
	return 0;
}

static int check_job(const struct ingot_verity_params *params, const struct ingot_verity_job *job,
		     struct ingot_verity_geometry *ret, struct ingot_error *err)
{
	uint64_t block = params->data_block_size;
	int rc = ingot_verity_params_check(params, err);

	if (rc < 0)
		return rc;
	if (job->data->size % block != 0)
		return ingot_raise(err, -EINVAL,
				   "%llu bytes of data in '%s' are not whole blocks of %llu",
				   (unsigned long long)job->data->size, job->data->name,
				   (unsigned long long)block);
	rc = ingot_verity_geometry(params, job->data->size / block, job->hash_offset, ret, err);
	if (rc < 0)
		return rc;
	if (job->hash->size < ret->end)
		return ingot_raise(err, -ENOSPC, "the hash tree ends at %llu, '%s' at %llu",
				   (unsigned long long)ret->end, job->hash->name,
				   (unsigned long long)job->hash->size);
	if (job->copy && job->copy->size < job->data->size)
		return ingot_raise(err, -ENOSPC, "the data ends at %llu, '%s' at %llu",
				   (unsigned long long)job->data->size, job->copy->name,
				   (unsigned long long)job->copy->size);
	return 0;
}

static int write_superblock(const struct ingot_verity_params *params,
			    const struct ingot_verity_job *job, uint64_t data_blocks,
			    struct ingot_error *err)
{
	struct ingot_verity_superblock superblock = {*params, data_blocks};
	uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE];
	int rc;

	ingot_verity_superblock_encode(&superblock, raw);
	rc = ingot_sink_write(job->hash, job->hash_offset, raw, sizeof(raw), err);
	if (rc < 0)
		return ingot_wrap(err, rc, "verity superblock");
	return 0;
}

static int run(struct build *build, unsigned jobs, struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = sizeof(struct slot),
						  .slot_init = slot_init,
						  .slot_done = slot_done,
						  .work = work,
						  .commit = commit};
	int rc = ingot_pool_run(jobs, ingot_verity_chunk_count(&build->area), &ops, build, err);

	if (rc < 0)
		return rc;
	return ingot_verity_tree_finish(&build->tree, err);
}

int ingot_verity_build(const struct ingot_verity_params *params, const struct ingot_verity_job *job,
		       uint8_t root[INGOT_VERITY_DIGEST_MAX], size_t *ret_root_size,
		       struct ingot_error *err)
{
	struct ingot_verity_geometry geometry;
	struct build build = {.progress = job->progress};
	int rc = check_job(params, job, &geometry, err);

	if (rc < 0)
		return rc;
	build.area = (struct ingot_verity_area){
		.params = params,
		.geometry = &geometry,
		.source = job->data,
		.copy = job->copy,
		.blocks = geometry.data_blocks,
		.block_size = params->data_block_size,
	};
	build.whole = geometry.level_count > 0 && ingot_verity_chunk_is_whole(&build.area);
	rc = ingot_verity_tree_init(&build.tree, params, &geometry, job->hash, err);
	if (rc == 0)
		rc = run(&build, job->jobs, err);
	if (rc == 0 && !params->no_superblock)
		rc = write_superblock(params, job, geometry.data_blocks, err);
	if (rc == 0) {
		memcpy(root, build.tree.root, geometry.digest_size);
		*ret_root_size = geometry.digest_size;
	}
	ingot_verity_tree_done(&build.tree);
	return rc;
}
