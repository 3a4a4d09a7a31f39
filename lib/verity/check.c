#include "verity/check.h"

#include <errno.h>
#include <string.h>

#include "io/pool.h"
#include "verity/chunk_internal.h"

/* One level against the digests that the level above has of it. */
struct compare {
	struct ingot_verity_area area;
	struct ingot_source *want; /* digests laid out as in hash blocks */
	uint64_t want_offset;	   /* of the digest of block 0 */
	const struct ingot_progress *progress;
	bool bad;
	uint64_t bad_block;
};

struct slot {
	struct ingot_verity_chunk chunk;
	uint8_t *want;
	uint64_t match; /* blocks of the chunk before the first bad one */
};

static int slot_init(void *context, void *user, struct ingot_error *err)
{
	const struct compare *compare = context;
	struct slot *slot = user;
	int rc = ingot_verity_chunk_init(&compare->area, &slot->chunk, err);

	if (rc < 0)
		return rc;
	slot->want = ingot_alloc(
		ingot_verity_slot(&compare->area, ingot_verity_chunk_blocks(&compare->area)) + 1, 1,
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

static int read_wanted(const struct compare *compare, struct slot *slot, struct ingot_error *err)
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
	const struct compare *compare = context;
	const struct ingot_verity_area *area = &compare->area;
	struct slot *slot = user;
	int rc = ingot_verity_chunk_run(area, index, &slot->chunk, err);

	if (rc == 0)
		rc = read_wanted(compare, slot, err);
	if (rc < 0)
		return rc;
	for (slot->match = 0; slot->match < slot->chunk.count; slot->match++) {
		size_t at = ingot_verity_slot(area, slot->match);

		if (memcmp(slot->chunk.hashes + at, slot->want + at, area->geometry->digest_size) !=
		    0)
			break;
	}
	return 0;
}

/* Chunks come in order, so that the first bad one seen is the first there is. */
static int commit(void *context, uint64_t index, void *user, struct ingot_error *err)
{
	struct compare *compare = context;
	const struct slot *slot = user;
	uint64_t done = slot->chunk.first + slot->chunk.count;

	(void)index;
	if (slot->match < slot->chunk.count) {
		compare->bad = true;
		compare->bad_block = slot->chunk.first + slot->match;
		return ingot_raise(err, -ECANCELED, "a bad block: the rest does not matter");
	}
	ingot_progress_report(compare->progress, done * compare->area.block_size,
			      compare->area.blocks * compare->area.block_size);
	return 0;
}

/* Compare one level; a bad block goes into ret, whose verdict is otherwise left alone. */
static int run(struct compare *compare, unsigned jobs, int level, struct ingot_verity_result *ret,
	       struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = sizeof(struct slot),
						  .slot_init = slot_init,
						  .slot_done = slot_done,
						  .work = work,
						  .commit = commit};
	int rc = ingot_pool_run(jobs, ingot_verity_chunk_count(&compare->area), &ops, compare, err);

	if (compare->bad) {
		*ret = (struct ingot_verity_result){
			.verdict = INGOT_VERITY_BAD,
			.level = level,
			.block = compare->bad_block,
			.offset = compare->area.offset +
				  compare->bad_block * compare->area.block_size,
		};
		return 0;
	}
	if (rc < 0 && level == INGOT_VERITY_LEVEL_DATA)
		return ingot_wrap(err, rc, "check the data");
	if (rc < 0)
		return ingot_wrap(err, rc, "check hash level %d", level);
	return 0;
}

static int check_sizes(const struct ingot_verity_check *check,
		       const struct ingot_verity_geometry *g, struct ingot_error *err)
{
	if (check->root_size != g->digest_size)
		return ingot_raise(err, -EINVAL, "a root hash of %zu bytes, but a digest has %u",
				   check->root_size, g->digest_size);
	if (check->data->size < g->data_size)
		return ingot_raise(err, -EINVAL,
				   "'%s' has %llu bytes, but its hash tree is for %llu",
				   check->data->name, (unsigned long long)check->data->size,
				   (unsigned long long)g->data_size);
	if (check->hash->size < g->end && g->level_count > 0)
		return ingot_raise(err, -EINVAL, "'%s' ends at %llu, but its hash tree at %llu",
				   check->hash->name, (unsigned long long)check->hash->size,
				   (unsigned long long)g->end);
	return 0;
}

static int check_tree(const struct ingot_verity_params *params,
		      const struct ingot_verity_check *check, const struct ingot_verity_geometry *g,
		      struct ingot_source *root, struct ingot_verity_result *ret,
		      struct ingot_error *err)
{
	for (int level = (int)g->level_count - 1; level >= INGOT_VERITY_LEVEL_DATA; level--) {
		bool is_data = level == INGOT_VERITY_LEVEL_DATA;
		bool is_top = level == (int)g->level_count - 1;
		struct compare compare = {
			.area = {.params = params, .geometry = g, .source = check->hash},
			.want = is_top ? root : check->hash,
			.want_offset = is_top ? 0 : g->levels[level + 1].offset,
		};
		int rc;

		if (is_data) {
			compare.area.source = check->data;
			compare.area.blocks = g->data_blocks;
			compare.area.block_size = params->data_block_size;
			compare.progress = check->progress;
		} else {
			compare.area.offset = g->levels[level].offset;
			compare.area.blocks = g->levels[level].blocks;
			compare.area.block_size = params->hash_block_size;
		}
		rc = run(&compare, check->jobs, level, ret, err);
		if (rc < 0 || ret->verdict == INGOT_VERITY_BAD)
			return rc;
	}
	ret->verdict = INGOT_VERITY_GOOD;
	return 0;
}

int ingot_verity_check(const struct ingot_verity_params *params,
		       const struct ingot_verity_check *check, struct ingot_verity_result *ret,
		       struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *root = NULL;
	struct ingot_verity_geometry g;
	int rc;

	*ret = (struct ingot_verity_result){.verdict = INGOT_VERITY_NOT_CHECKED};
	rc = ingot_verity_geometry(params, check->data_blocks, check->hash_offset, &g, err);
	if (rc == 0)
		rc = check_sizes(check, &g, err);
	if (rc == 0)
		rc = ingot_source_memory("root hash", check->root, check->root_size, &root, err);
	if (rc < 0)
		return rc;
	return check_tree(params, check, &g, root, ret, err);
}

int ingot_verity_top_digest(const struct ingot_verity_params *params,
			    const struct ingot_verity_geometry *g, struct ingot_source *data,
			    struct ingot_source *hash, uint8_t digest[INGOT_VERITY_DIGEST_MAX],
			    struct ingot_error *err)
{
	bool has_tree = g->level_count > 0;
	size_t size = has_tree ? params->hash_block_size : params->data_block_size;
	uint64_t offset = has_tree ? g->levels[g->level_count - 1].offset : 0;
	INGOT_FREE uint8_t *top = ingot_alloc(1, size, err);
	struct ingot_verity_hasher *hasher = NULL;
	struct ingot_verity_block block = {top, digest};
	int rc = top ? ingot_source_read(has_tree ? hash : data, offset, top, size, err) : -ENOMEM;

	if (rc == 0)
		rc = ingot_verity_hasher_new(params, &hasher, err);
	if (rc == 0)
		rc = ingot_verity_hash(hasher, &block, 1, size, err);
	ingot_verity_hasher_free(hasher);
	return rc < 0 ? ingot_wrap(err, rc, "the top of the hash tree") : 0;
}
