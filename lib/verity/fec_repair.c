#include "verity/fec_repair.h"

#include <errno.h>
#include <string.h>

#include "verity/compare_internal.h"
#include "verity/fec_repair_internal.h"

/*
 * First everything is hashed and compared with the digests that are there; what does not match is
 * a suspect. Then the suspects are gone through from the root down, several times: one whose own
 * digest is certain is decoded, and its children are looked at again.
 */

/* --- suspects ---------------------------------------------------------- */

static bool is_suspect(const struct repair *r, uint64_t block)
{
	return r->suspects[block / 8] >> (block % 8) & 1;
}

static uint64_t group_count(const struct repair *r)
{
	return r->fec->codewords / r->fec->block_size;
}

static void set_suspect(struct repair *r, uint64_t block, bool suspect)
{
	uint64_t group = block % group_count(r);

	if (is_suspect(r, block) == suspect)
		return;
	r->tried[group / 8] &= (uint8_t) ~(1U << (group % 8));
	r->suspects[block / 8] = (uint8_t)(r->suspects[block / 8] ^ 1U << (block % 8));
	r->suspect_count += suspect ? 1 : UINT64_MAX; /* one less */
}

struct level_of {
	struct repair *repair;
	int level;
};

static bool note_bad(void *context, uint64_t block)
{
	const struct level_of *at = context;

	set_suspect(at->repair, repair_number(at->repair, at->level, block), true);
	return true;
}

