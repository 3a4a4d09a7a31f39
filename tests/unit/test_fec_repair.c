/* Repair by parity: decoding against a plain encoder, then whole devices with lost blocks. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "verity/build.h"
#include "verity/fec_decode_internal.h"
#include "verity/fec_internal.h"
#include "verity/fec_repair.h"
#include "verity_data.h"

static struct ingot_error err;

/* The same "random" numbers on every run (Knuth, MMIX). */
static uint64_t random_state = 7;

static unsigned draw(unsigned end)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(random_state >> 33) % end;
}

/* --- the decoder -------------------------------------------------------- */

/* Division by the generator, byte after byte. */
static void encode(uint8_t *codeword, unsigned roots)
{
	uint8_t g[INGOT_FEC_ROOTS_MAX + 1] = {1}, root = 1, rest[255];
	unsigned count = 255 - roots;

	for (unsigned n = 1; n <= roots; n++) {
		for (unsigned i = n; i > 0; i--)
			g[i] ^= ingot_gf_multiply(root, g[i - 1]);
		root = ingot_gf_multiply(root, 2);
	}
	memcpy(rest, codeword, count);
	memset(rest + count, 0, roots);
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = roots + 1; k-- > 0;)
			rest[i + k] ^= ingot_gf_multiply(k ? rest[i] : 0, g[k]);
	memcpy(codeword + count, rest + count, roots);
}

static void syndromes_of(const uint8_t *codeword, unsigned roots, uint8_t *ret)
{
	uint8_t root = 1;

	for (unsigned n = 0; n < roots; n++) {
		ret[n] = 0;
		for (unsigned i = 0; i < 255; i++)
			ret[n] = ingot_gf_multiply(ret[n], root) ^ codeword[i];
		root = ingot_gf_multiply(root, 2);
	}
}

/* `count` different places, in the order in which they were drawn. */
static void draw_places(uint8_t *places, unsigned count)
{
	bool taken[255] = {false};

	for (unsigned i = 0; i < count;) {
		unsigned place = draw(255);

		if (taken[place])
			continue;
		taken[place] = true;
		places[i++] = (uint8_t)place;
	}
}

/* Erasures first, then errors; an erased byte may be right by chance. */
static bool decodes(unsigned roots, unsigned erasures, unsigned errors)
{
	uint8_t want[255], got[255], places[255], syndromes[INGOT_FEC_ROOTS_MAX] = {0};
	struct ingot_fec_decoder decoder;
	struct ingot_fec_fix fix;

	for (unsigned i = 0; i < 255 - roots; i++)
		want[i] = (uint8_t)draw(256);
	encode(want, roots);
	syndromes_of(want, roots, syndromes);
	for (unsigned n = 0; n < roots; n++)
		assert_int_equal(syndromes[n], 0);
	memcpy(got, want, sizeof(got));
	draw_places(places, erasures + errors);
	for (unsigned i = 0; i < erasures + errors; i++)
		got[places[i]] ^= (uint8_t)(i < erasures ? draw(256) : 1 + draw(255));
	syndromes_of(got, roots, syndromes);
	ingot_fec_decoder_init(&decoder, roots, places, erasures);
	if (!ingot_fec_decode(&decoder, syndromes, &fix))
		return false;
	for (unsigned i = 0; i < fix.count; i++)
		got[fix.place[i]] ^= fix.change[i];
	return memcmp(got, want, sizeof(got)) == 0;
}

static void test_decoder(void **state)
{
	(void)state;
	for (unsigned roots = INGOT_FEC_ROOTS_MIN; roots <= INGOT_FEC_ROOTS_MAX; roots++)
		for (unsigned erasures = 0; erasures <= roots; erasures++)
			for (unsigned errors = 0; 2 * errors + erasures <= roots; errors++)
				assert_true(decodes(roots, erasures, errors));
}

static void test_decoder_beyond(void **state)
{
	unsigned right = 0;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		right += decodes(8, 0, 5);
		right += decodes(8, 4, 3);
		right += decodes(2, 2, 1);
	}
	assert_int_equal(right, 0);
}

/* --- devices ------------------------------------------------------------ */

enum { BS = 4096 };

