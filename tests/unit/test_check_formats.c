/*
 * Checks of formats: a good file passes; one that is broken in just one respect fails in that, and
 * where a checksum covers the place, it is made right again.
 */
#include "check_support.h"

#include <libdeflate.h>

struct bad {
	struct patch patches[PATCHES];
	const char *want;  /* the lines that fail */
	const char *found; /* among what one of them found; NULL: anything */
};

typedef void (*repair_file)(unsigned char *data, size_t n);

#define BYTES(text) text, sizeof(text) - 1
#define AT(offset, text)                                                                           \
	{                                                                                          \
		NULL, offset, BYTES(text)                                                          \
	}
#define IN(find, off, text)                                                                        \
	{                                                                                          \
		find, off, BYTES(text)                                                             \
	}

/* A disk of 4 MiB in that format; the caller frees it. */
static unsigned char *make(const char *format, size_t *n)
{
	formats_disk("disk", 4 << 20);
	formats_convert("disk", format, "file", 1);
	return formats_load("file", n);
}

static void run(const char *format, repair_file repair, const struct bad *cases, size_t count)
{
	size_t n;
	unsigned char *good = make(format, &n);

	check_bytes(format, good, n, "", NULL);
	for (size_t i = 0; i < count; i++) {
		unsigned char *bad = patched(good, n, cases[i].patches);

		if (repair)
			repair(bad, n);
		check_bytes(format, bad, n, cases[i].want, cases[i].found);
		free(bad);
	}
	free(good);
}

#define RUN(format, repair, cases) run(format, repair, cases, sizeof(cases) / sizeof((cases)[0]))

/* --- VHD --------------------------------------------------------------- */

static void repair_sum(unsigned char *p, size_t n, size_t at)
{
	uint32_t sum = 0;

	memset(p + at, 0, 4);
	for (size_t i = 0; i < n; i++)
		sum += p[i];
	ingot_put_be32(p + at, ~sum);
}

static void repair_vhd(unsigned char *data, size_t n)
{
	repair_sum(data + n - 512, 512, 64);
}

static void repair_vhd_dynamic(unsigned char *data, size_t n)
{
	repair_sum(data + n - 512, 512, 64);
	repair_sum(data, 512, 64);
	repair_sum(data + 512, 1024, 36);
}

