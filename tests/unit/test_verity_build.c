#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "verity/build.h"
#include "verity_data.h"

static struct ingot_error err;

#define SALT_32 "0000000000000000000000000000000000000000000000000000000000001234"
#define SALT_64                                                                                    \
	"100101102103104105106107108109110111112113114115116117118119120121122123124125126127"     \
	"12812913013113213313413513613713813914014114"
#define SALT_256                                                                                   \
	"100010011002100310041005100610071008100910101011101210131014101510161017101810191020"     \
	"102110221023102410251026102710281029103010311032103310341035103610371038103910401041"     \
	"104210431044104510461047104810491050105110521053105410551056105710581059106010611062"     \
	"106310641065106610671068106910701071107210731074107510761077107810791080108110821083"     \
	"108410851086108710881089109010911092109310941095109610971098109911001101110211031104"     \
	"110511061107110811091110111111121113111411151116111711181119112011211122112311241125"     \
	"11261127"

/*
 * Made with veritysetup 2.6.1:
 *
 *	seq 1 100000000 | head -c $((BLOCKS * DATA)) > d
 *	veritysetup format d h --hash=HASH --format=TYPE --data-block-size=DATA \
 *		--hash-block-size=HASHBLOCK --salt=SALT --uuid=00112233-4455-6677-8899-aabbccddeeff
 *	sha256sum h | cut -c1-16
 */
static const struct vector {
	uint64_t blocks;
	uint32_t data_block_size, hash_block_size;
	const char *hash;
	uint32_t type;
	const char *salt, *root;
	size_t area_size;
	const char *area_sha256;
} VECTORS[] = {
	{1, 4096, 4096, "sha256", 1, "",
	 "5d45b6510efbba88e03ce800c858b4a3a7a8a458e9708595f3665c78ea0713f8", 4096,
	 "eff901018b9b6ab0"},
	{1, 4096, 4096, "sha256", 1, SALT_32,
	 "9804111792153b883f83fb8192dbdf9cc45c169d4cfdd724e3317f8c9b7dac66", 4096,
	 "bc6239d40c38eace"},
	{127, 4096, 4096, "sha256", 1, SALT_32,
	 "6644631f8a3c92d91e8024b6c0c00d62b0e156c8d6e036ffcfd6d30438e3f005", 8192,
	 "98e5c8da16a2443a"},
	{128, 4096, 4096, "sha256", 1, SALT_32,
	 "5720357399d15b49c48164a4155ee0004f81b6b098acc509daad642718d83013", 8192,
	 "b8134a0095797d42"},
	{129, 4096, 4096, "sha256", 1, SALT_32,
	 "3bb79d3b9b27d60fdcfdf276b96baed8ff39f335e33d5eb4706afc998af41d29", 16384,
	 "17d155b83a98fcfd"},
	{16384, 4096, 4096, "sha256", 1, "",
	 "a15962a923d110569e3081a87e7479435807d561241df0c7969601affb0779ad", 532480,
	 "b72703eeac829125"},
	{16385, 4096, 4096, "sha256", 1, SALT_64,
	 "98e7e5ba1431c3eaa5704787dd4329cea86459b8e4fa02a98579237366956f89", 544768,
	 "2730691d38f755dc"},
	{129, 512, 512, "sha256", 1, "0102030405060708",
	 "9137341b2efa23136c01fe4d3dcbea471e5f5122e44fd957c256f68e3bffc68a", 5632,
	 "0f1d9ce9119459f7"},
	{1000, 1024, 4096, "sha512", 1, SALT_256,
	 "19a5666f46d6fec8b3e885657d73a2e6e2a21ba3988c357d8e5afb384bdd0ebf"
	 "59735174293f119d06c9707d7e1569b7d967eb84e7cadd7606471a7a9c8f5043",
	 73728, "443291be3fa8927e"},
	{1000, 4096, 1024, "sha512", 1, SALT_32,
	 "04df7e265f6d3630d532d7f8902d5978fa1067c3da6c4f33575856be81816a37"
	 "5f7e29f13da7902053073d697d6a2352a0159ce536e2d286aaff93d259197653",
	 70656, "723e47aa59e3491c"},
	{1000, 2048, 512, "sha384", 1, SALT_32,
	 "71cc6131ccffb7a28701bfec8d92f8684cdcf007c59d8e6f9aa68bddac795fe3"
	 "365f7d83f746b726d4979a17f1696bf4",
	 74240, "42ea5a3ec97453b9"},
	{1000, 4096, 4096, "sha224", 1, SALT_32,
	 "7ab3c68682da6d6f4a09db950343ccc8928271cb0f3bd1e18704598a", 40960, "32209627a8609070"},
	{1000, 4096, 524288, "sha256", 1, SALT_32,
	 "391a21228ae01d474586c1c08e41e555e91ef729d69c0a85c5361ebc8bef96f7", 1048576,
	 "463f0e94732aa70c"},
	{20000, 512, 524288, "sha256", 1, SALT_32,
	 "916e3db63beb729ecbabcfa8916350cd0f808d6a0c04e7c57dc384ae82e8860e", 2097152,
	 "be19efa7af9d40bc"},
	{1000, 4096, 4096, "sha256", 0, SALT_32,
	 "002e4b73ee8d5df3a319c33a044e19072233d3d8c28a0852844ddef00e6ca14c", 40960,
	 "0d4123ebac90d6cf"},
	{1000, 4096, 4096, "sha384", 0, SALT_64,
	 "57afd69fd92cbd56664a95ed25cc08dc866258487b1af49b30cfcc875858f40d"
	 "aec2f5df1ff4ababc8271d6dd1bd1879",
	 73728, "c9dfec8b67f3b3c8"},
};

