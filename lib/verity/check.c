#include "verity/check.h"

#include <errno.h>

#include "verity/compare_internal.h"

/* The first bad block. */
struct first {
	bool found;
	uint64_t block;
};

static bool note_first(void *context, uint64_t block)
{
	*(struct first *)context = (struct first){true, block};
	return false;
}

/* Compare one level; a bad block goes into ret, whose verdict is otherwise left alone. */
static int run(struct ingot_verity_compare *compare, unsigned jobs, int level,
	       struct ingot_verity_result *ret, struct ingot_error *err)
{
	struct first first = {0};
	int rc;

	compare->bad = note_first;
	compare->context = &first;
	rc = ingot_verity_compare(compare, jobs, err);
	if (first.found) {
		*ret = (struct ingot_verity_result){
			.verdict = INGOT_VERITY_BAD,
			.level = level,
			.block = first.block,
			.offset = compare->area.offset + first.block * compare->area.block_size,
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
		struct ingot_verity_compare compare = ingot_verity_compare_level(
			params, g, level, check->data, check->hash, root);
		int rc;

		if (level == INGOT_VERITY_LEVEL_DATA)
			compare.progress = check->progress;
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
