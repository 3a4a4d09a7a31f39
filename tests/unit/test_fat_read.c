/* FAT volumes read back: ours, and ours damaged by hand. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fs/fat.h"
#include "fs/fat_read.h"
#include "unit.h"

#define MIB (1024U * 1024U)

/* A volume in memory, to be damaged, and what a walk over it found. */
struct fixture {
	unsigned char *bytes;
	size_t size;
	struct ingot_source *source;
	struct ingot_fat_volume volume;
	char found[8192]; /* "path=size\n", folders "path/\n" */
};

static struct ingot_source *content(size_t n)
{
	struct ingot_source *source;
	INGOT_FREE char *data = malloc(n + 1);

	if (!data)
		abort();
	for (size_t i = 0; i < n; i++)
		data[i] = (char)('a' + i / 512 % 26);
	if (ingot_source_memory("content", data, n, &source, NULL) < 0)
		abort();
	return source;
}

static void make(struct fixture *f, unsigned bits, const struct ingot_fat_file *files, size_t count)
{
	struct ingot_fat_options options = {.size = bits == 32 ? 34 * MIB : 17 * MIB,
					    .sector_size = bits == 32 ? 512 : 4096,
					    .volume_id = 0x1de0c0de,
					    .label = "some label",
					    .epoch = 1767225600};
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct ingot_error err = {0};

	*f = (struct fixture){.size = options.size};
	assert_ok(ingot_fat_source(&options, files, count, &source, &err));
	assert_ok(ingot_source_load(source, 64 * MIB, (char **)&f->bytes, &f->size, &err));
}

static void done(struct fixture *f)
{
	ingot_source_free(f->source);
	free(f->bytes);
}

/* The bytes as they are now. */
static int open_volume(struct fixture *f, struct ingot_error *err)
{
	int rc;

	ingot_source_free(f->source);
	f->source = NULL;
	rc = ingot_source_memory("volume", f->bytes, f->size, &f->source, err);
	return rc < 0 ? rc : ingot_fat_open(f->source, &f->volume, err);
}

static int note(void *context, const struct ingot_fat_entry *entry, struct ingot_error *err)
{
	struct fixture *f = context;
	size_t at = strlen(f->found);

	(void)err;
	if (entry->folder)
		(void)snprintf(f->found + at, sizeof(f->found) - at, "%s/\n", entry->path);
	else
		(void)snprintf(f->found + at, sizeof(f->found) - at, "%s=%u\n", entry->path,
			       entry->size);
	return 0;
}

static int walk(struct fixture *f, struct ingot_error *err)
{
	int rc = open_volume(f, err);

	f->found[0] = '\0';
	return rc < 0 ? rc : ingot_fat_walk(&f->volume, note, f, err);
}

struct wanted {
	const char *path;
	struct ingot_fat_entry entry;
};

static int pick(void *context, const struct ingot_fat_entry *entry, struct ingot_error *err)
{
	struct wanted *wanted = context;

	(void)err;
	if (strcmp(entry->path, wanted->path) == 0) {
		wanted->entry = *entry;
		wanted->entry.path = wanted->path;
	}
	return 0;
}

static int open_file(struct fixture *f, const char *path, struct ingot_source **ret,
		     struct ingot_error *err)
{
	struct wanted wanted = {.path = path};
	int rc = open_volume(f, err);

	if (rc == 0)
		rc = ingot_fat_walk(&f->volume, pick, &wanted, err);
	if (rc == 0)
		assert_non_null(wanted.entry.path);
	return rc < 0 ? rc : ingot_fat_file_source(&f->volume, &wanted.entry, ret, err);
}

static void put_next(struct fixture *f, uint32_t cluster, uint32_t next)
{
	unsigned char *entry = f->bytes + f->volume.table + (size_t)cluster * f->volume.bits / 8;

	if (f->volume.bits == 32)
		ingot_put_le32(entry, next);
	else
		ingot_put_le16(entry, (uint16_t)next);
}

static unsigned char *cluster_bytes(struct fixture *f, uint32_t cluster)
{
	return f->bytes + f->volume.data + (size_t)(cluster - 2) * f->volume.cluster_size;
}

/* --- sound volumes ----------------------------------------------------- */

