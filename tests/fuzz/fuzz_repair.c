/*
 * A small device with its hash tree and parity, damaged as the input says, and repaired. What is
 * called good has to be what it was, and what parity can bring back has to come back.
 *
 *	byte 0		roots
 *	bytes 1, 2	data blocks, of 512 bytes
 *	byte 3		1: the tree is behind the data; 2: another root hash
 *	then 6 bytes	a block of data, tree and parity: le16;
 *			what becomes of it; where in it: le16; with which byte
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "io/sink.h"
#include "verity/build.h"
#include "verity/fec_repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK = 512, BLOCKS_MAX = 320, HEAD = 4, RECORD = 6 };
enum { APPENDED = 1, OTHER_ROOT = 2 };

struct device {
	unsigned roots, flags;
	uint64_t blocks;
	struct ingot_verity_params params;
	struct ingot_verity_geometry tree;
	struct ingot_fec_geometry fec;
	struct ingot_sink *data, *hash, *parity; /* data == hash: appended */
	struct ingot_source *parity_source;
	unsigned char *bytes, *hash_bytes, *parity_bytes;
	unsigned char *want, *want_hash, *want_parity; /* as they were made */
	size_t size, hash_size;
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	size_t root_size;
};

/* --- a device ---------------------------------------------------------- */

static void must(int rc)
{
	assert(rc == 0);
	(void)rc;
}

static void make_tree(struct device *d)
{
	size_t n = (size_t)d->blocks * BLOCK;
	unsigned char *data = calloc(1, n);
	struct ingot_source *source = NULL;
	struct ingot_verity_job job = {
		.copy = d->data, .hash = d->hash, .hash_offset = d->tree.hash_offset, .jobs = 1};
	uint64_t draw = 1;

	assert(data);
	for (size_t i = 0; i < n; i++) {
		draw = draw * 6364136223846793005u + 1442695040888963407u;
		data[i] = (unsigned char)(draw >> 56);
	}
	must(ingot_source_memory("data", data, n, &source, NULL));
	job.data = source;
	must(ingot_verity_build(&d->params, &job, d->root, &d->root_size, NULL));
	ingot_source_free(source);
	free(data);
}

static void make_parity(struct device *d)
{
	INGOT_SOURCE struct ingot_source *data = NULL, *hash = NULL;
	struct ingot_fec_job job = {.jobs = 1};

	must(ingot_sink_source(d->data, &data, NULL));
	must(ingot_sink_source(d->hash, &hash, NULL));
	job.data = data;
	job.hash = hash;
	must(ingot_sink_memory(d->fec.parity_size, &d->parity, &d->parity_bytes, NULL));
	must(ingot_fec_build(&d->fec, &job, d->parity, NULL));
	must(ingot_sink_source(d->parity, &d->parity_source, NULL));
}

static unsigned char *keep(const unsigned char *bytes, size_t n)
{
	unsigned char *copy = malloc(n);

	assert(copy);
	return memcpy(copy, bytes, n);
}

static void make_device(struct device *d, unsigned roots, uint64_t blocks, unsigned flags)
{
	uint64_t offset = flags & APPENDED ? blocks * BLOCK : 0;

	*d = (struct device){.roots = roots,
			     .flags = flags,
			     .blocks = blocks,
			     .params = ingot_verity_defaults()};
	d->params.data_block_size = d->params.hash_block_size = BLOCK;
	must(ingot_verity_geometry(&d->params, blocks, offset, &d->tree, NULL));
	must(ingot_fec_geometry(&d->params, &d->tree, roots, d->tree.end, &d->fec, NULL));
	d->hash_size = (size_t)d->tree.end;
	d->size = flags & APPENDED ? d->hash_size : (size_t)blocks * BLOCK;
	must(ingot_sink_memory(d->size, &d->data, &d->bytes, NULL));
	d->hash = d->data;
	d->hash_bytes = d->bytes;
	if (!(flags & APPENDED))
		must(ingot_sink_memory(d->hash_size, &d->hash, &d->hash_bytes, NULL));
	make_tree(d);
	make_parity(d);
	d->want = keep(d->bytes, d->size);
	d->want_hash = keep(d->hash_bytes, d->hash_size);
	d->want_parity = keep(d->parity_bytes, (size_t)d->fec.parity_size);
}

static void free_device(struct device *d)
{
	free(d->want);
	free(d->want_hash);
	free(d->want_parity);
	ingot_source_free(d->parity_source);
	ingot_sink_free(d->parity);
	if (d->hash != d->data)
		ingot_sink_free(d->hash);
	ingot_sink_free(d->data);
	*d = (struct device){0};
}

