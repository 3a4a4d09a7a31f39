/* Forward error correction, against veritysetup's parity and a plain encoder. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "verity/build.h"
#include "verity/fec_internal.h"
#include "verity_data.h"

static struct ingot_error err;

/* The same "random" bytes on every run: a linear congruential generator (Knuth, MMIX). */
static uint64_t random_state = 1;

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		random_state = random_state * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(random_state >> 56);
	}
}

/* --- arithmetic -------------------------------------------------------- */

static void test_field(void **state)
{
	(void)state;
	assert_int_equal(ingot_gf_multiply(0x80, 2), 0x1d);
	for (unsigned a = 0; a < 256; a++) {
		unsigned inverses = 0;

		assert_int_equal(ingot_gf_multiply((uint8_t)a, 1), a);
		assert_int_equal(ingot_gf_multiply((uint8_t)a, 0), 0);
		for (unsigned b = 0; b < 256; b++) {
			uint8_t product = ingot_gf_multiply((uint8_t)a, (uint8_t)b);

			assert_int_equal(product, ingot_gf_multiply((uint8_t)b, (uint8_t)a));
			inverses += product == 1;
		}
		assert_int_equal(inverses, a == 0 ? 0 : 1);
	}
}

/*
 * The value of a codeword, highest power first, at alpha^n: zero for each root of the
 * generator, and that is what a codeword is.
 */
static uint8_t value_at(const uint8_t *codeword, unsigned n)
{
	uint8_t root = 1, value = 0;

	while (n-- > 0)
		root = ingot_gf_multiply(root, 2);
	for (unsigned i = 0; i < 255; i++)
		value = ingot_gf_multiply(value, root) ^ codeword[i];
	return value;
}

/* --- kernels ----------------------------------------------------------- */

enum { COLUMNS = 3 * INGOT_FEC_COLUMNS, STRIDE = COLUMNS + 1, ROWS_MAX = 253 };

static uint8_t message[ROWS_MAX][COLUMNS + 1];

/* Parity of `message`, its rows added in two parts and the second part first. */
static void encode(const struct ingot_fec_kernel *kernel, unsigned roots, uint8_t *parity)
{
	static uint8_t bytes[INGOT_FEC_ROOTS_MAX * STRIDE];
	const struct ingot_fec_sums sums = {bytes, STRIDE, roots};
	const uint32_t count = 255 - roots;
	struct ingot_fec_row rows[ROWS_MAX];
	INGOT_FREE uint8_t *factors = NULL;

	memset(bytes, 0, sizeof(bytes));
	assert_ok(ingot_fec_factors(kernel, roots, &factors, &err));
	for (uint32_t i = 0; i < count; i++)
		rows[i] = (struct ingot_fec_row){message[i] + 1, /* no alignment is needed */
						 ingot_fec_row_factors(kernel, factors, roots, i)};
	kernel->add(&sums, rows + 100, count - 100, COLUMNS);
	kernel->add(&sums, rows, 100, COLUMNS);
	kernel->add(&sums, rows, 0, COLUMNS);
	for (unsigned r = 0; r < roots; r++) /* nothing behind the columns */
		assert_int_equal(bytes[r * STRIDE + COLUMNS], 0);
	ingot_fec_interleave(&sums, COLUMNS, parity);
}

static void check_kernel(const struct ingot_fec_kernel *kernel)
{
	static uint8_t parity[INGOT_FEC_ROOTS_MAX * COLUMNS], codeword[255];

	if (!kernel)
		skip();
	fill(message[0], sizeof(message));
	for (unsigned roots = INGOT_FEC_ROOTS_MIN; roots <= INGOT_FEC_ROOTS_MAX; roots++) {
		encode(kernel, roots, parity);
		for (size_t i = 0; i < COLUMNS; i += 5) {
			for (unsigned j = 0; j < 255 - roots; j++)
				codeword[j] = message[j][i + 1];
			memcpy(codeword + 255 - roots, parity + i * roots, roots);
			for (unsigned n = 0; n < roots; n++)
				assert_int_equal(value_at(codeword, n), 0);
		}
	}
}

static void test_portable(void **state)
{
	(void)state;
	check_kernel(ingot_fec_portable());
}