static void test_names_and_sizes(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content(1);
	INGOT_SOURCE struct ingot_source *big = content(100000);
	INGOT_SOURCE struct ingot_source *none = content(0);
	char path[300], deep[300] = "", want[8192];
	struct ingot_error err = {0};

	(void)state;
	memset(path, 'x', 255);
	path[255] = '\0';
	for (int i = 0; i < 60; i++)
		strcat(deep, i ? "/d" : "d");
	strcat(deep, "/file");
	const struct ingot_fat_file files[] = {
		{"EFI/BOOT/BOOTX64.EFI", big},
		{"Gr\xc3\xbc\xc3\x9f"
		 "e/\xf0\x9f\x90\x8c.txt",
		 x}, /* outside the BMP: two units */
		{"PLAIN", none},
		{deep, x},
		{"exactly13unit", x}, /* no zero behind the name */
		{path, x},
	};

	for (unsigned bits = 16; bits <= 32; bits += 16) {
		struct fixture f;
		size_t at = 0;

		make(&f, bits, files, 6);
		assert_ok(walk(&f, &err));
		assert_int_equal(f.volume.bits, bits);
		assert_string_equal(f.volume.label, "SOME LABEL");
		assert_int_equal(f.volume.volume_id, 0x1de0c0de);
		at += (size_t)sprintf(want, "EFI/\nEFI/BOOT/\nEFI/BOOT/BOOTX64.EFI=100000\n"
					    "Gr\xc3\xbc\xc3\x9f"
					    "e/\n"
					    "Gr\xc3\xbc\xc3\x9f"
					    "e/\xf0\x9f\x90\x8c.txt=1\nPLAIN=0\n");
		for (size_t i = 1; i < 2 * 60; i += 2)
			at += (size_t)sprintf(want + at, "%.*s/\n", (int)i, deep);
		(void)sprintf(want + at, "%s=1\nexactly13unit=1\n%s=1\n", deep, path);
		assert_string_equal(f.found, want);
		done(&f);
	}
}

static void assert_same(struct ingot_source *a, struct ingot_source *b)
{
	INGOT_FREE char *x = NULL, *y = NULL;
	struct ingot_error err = {0};
	size_t n, m;

	assert_ok(ingot_source_load(a, MIB, &x, &n, &err));
	assert_ok(ingot_source_load(b, MIB, &y, &m, &err));
	assert_int_equal(n, m);
	assert_memory_equal(x, y, n);
}

static void test_contents_whole_and_in_pieces(void **state)
{
	INGOT_SOURCE struct ingot_source *big = content(20000);
	INGOT_SOURCE struct ingot_source *none = content(0);
	const struct ingot_fat_file files[] = {{"A", none}, {"B", big}};
	struct ingot_error err = {0};

	(void)state;
	for (unsigned bits = 16; bits <= 32; bits += 16) {
		INGOT_SOURCE struct ingot_source *whole = NULL, *empty = NULL, *pieces = NULL;
		struct ingot_extent run;
		struct wanted b = {.path = "B"};
		struct fixture f;
		uint32_t first, far = 2000;

		make(&f, bits, files, 2);
		assert_ok(open_file(&f, "B", &whole, &err));
		assert_same(whole, big);
		ingot_source_free(INGOT_TAKE(whole));
		assert_ok(open_file(&f, "A", &empty, &err));
		assert_int_equal(empty->size, 0);

		/* The second and third cluster go far away, in the wrong order. */
		assert_ok(ingot_fat_walk(&f.volume, pick, &b, &err));
		first = b.entry.cluster;
		for (uint32_t i = 1; i < 3; i++) {
			memcpy(cluster_bytes(&f, far - i), cluster_bytes(&f, first + i),
			       f.volume.cluster_size);
			memset(cluster_bytes(&f, first + i), 'Z', f.volume.cluster_size);
			put_next(&f, far - i, i == 2 ? first + 3 : far - 2);
		}
		put_next(&f, first, far - 1);
		assert_ok(open_file(&f, "B", &pieces, &err));
		assert_same(pieces, big);
		assert_ok(ingot_source_extent(pieces, 10, &run, &err));
		assert_int_equal(run.length, f.volume.cluster_size - 10);
		assert_ok(ingot_source_extent(pieces, 3 * f.volume.cluster_size, &run, &err));
		assert_int_equal(run.length, 20000 - 3 * f.volume.cluster_size);
		ingot_source_free(INGOT_TAKE(pieces));
		done(&f);
	}
}