struct device {
	struct ingot_verity_params params;
	struct ingot_verity_geometry tree;
	struct ingot_fec_geometry fec;
	struct ingot_sink *data, *hash, *parity_sink; /* data == hash: appended */
	struct ingot_source *parity;
	unsigned char *bytes, *hash_bytes, *parity_bytes;
	uint8_t *want, *want_hash; /* as they were */
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	size_t root_size;
};

static void build_tree(struct device *d, uint64_t blocks)
{
	uint8_t *data = make_data((size_t)blocks * BS);
	struct ingot_source *source;
	struct ingot_verity_job job = {
		.copy = d->data, .hash = d->hash, .hash_offset = d->tree.hash_offset, .jobs = 2};

	assert_ok(ingot_source_memory("data", data, (size_t)blocks * BS, &source, &err));
	job.data = source;
	assert_ok(ingot_verity_build(&d->params, &job, d->root, &d->root_size, &err));
	ingot_source_free(source);
	test_free(data);
}

static void build_parity(struct device *d)
{
	struct ingot_source *data, *hash;
	struct ingot_fec_job job = {.jobs = 2};

	assert_ok(ingot_sink_source(d->data, &data, &err));
	assert_ok(ingot_sink_source(d->hash, &hash, &err));
	job.data = data;
	job.hash = hash;
	assert_ok(ingot_sink_memory(d->fec.parity_size, &d->parity_sink, &d->parity_bytes, &err));
	assert_ok(ingot_fec_build(&d->fec, &job, d->parity_sink, &err));
	assert_ok(ingot_sink_source(d->parity_sink, &d->parity, &err));
	ingot_source_free(hash);
	ingot_source_free(data);
}

static void make_device(struct device *d, uint64_t blocks, unsigned roots, bool appended)
{
	uint64_t offset = appended ? blocks * BS : 0, size;

	*d = (struct device){.params = ingot_verity_defaults()};
	assert_ok(ingot_verity_geometry(&d->params, blocks, offset, &d->tree, &err));
	size = appended ? d->tree.end : blocks * BS;
	assert_ok(ingot_fec_geometry(&d->params, &d->tree, roots, d->tree.end, &d->fec, &err));
	assert_ok(ingot_sink_memory(size, &d->data, &d->bytes, &err));
	d->hash = d->data;
	d->hash_bytes = d->bytes;
	if (!appended)
		assert_ok(ingot_sink_memory(d->tree.end, &d->hash, &d->hash_bytes, &err));
	build_tree(d, blocks);
	build_parity(d);
	d->want = test_malloc(size);
	memcpy(d->want, d->bytes, size);
	d->want_hash = test_malloc(d->tree.end);
	memcpy(d->want_hash, d->hash_bytes, d->tree.end);
}

static void free_device(struct device *d)
{
	test_free(d->want);
	test_free(d->want_hash);
	ingot_source_free(d->parity);
	ingot_sink_free(d->parity_sink);
	if (d->hash != d->data)
		ingot_sink_free(d->hash);
	ingot_sink_free(d->data);
}

/* Where a block of the message lies. */
static unsigned char *block_at(struct device *d, uint64_t number)
{
	if (number < d->tree.data_blocks)
		return d->bytes + number * BS;
	return d->hash_bytes + d->tree.tree_offset + (number - d->tree.data_blocks) * BS;
}

static void spoil(struct device *d, uint64_t number)
{
	unsigned char *p = block_at(d, number);

	for (unsigned i = 0; i < BS; i++)
		p[i] ^= (unsigned char)draw(256);
	p[17] ^= 1; /* whatever was drawn */
	if (memcmp(p,
		   number < d->tree.data_blocks ? d->want + number * BS
						: d->want_hash + d->tree.tree_offset +
							  (number - d->tree.data_blocks) * BS,
		   BS) == 0)
		p[17] ^= 1;
}

static void restore(struct device *d)
{
	memcpy(d->bytes, d->want, d->data->size);
	memcpy(d->hash_bytes, d->want_hash, d->tree.end);
}

static void repair(struct device *d, struct ingot_fec_repaired *ret)
{
	const struct ingot_fec_repair job = {.data = d->data,
					     .hash = d->hash,
					     .parity = d->parity,
					     .root = d->root,
					     .root_size = d->root_size,
					     .jobs = 2};

	assert_ok(ingot_fec_repair(&d->params, &d->tree, &d->fec, &job, ret, &err));
}