static void test_avx2(void **state)
{
	(void)state;
	check_kernel(ingot_fec_avx2());
}

static void test_gfni(void **state)
{
	(void)state;
	check_kernel(ingot_fec_gfni());
}

static void test_kernels_agree(void **state)
{
	static uint8_t want[INGOT_FEC_ROOTS_MAX * COLUMNS], got[sizeof(want)];
	const struct ingot_fec_kernel *kernels[] = {ingot_fec_avx2(), ingot_fec_gfni()};

	(void)state;
	fill(message[0], sizeof(message));
	for (unsigned roots = INGOT_FEC_ROOTS_MIN; roots <= INGOT_FEC_ROOTS_MAX; roots++) {
		encode(ingot_fec_portable(), roots, want);
		for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
			if (!kernels[i])
				continue;
			encode(kernels[i], roots, got);
			assert_memory_equal(got, want, (size_t)roots * COLUMNS);
		}
	}
}

/* --- geometry ---------------------------------------------------------- */

static struct ingot_verity_params params_of(uint32_t block_size)
{
	struct ingot_verity_params params = ingot_verity_defaults();

	params.data_block_size = params.hash_block_size = block_size;
	params.salt_size = 32;
	params.salt[30] = 0x12;
	params.salt[31] = 0x34;
	return params;
}

static void test_geometry(void **state)
{
	struct ingot_verity_params params = params_of(4096);
	struct ingot_verity_geometry tree;
	struct ingot_fec_geometry g;

	(void)state;
	assert_ok(ingot_verity_geometry(&params, 262144, 0, &tree, &err));
	assert_ok(ingot_fec_geometry(&params, &tree, 2, tree.end, &g, &err));
	assert_int_equal(g.rows, 253);
	assert_int_equal(g.data_size, 262144ull * 4096);
	assert_int_equal(g.hash_start, 4096);
	assert_int_equal(g.hash_size, 2065 * 4096);
	assert_int_equal(g.blocks, 264209);
	assert_int_equal(g.codewords, 1045 * 4096);
	assert_int_equal(g.parity_size, 8560640);

	/* What follows the tree, as far as it is whole blocks. */
	assert_ok(ingot_fec_geometry(&params, &tree, 24, tree.end + 3 * 4096 + 4095, &g, &err));
	assert_int_equal(g.blocks, 264212);
	assert_int_equal(g.parity_size, 1144 * 4096 * 24);

	/* One block of data: no tree, and the hash device may end before one would start. */
	assert_ok(ingot_verity_geometry(&params, 1, 0, &tree, &err));
	assert_ok(ingot_fec_geometry(&params, &tree, 2, 512, &g, &err));
	assert_int_equal(g.hash_size, 0);
	assert_int_equal(g.blocks, 1);
	assert_int_equal(g.parity_size, 8192);
}

/* The most data that leaves room for tree and parity: with one block more it does not fit. */
static void test_fit(void **state)
{
	const struct ingot_verity_params params = ingot_verity_defaults();
	struct ingot_verity_geometry tree;
	struct ingot_fec_geometry g;
	uint64_t blocks, without;

	(void)state;
	for (uint64_t bytes = 6 * 4096; bytes < UINT64_C(1) << 32; bytes = bytes * 3 + 4096) {
		assert_ok(ingot_fec_fit(&params, 2, bytes, &blocks, &err));
		assert_ok(ingot_verity_fit(&params, bytes, &without, &err));
		assert_true(blocks < without);
		assert_ok(ingot_verity_geometry(&params, blocks, blocks * 4096, &tree, &err));
		assert_ok(ingot_fec_geometry(&params, &tree, 2, tree.end, &g, &err));
		assert_true(tree.end + g.parity_size <= bytes);
		blocks++;
		assert_ok(ingot_verity_geometry(&params, blocks, blocks * 4096, &tree, &err));
		assert_ok(ingot_fec_geometry(&params, &tree, 2, tree.end, &g, &err));
		assert_true(tree.end + g.parity_size > bytes);
	}
	assert_fails(ingot_fec_fit(&params, 2, 3 * 4096, &blocks, &err), -ENOSPC,
		     "hold no data block, its hash area and its parity");
	assert_fails(ingot_fec_fit(&params, 1, 1 << 20, &blocks, &err), -EINVAL, "1 FEC roots");
}