static void test_short_names_of_others(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content(1);
	const struct ingot_fat_file file = {"NAME.EXT", x};
	static const struct {
		const char name[12];
		unsigned char flags;
		const char *want;
	} cases[] = {
		{"NAME    EXT", 0x00, "NAME.EXT"},
		{"NAME    EXT", 0x08, "name.EXT"},
		{"NAME    EXT", 0x10, "NAME.ext"},
		{"NAME    EXT", 0x18, "name.ext"},
		{"A B     C D", 0x00, "A B.C D"},
		{"NAME       ", 0x00, "NAME"},
		{"\x05"
		 "AB     EXT",
		 0x00, "?AB.EXT"},
		{"A\x1b/     EXT", 0x00, "A??.EXT"},
		{"           ", 0x00, "?"},
		{"        EXT", 0x00, ".EXT"},
	};
	struct ingot_error err = {0};
	struct fixture f;
	unsigned char *entry;

	(void)state;
	make(&f, 16, &file, 1);
	assert_ok(open_volume(&f, &err));
	entry = f.bytes + f.volume.root + 32; /* behind the label */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[32];

		memcpy(entry, cases[i].name, 11);
		entry[12] = cases[i].flags;
		ingot_put_le16(entry + 20, 0xffff); /* not a part of the number on FAT16 */
		(void)snprintf(want, sizeof(want), "%s=1\n", cases[i].want);
		assert_ok(walk(&f, &err));
		assert_string_equal(f.found, want);
		{
			INGOT_SOURCE struct ingot_source *got = NULL;

			assert_ok(open_file(&f, cases[i].want, &got, &err));
			assert_same(got, x);
		}
	}
	entry[0] = 0xe5;
	assert_ok(walk(&f, &err));
	assert_string_equal(f.found, "");
	done(&f);
}

/* --- long names by hand ------------------------------------------------ */

static void test_long_names_that_are_not_whole(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content(1);
	const struct ingot_fat_file file = {"a name of 27 units, in 3 ps", x};
	struct ingot_error err = {0};
	struct fixture f;
	unsigned char *piece, saved[4 * 32];

	(void)state;
	make(&f, 16, &file, 1);
	assert_ok(walk(&f, &err));
	assert_string_equal(f.found, "a name of 27 units, in 3 ps=1\n");
	piece = f.bytes + f.volume.root + 32;
	memcpy(saved, piece, sizeof(saved));
	for (int damage = 0; damage < 7; damage++) {
		memcpy(piece, saved, sizeof(saved));
		switch (damage) {
		case 0:
			piece[0] = 0xe5;
			break; /* the first piece is deleted */
		case 1:
			piece[32] = 0xe5;
			break; /* one in the middle */
		case 2:
			piece[64] = 0x02;
			break; /* a number twice */
		case 3:
			piece[13] ^= 1;
			break; /* another's checksum */
		case 4:
			piece[96] = 'X';
			break; /* the short name is another one */
		case 5:
			piece[0] = 0x40;
			break; /* no number */
		case 6:
			piece[0] = 0x7f;
			break; /* more than 20 pieces */
		}
		assert_ok(walk(&f, &err));
		assert_string_equal(f.found, damage == 4 ? "XNAMEO~1=1\n" : "ANAMEO~1=1\n");
	}
	memcpy(piece, saved, sizeof(saved));
	ingot_put_le16(piece + 64 + 1, '/');
	ingot_put_le16(piece + 64 + 3, 0x9b); /* what some terminals obey */
	ingot_put_le16(piece + 64 + 5, 0xdc00);
	assert_ok(walk(&f, &err));
	assert_string_equal(f.found, "??\xef\xbf\xbd"
				     "ame of 27 units, in 3 ps=1\n");
	for (size_t i = 1; i < 3; i++)
		ingot_put_le16(piece + 64 + 2 * i - 1, '.');
	ingot_put_le16(piece + 64 + 5, 0);
	assert_ok(walk(&f, &err));
	assert_string_equal(f.found, "ANAMEO~1=1\n"); /* ".." is no name */
	done(&f);
}

/* --- damage ------------------------------------------------------------ */

