/* Compressed disks: what is in ours, and any place in anybody's. */
#include <errno.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"
#include "formats_support.h"

static void test_gz_members(void **state)
{
	static const unsigned char first[16] = {0x1f, 0x8b, 8,	4, 0,	0,   0,	 0,
						0,    0xff, 16, 0, 'I', 'G', 12, 0};
	static const unsigned char second[16] = {0x1f, 0x8b, 8, 4, 0,	0,   0, 0,
						 0,    0xff, 8, 0, 'I', 'G', 4, 0};
	unsigned char *f;
	size_t n, at;

	(void)state;
	formats_disk("disk", 3 << 20);
	formats_convert("disk", "raw.gz", "out", 2);
	f = formats_load("out", &n);
	assert_memory_equal(f, first, 16);
	assert_int_equal(ingot_get_le64(f + 20), 3 << 20);
	at = ingot_get_le32(f + 16);
	assert_memory_equal(f + at, second, 16);
	while (at < n)
		at += ingot_get_le32(f + at + 16);
	assert_int_equal(at, n);
	free(f);
}

static void test_gce_header(void **state)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	unsigned char *f, tar[512];
	struct ingot_error err = {0};
	z_stream z = {0};
	size_t n;
	unsigned sum = 8 * ' ';

	(void)state;
	formats_disk("disk", 3 << 20);
	formats_convert("disk", "gce", "out", 2);
	f = formats_load("out", &n);
	z.next_in = f;
	z.avail_in = (unsigned)n;
	z.next_out = tar;
	z.avail_out = sizeof(tar);
	assert_int_equal(inflateInit2(&z, 31), Z_OK);
	(void)inflate(&z, Z_SYNC_FLUSH);
	(void)inflateEnd(&z);
	assert_string_equal((char *)tar, "disk.raw");
	assert_string_equal((char *)tar + 100, "0000644");
	assert_string_equal((char *)tar + 124, "00014000000");
	assert_memory_equal(tar + 257, "ustar  ", 8);
	for (size_t i = 0; i < sizeof(tar); i++)
		sum += i < 148 || i >= 156 ? tar[i] : 0;
	assert_int_equal(strtoul((char *)tar + 148, NULL, 8), sum);
	free(f);
	assert_ok(ingot_source_open("out", &file, &err));
}

static void test_round_trips(void **state)
{
	(void)state;
	formats_round_trips("raw.gz", "raw.gz", 1);
	formats_round_trips("raw.zst", "raw.zst", 1);
	formats_round_trips("raw.xz", "raw.xz", 1);
	formats_round_trips("gce", "gce", 1);
}

/* --- files of others --------------------------------------------------- */

enum { LARGE = 24 << 20 };

/* Text with a zero MiB in it. */
static unsigned char *large_disk(void)
{
	unsigned char *data = calloc(1, LARGE);
	uint64_t x = 1;

	assert_non_null(data);
	for (size_t i = 0; i < LARGE; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		data[i] = (unsigned char)(97 + (x >> 61));
	}
	memset(data + (9 << 20), 0, 1 << 20);
	return data;
}

static void save(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	(void)close(fd);
}

/* Places forwards, backwards, and across: all are what they should be. */
static void check_places(const char *path, const unsigned char *want, size_t size)
{
	static unsigned char got[300000];
	INGOT_SOURCE struct ingot_source *disk = NULL;
	struct ingot_error err = {0};
	uint64_t x = 7;

	assert_ok(ingot_format_open(path, NULL, &disk, &err));
	assert_int_equal(disk->size, size);
	for (int i = 0; i < 40; i++) {
		size_t at, n;

		x = x * 6364136223846793005u + 1442695040888963407u;
		at = (size_t)(x >> 33) % size;
		n = (size_t)ingot_min(1 + (x >> 20) % sizeof(got), size - at);
		assert_ok(ingot_source_read(disk, at, got, n, &err));
		assert_memory_equal(got, want + at, n);
	}
	assert_ok(ingot_source_read(disk, size - 1, got, 1, &err));
	assert_ok(ingot_source_read(disk, 0, got, sizeof(got), &err));
	assert_memory_equal(got, want, sizeof(got));
}

static void check_zero_mib(const char *path)
{
	INGOT_SOURCE struct ingot_source *disk = NULL;
	struct ingot_error err = {0};
	struct ingot_extent run;

	assert_ok(ingot_format_open(path, NULL, &disk, &err));
	assert_ok(ingot_source_extent(disk, 0, &run, &err));
	assert_false(run.hole);
	assert_int_equal(run.length, 9 << 20);
	assert_ok(ingot_source_extent(disk, 9 << 20, &run, &err));
	assert_true(run.hole);
	assert_int_equal(run.length, 1 << 20);
}