static int find_suspects(struct repair *r, struct ingot_error *err)
{
	for (int level = (int)r->tree->level_count - 1; level >= INGOT_VERITY_LEVEL_DATA; level--) {
		struct ingot_verity_compare compare = ingot_verity_compare_level(
			r->params, r->tree, level, r->data, r->hash, r->root);
		struct level_of at = {r, level};
		int rc;

		compare.bad = note_bad;
		compare.context = &at;
		if (level == INGOT_VERITY_LEVEL_DATA)
			compare.progress = r->job->progress;
		rc = ingot_verity_compare(&compare, r->job->jobs, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- one block against its digest --------------------------------------- */

static int read_digest(struct repair *r, int level, uint64_t block, uint8_t *digest,
		       struct ingot_error *err)
{
	const struct ingot_verity_geometry *g = r->tree;
	uint64_t offset;

	if (level == (int)g->level_count - 1) {
		memcpy(digest, r->job->root, g->digest_size);
		return 0;
	}
	offset = g->levels[level + 1].offset +
		 block / g->digests_per_block * r->params->hash_block_size +
		 block % g->digests_per_block * g->slot_size;
	return ingot_source_read(r->hash, offset, digest, g->digest_size, err);
}

int repair_matches(struct repair *r, uint64_t number, const uint8_t *bytes, bool *ret,
		   struct ingot_error *err)
{
	uint8_t want[INGOT_VERITY_DIGEST_MAX], have[INGOT_VERITY_DIGEST_MAX];
	struct ingot_verity_block block = {bytes, have};
	struct ingot_fec_block at = repair_place(r, number);
	int rc = read_digest(r, at.level, at.block, want, err);

	if (rc == 0)
		rc = ingot_verity_hash(r->hasher, &block, 1, r->fec->block_size, err);
	if (rc == 0)
		*ret = memcmp(want, have, r->tree->digest_size) == 0;
	return rc;
}

/* Whether the digest of the block stands in something that matched. */
bool repair_is_certain(const struct repair *r, uint64_t number)
{
	struct ingot_fec_block at = repair_place(r, number);

	while (++at.level < (int)r->tree->level_count) {
		at.block /= r->tree->digests_per_block;
		if (is_suspect(r, repair_number(r, at.level, at.block)))
			return false;
	}
	return true;
}

/* Whether most blocks below a block of the tree match the digests in it. */
static bool is_mostly_right(const struct repair *r, int level, uint64_t block)
{
	uint64_t first = block * r->tree->digests_per_block, bad = 0;
	uint64_t count = level == 0 ? r->tree->data_blocks : r->tree->levels[level - 1].blocks;
	uint64_t end = ingot_min(first + r->tree->digests_per_block, count);

	for (uint64_t i = first; i < end; i++)
		bad += is_suspect(r, repair_number(r, level - 1, i));
	return 2 * bad <= end - first;
}

bool repair_is_likely(const struct repair *r, uint64_t number)
{
	struct ingot_fec_block at = repair_place(r, number);

	if (repair_is_certain(r, number))
		return true;
	if (at.level != INGOT_VERITY_LEVEL_DATA && is_mostly_right(r, at.level, at.block))
		return false;
	return is_mostly_right(r, at.level + 1, at.block / r->tree->digests_per_block);
}

/* --- a block that was put right ------------------------------------------ */

static int look_again(struct repair *r, const struct ingot_fec_block *parent,
		      struct ingot_error *err)
{
	int level = parent->level - 1;
	uint64_t first = parent->block * r->tree->digests_per_block;
	uint64_t count = level == INGOT_VERITY_LEVEL_DATA ? r->tree->data_blocks
							  : r->tree->levels[level].blocks;
	uint64_t end = ingot_min(first + r->tree->digests_per_block, count);
	int rc = 0;

	for (uint64_t i = first; i < end && rc == 0; i++) {
		uint64_t number = repair_number(r, level, i);
		bool good = false;

		rc = repair_read(r, number, r->block, err);
		if (rc == 0)
			rc = repair_matches(r, number, r->block, &good, err);
		if (rc == 0)
			set_suspect(r, number, !good);
	}
	return rc;
}

static void add_to_list(struct ingot_fec_list *list, const struct ingot_fec_block *block)
{
	if (list->count < INGOT_FEC_LISTED_MAX)
		list->list[list->count] = *block;
	list->count++;
}

/*
 * Which of a group's blocks can be believed depends on the tree above them. Where that has
 * changed, another attempt may do better.
 */
static void forget_tried(struct repair *r)
{
	memset(r->tried, 0, group_count(r) / 8 + 1);
}

int repair_accept(struct repair *r, uint64_t number, const uint8_t *bytes, struct ingot_error *err)
{
	struct ingot_fec_block at = repair_place(r, number);
	bool is_data = at.level == INGOT_VERITY_LEVEL_DATA;
	int rc = ingot_sink_write(is_data ? r->job->data : r->job->hash, at.offset, bytes,
				  r->fec->block_size, err);

	if (rc < 0)
		return rc;
	set_suspect(r, number, false);
	add_to_list(&r->ret->repaired, &at);
	if (is_data)
		return 0;
	forget_tried(r);
	return look_again(r, &at, err);
}

/* --- all suspects ------------------------------------------------------- */

/* Each of a group's suspects leads to it; once is enough until something is another. */
static int decode_once(struct repair *r, uint64_t number, struct ingot_error *err)
{
	uint64_t group = number % group_count(r);
	uint8_t bit = (uint8_t)(1U << (group % 8));
	uint64_t before = r->ret->repaired.count;
	int rc;

	if (r->tried[group / 8] & bit)
		return 0;
	rc = repair_decode(r, number, err);
	if (r->ret->repaired.count == before)
		r->tried[group / 8] |= bit;
	return rc;
}

/* The tree's blocks stand behind the data, the root first: so tree and data in turn. */
static int go_through(struct repair *r, uint64_t first, uint64_t end, struct ingot_error *err)
{
	int rc = 0;

	for (uint64_t i = first; i < end && rc == 0; i++) {
		if (i % 8 == 0 && r->suspects[i / 8] == 0) {
			i += 7;
			continue;
		}
		if (is_suspect(r, i) && repair_is_certain(r, i))
			rc = decode_once(r, i, err);
	}
	return rc;
}

static int put_right(struct repair *r, struct ingot_error *err)
{
	uint64_t before;
	int rc;

	do {
		before = r->ret->repaired.count;
		rc = go_through(r, r->tree->data_blocks, r->end, err);
		if (rc == 0)
			rc = go_through(r, 0, r->tree->data_blocks, err);
	} while (rc == 0 && r->suspect_count > 0 && r->ret->repaired.count > before);
	return rc;
}

static void list_lost(struct repair *r)
{
	for (uint64_t i = 0; i < r->end && r->suspect_count > 0; i++) {
		struct ingot_fec_block at;

		if (!is_suspect(r, i))
			continue;
		at = repair_place(r, i);
		add_to_list(&r->ret->lost, &at);
		if (r->ret->lost.count == r->suspect_count)
			return;
	}
}

/* --- the whole ---------------------------------------------------------- */

static int check_sizes(const struct ingot_verity_geometry *tree,
		       const struct ingot_fec_geometry *fec, const struct ingot_fec_repair *job,
		       struct ingot_error *err)
{
	if (job->root_size != tree->digest_size)
		return ingot_raise(err, -EINVAL, "a root hash of %zu bytes, but a digest has %u",
				   job->root_size, tree->digest_size);
	if (job->data->size < tree->data_size ||
	    !ingot_in_range(fec->hash_start, fec->hash_size, job->hash->size) ||
	    (tree->level_count > 0 && job->hash->size < tree->end))
		return ingot_raise(err, -EINVAL, "'%s' or '%s' is shorter than what FEC protects",
				   job->data->name, job->hash->name);
	if (!ingot_in_range(job->parity_offset, fec->parity_size, job->parity->size))
		return ingot_raise(err, -EINVAL,
				   "%llu bytes of FEC parity at %llu, but '%s' ends at %llu",
				   (unsigned long long)fec->parity_size,
				   (unsigned long long)job->parity_offset, job->parity->name,
				   (unsigned long long)job->parity->size);
	return 0;
}

static int prepare(struct repair *r, struct ingot_error *err)
{
	int rc = ingot_sink_source(r->job->data, &r->data, err);

	if (rc == 0)
		rc = ingot_sink_source(r->job->hash, &r->hash, err);
	if (rc == 0)
		rc = ingot_source_memory("root hash", r->job->root, r->job->root_size, &r->root,
					 err);
	if (rc == 0)
		rc = ingot_verity_hasher_new(r->params, &r->hasher, err);
	if (rc < 0)
		return rc;
	r->end = r->tree->data_blocks + r->tree->hash_blocks;
	r->suspects = ingot_alloc(r->end / 8 + 1, 1, err);
	r->tried = ingot_alloc(group_count(r) / 8 + 1, 1, err);
	r->block = ingot_alloc(1, r->fec->block_size, err);
	return r->suspects && r->tried && r->block ? repair_decode_init(r, err) : -ENOMEM;
}

static void done(struct repair *r)
{
	repair_decode_done(r);
	ingot_verity_hasher_free(r->hasher);
	free(r->suspects);
	free(r->tried);
	free(r->block);
	ingot_source_free(r->root);
	ingot_source_free(r->hash);
	ingot_source_free(r->data);
}

int ingot_fec_repair(const struct ingot_verity_params *params,
		     const struct ingot_verity_geometry *tree,
		     const struct ingot_fec_geometry *geometry, const struct ingot_fec_repair *job,
		     struct ingot_fec_repaired *ret, struct ingot_error *err)
{
	struct repair r = {.params = params, .tree = tree, .fec = geometry, .job = job, .ret = ret};
	int rc = check_sizes(tree, geometry, job, err);

	*ret = (struct ingot_fec_repaired){.verdict = INGOT_VERITY_NOT_CHECKED};
	if (rc < 0)
		return rc;
	rc = prepare(&r, err);
	if (rc == 0)
		rc = find_suspects(&r, err);
	if (rc == 0)
		rc = put_right(&r, err);
	if (rc == 0) {
		list_lost(&r);
		ret->verdict = r.suspect_count ? INGOT_VERITY_BAD : INGOT_VERITY_GOOD;
	}
	done(&r);
	return rc < 0 ? ingot_wrap(err, rc, "repair") : 0;
}