static void test_chains_that_go_wrong(void **state)
{
	INGOT_SOURCE struct ingot_source *big = content(20000);
	const struct ingot_fat_file file = {"B", big};
	struct ingot_error err = {0};

	(void)state;
	for (unsigned bits = 16; bits <= 32; bits += 16) {
		INGOT_SOURCE struct ingot_source *got = NULL;
		const uint32_t bad[] = {0, 1, bits == 32 ? 0x0ffffff7 : 0xfff7};
		struct wanted b = {.path = "B"};
		struct fixture f;
		uint32_t first;

		make(&f, bits, &file, 1);
		assert_ok(open_volume(&f, &err));
		assert_ok(ingot_fat_walk(&f.volume, pick, &b, &err));
		first = b.entry.cluster;
		for (size_t i = 0; i < 3; i++) {
			put_next(&f, first + 1, bad[i]);
			assert_fails(open_file(&f, "B", &got, &err), -EINVAL, "not there");
		}
		put_next(&f, first + 1, f.volume.cluster_count + 2);
		assert_fails(open_file(&f, "B", &got, &err), -EINVAL, "not there");
		put_next(&f, first + 1, 0x0fffffff);
		assert_fails(open_file(&f, "B", &got, &err), -EINVAL, "shorter than the file");
		put_next(&f, first + 1, first); /* a loop is as long as the file says */
		assert_ok(open_file(&f, "B", &got, &err));
		assert_int_equal(got->size, 20000);
		b.entry.size = UINT32_MAX;
		assert_fails(ingot_fat_file_source(&f.volume, &b.entry, &(struct ingot_source *){0},
						   &err),
			     -EINVAL, "larger than the volume");
		b.entry.size = 1;
		b.entry.cluster = 0;
		assert_fails(ingot_fat_file_source(&f.volume, &b.entry, &(struct ingot_source *){0},
						   &err),
			     -EINVAL, "starts at a cluster that is not there");
		done(&f);
	}
}

static void test_folders_that_go_wrong(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content(1);
	const struct ingot_fat_file files[] = {{"A/B/C", x}, {"D", x}};
	struct ingot_error err = {0};
	struct fixture f;
	unsigned char *root, *a, *b;

	(void)state;
	make(&f, 32, files, 2);
	assert_ok(walk(&f, &err));
	assert_string_equal(f.found, "A/\nA/B/\nA/B/C=1\nD=1\n");
	root = cluster_bytes(&f, f.volume.root_cluster);
	a = cluster_bytes(&f, ingot_get_le16(root + 32 + 26));
	b = a + 64; /* behind "." and ".." */
	const uint16_t b_cluster = ingot_get_le16(b + 26);

	ingot_put_le16(b + 26, ingot_get_le16(root + 32 + 26));
	assert_fails(walk(&f, &err), -EINVAL, "a folder is in itself");
	ingot_put_le16(b + 26, (uint16_t)f.volume.root_cluster);
	assert_fails(walk(&f, &err), -EINVAL, "a folder is in itself");
	ingot_put_le16(b + 26, 1);
	assert_fails(walk(&f, &err), -EINVAL, "a folder starts at a cluster");
	ingot_put_le16(b + 26, b_cluster);
	ingot_put_le16(b + 20, 0x0fff);
	assert_fails(walk(&f, &err), -EINVAL, "a folder starts at a cluster");
	ingot_put_le16(b + 20, 0);

	/* The same folder again and again, in its own chain: full of entries, so it is too many. */
	for (size_t i = 1; i < f.volume.cluster_size / 32; i++)
		memcpy(root + 32 * i, "X          \x20", 12);
	put_next(&f, f.volume.root_cluster, f.volume.root_cluster);
	assert_fails(walk(&f, &err), -EINVAL, "too many entries");
	put_next(&f, f.volume.root_cluster, 1);
	assert_fails(walk(&f, &err), -EINVAL, "a chain leads to a cluster that is not there");
	done(&f);
}

/* 64 folders side by side in each of three that are chained: 64^3, were there no end. */
static void test_folders_that_share_a_folder(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content(1);
	const struct ingot_fat_file file = {"A/B/C/D", x};
	struct ingot_error err = {0};
	struct fixture f;

	(void)state;
	make(&f, 16, &file, 1);
	assert_ok(open_volume(&f, &err));
	for (uint32_t cluster = 2; cluster < 5; cluster++) {
		unsigned char *folder = cluster_bytes(&f, cluster);

		for (size_t i = 2; i < f.volume.cluster_size / 32; i++) {
			memcpy(folder + 32 * i, "X          \x10", 12);
			ingot_put_le16(folder + 32 * i + 26, (uint16_t)(cluster + 1));
		}
	}
	put_next(&f, 5, 0xffff);
	assert_fails(walk(&f, &err), -EINVAL, "too many entries");
	done(&f);
}