static size_t gzip(const unsigned char *data, size_t n, unsigned char *out, size_t room)
{
	z_stream z = {.avail_in = (unsigned)n, .next_out = out, .avail_out = (unsigned)room};
	unsigned char *copy = malloc(n + 1); /* zlib's input is not const everywhere */

	assert_non_null(copy);
	memcpy(copy, data, n);
	z.next_in = copy;
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&z);
	free(copy);
	return room - z.avail_out;
}

static void test_one_member(void **state)
{
	unsigned char *data = large_disk(), *packed = malloc(LARGE);
	size_t n, m;

	(void)state;
	assert_non_null(packed);
	n = gzip(data, LARGE, packed, LARGE);
	save("one", packed, n);
	check_places("one", data, LARGE);
	check_zero_mib("one");

	/* The same in two, with the padding of a tape. */
	n = gzip(data, 5000001, packed, LARGE);
	m = gzip(data + 5000001, LARGE - 5000001, packed + n, LARGE - n);
	memset(packed + n + m, 0, 70000);
	save("two", packed, n + m + 70000);
	check_places("two", data, LARGE);
	free(packed);
	free(data);
}

static void test_one_frame(void **state)
{
	unsigned char *data = large_disk(), *packed = malloc(LARGE);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	ZSTD_inBuffer in = {data, LARGE, 0};
	ZSTD_outBuffer out = {packed, LARGE, 0};
	size_t n;

	(void)state;
	assert_non_null(packed);
	assert_non_null(zstd);
	(void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, 1);
	n = ZSTD_compress2(zstd, packed, LARGE, data, LARGE);
	assert_false(ZSTD_isError(n));
	save("sized", packed, n);
	check_places("sized", data, LARGE);

	(void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	(void)ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_flush);
	assert_int_equal(ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_end), 0);
	save("piped", packed, out.pos);
	check_places("piped", data, LARGE);
	(void)ZSTD_freeCCtx(zstd);
	free(packed);
	free(data);
}

static void test_one_block(void **state)
{
	unsigned char *data = large_disk(), *packed = malloc(LARGE);
	size_t n = 0;

	(void)state;
	assert_non_null(packed);
	assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, data, 4 << 20, packed,
						 &n, LARGE),
			 LZMA_OK);
	memset(packed + n, 0, 8); /* padding, and a second stream */
	n += 8;
	assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_SHA256, NULL, data + (4 << 20),
						 4 << 20, packed, &n, LARGE),
			 LZMA_OK);
	save("two", packed, n);
	check_places("two", data, 8 << 20);
	free(packed);
	free(data);
}

/* --- damage ------------------------------------------------------------ */

/* Opened and read to the end, or the error of whichever fails. */
static int digest_all(const unsigned char *data, size_t n, uint8_t digest[32],
		      struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	INGOT_SOURCE struct ingot_source *disk = NULL;
	int rc = ingot_source_memory("bad", data, n, &file, err);

	if (rc == 0)
		rc = ingot_format_open_source(file, NULL, &disk, err);
	if (rc < 0) {
		assert_null(disk);
		return rc;
	}
	file = NULL;
	return ingot_source_sha256(disk, digest, err);
}

static int read_all(const unsigned char *data, size_t n, struct ingot_error *err)
{
	uint8_t digest[32];

	return digest_all(data, n, digest, err);
}

/* Cut off anywhere it is an error, also where a member, a frame or a block ends. */
static void cut_off(const char *format)
{
	struct ingot_error err = {0};
	unsigned char *f;
	size_t n;

	formats_disk("disk", 1300000);
	formats_convert("disk", format, "out", 2);
	f = formats_load("out", &n);
	assert_ok(read_all(f, n, &err));
	for (size_t at = 8; at < n; at += at < 80 || n - at < 80 ? 1 : 3001)
		if (read_all(f, at, &err) >= 0)
			fail_msg("%s, cut off at %zu of %zu", format, at, n);
	free(f);
}

static void test_cut_off(void **state)
{
	unsigned char *f;
	struct ingot_error err = {0};
	size_t n;

	(void)state;
	cut_off("raw.gz");
	cut_off("gce");
	cut_off("raw.xz");
	/* The seek table may be missing, but nothing before it. */
	formats_disk("disk", 1300000);
	formats_convert("disk", "raw.zst", "out", 2);
	f = formats_load("out", &n);
	n -= 8 + 9 + 8 * (size_t)ingot_get_le32(f + n - 9);
	assert_ok(read_all(f, n, &err));
	for (size_t at = 8; at < n; at += at < 80 || n - at < 80 ? 1 : 3001)
		assert_true(read_all(f, at, &err) < 0);
	free(f);
}

