/* The checker of FAT: quiet about what is whole, and no byte of metadata changes unnoticed. */
#include "flip_support.h"

#include <errno.h>

#include "fs/fat.h"
#include "fs/fat_check.h"

#define MIB (UINT64_C(1) << 20)

/* --- a volume, its used part in memory, the rest a hole ----------------- */

struct volume {
	struct ingot_source source;
	struct ingot_source *made, *content[2];
	unsigned char *bytes;
	unsigned char *free_bits; /* any value is a good one */
	size_t n;		  /* bytes in memory */
	uint32_t sector, reserved, table, cluster, bits;
	size_t tables_at, root_at, clusters_at;
	uint32_t used; /* clusters */
};

static int volume_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		       struct ingot_error *err)
{
	const struct volume *v = (const struct volume *)source;
	size_t part = offset < v->n ? (size_t)ingot_min(n, v->n - offset) : 0;

	(void)err;
	if (part)
		memcpy(data, v->bytes + offset, part);
	memset((unsigned char *)data + part, 0, n - part);
	return 0;
}

static int volume_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			 struct ingot_error *err)
{
	const struct volume *v = (const struct volume *)source;
	bool hole = offset >= v->n;

	(void)err;
	*ret = (struct ingot_extent){(hole ? source->size : v->n) - offset, hole};
	return 0;
}

/* The free clusters behind the last one in use are a hole, but for two. */
static void load(struct volume *v)
{
	static const struct ingot_source_ops ops = {volume_read, volume_extent, NULL};
	unsigned char boot[512];
	struct ingot_error err = {0};
	uint32_t width;

	assert_ok(ingot_source_read(v->made, 0, boot, sizeof(boot), &err));
	v->sector = ingot_get_le16(boot + 11);
	v->cluster = v->sector * boot[13];
	v->reserved = ingot_get_le16(boot + 14);
	v->bits = ingot_get_le16(boot + 22) ? 16 : 32;
	v->table =
		v->sector * (v->bits == 32 ? ingot_get_le32(boot + 36) : ingot_get_le16(boot + 22));
	v->tables_at = (size_t)v->reserved * v->sector;
	v->root_at = v->tables_at + 2 * (size_t)v->table;
	v->clusters_at = v->root_at + ingot_get_le16(boot + 17) * 32U;
	v->source = (struct ingot_source){&ops, "volume", v->made->size};
	v->bytes = calloc(1, v->table);
	assert_non_null(v->bytes);
	assert_ok(ingot_source_read(v->made, v->tables_at, v->bytes, v->table, &err));
	width = v->bits / 8;
	for (v->used = 0; v->bytes[(v->used + 2) * width] != 0; v->used++)
		;
	free(v->bytes);
	v->n = v->clusters_at + (size_t)(v->used + 2) * v->cluster;
	v->bytes = calloc(1, v->n);
	v->free_bits = calloc(1, v->n);
	assert_non_null(v->bytes);
	assert_non_null(v->free_bits);
	assert_ok(ingot_source_read(v->made, 0, v->bytes, v->n, &err));
}

static void volume_make(uint64_t size, uint32_t sector_size, struct volume *ret)
{
	static const unsigned char data[9000] = "data", more[100] = "more";
	struct ingot_fat_options options = {.size = size,
					    .sector_size = sector_size,
					    .volume_id = 0x12345678,
					    .label = "ESP",
					    .epoch = 1700000001};
	struct ingot_error err = {0};

	*ret = (struct volume){0};
	assert_ok(ingot_source_memory("data", data, sizeof(data), &ret->content[0], &err));
	assert_ok(ingot_source_memory("more", more, sizeof(more), &ret->content[1], &err));
	{
		const struct ingot_fat_file files[] = {
			{"EFI/BOOT/BOOTX64.EFI", ret->content[0]},
			{"EFI/Linux/a long name.efi", ret->content[0]},
			{"EFI/Linux/Another Long Name-1.efi", ret->content[1]},
			{"loader/loader.conf", ret->content[1]},
		};

		assert_ok(ingot_fat_source(&options, files, 4, &ret->made, &err));
	}
	load(ret);
}