/* The one of the last input, if it is like this one. */
static void find_device(struct device *d, unsigned roots, uint64_t blocks, unsigned flags)
{
	if (d->roots != roots || d->blocks != blocks || d->flags != flags) {
		free_device(d);
		make_device(d, roots, blocks, flags);
		return;
	}
	memcpy(d->bytes, d->want, d->size);
	memcpy(d->hash_bytes, d->want_hash, d->hash_size);
	memcpy(d->parity_bytes, d->want_parity, (size_t)d->fec.parity_size);
}

/* --- damage ------------------------------------------------------------ */

static size_t block_count(const struct device *d)
{
	return (size_t)(d->blocks + d->tree.hash_blocks);
}

/* Data, tree, parity; *ret_want, if wanted: as it was. */
static unsigned char *block_at(const struct device *d, size_t number,
			       const unsigned char **ret_want)
{
	size_t at = number * BLOCK;
	const unsigned char *want = d->want + at;
	unsigned char *is = d->bytes + at;

	if (number >= block_count(d)) {
		at = (number - block_count(d)) * BLOCK;
		want = d->want_parity + at;
		is = d->parity_bytes + at;
	} else if (number >= d->blocks) {
		at = (size_t)d->tree.tree_offset + (number - (size_t)d->blocks) * BLOCK;
		want = d->want_hash + at;
		is = d->hash_bytes + at;
	}
	if (ret_want)
		*ret_want = want;
	return is;
}

static void damage(const struct device *d, const uint8_t record[RECORD])
{
	size_t count = block_count(d) + (size_t)d->fec.parity_size / BLOCK;
	size_t at = ingot_get_le16(record + 3);
	unsigned char *block = block_at(d, ingot_get_le16(record) % count, NULL);

	switch (record[2] % 3) {
	case 0:
		block[at % BLOCK] ^= record[5];
		break;
	case 1:
		memset(block, record[5], BLOCK);
		break;
	default:
		memmove(block, block_at(d, at % count, NULL), BLOCK);
	}
}

static bool is_right(const struct device *d, size_t number)
{
	const unsigned char *want;
	const unsigned char *is = block_at(d, number, &want);

	return memcmp(is, want, BLOCK) == 0;
}

/* Whether tree and parity are whole, and no 255 blocks have lost more than there are roots. */
static bool is_repairable(const struct device *d)
{
	size_t stride = (size_t)d->fec.codewords / BLOCK;

	for (size_t i = (size_t)d->blocks; i < block_count(d); i++)
		if (!is_right(d, i))
			return false;
	if (memcmp(d->parity_bytes, d->want_parity, (size_t)d->fec.parity_size) != 0)
		return false;
	for (size_t group = 0; group < stride; group++) {
		unsigned lost = 0;

		for (size_t i = group; i < d->blocks; i += stride)
			lost += !is_right(d, i);
		if (lost > d->roots)
			return false;
	}
	return true;
}

/* --- repair ------------------------------------------------------------ */

static void check(const struct device *d, const struct ingot_fec_repaired *repaired,
		  bool repairable)
{
	bool good = repaired->verdict == INGOT_VERITY_GOOD;

	assert(good || repaired->verdict == INGOT_VERITY_BAD);
	assert(good == (repaired->lost.count == 0));
	assert(good || !repairable);
	for (size_t i = 0; good && i < block_count(d); i++)
		assert(is_right(d, i));
	for (size_t i = 0; i < ingot_min(repaired->repaired.count, INGOT_FEC_LISTED_MAX); i++) {
		const struct ingot_fec_block *b = &repaired->repaired.list[i];
		bool data = b->level == INGOT_VERITY_LEVEL_DATA;

		assert(memcmp((data ? d->bytes : d->hash_bytes) + b->offset,
			      (data ? d->want : d->want_hash) + b->offset, BLOCK) == 0);
	}
}

static void repair(const struct device *d)
{
	bool other = d->flags & OTHER_ROOT, repairable = is_repairable(d) && !other;
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	struct ingot_fec_repaired repaired;
	struct ingot_fec_repair job = {
		.data = d->data,
		.hash = d->hash,
		.parity = d->parity_source,
		.root = root,
		.root_size = d->root_size,
		.jobs = 1,
	};

	memcpy(root, d->root, sizeof(root));
	root[0] ^= other;
	must(ingot_fec_repair(&d->params, &d->tree, &d->fec, &job, &repaired, NULL));
	assert(!other || repaired.verdict == INGOT_VERITY_BAD);
	check(d, &repaired, repairable);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device device;

	if (size < HEAD)
		return 0;
	find_device(&device,
		    INGOT_FEC_ROOTS_MIN + data[0] % (INGOT_FEC_ROOTS_MAX - INGOT_FEC_ROOTS_MIN + 1),
		    1 + ingot_get_le16(data + 1) % BLOCKS_MAX, data[3] & (APPENDED | OTHER_ROOT));
	for (size_t at = HEAD; at + RECORD <= size; at += RECORD)
		damage(&device, data + at);
	repair(&device);
	return 0;
}