static void assert_same(const struct device *d)
{
	assert_memory_equal(d->bytes, d->want, d->data->size);
	assert_memory_equal(d->hash_bytes, d->want_hash, d->tree.end);
}

static void assert_repaired(struct device *d, uint64_t count)
{
	struct ingot_fec_repaired ret;

	repair(d, &ret);
	if (ret.verdict != INGOT_VERITY_GOOD)
		fail_msg("%d blocks lost", (int)ret.lost.count);
	assert_int_equal(ret.repaired.count, count);
	assert_int_equal(ret.lost.count, 0);
	assert_same(d);
}

/* In every group as many lost blocks as there are roots, of data and tree alike. */
static unsigned spoil_most(struct device *d, unsigned in_group)
{
	uint64_t stride = d->fec.codewords / BS;
	unsigned all = 0;

	for (uint64_t index = 0; index < stride; index++) {
		uint8_t rows[255];

		draw_places(rows, 255);
		for (unsigned i = 0, n = 0; i < 255 && n < in_group; i++) {
			uint64_t number = rows[i] * stride + index;

			if (number >= d->fec.blocks || rows[i] >= d->fec.rows)
				continue;
			spoil(d, number);
			n++;
			all++;
		}
	}
	return all;
}

static void test_nothing_to_do(void **state)
{
	struct device d;

	(void)state;
	make_device(&d, 300, 2, true);
	assert_repaired(&d, 0);
	free_device(&d);
}

static void test_data(void **state)
{
	struct device d;

	(void)state;
	make_device(&d, 1000, 2, false);
	spoil(&d, 0);
	spoil(&d, 999);
	spoil(&d, 500);
	assert_repaired(&d, 3);
	free_device(&d);
}

/* Even a tree whose root block is lost, and with it every digest. */
static void test_tree(void **state)
{
	struct device d;

	(void)state;
	make_device(&d, 1000, 4, true);
	for (uint64_t i = 0; i < d.tree.hash_blocks; i++) {
		spoil(&d, 1000 + i);
		assert_repaired(&d, 1);
	}
	spoil(&d, 1000);
	spoil(&d, 1003);
	spoil(&d, 400);
	assert_repaired(&d, 3);
	free_device(&d);
}

static void test_most(void **state)
{
	static const struct {
		unsigned blocks, roots;
		bool appended;
	} shapes[] = {{1, 2, false},	{2, 2, true},	 {200, 3, true},  {1000, 2, false},
		      {1000, 24, true}, {3000, 8, true}, {700, 17, false}};
	struct device d;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct ingot_fec_repaired ret;
		unsigned spoiled;

		make_device(&d, shapes[i].blocks, shapes[i].roots, shapes[i].appended);
		spoiled = spoil_most(&d, shapes[i].roots / 2);
		assert_repaired(&d, spoiled);
		/* Data alone: as many as there are roots. */
		for (unsigned k = 0; k < shapes[i].roots && k < shapes[i].blocks; k++)
			spoil(&d, k * (d.fec.codewords / BS) < shapes[i].blocks
					  ? k * (d.fec.codewords / BS)
					  : 0);
		repair(&d, &ret);
		assert_int_equal(ret.verdict, INGOT_VERITY_GOOD);
		assert_same(&d);
		free_device(&d);
	}
}

/* One more than can be told: those blocks are named, the others put right. */
static void test_too_many(void **state)
{
	struct ingot_fec_repaired ret;
	uint64_t stride;
	struct device d;

	(void)state;
	make_device(&d, 1000, 2, true);
	stride = d.fec.codewords / BS;
	assert_true(stride > 1);
	for (unsigned k = 0; k < 3; k++)
		spoil(&d, 20 * stride * k);
	spoil(&d, 1);
	repair(&d, &ret);
	assert_int_equal(ret.verdict, INGOT_VERITY_BAD);
	assert_int_equal(ret.repaired.count, 1);
	assert_int_equal(ret.repaired.list[0].block, 1);
	assert_int_equal(ret.lost.count, 3);
	for (unsigned k = 0; k < 3; k++) {
		assert_int_equal(ret.lost.list[k].level, INGOT_VERITY_LEVEL_DATA);
		assert_int_equal(ret.lost.list[k].block, 20 * stride * k);
		assert_int_equal(ret.lost.list[k].offset, 20 * stride * k * BS);
		memcpy(block_at(&d, 20 * stride * k), d.want + 20 * stride * k * BS, BS);
	}
	assert_same(&d);
	free_device(&d);
}