static void test_geometry_refuses(void **state)
{
	struct ingot_verity_params params = params_of(4096);
	struct ingot_verity_geometry tree;
	struct ingot_fec_geometry g;

	(void)state;
	assert_ok(ingot_verity_geometry(&params, 1000, 0, &tree, &err));
	assert_fails(ingot_fec_geometry(&params, &tree, 1, tree.end, &g, &err), -EINVAL,
		     "1 FEC roots");
	assert_fails(ingot_fec_geometry(&params, &tree, 25, tree.end, &g, &err), -EINVAL,
		     "25 FEC roots");
	assert_fails(ingot_fec_geometry(&params, &tree, 2, tree.end - 1, &g, &err), -EINVAL,
		     "the hash tree ends at");
	assert_fails(ingot_fec_geometry(&params, &tree, 2, UINT64_MAX, &g, &err), -EFBIG,
		     "too much for FEC");
	params.hash_block_size = 1024;
	assert_fails(ingot_fec_geometry(&params, &tree, 2, tree.end, &g, &err), -EINVAL,
		     "one size, not 4096 and 1024");
}

/* --- whole devices ----------------------------------------------------- */

/* Data, its tree, and the parity of both. */
struct device {
	struct ingot_verity_params params;
	struct ingot_fec_geometry g;
	struct ingot_source *data, *tree;
	struct ingot_sink *hash, *parity;
	uint8_t *hash_bytes, *parity_bytes;
};

static void device_init(struct device *d, uint64_t blocks, uint32_t block_size, uint32_t roots)
{
	const size_t size = (size_t)blocks * block_size;
	struct ingot_verity_geometry tree;
	struct ingot_verity_job job = {.jobs = 1};
	uint8_t root[INGOT_VERITY_DIGEST_MAX], *data = make_data(size);
	size_t root_size;

	d->params = params_of(block_size);
	assert_ok(ingot_verity_geometry(&d->params, blocks, 0, &tree, &err));
	assert_ok(ingot_fec_geometry(&d->params, &tree, roots, tree.end, &d->g, &err));
	assert_ok(ingot_source_memory("data", data, size, &job.data, &err));
	assert_ok(ingot_sink_memory((size_t)tree.end, &d->hash, &d->hash_bytes, &err));
	assert_ok(ingot_sink_memory((size_t)d->g.parity_size, &d->parity, &d->parity_bytes, &err));
	assert_ok(ingot_sink_source(d->hash, &d->tree, &err));
	job.hash = d->hash;
	assert_ok(ingot_verity_build(&d->params, &job, root, &root_size, &err));
	d->data = job.data;
	test_free(data);
}

static void device_done(struct device *d)
{
	ingot_source_free(d->data);
	ingot_source_free(d->tree);
	ingot_sink_free(d->hash);
	ingot_sink_free(d->parity);
}

static struct ingot_fec_job job_of(const struct device *d, unsigned jobs)
{
	return (struct ingot_fec_job){.data = d->data, .hash = d->tree, .jobs = jobs};
}

static enum ingot_verity_verdict check(const struct device *d, unsigned jobs,
				       struct ingot_fec_result *result)
{
	INGOT_SOURCE struct ingot_source *parity = NULL;
	struct ingot_fec_job job = job_of(d, jobs);

	assert_ok(ingot_sink_source(d->parity, &parity, &err));
	assert_ok(ingot_fec_check(&d->g, &job, parity, result, &err));
	return result->verdict;
}

/*
 * Made with veritysetup 2.6.1:
 *
 *	seq 1 100000000 | head -c $((BLOCKS * SIZE)) > d
 *	veritysetup format d h --data-block-size=SIZE --hash-block-size=SIZE --salt=(62 zeros)1234 \
 *		--uuid=00112233-4455-6677-8899-aabbccddeeff --fec-device=f --fec-roots=ROOTS
 *	sha256sum f | cut -c1-16
 */
