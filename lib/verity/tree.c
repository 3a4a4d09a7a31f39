#include "verity/tree_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int ingot_verity_tree_init(struct ingot_verity_tree *tree, const struct ingot_verity_params *params,
			   const struct ingot_verity_geometry *geometry, struct ingot_sink *sink,
			   struct ingot_error *err)
{
	*tree = (struct ingot_verity_tree){.params = params, .geometry = geometry, .sink = sink};
	for (unsigned i = 0; i < geometry->level_count; i++) {
		tree->levels[i].block = ingot_alloc(1, params->hash_block_size, err);
		if (!tree->levels[i].block)
			return -ENOMEM;
	}
	return ingot_verity_hasher_new(params, &tree->hasher, err);
}

void ingot_verity_tree_done(struct ingot_verity_tree *tree)
{
	ingot_verity_hasher_free(tree->hasher);
	for (unsigned i = 0; i < INGOT_VERITY_LEVELS_MAX; i++)
		free(tree->levels[i].block);
}

/* Write the level's block and append its digest to the level above. */
static int flush(struct ingot_verity_tree *tree, unsigned number, struct ingot_error *err)
{
	struct ingot_verity_tree_level *level = &tree->levels[number];
	uint8_t digest[INGOT_VERITY_DIGEST_MAX];
	struct ingot_verity_block block = {level->block, digest};
	size_t size = tree->params->hash_block_size;
	int rc;

	assert(level->written < tree->geometry->levels[number].blocks);
	rc = ingot_sink_write(tree->sink,
			      tree->geometry->levels[number].offset + level->written * size,
			      level->block, size, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "hash level %u", number);
	rc = ingot_verity_hash(tree->hasher, &block, 1, size, err);
	if (rc < 0)
		return rc;
	memset(level->block, 0, size);
	level->filled = 0;
	level->written++;
	return ingot_verity_tree_append(tree, number + 1, digest, err);
}

int ingot_verity_tree_append(struct ingot_verity_tree *tree, unsigned number, const uint8_t *digest,
			     struct ingot_error *err)
{
	const struct ingot_verity_geometry *g = tree->geometry;
	struct ingot_verity_tree_level *level = &tree->levels[number];

	if (number == g->level_count) {
		memcpy(tree->root, digest, g->digest_size);
		return 0;
	}
	memcpy(level->block + (size_t)level->filled++ * g->slot_size, digest, g->digest_size);
	if (level->filled < g->digests_per_block)
		return 0;
	return flush(tree, number, err);
}

int ingot_verity_tree_finish(struct ingot_verity_tree *tree, struct ingot_error *err)
{
	for (unsigned i = 0; i < tree->geometry->level_count; i++) {
		int rc;

		if (tree->levels[i].filled == 0)
			continue;
		rc = flush(tree, i, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