static void volume_done(struct volume *v)
{
	free(v->bytes);
	free(v->free_bits);
	ingot_source_free(v->made);
	ingot_source_free(v->content[0]);
	ingot_source_free(v->content[1]);
}

/* --- checking ---------------------------------------------------------- */

static int check(struct ingot_source *source, enum whose whose, struct ingot_problems *problems,
		 struct ingot_error *err)
{
	struct ingot_fat_check seen;

	return ingot_fat_check(source, whose == OURS ? INGOT_FAT_OURS : INGOT_FAT_ANY, problems,
			       &seen, err);
}

static void a_whole_one_passes(void **state)
{
	struct ingot_problems problems = {0};
	struct ingot_fat_check seen;
	struct ingot_error err = {0};
	struct volume v;

	(void)state;
	volume_make(34 * MIB, 512, &v);
	assert_whole(&v.source);
	assert_ok(ingot_fat_check(&v.source, INGOT_FAT_OURS, &problems, &seen, &err));
	assert_int_equal(seen.bits, 32);
	assert_int_equal(seen.sector_size, 512);
	assert_int_equal(seen.files, 4);
	assert_int_equal(seen.folders, 4);
	assert_int_equal(seen.free_clusters, seen.clusters - v.used);
	volume_done(&v);
	volume_make(300 * MIB, 4096, &v);
	assert_whole(&v.source);
	volume_done(&v);
	volume_make(20 * MIB, 4096, &v);
	assert_whole(&v.source);
	assert_ok(ingot_fat_check(&v.source, INGOT_FAT_OURS, &problems, &seen, &err));
	assert_int_equal(seen.bits, 16);
	volume_done(&v);
}

/* --- every byte --------------------------------------------------------- */

static void set_free(struct volume *v, size_t at, size_t n)
{
	memset(v->free_bits + at, 0xff, n);
}

/* Contents of files, long names, and the sizes that a file may have in its clusters. */
static void free_folder(struct volume *v, size_t at)
{
	for (unsigned char *e = v->bytes + at; e[0]; e += 32, at += 32) {
		size_t cluster = ingot_get_le16(e + 26), size = ingot_get_le32(e + 28);

		if (e[11] == 0x0f) {
			set_free(v, at + 1, 10);
			set_free(v, at + 14, 12);
			set_free(v, at + 28, 4);
		}
		/* Without a long name nothing holds a short one. */
		if (e[11] != 0x0f && e[0] != '.' && e[11] != 0x08 && at >= 32 &&
		    e[-32 + 11] != 0x0f)
			set_free(v, at, 11);
		if (e[11] == 0x20) {
			set_free(v, v->clusters_at + (cluster - 2) * v->cluster, size);
			set_free(v, at + 28, 2);
		}
		if (e[11] == 0x10 && e[0] != '.')
			free_folder(v, v->clusters_at + (cluster - 2) * v->cluster);
	}
}

/* Amid zeros: one byte of some is enough. */
static bool is_desert(const struct volume *v, size_t at)
{
	return at >= 32 && at + 32 < v->n && v->bytes[at - 32] == 0 &&
	       memcmp(v->bytes + at - 32, v->bytes + at - 31, 63) == 0;
}

static struct flips flips_of(struct volume *v)
{
	return (struct flips){.source = &v->source, .bytes = v->bytes, .free_bits = v->free_bits};
}

static void flip_all(struct volume *v, size_t table_step)
{
	size_t table_used = ((size_t)v->used + 2) * v->bits / 8;
	struct flips flips = flips_of(v);

	for (size_t at = 0; at < v->n; at++) {
		bool table = at >= v->tables_at && at < v->root_at &&
			     (at - v->tables_at) % v->table > table_used;

		if (!(table && at % table_step) && !(is_desert(v, at) && at % 9))
			flip_byte(&flips, at);
	}
	assert_none_missed(&flips);
}