static const struct vector {
	uint64_t blocks;
	uint32_t block_size, roots;
	uint64_t parity_size;
	const char *sha256;
} VECTORS[] = {
	{1, 4096, 2, 8192, "49fcbfca1df6971b"},	       {1, 4096, 24, 98304, "178780f509cc26de"},
	{127, 4096, 8, 32768, "8e3d599d7a7e3da3"},     {253, 4096, 2, 16384, "03af458a0ee07620"},
	{254, 512, 2, 2048, "41d94a8e3345d6b4"},       {1000, 512, 3, 7680, "b79e843ccee098f3"},
	{1000, 1024, 7, 35840, "5bb04f47d78525d9"},    {4000, 4096, 13, 905216, "421bbd8cabc1e2c4"},
	{5000, 4096, 24, 2162688, "4a7a6d26143a688f"}, {16385, 4096, 2, 540672, "2ff64a2ab4138a28"},
};

static void check_vector(const struct vector *v, unsigned jobs)
{
	char text[INGOT_SHA256_TEXT];
	uint8_t sum[INGOT_SHA256_SIZE];
	struct ingot_fec_result result;
	struct ingot_fec_job job;
	struct device d;

	device_init(&d, v->blocks, v->block_size, v->roots);
	assert_int_equal(d.g.parity_size, v->parity_size);
	job = job_of(&d, jobs);
	assert_ok(ingot_fec_build(&d.g, &job, d.parity, &err));
	assert_ok(ingot_sha256(d.parity_bytes, (size_t)v->parity_size, sum, &err));
	ingot_hex(sum, sizeof(sum), text);
	assert_memory_equal(text, v->sha256, strlen(v->sha256));
	assert_int_equal(check(&d, jobs, &result), INGOT_VERITY_GOOD);
	device_done(&d);
}

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++) {
		check_vector(&VECTORS[i], 1);
		check_vector(&VECTORS[i], 5);
	}
}

/* Every place of the parity is looked at, and the first wrong one is the one named. */
static void test_wrong_parity(void **state)
{
	struct ingot_fec_result result;
	struct ingot_fec_job job;
	struct device d;

	(void)state;
	device_init(&d, 5000, 4096, 3);
	job = job_of(&d, 2);
	assert_ok(ingot_fec_build(&d.g, &job, d.parity, &err));
	for (uint64_t at = 0; at < d.g.parity_size; at += 65521) {
		d.parity_bytes[at] ^= 0x40;
		d.parity_bytes[d.g.parity_size - 1] ^= 1;
		assert_int_equal(check(&d, 1 + at % 4, &result), INGOT_VERITY_BAD);
		assert_int_equal(result.offset, at);
		assert_int_equal(result.codeword, at / 3);
		d.parity_bytes[at] ^= 0x40;
		d.parity_bytes[d.g.parity_size - 1] ^= 1;
	}
	assert_int_equal(check(&d, 2, &result), INGOT_VERITY_GOOD);
	d.hash_bytes[d.g.hash_start + d.g.hash_size - 1] ^= 1; /* the tree's last byte */
	assert_int_equal(check(&d, 2, &result), INGOT_VERITY_BAD);
	device_done(&d);
}

static void test_devices_too_short(void **state)
{
	INGOT_SOURCE struct ingot_source *parity = NULL;
	struct ingot_fec_result result;
	struct ingot_fec_job job;
	struct device d;

	(void)state;
	device_init(&d, 300, 4096, 2);
	job = job_of(&d, 1);
	job.parity_offset = 1;
	assert_fails(ingot_fec_build(&d.g, &job, d.parity, &err), -ENOSPC,
		     "bytes of FEC parity at 1");
	assert_ok(ingot_sink_source(d.parity, &parity, &err));
	assert_fails(ingot_fec_check(&d.g, &job, parity, &result, &err), -EINVAL, "ends at");
	assert_int_equal(result.verdict, INGOT_VERITY_NOT_CHECKED);
	job.parity_offset = UINT64_MAX;
	assert_fails(ingot_fec_check(&d.g, &job, parity, &result, &err), -EINVAL, "ends at");
	job.parity_offset = 0;
	d.data->size--;
	assert_fails(ingot_fec_build(&d.g, &job, d.parity, &err), -EINVAL, "'data'");
	d.data->size++;
	d.tree->size--;
	assert_fails(ingot_fec_build(&d.g, &job, d.parity, &err), -EINVAL, "'memory'");
	device_done(&d);
}

/* --- holes and failures ------------------------------------------------ */

