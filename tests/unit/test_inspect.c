/* Reports on images in memory: what is told, what is a problem, and what hostile ones may cost. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "boot/initrd.h"
#include "boot/uki.h"
#include "disk/gpt.h"
#include "fs/fat.h"
#include "image/inspect.h"
#include "pe_image.h"
#include "unit.h"
#include "verity/superblock.h"

#define MIB  (UINT64_C(1) << 20)
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct ingot_source *memory(const void *data, size_t n)
{
	struct ingot_source *source;

	if (ingot_source_memory("image", data, n, &source, NULL) < 0)
		abort();
	return source;
}

/* The report, which must be JSON for every reader; the caller frees it. */
static json_t *inspect(struct ingot_source *source)
{
	struct ingot_problems problems = {0};
	INGOT_FREE char *text = NULL;
	struct ingot_error err = {0};
	json_t *report = NULL, *again;

	assert_ok(ingot_inspect(source, &problems, &report, &err));
	ingot_problems_done(&problems);
	text = json_dumps(report, 0);
	assert_non_null(text);
	again = json_loads(text, JSON_ALLOW_NUL, NULL);
	assert_non_null(again);
	assert_true(json_equal(report, again));
	json_decref(again);
	return report;
}

static json_t *inspect_bytes(const void *data, size_t n)
{
	INGOT_SOURCE struct ingot_source *source = memory(data, n);

	return inspect(source);
}

/* report.A.B...: digits are an index. */
static const json_t *at(const json_t *o, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, ".");
		char key[64];

		assert_true(n < sizeof(key));
		memcpy(key, path, n);
		key[n] = '\0';
		o = *key >= '0' && *key <= '9' ? json_array_get(o, strtoul(key, NULL, 10))
					       : json_object_get(o, key);
		path += n + (path[n] == '.');
	}
	return o;
}

static const char *text_at(const json_t *o, const char *path)
{
	const char *text = json_string_value(at(o, path));

	return text ? text : "(nothing)";
}

static size_t problem_count(const json_t *report)
{
	return json_array_size(at(report, "problems"));
}

static void assert_problem(const json_t *report, const char *words)
{
	const json_t *problem;
	size_t i;

	json_array_foreach(at(report, "problems"), i,
			   problem) if (strstr(json_string_value(problem), words)) return;
	fail_msg("no problem says '%s'", words);
}

/* --- reads that fail --------------------------------------------------- */

/* The Nth read of a source fails, and all that follow. */
struct failing {
	struct ingot_source source;
	struct ingot_source *whole;
	unsigned left;
};

static int failing_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
			struct ingot_error *err)
{
	struct failing *failing = (struct failing *)source;

	if (failing->left == 0)
		return ingot_raise(err, -EIO, "read: the disk is broken");
	failing->left--;
	return ingot_source_read(failing->whole, offset, data, n, err);
}

static const struct ingot_source_ops FAILING_OPS = {failing_read, NULL, NULL};

/* An inspection during which only so many reads succeed; *left: how many of them were not made. */
static int inspect_failing(struct ingot_source *whole, unsigned *left, struct ingot_error *err)
{
	struct failing failing = {{&FAILING_OPS, "failing", whole->size}, whole, *left};
	struct ingot_problems problems = {0};
	json_t *report = NULL;
	int rc = ingot_inspect(&failing.source, &problems, &report, err);

	assert_true((rc == 0) == (report != NULL));
	json_decref(report);
	ingot_problems_done(&problems);
	*left = failing.left;
	return rc;
}

/* Whichever read it is: an error, never a report that leaves something out. */
static void fail_every_read(const void *data, size_t n)
{
	INGOT_SOURCE struct ingot_source *whole = memory(data, n);
	unsigned left = UINT_MAX, reads;
	struct ingot_error err = {0};

	assert_ok(inspect_failing(whole, &left, &err));
	reads = UINT_MAX - left;
	assert_true(reads > 10);
	for (unsigned i = 0; i < reads; i++) {
		left = i;
		assert_fails(inspect_failing(whole, &left, &err), -EIO, "the disk is broken");
	}
}

/* --- what may stand alone ---------------------------------------------- */

static void put_ext(unsigned char image[4096], const char *label, size_t n)
{
	memset(image, 0, 4096);
	ingot_put_le32(image + 1024 + 4, 4); /* blocks */
	ingot_put_le16(image + 1024 + 56, 0xef53);
	memcpy(image + 1024 + 120, label, n);
}