/* A flipped bit is an error, or changes nothing: a member's time, say. */
static void flipped(const char *format, size_t first, size_t step)
{
	struct ingot_error err = {0};
	uint8_t good[32], got[32];
	unsigned char *f;
	size_t n;

	formats_disk("disk", 1300000);
	formats_convert("disk", format, "out", 2);
	f = formats_load("out", &n);
	assert_ok(digest_all(f, n, good, &err));
	for (size_t at = first; at < n - 4000; at += step) {
		f[at] ^= 0x10;
		if (digest_all(f, n, got, &err) >= 0 && memcmp(got, good, 32) != 0)
			fail_msg("%s: nothing is wrong with byte %zu", format, at);
		f[at] ^= 0x10;
	}
	free(f);
}

static void test_flipped(void **state)
{
	(void)state;
	flipped("raw.gz", 100, 4001);
	flipped("raw.zst", 100, 4001);
	flipped("raw.xz", 100, 4001);
	flipped("gce", 300, 4001);
}

static void refuse(const unsigned char *f, size_t n, const char *words)
{
	struct ingot_error err = {0};

	assert_true(read_all(f, n, &err) < 0);
	if (!strstr(err.text, words))
		fail_msg("'%s' not in: %s", words, err.text);
}

static void test_hostile(void **state)
{
	static unsigned char z[64] = {0x28, 0xb5, 0x2f, 0xfd};
	unsigned char *f, *g;
	size_t n;

	(void)state;
	formats_disk("disk", 300000);
	formats_convert("disk", "raw.gz", "out", 1);
	f = formats_load("out", &n);
	g = malloc(n + 16);
	assert_non_null(g);
	memcpy(g, f, n);
	memcpy(g + n, "rubbish rubbish", 16);
	refuse(g, n + 16, "no gzip member");
	memset(g + n, 0, 8);
	g[n + 7] = 'x';
	refuse(g, n + 8, "behind its last member");
	memcpy(g, f, n);
	ingot_put_le32(g + 16, 20); /* a member that ends in its header */
	refuse(g, n, "not as long as it says");
	ingot_put_le32(g + 16, 0xffffffff);
	refuse(g, n, "cut off");
	memcpy(g, f, n);
	ingot_put_le32(g + ingot_get_le32(g + 16) - 4, 0xffffffff); /* 4 GiB in a small member */
	refuse(g, n, "not as long as it says");
	memcpy(g, f, n);
	ingot_put_le64(g + 20, 1 << 20);
	refuse(g, n, "cut off");
	memcpy(g, f, n);
	g[3] = 0xe4;
	refuse(g, n, "no gzip member");
	free(g);
	free(f);

	z[4] = 0x01; /* a dictionary */
	refuse(z, sizeof(z), "dictionary");
	z[4] = 0;
	z[5] = 18 << 3; /* a window of 2^28 */
	refuse(z, sizeof(z), "128 MiB");
	z[4] = 0xe0; /* one segment of 2^60 bytes, and an empty block */
	z[12] = 0x10;
	z[13] = 1;
	refuse(z, 16, "fewer blocks than bytes");
	z[4] = 0x20;
	z[5] = 0;
	z[6] = 7; /* a block of the reserved kind */
	refuse(z, 16, "block's header");
}

static void test_twice(void **state)
{
	unsigned char *f, *g;
	size_t n;

	(void)state;
	formats_disk("disk", 3000);
	formats_convert("disk", "raw.xz", "out", 1);
	f = formats_load("out", &n);
	g = malloc(n + 1000);
	assert_non_null(g);
	n = gzip(f, n, g, n + 1000);
	refuse(g, n, "compressed twice");
	free(g);
	free(f);
}

static void test_other_tar(void **state)
{
	unsigned char *tar = calloc(1, 10240), *packed = malloc(10240);
	unsigned sum = 0;

	(void)state;
	assert_non_null(tar);
	assert_non_null(packed);
	memcpy(tar, "other", 5);
	memcpy(tar + 124, "00000000000", 12);
	memcpy(tar + 257, "ustar  ", 8);
	memset(tar + 148, ' ', 8);
	tar[156] = '0';
	for (size_t i = 0; i < 512; i++)
		sum += tar[i];
	(void)snprintf((char *)tar + 148, 8, "%06o", sum);
	refuse(packed, gzip(tar, 10240, packed, 10240), "is 'other', not disk.raw");
	refuse(tar, 10240, "is 'other', not disk.raw");
	free(packed);
	free(tar);
}

/* A container inside is read, whatever is around it. */
static void test_container_inside(void **state)
{
	unsigned char *f, *g;
	size_t n;

	(void)state;
	formats_disk("disk", 3 << 20);
	formats_convert("disk", "qcow2", "inside", 1);
	f = formats_load("inside", &n);
	g = malloc(n + 100000);
	assert_non_null(g);
	save("out", g, gzip(f, n, g, n + 100000));
	formats_same("out", "disk", "qcow2", 1);
	free(g);
	free(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_gz_members), T(test_gce_header), T(test_round_trips),
		T(test_one_member), T(test_one_frame),	T(test_one_block),
		T(test_cut_off),    T(test_flipped),	T(test_hostile),
		T(test_twice),	    T(test_other_tar),	T(test_container_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