/* A source that is zero and a hole from hole to hole_end, and cannot be read from bad on. */
struct sparse {
	struct ingot_source source;
	const uint8_t *data;
	uint64_t hole, hole_end, bad;
	_Atomic uint64_t holes_read; /* bytes */
};

static int sparse_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		       struct ingot_error *e)
{
	struct sparse *sparse = (struct sparse *)source;

	if (offset + n > sparse->bad)
		return ingot_raise(e, -EIO, "a bad sector");
	memcpy(data, sparse->data + offset, n);
	if (offset < sparse->hole_end && offset + n > sparse->hole)
		sparse->holes_read +=
			ingot_min(offset + n, sparse->hole_end) - ingot_max(offset, sparse->hole);
	return 0;
}

static int sparse_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			 struct ingot_error *e)
{
	const struct sparse *sparse = (struct sparse *)source;

	(void)e;
	ret->hole = offset >= sparse->hole && offset < sparse->hole_end;
	if (offset < sparse->hole)
		ret->length = sparse->hole - offset;
	else
		ret->length = (ret->hole ? sparse->hole_end : source->size) - offset;
	return 0;
}

static void sparse_free(struct ingot_source *source)
{
	(void)source;
}

static const struct ingot_source_ops SPARSE_OPS = {sparse_read, sparse_extent, sparse_free};

enum { SPARSE_SIZE = 20 * 1024 * 1024 };

static void test_holes(void **state)
{
	static const uint64_t holes[][2] = {
		{0, 4096}, {5000, 5100}, {1000000, 19000001}, {0, SPARSE_SIZE}};
	struct ingot_fec_result result;
	struct device d;

	(void)state;
	device_init(&d, SPARSE_SIZE / 4096, 4096, 2);
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		const uint64_t hole = holes[i][0], end = holes[i][1];
		INGOT_SOURCE struct ingot_source *dense = NULL;
		uint8_t *data = make_data(SPARSE_SIZE);
		struct sparse sparse = {
			{&SPARSE_OPS, "sparse", SPARSE_SIZE}, data, hole, end, UINT64_MAX, 0};
		struct ingot_fec_job job = job_of(&d, 1);

		memset(data + hole, 0, (size_t)(end - hole));
		assert_ok(ingot_source_memory("dense", data, SPARSE_SIZE, &dense, &err));
		job.data = &sparse.source;
		assert_ok(ingot_fec_build(&d.g, &job, d.parity, &err));
		/* At most the pieces at both ends of it. */
		assert_true(sparse.holes_read <= 2 * 64 * 1024);
		ingot_source_free(d.data);
		d.data = dense;
		assert_int_equal(check(&d, 2, &result), INGOT_VERITY_GOOD);
		d.data = NULL;
		test_free(data);
	}
	device_done(&d);
}

static void test_a_read_that_fails(void **state)
{
	INGOT_SOURCE struct ingot_source *parity = NULL;
	struct ingot_fec_result result;
	struct ingot_fec_job job;
	struct device d;
	uint8_t *data = make_data(SPARSE_SIZE);
	struct sparse sparse = {{&SPARSE_OPS, "sparse", SPARSE_SIZE}, data, 0, 0, 0, 0};

	(void)state;
	device_init(&d, SPARSE_SIZE / 4096, 4096, 2);
	job = job_of(&d, 2);
	job.data = &sparse.source;
	assert_ok(ingot_sink_source(d.parity, &parity, &err));
	for (sparse.bad = 1; sparse.bad <= SPARSE_SIZE; sparse.bad += SPARSE_SIZE / 4 - 1) {
		assert_fails(ingot_fec_build(&d.g, &job, d.parity, &err), -EIO, "a bad sector");
		assert_fails(ingot_fec_check(&d.g, &job, parity, &result, &err), -EIO,
			     "forward error correction: a bad sector");
		assert_int_equal(result.verdict, INGOT_VERITY_NOT_CHECKED);
	}
	device_done(&d);
	test_free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_portable),
		cmocka_unit_test(test_avx2),
		cmocka_unit_test(test_gfni),
		cmocka_unit_test(test_kernels_agree),
		cmocka_unit_test(test_geometry),
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_geometry_refuses),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_wrong_parity),
		cmocka_unit_test(test_devices_too_short),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_a_read_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