static void no_byte_of_fat16_changes_unnoticed(void **state)
{
	struct volume v;

	(void)state;
	volume_make(20 * MIB, 4096, &v);
	set_free(&v, 28, 4); /* hidden sectors */
	set_free(&v, 39, 4); /* volume identifier */
	free_folder(&v, v.root_at);
	flip_all(&v, 7);
	volume_done(&v);
}

static void no_byte_of_fat32_changes_unnoticed(void **state)
{
	struct volume v;

	(void)state;
	volume_make(34 * MIB, 512, &v);
	free_folder(&v, v.clusters_at);
	flip_all(&v, 997);
	volume_done(&v);
}

/* --- said in words ------------------------------------------------------ */

static size_t entry_of(const struct volume *v, size_t folder, const char *short_name)
{
	size_t at = v->clusters_at + (folder - 2) * v->cluster;

	for (; v->bytes[at]; at += 32)
		if (memcmp(v->bytes + at, short_name, 11) == 0 && v->bytes[at + 11] != 0x0f)
			return at;
	fail_msg("no '%s'", short_name);
	return 0;
}

static void mistakes_have_names(void **state)
{
	size_t efi, boot, file, t;
	uint32_t first;
	struct volume v;
	struct flips flips;

	(void)state;
	volume_make(34 * MIB, 512, &v);
	flips = flips_of(&v);
	t = v.tables_at;
	efi = entry_of(&v, 2, "EFI        ");
	boot = entry_of(&v, ingot_get_le16(v.bytes + efi + 26), "BOOT       ");
	file = entry_of(&v, ingot_get_le16(v.bytes + boot + 26), "BOOTX64 EFI");
	first = ingot_get_le16(v.bytes + file + 26);
	assert_says(&flips, 32, 1, "the tables leave no room for data");
	assert_says(&flips, 36, 1, "its table is too short");
	assert_says(&flips, 512 + 488, 7, "FSInfo: it counts 7 free clusters, there are");
	assert_says(&flips, 512, 7, "FSInfo: its signatures");
	assert_says(&flips, 6 * 512 + 67, 7, "its copy in sector 6 differs");
	assert_says(&flips, t, 7, "number 0 is 0x7");
	assert_says(&flips, t + 4, 0x07ffffff, "not unmounted cleanly");
	assert_says(&flips, t + 4 * first, 2, "cluster 2 is used twice");
	assert_says(&flips, t + 4 * first, first, "is used twice");
	assert_says(&flips, t + 4 * first, 0, "is free in the table");
	assert_says(&flips, t + 4 * first, 0x0ffffff7, "is bad in the table");
	assert_says(&flips, t + 4 * first, 0x0ffffff0, "which is not there");
	assert_says(&flips, t + 4 * first, 0x0fffffff, "9000 bytes in 1 clusters");
	assert_says(&flips, t + 4 * first, 0x0fffffff, "17 lost clusters");
	assert_says(&flips, t + 4 * (v.used + 5), 0x0fffffff, "1 lost clusters");
	assert_says(&flips, t + v.table + 4 * first, 0, "the second one differs");
	assert_says(&flips, file + 28, 1, "'EFI/BOOT/BOOTX64.EFI': 1 bytes in 18 clusters");
	assert_says(&flips, file, 0x41613141, "a character that none has");
	assert_says(&flips, boot + 28, 1, "a folder with a size");
	volume_done(&v);
}

static void other_things_are_none(void **state)
{
	static const unsigned char zeros[4096];
	struct ingot_problems problems = {0};
	struct ingot_source *source;
	struct ingot_error err = {0};

	(void)state;
	assert_ok(ingot_source_memory("zeros", zeros, sizeof(zeros), &source, &err));
	assert_fails(ingot_fat_check(source, INGOT_FAT_ANY, &problems, NULL, &err), -ENODATA,
		     "'zeros' is no FAT volume");
	ingot_source_free(source);
	assert_false(ingot_problems_any(&problems));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_one_passes),
		cmocka_unit_test(no_byte_of_fat16_changes_unnoticed),
		cmocka_unit_test(no_byte_of_fat32_changes_unnoticed),
		cmocka_unit_test(mistakes_have_names),
		cmocka_unit_test(other_things_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