static void test_boot_sectors_that_are_none(void **state)
{
	static const struct {
		size_t at;
		unsigned char value;
		int rc;
		const char *words;
	} cases[] = {
		{510, 0, -ENODATA, "no FAT"},
		{0, 0, -ENODATA, "no FAT"},
		{12, 3, -ENODATA, "no FAT"},
		{12, 0x20, -ENODATA, "no FAT"},
		{13, 0, -ENODATA, "no FAT"},
		{13, 3, -ENODATA, "no FAT"},
		{16, 0, -ENODATA, "no FAT"},
		{16, 3, -ENODATA, "no FAT"},
		{21, 0, -ENODATA, "no FAT"},
		{14, 0, -EINVAL, "no room for data"},
		{35, 0xff, -EINVAL, "larger than"},
		{39, 0xff, -EINVAL, "no room for data"},
		{36, 1, -EINVAL, "table is too short"},
	};
	INGOT_SOURCE struct ingot_source *x = content(1);
	const struct ingot_fat_file file = {"A", x};
	struct ingot_error err = {0};
	struct fixture f;

	(void)state;
	make(&f, 32, &file, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char before = f.bytes[cases[i].at];

		f.bytes[cases[i].at] = cases[i].value;
		if (cases[i].at == 36)
			f.bytes[37] = 0;
		assert_fails(open_volume(&f, &err), cases[i].rc, cases[i].words);
		f.bytes[cases[i].at] = before;
	}
	f.size = 511;
	assert_fails(open_volume(&f, &err), -ENODATA, "no FAT");
	done(&f);
}

static void test_fat12_is_not_read(void **state)
{
	INGOT_SOURCE struct ingot_source *x = content(1);
	const struct ingot_fat_file file = {"A", x};
	struct ingot_error err = {0};
	struct fixture f;

	(void)state;
	make(&f, 16, &file, 1);
	ingot_put_le16(f.bytes + 19, 4000); /* sectors, of a cluster each */
	ingot_put_le32(f.bytes + 32, 0);
	assert_fails(open_volume(&f, &err), -ENODATA, "is FAT12");
	done(&f);
}

/* --- reads ------------------------------------------------------------- */

struct counted {
	struct ingot_source source;
	struct ingot_source *volume;
	unsigned reads;
};

static int counted_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
			struct ingot_error *err)
{
	struct counted *c = (struct counted *)source;

	c->reads++;
	return ingot_source_read(c->volume, offset, data, n, err);
}

static int ignore(void *context, const struct ingot_fat_entry *entry, struct ingot_error *err)
{
	(void)entry;
	(void)err;
	++*(unsigned *)context;
	return 0;
}

/* In a compressed container each read may be the unpacking of a whole piece. */
static void test_entries_are_not_read_one_by_one(void **state)
{
	enum { FILES = 500 };
	static const struct ingot_source_ops ops = {counted_read, NULL, NULL};
	static char names[FILES][16];
	static struct ingot_fat_file files[FILES];
	INGOT_SOURCE struct ingot_source *nothing = content(0);
	struct ingot_fat_volume volume;
	struct ingot_error err = {0};
	struct counted c = {0};
	struct fixture f;
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "F%zu", i);
		files[i] = (struct ingot_fat_file){.path = names[i], .content = nothing};
	}
	make(&f, 32, files, FILES);
	assert_ok(open_volume(&f, &err));
	c.volume = f.source;
	c.source = (struct ingot_source){&ops, "counted", f.size};
	assert_ok(ingot_fat_open(&c.source, &volume, &err));
	c.reads = 0;
	assert_ok(ingot_fat_walk(&volume, ignore, &seen, &err));
	assert_int_equal(seen, FILES);
	assert_in_range(c.reads, 1, FILES / 10);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_sizes),
		cmocka_unit_test(test_contents_whole_and_in_pieces),
		cmocka_unit_test(test_short_names_of_others),
		cmocka_unit_test(test_long_names_that_are_not_whole),
		cmocka_unit_test(test_chains_that_go_wrong),
		cmocka_unit_test(test_folders_that_go_wrong),
		cmocka_unit_test(test_folders_that_share_a_folder),
		cmocka_unit_test(test_boot_sectors_that_are_none),
		cmocka_unit_test(test_fat12_is_not_read),
		cmocka_unit_test(test_entries_are_not_read_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