/* Parity that is wrong as well: an error for an erasure less than two roots. */
static void test_wrong_parity(void **state)
{
	struct ingot_fec_repaired ret;
	struct device d;

	(void)state;
	make_device(&d, 1000, 4, true);
	spoil(&d, 0);
	spoil(&d, 40 * (d.fec.codewords / BS));
	for (size_t i = 0; i < d.fec.parity_size; i += 4)
		d.parity_bytes[i] ^= 0x55;
	assert_repaired(&d, 2);
	for (size_t i = 1; i < d.fec.parity_size; i += 4)
		d.parity_bytes[i] ^= 0x55;
	spoil(&d, 0);
	spoil(&d, 40 * (d.fec.codewords / BS));
	repair(&d, &ret);
	assert_int_equal(ret.verdict, INGOT_VERITY_BAD);
	assert_int_equal(ret.lost.count, 2);
	assert_int_equal(ret.repaired.count, 0);
	restore(&d);
	free_device(&d);
}

static void test_all_lost(void **state)
{
	struct ingot_fec_repaired ret;
	struct device d;

	(void)state;
	make_device(&d, 500, 2, true);
	memset(d.bytes, 0xee, d.data->size);
	repair(&d, &ret);
	assert_int_equal(ret.verdict, INGOT_VERITY_BAD);
	assert_int_equal(ret.repaired.count, 0);
	assert_int_equal(ret.lost.count, 500 + d.tree.hash_blocks);
	free_device(&d);
}

static void test_short_devices(void **state)
{
	struct ingot_fec_repaired ret;
	struct ingot_fec_repair job;
	struct device d;

	(void)state;
	make_device(&d, 100, 2, false);
	job = (struct ingot_fec_repair){.data = d.data,
					.hash = d.hash,
					.parity = d.parity,
					.parity_offset = 1,
					.root = d.root,
					.root_size = d.root_size,
					.jobs = 1};
	assert_fails(ingot_fec_repair(&d.params, &d.tree, &d.fec, &job, &ret, &err), -EINVAL,
		     "bytes of FEC parity at 1, but");
	assert_int_equal(ret.verdict, INGOT_VERITY_NOT_CHECKED);
	job.parity_offset = 0;
	job.root_size = 5;
	assert_fails(ingot_fec_repair(&d.params, &d.tree, &d.fec, &job, &ret, &err), -EINVAL,
		     "a root hash of 5 bytes");
	free_device(&d);
}

/* A source that counts how often it is read. */
struct counted {
	struct ingot_source source;
	struct ingot_source *inside;
	unsigned reads;
};

static int counted_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
			struct ingot_error *e)
{
	struct counted *c = (struct counted *)source;

	c->reads++;
	return ingot_source_read(c->inside, offset, data, n, e);
}

/* What cannot be repaired takes no longer for being lost many times: a group is read once. */
static void test_lost_once(void **state)
{
	static const struct ingot_source_ops ops = {.read_at = counted_read};
	struct counted counted = {.source = {.ops = &ops, .name = "parity"}};
	struct ingot_fec_repaired ret;
	struct device d;
	uint64_t stride;

	(void)state;
	make_device(&d, 600, 8, true);
	stride = d.fec.codewords / BS;
	for (unsigned i = 0; i < 8; i++)
		spoil(&d, i * stride);
	memset(d.parity_bytes, 0x5a, (size_t)d.fec.parity_size);
	counted.inside = d.parity;
	counted.source.size = d.parity->size;
	d.parity = &counted.source;
	repair(&d, &ret);
	assert_int_equal(ret.lost.count, 8);
	assert_int_equal(counted.reads, 1);
	d.parity = counted.inside;
	free_device(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decoder),	      cmocka_unit_test(test_decoder_beyond),
		cmocka_unit_test(test_nothing_to_do), cmocka_unit_test(test_data),
		cmocka_unit_test(test_tree),	      cmocka_unit_test(test_most),
		cmocka_unit_test(test_too_many),      cmocka_unit_test(test_wrong_parity),
		cmocka_unit_test(test_all_lost),      cmocka_unit_test(test_short_devices),
		cmocka_unit_test(test_lost_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