static struct ingot_verity_params params_of(const struct vector *v)
{
	struct ingot_verity_params params = {
		.hash = v->hash,
		.data_block_size = v->data_block_size,
		.hash_block_size = v->hash_block_size,
		.hash_type = v->type,
	};

	assert_ok(ingot_guid_parse("00112233-4455-6677-8899-aabbccddeeff", &params.uuid, &err));
	assert_ok(ingot_unhex(v->salt, params.salt, sizeof(params.salt), &params.salt_size, &err));
	return params;
}

static void build(const struct ingot_verity_params *params, struct ingot_source *data,
		  struct ingot_sink *hash, uint64_t hash_offset, unsigned jobs, char *root_text)
{
	struct ingot_verity_job job = {
		.data = data, .hash = hash, .hash_offset = hash_offset, .jobs = jobs};
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	size_t size;

	assert_ok(ingot_verity_build(params, &job, root, &size, &err));
	ingot_hex(root, size, root_text);
}

static void check_vector(const struct vector *v, unsigned jobs)
{
	struct ingot_verity_params params = params_of(v);
	size_t size = (size_t)(v->blocks * v->data_block_size);
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	char root[2 * INGOT_VERITY_DIGEST_MAX + 1], sum_text[INGOT_SHA256_TEXT];
	uint8_t *data = make_data(size), sum[INGOT_SHA256_SIZE], *area;

	assert_ok(ingot_source_memory("data", data, size, &source, &err));
	assert_ok(ingot_sink_memory(v->area_size, &sink, &area, &err));
	build(&params, source, sink, 0, jobs, root);
	assert_string_equal(root, v->root);
	assert_ok(ingot_sha256(area, v->area_size, sum, &err));
	ingot_hex(sum, sizeof(sum), sum_text);
	assert_memory_equal(sum_text, v->area_sha256, strlen(v->area_sha256));
	test_free(data);
}

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++) {
		check_vector(&VECTORS[i], 1);
		check_vector(&VECTORS[i], 8);
	}
}