static void vhd_fixed(void **state)
{
#define C "vhd-fixed-footer: "
	static const struct bad cases[] = {
		{{AT(-512, "X")}, "format-is|" C "cookie", "raw"},
		{{AT(-512 + 63, "\4")}, "format-is|" C "disk type", "4"},
		{{AT(-512 + 8, "\0\0\0\1")}, C "features", "1"},
		{{AT(-512 + 28, "\0\0\0\0")}, C "creator", NULL},
		{{AT(-512 + 40, "\1")}, C "original size", NULL},
		{{AT(-512 + 56, "\0\1\2\3")}, C "geometry", "1/2/3"},
		{{AT(-512 + 68, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")}, C "unique id", NULL},
		{{AT(-512 + 16, "\0")}, C "data offset", NULL},
	};
	static const struct bad sums[] = {{{AT(-1, "x")}, C "checksum", NULL}};
#undef C
	(void)state;
	RUN("vhd", repair_vhd, cases);
	RUN("vhd", NULL, sums);
	check_bytes("vhd", "short", 5, "format-is|vhd-fixed-footer: cookie", NULL);
}

static void vhd_whose_file_is_longer(void **state)
{
	size_t n;
	INGOT_FREE unsigned char *good = make("vhd", &n);
	INGOT_FREE unsigned char *longer = calloc(1, n + 512);

	(void)state;
	assert_non_null(longer);
	memcpy(longer, good, n - 512);
	memcpy(longer + n, good + n - 512, 512);
	check_bytes("vhd", longer, n + 512, "vhd-fixed-footer: file size", "4195328 bytes");
}

static void vhd_dynamic(void **state)
{
#define C "vhd-dynamic: "
	static const struct bad cases[] = {
		{{AT(68, "abcd")}, C "copy of the footer", "different"},
		{{AT(512, "X")}, C "header cookie", NULL},
		{{AT(512 + 32, "\0\x20\0\1")}, C "block size", "2097153"},
		{{AT(512 + 28, "\0\0\0\1")}, C "blocks", "1"},
		{{AT(512 + 16, "\0\0\0\0\x7f")}, C "block table", NULL},
		{{AT(512 + 24, "\0\2")}, C "header version", NULL},
		{{AT(-512 + 63, "\4"), AT(63, "\4")}, C "disk type", NULL},
	};
	static const struct bad sums[] = {{{AT(512 + 1023, "x")}, C "header checksum", NULL}};
#undef C
	(void)state;
	RUN("vhd-dynamic", repair_vhd_dynamic, cases);
	RUN("vhd-dynamic", NULL, sums);
}

/* --- VHDX -------------------------------------------------------------- */

static void repair_crc(unsigned char *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	memset(p + 4, 0, 4);
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	ingot_put_le32(p + 4, ~crc);
}

static void repair_vhdx(unsigned char *data, size_t n)
{
	(void)n;
	repair_crc(data + 0x10000, 4096);
	repair_crc(data + 0x20000, 4096);
	repair_crc(data + 0x30000, 65536);
	repair_crc(data + 0x40000, 65536);
}

static void vhdx(void **state)
{
#define C "vhdx-checksums: "
	static const struct bad cases[] = {
		{{AT(0x10000 + 66, "\2")}, C "first header, version", "2"},
		{{AT(0x20000 + 48, "x")}, C "second header, log", "to be replayed"},
		{{AT(0x10000 + 68, "\1\2\3\4")}, C "first header, log's place", NULL},
		{{AT(0x40000 + 20000, "x")}, C "region tables", "different"},
		{{AT(0x30000 + 8, "\1\0\0\0"), AT(0x40000 + 8, "\1\0\0\0")},
		 C "regions|" C "regions",
		 NULL},
		{{IN("metadata", 10, "\0")}, C "file parameters", "missing"},
	};
	static const struct bad sums[] = {
		{{AT(0x10000 + 4000, "x")}, C "first header, CRC-32C", NULL},
		{{AT(0x20000 + 4000, "x")}, C "second header, CRC-32C", NULL},
		{{AT(0x30000 + 4000, "x")},
		 C "first region table, CRC-32C|" C "region tables",
		 NULL},
		{{AT(0x40000 + 4000, "x")},
		 C "second region table, CRC-32C|" C "region tables",
		 NULL},
		{{AT(0x10000, "X")}, C "first header", NULL},
		{{AT(0x40000, "X")}, C "second region table", NULL},
		{{AT(0, "X")}, "format-is|" C "signature", NULL},
	};
#undef C
	(void)state;
	RUN("vhdx", repair_vhdx, cases);
	RUN("vhdx", NULL, sums);
}

/* --- VDI --------------------------------------------------------------- */

static void vdi(void **state)
{
#define C "vdi-header: "
	static const struct bad cases[] = {
		{{AT(64, "X")}, "format-is|" C "signature", NULL},
		{{AT(70, "\2")}, C "version", NULL},
		{{AT(76, "\3")}, C "type", "3"},
		{{AT(424, "x")}, C "parent", NULL},
		{{AT(392, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")}, C "id", NULL},
		{{AT(388, "\7")}, C "data's place", NULL},
		{{AT(388, "\1")}, C "map", NULL},
	};
#undef C
	(void)state;
	RUN("vdi", NULL, cases);
}

/* --- qcow2 ------------------------------------------------------------- */

static void qcow2(void **state)
{
#define C "qcow2-header: "
	static const struct bad cases[] = {
		{{AT(0, "X")}, "format-is|" C "magic", "raw"},
		{{AT(15, "\x80")}, C "backing file", NULL},
		{{AT(35, "\1")}, C "encryption", NULL},
		{{AT(63, "\1")}, C "snapshots", NULL},
		{{AT(79, "\2")}, C "state", "corrupt"},
		{{AT(79, "\4")}, C "features", "0x4"},
		{{AT(23, "\x08")}, C "cluster size", "2^8"},
		{{AT(36, "\0\0\0\0")}, C "L1 entries", NULL},
		{{AT(47, "\1")}, C "L1 table", NULL},
		{{AT(48, "\0\1")}, C "refcount table", NULL},
	};
#undef C
	size_t n;
	INGOT_FREE unsigned char *old = make("qcow2-v2", &n);

	(void)state;
	RUN("qcow2", NULL, cases);
	check_bytes("qcow2", old, n, "", NULL);
	free(INGOT_TAKE(old));
	old = make("qcow2-zstd", &n);
	check_bytes("qcow2", old, n, "format-is", "qcow2-zstd");
	check_bytes("qcow2-v2", old, n, "format-is", "qcow2-zstd");
}

/* --- VMDK -------------------------------------------------------------- */

static void vmdk_sparse(void **state)
{
#define C "vmdk-sparse: "
	static const struct bad cases[] = {
		{{AT(0, "X")}, "format-is|" C "magic", NULL},
		{{AT(73, "\r\n")}, C "line ends", NULL},
		{{AT(72, "\1")}, C "unclean shutdown", NULL},
		{{AT(4, "\4")}, C "version", "4"},
		{{AT(8, "\1")}, C "flags", NULL},
		{{IN("monolithicSparse", 0, "x")}, C "descriptor's type", NULL},
		{{IN("parentCID=", 10, "0")}, C "parent", NULL},
		{{IN("RW 8192", 3, "9")}, C "extent, sectors", "9192"},
		{{AT(54, "\1")}, C "directories", NULL},
	};
#undef C
	(void)state;
	RUN("vmdk-sparse", NULL, cases);
}

static void vmdk_sparse_whose_copies_differ(void **state)
{
	size_t n;
	INGOT_FREE unsigned char *good = make("vmdk-sparse", &n);
	uint64_t directory = ingot_get_le64(good + 48) * 512; /* the redundant one */

	(void)state;
	good[ingot_get_le32(good + directory) * 512 + 4 * 300] ^= 1;
	check_bytes("vmdk-sparse", good, n, "vmdk-sparse: grain tables", "differ");
	ingot_put_le32(good + directory, 0x7fffffff);
	check_bytes("vmdk-sparse", good, n, "vmdk-sparse: grain tables", "outside");
	ingot_put_le32(good + directory, 0);
	check_bytes("vmdk-sparse", good, n, "vmdk-sparse: grain tables", "without its copy");
}

#define C     "esxi-stream-optimized: "
#define ORDER C "grains, tables, directory, footer, end"

static void vmdk_stream(void **state)
{
	static const struct bad cases[] = {
		{{AT(0, "X"), AT(-1024, "X")}, "format-is|" C "magic", NULL},
		{{AT(4, "\1"), AT(-1024 + 4, "\1")}, C "version", "1"},
		{{AT(-1024 + 200, "x")}, ORDER, "not a copy"},
		{{AT(-1024 + 56, "\1")}, ORDER "", "where the directory is"},
		{{AT(8, "\1\0\1"), AT(-1024 + 8, "\1\0\1")}, C "flags", NULL},
		{{AT(72, "\1"), AT(-1024 + 72, "\1")}, C "unclean shutdown", NULL},
		{{AT(75, "\n"), AT(-1024 + 75, "\n")}, C "line ends", NULL},
		{{AT(56, "\0")}, C "directory's place", NULL},
		{{AT(77, "\0"), AT(-1024 + 77, "\0")}, C "compression", NULL},
		{{IN("streamOptimized", 0, "x")}, C "descriptor's type", NULL},
		{{IN("parentCID=", 10, "0")}, C "parent", NULL},
		{{IN("RW 8192", 3, "9")}, C "extent, sectors", NULL},
		{{AT(65536 + 1, "\x90")}, ORDER "", "beyond the disk"},
		{{AT(65536 + 0, "\x40")}, ORDER "", "between two"},
		{{AT(65536 + 10, "\7")}, ORDER "", "too large"},
		{{AT(-512, "\1")}, ORDER, "wrong size"},
		{{AT(-512 + 12, "\7")}, ORDER, "unknown kind"},
		{{AT(-1024 - 512 + 12, "\0")}, ORDER, "wrong size"},
	};

	(void)state;
	RUN("vmdk", NULL, cases);
}

/* Where the walk through a stream stands, from its end: EOS, footer, its marker, directory, its
 * marker, table (four sectors), its marker. */
enum { DIRECTORY_END = -512 * 3, TABLE_AT_END = -512 * 9 };

static void vmdk_stream_in_order(void **state)
{
	static const struct bad cases[] = {
		{{AT(TABLE_AT_END, "\xee")}, ORDER "", "where its grains are"},
		{{AT(DIRECTORY_END - 512, "\xee")}, ORDER "", "where the tables are"},
	};
	size_t n;
	INGOT_FREE unsigned char *good = make("vmdk", &n), *longer = NULL;

	(void)state;
	RUN("vmdk", NULL, cases);
	check_bytes("vmdk", good, n - 512, ORDER "", "cut off");
	longer = calloc(1, n + 512);
	assert_non_null(longer);
	memcpy(longer, good, n);
	check_bytes("vmdk", longer, n + 512, C "end of the stream", "512 bytes");
}

/* The first two grains change places. */
static void vmdk_grains_out_of_order(void **state)
{
	size_t n, a, b;
	INGOT_FREE unsigned char *good = make("vmdk", &n);
	INGOT_FREE unsigned char *bad = malloc(n);

	(void)state;
	assert_non_null(bad);
	a = ingot_round_up(12 + ingot_get_le32(good + 65536 + 8), 512);
	b = ingot_round_up(12 + ingot_get_le32(good + 65536 + a + 8), 512);
	memcpy(bad, good, n);
	memcpy(bad + 65536, good + 65536 + a, b);
	memcpy(bad + 65536 + b, good + 65536, a);
	check_bytes("vmdk", bad, n, ORDER "", "not in order");
}

#undef C
#undef ORDER

/* --- OVA --------------------------------------------------------------- */

/* The manifest's digest of the description, which is the first member. */
static void repair_ova(unsigned char *data, size_t n)
{
	uint64_t size = strtoull((char *)data + 124, NULL, 8);
	unsigned char *line = memmem(data, n, "SHA256(disk.ovf)= ", 18);
	uint8_t digest[INGOT_SHA256_SIZE];
	char hex[INGOT_SHA256_TEXT];
	struct ingot_error err = {0};

	if (!line)
		return;
	assert_ok(ingot_sha256(data + 512, size, digest, &err));
	ingot_hex(digest, sizeof(digest), hex);
	memcpy(line + 18, hex, 64);
}

static void ova(void **state)
{
#define C "ovf: "
	static const struct bad cases[] = {
		{{IN("ovf:size=\"", 10, "9")}, C "References", "another size"},
		{{IN("ovf:href=\"", 10, "x")}, C "References|" C "disk's file", "not there"},
		{{IN("ovf:fileRef=\"", 13, "x")}, C "disk's file", "xile1"},
		{{IN("ovf:capacity=\"", 14, "9")}, C "disk's capacity", "9194304"},
		{{IN("Units=\"byte\"", 0, "Unitx")}, "", NULL}, /* bytes without it as well */
		{{IN("Units=\"byte\"", 7, "bits")}, C "disk's capacity", "0 bytes"},
		{{IN("#streamOptimized", 1, "x")}, C "disk's format", NULL},
		{{IN("<File ", 1, "Filx")}, C "References|" C "disk's file", "none"},
		{{IN("<Disk ", 1, "Disx")}, C "disk's file", "none"},
		{{IN("SHA256(disk.vmdk)= ", 19, "xx")}, C "manifest", "disk.vmdk"},
		{{IN("SHA256(disk.vmdk)= ", 4, "1")}, C "manifest", "not of SHA-256"},
		{{IN("SHA256(disk.vmdk)= ", 8, "k")}, C "manifest", "without a file"},
		{{AT(-1, "x")}, C "end of the archive", NULL},
	};
	static const struct bad unrepaired[] = {
		{{IN("SHA256(disk.ovf)= ", 18, "zz")}, C "manifest", "disk.ovf"},
		{{IN("<Name>", 6, "x")}, C "manifest", "disk.ovf"},
	};
	size_t n;
	INGOT_FREE unsigned char *good = make("ova", &n);

	(void)state;
	RUN("ova", repair_ova, cases);
	RUN("ova", NULL, unrepaired);
	/* GNU's magic in the first header, with its sum put right: 'r' + 0 + '0' + '0' is more. */
	memcpy(good + 257, "ustar  ", 8);
	(void)snprintf((char *)good + 148, 8, "%06o",
		       (unsigned)strtoul((char *)good + 148, NULL, 8) + 2 * ' ' - 2 * '0');
	check_bytes("ova", good, n, C "archive", "disk.ovf");
	check_bytes("ova", "", 0, "format-is|" C "archive|esxi-stream-optimized: header", NULL);
#undef C
}

/* --- GCE --------------------------------------------------------------- */

/*
 * A tar with a member of zeros in gzip; the caller frees it. Type S: they are the first piece of a
 * sparse one of 1 GiB.
 */
static unsigned char *make_gce(const char *name, const char *magic, char type, size_t disk,
			       size_t end, const char *behind, size_t *ret_n)
{
	struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(1);
	size_t n = 512 + disk + end, room = libdeflate_gzip_compress_bound(compressor, n);
	unsigned char *tar = calloc(1, n), *out = malloc(room);
	unsigned sum = 0;

	assert_true(compressor && tar && out);
	(void)snprintf((char *)tar, 100, "%s", name);
	(void)snprintf((char *)tar + 124, 12, "%011zo", disk);
	tar[156] = (unsigned char)type;
	if (type == 'S') {
		(void)snprintf((char *)tar + 386, 12, "%011o", 0);
		(void)snprintf((char *)tar + 398, 12, "%011zo", disk);
		(void)snprintf((char *)tar + 483, 12, "%011o", 1 << 30);
	}
	memcpy(tar + 257, magic, 8);
	memset(tar + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += tar[i];
	(void)snprintf((char *)tar + 148, 8, "%06o", sum);
	memcpy(tar + 512 + disk, behind, strlen(behind));
	*ret_n = libdeflate_gzip_compress(compressor, tar, n, out, room);
	assert_true(*ret_n > 0);
	libdeflate_free_compressor(compressor);
	free(tar);
	return out;
}

static void gce(void **state)
{
	static const struct {
		const char *name, *magic;
		char type;
		size_t disk, end;
		const char *behind, *want;
	} cases[] = {
		{"disk.raw", "ustar  \0", 'S', 1 << 20, 1024, "", ""},
		{"disk.img", "ustar  \0", '0', 1 << 20, 1024, "", "gce-tar: first member"},
		{"disk.raw",
		 "ustar\0"
		 "00",
		 '0', 1 << 20, 1024, "", "gce-tar: tar format"},
		{"disk.raw", "ustar  \0", '5', 1 << 20, 1024, "", "gce-tar: type"},
		{"disk.raw", "ustar  \0", '0', 1 << 20, 1024, "x", "gce-tar: members"},
		{"disk.raw", "ustar  \0", '0', 1 << 20, 512, "", "gce-tar: end"},
		{"disk.raw", "ustar  \0", '0', 1 << 20, 1024, "", "virtual-size-multiple"},
	};
	struct ingot_check_target target = check_target("gce");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		INGOT_SOURCE struct ingot_source *file = NULL;
		struct ingot_check_report report = {0};
		struct ingot_error err = {0};
		char failed[1024];
		size_t n;
		INGOT_FREE unsigned char *data =
			make_gce(cases[i].name, cases[i].magic, cases[i].type, cases[i].disk,
				 cases[i].end, cases[i].behind, &n);

		assert_ok(ingot_source_memory("file", data, n, &file, &err));
		assert_ok(ingot_check_source(file, &target, &report, &err));
		check_failures(&report, failed, sizeof(failed));
		/* What the reader makes of a broken tar is not what is asked here. */
		if (*cases[i].want ? !strstr(failed, cases[i].want) : *failed)
			fail_msg("case %zu: '%s' failed, not '%s'", i, failed, cases[i].want);
		assert_true(strncmp(cases[i].want, "gce", 3) == 0 || !strstr(failed, "gce-tar"));
		ingot_check_report_done(&report);
	}
	ingot_check_target_done(&target);
	check_bytes("gce", "no gzip", 7, "format-is|gce-tar: gzip|virtual-size-multiple", NULL);
}

/* --- the file itself --------------------------------------------------- */

/* Everything says what it should but the data, which does not unpack. */
static void damaged_data(void **state)
{
	INGOT_SOURCE struct ingot_source *file = NULL;
	struct ingot_check_target target = check_target("qcow2");
	struct ingot_check_report report = {0};
	struct ingot_error err = {0};
	size_t n;
	INGOT_FREE unsigned char *data = make("qcow2", &n);

	(void)state;
	memset(data + 66000, 0xff, 600);
	check_bytes("qcow2", data, n, "", NULL);
	assert_ok(ingot_source_memory("file", data, n, &file, &err));
	assert_ok(ingot_check_source(file, &target, &report, &err));
	assert_string_equal(report.lines[report.count - 1].name, "readable");
	assert_false(report.lines[report.count - 1].ok);
	assert_false(ingot_check_passed(&report));
	ingot_check_report_done(&report);
}

static void raw_sizes(void **state)
{
	static const unsigned char zeros[1024];

	(void)state;
	check_bytes("raw", zeros, 1024, "", NULL);
	check_bytes("raw", zeros, 1023, "virtual-size-multiple", "1023 bytes");
	check_bytes("raw", zeros, 0, "virtual-size-multiple", NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)
	const struct CMUnitTest tests[] = {
		TEST(vhd_fixed),
		TEST(vhd_whose_file_is_longer),
		TEST(vhd_dynamic),
		TEST(vhdx),
		TEST(vdi),
		TEST(qcow2),
		TEST(vmdk_sparse),
		TEST(vmdk_sparse_whose_copies_differ),
		TEST(vmdk_stream),
		TEST(vmdk_stream_in_order),
		TEST(vmdk_grains_out_of_order),
		TEST(ova),
		TEST(gce),
		TEST(damaged_data),
		TEST(raw_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