static void test_labels_of_any_bytes(void **state)
{
	static const struct {
		const char *label, *want;
	} cases[] = {
		{"", ""},
		{"ROOT", "ROOT"},
		{"\x80", "\\x80"},
		{"a\xff", "a\\xff"},
		{"\xc3\xb6", "\xc3\xb6"},
		{"\"\\\x1b[2J", "\"\\\x1b[2J"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
	};
	unsigned char image[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_ext(image, cases[i].label, strlen(cases[i].label));
		json_t *report = inspect_bytes(image, sizeof(image));

		assert_string_equal(text_at(report, "content.kind"), "ext2");
		assert_string_equal(text_at(report, "content.label"), cases[i].want);
		assert_int_equal(problem_count(report), 0);
		json_decref(report);
	}
	for (unsigned i = 0; i < 65536; i += 7) {
		const char label[] = {(char)i, (char)(i >> 8), (char)i};

		put_ext(image, label, sizeof(label));
		json_decref(inspect_bytes(image, sizeof(image)));
	}
}

static void test_empty_is_zero_throughout(void **state)
{
	unsigned char *image = calloc(1, MIB);
	json_t *report;

	(void)state;
	assert_non_null(image);
	report = inspect_bytes(image, MIB);
	assert_string_equal(text_at(report, "content.kind"), "empty");
	json_decref(report);
	image[MIB - 1] = 1;
	report = inspect_bytes(image, MIB);
	assert_true(json_is_null(at(report, "content")));
	assert_int_equal(json_integer_value(at(report, "size")), MIB);
	json_decref(report);
	free(image);
	report = inspect_bytes("", 0);
	assert_string_equal(text_at(report, "content.kind"), "empty");
	json_decref(report);
}

static void test_a_filesystem_that_claims_too_much(void **state)
{
	unsigned char image[4096];
	json_t *report;

	(void)state;
	put_ext(image, "x", 1);
	ingot_put_le32(image + 1024 + 4, 5);
	report = inspect_bytes(image, sizeof(image));
	assert_string_equal(text_at(report, "content.kind"), "ext");
	assert_problem(report, "cannot be true: 5 blocks of 1024 bytes, 0 free, in 4096 bytes");
	json_decref(report);
}

static void test_a_hash_tree_behind_a_filesystem(void **state)
{
	struct ingot_verity_superblock sb = {.params = ingot_verity_defaults(), .data_blocks = 1};
	unsigned char image[8192] = {0};
	json_t *report;

	(void)state;
	put_ext(image, "usr", 3);
	memcpy(sb.params.salt, "\xaa\xbb", sb.params.salt_size = 2);
	ingot_verity_superblock_encode(&sb, image + 4096);
	report = inspect_bytes(image, sizeof(image));
	assert_string_equal(text_at(report, "content.verity.salt"), "aabb");
	assert_int_equal(json_integer_value(at(report, "content.verity.hash_offset")), 4096);
	json_decref(report);
	report = inspect_bytes(image + 4096, 4096);
	assert_string_equal(text_at(report, "content.kind"), "verity");
	assert_int_equal(json_integer_value(at(report, "content.hash_offset")), 0);
	json_decref(report);
}

/* --- UKIs -------------------------------------------------------------- */

/* A UKI whose initrd ends in that segment; the caller frees it. */
static char *make_uki(const struct ingot_initrd_verity *verity, const char *cmdline, size_t *n)
{
	static const char os[] = "ID=x\nPRETTY_NAME=\"Some OS\"\n";
	uint8_t stub_bytes[PE_IMAGE_MAX], kernel_bytes[128] = "MZ";
	size_t stub_size = pe_image(stub_bytes, INGOT_PE_X86_64, 0x400);
	INGOT_SOURCE struct ingot_source *stub = memory(stub_bytes, stub_size);
	INGOT_SOURCE struct ingot_source *release = memory(os, strlen(os));
	INGOT_SOURCE struct ingot_source *line = memory(cmdline, strlen(cmdline));
	INGOT_SOURCE struct ingot_source *kernel = NULL, *initrd = NULL, *uki = NULL;
	struct ingot_error err = {0};
	char *data;

	kernel_bytes[60] = 64;
	memcpy(kernel_bytes + 64, "PE\0\0\x64\x86", 6);
	kernel = memory(kernel_bytes, sizeof(kernel_bytes));
	assert_ok(ingot_initrd_segment(verity, &initrd, &err));
	const struct ingot_uki_section sections[] = {
		{".osrel", release}, {".cmdline", line}, {".initrd", initrd}, {".linux", kernel}};

	assert_ok(ingot_uki_source(stub, sections, 4, &uki, &err));
	assert_ok(ingot_source_load(uki, MIB, &data, n, &err));
	return data;
}

static json_t *inspect_uki(const struct ingot_initrd_verity *verity, const char *cmdline)
{
	size_t n;
	INGOT_FREE char *uki = make_uki(verity, cmdline, &n);

	return inspect_bytes(uki, n);
}

static void test_the_root_hash_wherever_it_is(void **state)
{
	static const char pem[] = "-----BEGIN CERTIFICATE-----\n";
	static const struct ingot_initrd_certificate certificate = {pem, sizeof(pem) - 1};
	struct ingot_initrd_verity verity = {.root_hash = HASH,
					     .data_device = "PARTUUID=a",
					     .hash_device = "PARTUUID=a",
					     .hash_offset = 4096,
					     .signature = "0\x01x",
					     .signature_size = 3,
					     .epoch = 1};
	json_t *report;

	(void)state;
	report = inspect_uki(&verity, "quiet usrhash=ff");
	assert_string_equal(text_at(report, "content.kind"), "uki");
	assert_string_equal(text_at(report, "content.os"), "Some OS");
	assert_string_equal(text_at(report, "content.cmdline"), "quiet usrhash=ff");
	assert_string_equal(text_at(report, "content.root_hash"), HASH);
	assert_string_equal(text_at(report, "content.veritytab.volume"), "usr");
	assert_string_equal(text_at(report, "content.veritytab.root_hash"), HASH);
	assert_string_equal(text_at(report, "content.veritytab.options"),
			    "hash-offset=4096,root-hash-signature=/etc/usr.p7s");
	assert_true(json_is_true(at(report, "content.root_hash_signature")));
	json_decref(report);

	verity.systemd_version = 252;
	report = inspect_uki(&verity, "quiet");
	assert_string_equal(text_at(report, "content.root_hash"), HASH);
	assert_non_null(strstr(text_at(report, "content.verity_command"), "--hash-offset=4096"));
	assert_null(at(report, "content.veritytab"));
	json_decref(report);

	verity.data_device = verity.hash_device = NULL;
	verity.systemd_version = 0;
	verity.signature = NULL;
	verity.certificates = &certificate;
	verity.certificate_count = 1;
	report = inspect_uki(&verity, "xusrhash=bad usrhash=first usrhash=" HASH);
	assert_string_equal(text_at(report, "content.root_hash"), HASH); /* systemd: the last */
	assert_true(json_is_false(at(report, "content.root_hash_signature")));
	json_decref(report);
}

/* --- FAT --------------------------------------------------------------- */

/* 17 MiB in sectors of 4096, to be changed; the caller frees it. */
static char *make_fat(const struct ingot_fat_file *files, size_t count, size_t *n)
{
	const struct ingot_fat_options options = {.size = 17 * MIB, .sector_size = 4096};
	INGOT_SOURCE struct ingot_source *volume = NULL;
	struct ingot_error err = {0};
	char *data;

	assert_ok(ingot_fat_source(&options, files, count, &volume, &err));
	assert_ok(ingot_source_load(volume, 64 * MIB, &data, n, &err));
	return data;
}

static void test_files_of_a_fat_volume(void **state)
{
	uint8_t pe[PE_IMAGE_MAX];
	INGOT_SOURCE struct ingot_source *program = memory(pe, pe_image(pe, INGOT_PE_ARM64, 0x400));
	INGOT_SOURCE struct ingot_source *other = memory("x", 1);
	const struct ingot_fat_file files[] = {
		{"EFI/BOOT/BOOTAA64.efi", program}, {"EFI/x.efi", other}, {"y.efi.txt", program}};
	size_t n;
	INGOT_FREE char *volume = make_fat(files, 3, &n);
	json_t *report = inspect_bytes(volume, n);

	(void)state;
	assert_string_equal(text_at(report, "content.kind"), "fat16");
	assert_int_equal(json_array_size(at(report, "content.files")), 3);
	assert_string_equal(text_at(report, "content.files.0.path"), "EFI/BOOT/BOOTAA64.efi");
	assert_string_equal(text_at(report, "content.files.0.program.kind"), "efi");
	assert_string_equal(text_at(report, "content.files.0.program.machine"), "arm64");
	assert_null(at(report, "content.files.1.program"));
	assert_null(at(report, "content.files.2.program"));
	assert_int_equal(problem_count(report), 0);
	json_decref(report);
}

/*
 * A root that is full of programs, all with the same long chain: were the chain followed for each,
 * a volume of that kind could keep a reader busy for hours.
 */
static void test_programs_that_share_their_clusters(void **state)
{
	enum { SIZE = 15 * 1024 * 1024 };
	INGOT_FREE char *content = calloc(1, SIZE);
	INGOT_SOURCE struct ingot_source *program = NULL;
	size_t n, listed;
	INGOT_FREE char *volume = NULL;
	json_t *report;
	char *root;

	(void)state;
	assert_non_null(content);
	(void)pe_image((uint8_t *)content, INGOT_PE_X86_64, 0x400);
	program = memory(content, SIZE);
	volume = make_fat(&(struct ingot_fat_file){"A.EFI", program}, 1, &n);
	root = /* behind two tables */
		volume + ingot_get_le16(volume + 14) * 4096 +
		(size_t)2 * ingot_get_le16(volume + 22) * 4096;
	for (size_t i = 1; i < ingot_get_le16(volume + 17); i++)
		memcpy(root + 32 * i, root, 32);
	report = inspect_bytes(volume, n);
	listed = json_array_size(at(report, "content.files"));
	assert_true(listed > 256);
	assert_non_null(at(report, "content.files.255.program"));
	assert_null(at(report, "content.files.256.program"));
	assert_problem(report, "more EFI programs than are looked into");
	assert_int_equal(problem_count(report), 1);
	json_decref(report);
}

static void test_a_broken_chain_is_told(void **state)
{
	static const char content[8192];
	INGOT_SOURCE struct ingot_source *program = memory(content, sizeof(content));
	const struct ingot_fat_file file = {"A.EFI", program};
	size_t n;
	INGOT_FREE char *volume = make_fat(&file, 1, &n);
	json_t *report;

	(void)state;
	ingot_put_le16(volume + ingot_get_le16(volume + 14) * 4096 + 2 * 2, 1);
	report = inspect_bytes(volume, n);
	assert_int_equal(json_array_size(at(report, "content.files")), 1);
	assert_problem(report, "A.EFI: FAT volume: a chain leads to a cluster that is not there");
	json_decref(report);
}

/* --- disks ------------------------------------------------------------- */

enum { DISK = 2 * 1024 * 1024, LAST = DISK / 512 - 1 };

/* Two partitions of 64 KiB with a filesystem each, in sectors of 512; the caller frees it. */
static unsigned char *make_disk(void)
{
	INGOT_FREE struct ingot_gpt *gpt =
		calloc(1, sizeof(*gpt) + 2 * sizeof(struct ingot_gpt_partition));
	INGOT_SINK struct ingot_sink *sink = NULL;
	struct ingot_error err = {0};
	unsigned char *data, *copy = malloc(DISK);

	assert_non_null(gpt);
	assert_non_null(copy);
	gpt->disk_size = DISK;
	gpt->sector_size = 512;
	gpt->count = 2;
	memset(gpt->uuid.bytes, 0x11, 16);
	for (unsigned i = 0; i < 2; i++) {
		struct ingot_gpt_partition *p = &gpt->partitions[i];

		*p = (struct ingot_gpt_partition){.number = i + 1,
						  .start = MIB + 65536 * i,
						  .size = 65536,
						  .attributes = UINT64_C(0x9941) << 48};
		memset(p->type.bytes, 0x40, 16);
		memset(p->uuid.bytes, (int)(0x80 + i), 16);
		(void)snprintf(p->name, sizeof(p->name), "part\xc3\xb6%u", i + 1);
	}
	assert_ok(ingot_sink_memory(DISK, &sink, &data, &err));
	assert_ok(ingot_gpt_write(gpt, sink, &err));
	put_ext(data + MIB, "one", 3);
	put_ext(data + MIB + 65536, "two", 3);
	return memcpy(copy, data, DISK);
}

static void test_partitions(void **state)
{
	INGOT_FREE unsigned char *d = make_disk();
	json_t *report = inspect_bytes(d, DISK);

	(void)state;
	assert_string_equal(text_at(report, "content.kind"), "gpt");
	assert_int_equal(json_integer_value(at(report, "content.sector_size")), 512);
	assert_int_equal(json_array_size(at(report, "content.partitions")), 2);
	assert_string_equal(text_at(report, "content.partitions.1.label"), "part\xc3\xb6"
									   "2");
	assert_int_equal(json_integer_value(at(report, "content.partitions.1.start")), MIB + 65536);
	assert_string_equal(text_at(report, "content.partitions.1.attributes.raw"),
			    "0x9941000000000000");
	assert_int_equal(json_integer_value(at(report, "content.partitions.1.attributes.priority")),
			 1);
	assert_int_equal(json_integer_value(at(report, "content.partitions.1.attributes.tries")),
			 4);
	assert_true(json_is_true(at(report, "content.partitions.1.attributes.successful")));
	assert_true(json_is_true(at(report, "content.partitions.1.attributes.growfs")));
	assert_true(json_is_true(at(report, "content.partitions.1.attributes.read_only")));
	assert_true(json_is_true(at(report, "content.partitions.1.attributes.no_auto")));
	assert_string_equal(text_at(report, "content.partitions.1.content.label"), "two");
	assert_int_equal(problem_count(report), 0);
	json_decref(report);
}

static void test_a_damaged_table(void **state)
{
	INGOT_FREE unsigned char *d = make_disk();
	json_t *report;

	(void)state;
	d[512 + 60] ^= 1;
	report = inspect_bytes(d, DISK);
	assert_int_equal(json_array_size(at(report, "content.partitions")), 2);
	assert_problem(report, "its copy is good");
	json_decref(report);
	d[LAST * 512 + 60] ^= 1; /* now there is none, but there was one */
	report = inspect_bytes(d, DISK);
	assert_problem(report, "no GUID partition table: it does not match its checksum");
	json_decref(report);
	memset(d + 512, 0, 512);
	report = inspect_bytes(d, DISK);
	assert_int_equal(problem_count(report), 1);
	json_decref(report);
}

static void reseal(unsigned char *d, size_t sector, size_t entries)
{
	unsigned char *h = d + 512 * sector;

	ingot_put_le32(h + 88, ingot_crc32(0, d + 512 * entries, 16384));
	ingot_put_le32(h + 16, 0);
	ingot_put_le32(h + 16, ingot_crc32(0, h, 92));
}

static void test_overlapping_partitions_are_looked_into_once(void **state)
{
	INGOT_FREE unsigned char *d = make_disk();
	json_t *report;

	(void)state;
	for (size_t entries = 2; entries < LAST; entries += LAST - 32 - 2) {
		ingot_put_le64(d + 512 * entries + 128 + 32, MIB / 512);
		reseal(d, entries == 2 ? 1 : LAST, entries);
	}
	report = inspect_bytes(d, DISK);
	assert_problem(report, "partitions 1 and 2 overlap");
	assert_int_equal(problem_count(report), 1);
	assert_string_equal(text_at(report, "content.partitions.0.content.label"), "one");
	assert_true(json_is_null(at(report, "content.partitions.1.content")));
	json_decref(report);
}

static void test_every_read_may_fail(void **state)
{
	INGOT_FREE unsigned char *d = make_disk();
	uint8_t pe[PE_IMAGE_MAX];
	INGOT_SOURCE struct ingot_source *program =
		memory(pe, pe_image(pe, INGOT_PE_X86_64, 0x400));
	size_t n;
	INGOT_FREE char *volume = make_fat(&(struct ingot_fat_file){"A.EFI", program}, 1, &n);

	(void)state;
	memset(d + MIB, 0, 4096); /* a partition that is empty */
	fail_every_read(d, DISK);
	fail_every_read(volume, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels_of_any_bytes),
		cmocka_unit_test(test_empty_is_zero_throughout),
		cmocka_unit_test(test_a_filesystem_that_claims_too_much),
		cmocka_unit_test(test_a_hash_tree_behind_a_filesystem),
		cmocka_unit_test(test_the_root_hash_wherever_it_is),
		cmocka_unit_test(test_files_of_a_fat_volume),
		cmocka_unit_test(test_programs_that_share_their_clusters),
		cmocka_unit_test(test_a_broken_chain_is_told),
		cmocka_unit_test(test_partitions),
		cmocka_unit_test(test_a_damaged_table),
		cmocka_unit_test(test_overlapping_partitions_are_looked_into_once),
		cmocka_unit_test(test_every_read_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