/* A source that says where its holes are, and fails when one is read. */
struct sparse {
	struct ingot_source source;
	const uint8_t *data;
	uint64_t hole, hole_end;
};

static int sparse_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		       struct ingot_error *e)
{
	const struct sparse *sparse = (struct sparse *)source;

	if (offset < sparse->hole_end && offset + n > sparse->hole)
		return ingot_raise(e, -EIO, "a hole was read");
	memcpy(data, sparse->data + offset, n);
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

/* Holes hash as the zero bytes they stand for, whether or not they end with a block. */
static void test_holes_are_zero_blocks(void **state)
{
	static const uint64_t holes[][2] = {
		{0, 4096},	    {5000, 5100},	  {4096 * 100, 4096 * 1000},
		{1000000, 4000001}, {0, 5 * 1024 * 1024},
	};
	const size_t size = 5 * 1024 * 1024, area_size = 4096 * 20;
	struct ingot_verity_params params = ingot_verity_defaults();

	(void)state;
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		uint8_t *data = make_data(size), *dense_area, *sparse_area, *copied;
		struct sparse sparse = {
			{&SPARSE_OPS, "sparse", size}, data, holes[i][0], holes[i][1]};
		INGOT_SOURCE struct ingot_source *dense = NULL;
		INGOT_SINK struct ingot_sink *a = NULL, *b = NULL, *copy = NULL;
		struct ingot_verity_job job = {.data = &sparse.source, .jobs = 3};
		uint8_t root[INGOT_VERITY_DIGEST_MAX];
		char want[2 * INGOT_VERITY_DIGEST_MAX + 1], got[sizeof(want)];
		size_t root_size;

		memset(data + holes[i][0], 0, holes[i][1] - holes[i][0]);
		assert_ok(ingot_source_memory("dense", data, size, &dense, &err));
		assert_ok(ingot_sink_memory(area_size, &a, &dense_area, &err));
		assert_ok(ingot_sink_memory(area_size, &b, &sparse_area, &err));
		assert_ok(ingot_sink_memory(size, &copy, &copied, &err));
		build(&params, dense, a, 0, 1, want);
		job.hash = b;
		job.copy = copy;
		assert_ok(ingot_verity_build(&params, &job, root, &root_size, &err));
		ingot_hex(root, root_size, got);
		assert_string_equal(got, want);
		assert_memory_equal(dense_area, sparse_area, area_size);
		assert_memory_equal(copied, data, size);
		test_free(data);
	}
}

/* Data and hash area in one sink, the way of one partition. */
static void test_copy_and_append(void **state)
{
	const struct vector *v = &VECTORS[4]; /* 129 blocks */
	struct ingot_verity_params params = params_of(v);
	const size_t size = 129 * 4096;
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	uint8_t *data = make_data(size), *disk, root[INGOT_VERITY_DIGEST_MAX];
	char text[2 * INGOT_VERITY_DIGEST_MAX + 1];
	struct ingot_verity_job job = {.hash_offset = size, .jobs = 2};
	size_t root_size;

	(void)state;
	assert_ok(ingot_source_memory("data", data, size, &source, &err));
	assert_ok(ingot_sink_memory(size + v->area_size, &sink, &disk, &err));
	job.data = source;
	job.copy = job.hash = sink;
	assert_ok(ingot_verity_build(&params, &job, root, &root_size, &err));
	ingot_hex(root, root_size, text);
	assert_string_equal(text, v->root);
	assert_memory_equal(disk, data, size);
	assert_memory_equal(disk + size, "verity\0\0", 8);
	test_free(data);
}

static void test_refused_before_writing(void **state)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	INGOT_SOURCE struct ingot_source *odd = NULL, *even = NULL;
	INGOT_SINK struct ingot_sink *small = NULL, *large = NULL;
	struct ingot_verity_job job = {.jobs = 1};
	uint8_t data[8192] = {1}, *area, zero[8191] = {0}, root[INGOT_VERITY_DIGEST_MAX];
	size_t size;

	(void)state;
	assert_ok(ingot_source_memory("odd", data, 8191, &odd, &err));
	assert_ok(ingot_source_memory("even", data, 8192, &even, &err));
	assert_ok(ingot_sink_memory(8191, &small, &area, &err));
	assert_ok(ingot_sink_memory(8192, &large, NULL, &err));
	job.data = odd;
	job.hash = large;
	assert_fails(ingot_verity_build(&params, &job, root, &size, &err), -EINVAL,
		     "8191 bytes of data in 'odd' are not whole blocks of 4096");
	job.data = even;
	job.hash = small;
	assert_fails(ingot_verity_build(&params, &job, root, &size, &err), -ENOSPC,
		     "the hash tree ends at 8192, 'memory' at 8191");
	job.hash = large;
	job.copy = small;
	assert_fails(ingot_verity_build(&params, &job, root, &size, &err), -ENOSPC,
		     "the data ends at 8192");
	assert_memory_equal(area, zero, sizeof(zero));
}

/* A sink that fails at its n-th write. */
struct failing {
	struct ingot_sink sink;
	int left;
};

static int failing_write(struct ingot_sink *sink, uint64_t offset, const void *data, size_t n,
			 struct ingot_error *e)
{
	int left = __atomic_fetch_sub(&((struct failing *)sink)->left, 1, __ATOMIC_RELAXED);

	(void)offset;
	(void)data;
	(void)n;
	return left > 0 ? 0 : ingot_raise(e, -ENOSPC, "the disk is full");
}

static const struct ingot_sink_ops FAILING_OPS = {.write_at = failing_write};

/* 129 blocks: one write for the leaves, one for the root level, one for the superblock. */
static void test_failing_writes(void **state)
{
	static const char *const words[] = {
		"hash level 0: the disk is full",
		"hash level 1: the disk is full",
		"verity superblock: the disk is full",
	};
	struct ingot_verity_params params = ingot_verity_defaults();
	const size_t size = 129 * 4096;
	uint8_t *data = make_data(size), root[INGOT_VERITY_DIGEST_MAX];

	(void)state;
	for (int i = 0; i <= 3; i++) {
		INGOT_SOURCE struct ingot_source *source = NULL;
		struct failing failing = {{&FAILING_OPS, "full", 16384}, i};
		struct ingot_verity_job job = {.hash = &failing.sink, .jobs = 2};
		size_t root_size = 0;

		assert_ok(ingot_source_memory("data", data, size, &source, &err));
		job.data = source;
		if (i < 3) {
			assert_fails(ingot_verity_build(&params, &job, root, &root_size, &err),
				     -ENOSPC, words[i]);
			assert_int_equal(root_size, 0);
		} else {
			assert_ok(ingot_verity_build(&params, &job, root, &root_size, &err));
		}
	}
	test_free(data);
}

static void test_failing_copy(void **state)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_SINK struct ingot_sink *hash = NULL;
	const size_t size = 16 * 1024 * 1024;
	struct failing failing = {{&FAILING_OPS, "full", size}, 70};
	struct ingot_verity_job job = {.copy = &failing.sink, .jobs = 3};
	uint8_t *data = make_data(size), root[INGOT_VERITY_DIGEST_MAX];
	size_t root_size = 0;

	(void)state;
	assert_ok(ingot_source_memory("data", data, size, &source, &err));
	assert_ok(ingot_sink_memory(size / 100, &hash, NULL, &err));
	job.data = source;
	job.hash = hash;
	assert_fails(ingot_verity_build(&params, &job, root, &root_size, &err), -ENOSPC,
		     "the disk is full");
	assert_int_equal(root_size, 0);
	test_free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_holes_are_zero_blocks),
		cmocka_unit_test(test_copy_and_append),
		cmocka_unit_test(test_refused_before_writing),
		cmocka_unit_test(test_failing_writes),
		cmocka_unit_test(test_failing_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
