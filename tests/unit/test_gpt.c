#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/derive.h"
#include "base/digest.h"
#include "disk/gpt.h"
#include "disk/gpt_check.h"

#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

enum { DISK = 4 * 1024 * 1024 };

static struct ingot_gpt *sample(unsigned sector_size)
{
	static const struct ingot_gpt_partition parts[] = {
		{.number = 1,
		 .start = MIB,
		 .size = MIB,
		 .attributes = 0x0101000000000000,
		 .name = "USR-A"},
		{.number = 5,
		 .start = 2 * MIB,
		 .size = 4096,
		 .attributes = 0x9800000000000007,
		 .name = "gr\xc3\xb6\xc3\x9f \xe2\x82\xac"},
		{.number = 128,
		 .start = 3 * MIB,
		 .size = 8192,
		 .attributes = 0xffff000000000000,
		 .name = ""},
	};
	struct ingot_gpt *gpt = calloc(1, sizeof(*gpt) + sizeof(parts));

	assert_non_null(gpt);
	gpt->disk_size = DISK;
	gpt->sector_size = sector_size;
	gpt->count = 3;
	memcpy(gpt->partitions, parts, sizeof(parts));
	memset(gpt->uuid.bytes, 0x11, 16);
	gpt->uuid.bytes[0] = 0x01;
	for (size_t i = 0; i < 3; i++)
		for (unsigned b = 0; b < 16; b++) {
			gpt->partitions[i].type.bytes[b] = (uint8_t)(0x40 + 16 * i + b);
			gpt->partitions[i].uuid.bytes[b] = (uint8_t)(0x80 + 16 * i + b);
		}
	return gpt;
}

/* A disk with the sample on it; the caller frees the sink. */
static struct ingot_sink *sample_disk(unsigned sector_size, unsigned char **data)
{
	struct ingot_gpt *gpt = sample(sector_size);
	struct ingot_sink *disk;
	struct ingot_error err;

	assert_ok(ingot_sink_memory(DISK, &disk, data, &err));
	assert_ok(ingot_gpt_write(gpt, disk, &err));
	free(gpt);
	return disk;
}

/* Reads it; the complaints are these lines. The caller frees. NULL: no table. */
static struct ingot_gpt *read_back(const unsigned char *data, const char *want)
{
	struct ingot_problems complaints = {0};
	struct ingot_source *source;
	struct ingot_gpt *gpt = NULL;
	struct ingot_error err = {0};
	char *text;

	assert_ok(ingot_source_memory("d", data, DISK, &source, &err));
	if (ingot_gpt_read(source, &complaints, &gpt, &err) < 0)
		assert_int_equal(err.code, -ENODATA);
	text = ingot_problems_text(&complaints);
	assert_string_equal(text, want);
	free(text);
	ingot_problems_done(&complaints);
	ingot_source_free(source);
	return gpt;
}

/* Offsets of the specification, read by hand. */
static void bytes(void **state)
{
	unsigned char *d, zero[512] = {0};
	struct ingot_sink *disk = sample_disk(512, &d);
	const unsigned char *h = d + 512, *e = d + 1024;

	(void)state;
	assert_memory_equal(d, zero, 446); /* no boot code, no disk signature */
	assert_memory_equal(d + 446, "\x00\x00\x02\x00\xee\xff\xff\xff\x01\x00\x00\x00", 12);
	assert_int_equal(ingot_get_le32(d + 458), DISK / 512 - 1);
	assert_memory_equal(d + 462, zero, 48);
	assert_int_equal(ingot_get_le16(d + 510), 0xaa55);
	assert_memory_equal(h, "EFI PART\x00\x00\x01\x00\x5c\x00\x00\x00", 16);
	assert_int_equal(ingot_get_le64(h + 24), 1);
	assert_int_equal(ingot_get_le64(h + 32), DISK / 512 - 1);
	assert_int_equal(ingot_get_le64(h + 40), 34);
	assert_int_equal(ingot_get_le64(h + 48), DISK / 512 - 34);
	assert_memory_equal(h + 56, "\x11\x11\x11\x01\x11\x11\x11\x11", 8);
	assert_int_equal(ingot_get_le64(h + 72), 2);
	assert_int_equal(ingot_get_le32(h + 80), 128);
	assert_int_equal(ingot_get_le32(h + 84), 128);
	assert_int_equal(ingot_get_le32(h + 88), ingot_crc32(0, e, 16384));
	assert_memory_equal(e, "\x43\x42\x41\x40\x45\x44\x47\x46\x48\x49", 10);
	assert_int_equal(ingot_get_le64(e + 32), MIB / 512);
	assert_int_equal(ingot_get_le64(e + 40), 2 * MIB / 512 - 1);
	assert_int_equal(ingot_get_le64(e + 48), 0x0101000000000000);
	assert_memory_equal(e + 56, "U\0S\0R\0-\0A\0\0\0", 12);
	assert_memory_equal(e + 128, zero, 128); /* number 2 */
	e += 4 * 128;
	assert_int_equal(ingot_get_le64(e + 48), 0x9800000000000007);
	assert_memory_equal(e + 56, "g\0r\0\xf6\0\xdf\0 \0\xac\x20\0\0", 14);
	ingot_sink_free(disk);
}

static void round_trip(void **state)
{
	static const unsigned sizes[] = {512, 4096};

	(void)state;
	for (unsigned s = 0; s < 2; s++) {
		struct ingot_gpt *want = sample(sizes[s]), *gpt;
		unsigned char *d;
		struct ingot_sink *disk = sample_disk(sizes[s], &d);

		gpt = read_back(d, "");
		assert_int_equal(gpt->sector_size, sizes[s]);
		assert_int_equal(gpt->count, want->count);
		assert_memory_equal(&gpt->uuid, &want->uuid, 16);
		for (size_t i = 0; i < gpt->count; i++)
			assert_memory_equal(&gpt->partitions[i], &want->partitions[i],
					    sizeof(gpt->partitions[i]));
		free(gpt);
		free(want);
		ingot_sink_free(disk);
	}
}

/* Sets the checksums of the header at that sector right again. */
static void reseal(unsigned char *d, size_t sector, size_t entries)
{
	unsigned char *h = d + 512 * sector;

	ingot_put_le32(h + 88, ingot_crc32(0, d + 512 * entries, 16384));
	ingot_put_le32(h + 16, 0);
	ingot_put_le32(h + 16, ingot_crc32(0, h, 92));
}

static void damaged(void **state)
{
	const size_t last = DISK / 512 - 1;
	unsigned char *d;
	struct ingot_sink *disk = sample_disk(512, &d);
	struct ingot_gpt *gpt;

	(void)state;
	d[510] = 0;
	gpt = read_back(d, "d: there is no protective MBR in the first sector\n");
	free(gpt);
	d[510] = 0x55;
	d[600] ^= 1;
	gpt = read_back(d, "d: the partition table does not match its checksum, its copy is "
			   "good\n");
	assert_int_equal(gpt->count, 3);
	free(gpt);
	d[600] ^= 1;
	d[1024] ^= 1;
	gpt = read_back(d, "d: the partition table has entries that do not match their checksum, "
			   "its copy is good\n");
	assert_int_equal(gpt->partitions[0].type.bytes[3], 0x43);
	free(gpt);
	reseal(d, 1, 2);
	gpt = read_back(d, "d: the partition table and its copy differ\n");
	free(gpt);
	d[1024] ^= 1;
	reseal(d, 1, 2);
	d[512 * last + 40] ^= 1;
	gpt = read_back(d, "d: the copy of the partition table does not match its checksum\n");
	free(gpt);
	d[512] = 0;
	assert_null(read_back(d, ""));
	ingot_sink_free(disk);
}

/* Both tables agree, with good checksums, on a sector fewer than there is. */
static void usable(void **state)
{
	const size_t last = DISK / 512 - 1;
	static const struct {
		size_t at;
		uint64_t value;
		const char *want;
	} cases[] = {
		{40, 34, ""},
		{40, 35, "the usable sectors are not all between the table and its copy"},
		{48, DISK / 512 - 35,
		 "the usable sectors are not all between the table and its copy"},
	};
	unsigned char *d;
	struct ingot_sink *disk = sample_disk(512, &d);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		INGOT_SOURCE struct ingot_source *source = NULL;
		struct ingot_gpt_findings found;
		unsigned char kept[2][512];
		struct ingot_error err;

		memcpy(kept[0], d + 512, 512);
		memcpy(kept[1], d + 512 * last, 512);
		ingot_put_le64(d + 512 + cases[i].at, cases[i].value);
		ingot_put_le64(d + 512 * last + cases[i].at, cases[i].value);
		reseal(d, 1, 2);
		reseal(d, last, last - 32);
		assert_ok(ingot_source_memory("d", d, DISK, &source, &err));
		assert_ok(ingot_gpt_check(source, 512, &found, &err));
		assert_string_equal(found.primary, "");
		assert_string_equal(found.backup, "");
		assert_string_equal(found.agreement, cases[i].want);
		memcpy(d + 512, kept[0], 512);
		memcpy(d + 512 * last, kept[1], 512);
	}
	ingot_sink_free(disk);
}

/* Numbers with good checksums that no disk can have. */
static void hostile(void **state)
{
	static const struct {
		size_t at;
		unsigned width;
		uint64_t value;
		const char *words;
	} cases[] = {
		{12, 4, 0xffffffff, "has an impossible size"},
		{12, 4, 91, "has an impossible size"},
		{8, 4, 0x20000, "has an unknown revision"},
		{24, 8, 7, "says that it is in another sector"},
		{40, 8, UINT64_MAX, "has an impossible range of usable sectors"},
		{48, 8, UINT64_MAX, "is that of a larger disk"},
		{72, 8, UINT64_MAX, "has its entries outside the disk"},
		{72, 8, UINT64_MAX / 512 + 3, "has its entries outside the disk"},
		{72, 8, 0, "has its entries outside the disk"},
		{80, 4, 0, "has an impossible number of entries"},
		{80, 4, 0xffffffff, "has an impossible number of entries"},
		{84, 4, 0, "has entries of an impossible size"},
		{84, 4, 0x80000000, "has entries of an impossible size"},
		{84, 4, 129, "has entries of an impossible size"},
	};
	unsigned char *d;
	struct ingot_sink *disk = sample_disk(512, &d);
	char want[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char kept[512], *h = d + 512;
		struct ingot_gpt *gpt;

		memcpy(kept, h, 512);
		if (cases[i].width == 4)
			ingot_put_le32(h + cases[i].at, (uint32_t)cases[i].value);
		else
			ingot_put_le64(h + cases[i].at, cases[i].value);
		ingot_put_le32(h + 16, 0);
		ingot_put_le32(h + 16, ingot_crc32(0, h, 92));
		(void)snprintf(want, sizeof(want), "d: the partition table %s, its copy is good\n",
			       cases[i].words);
		gpt = read_back(d, want);
		assert_int_equal(gpt->count, 3);
		free(gpt);
		memcpy(h, kept, 512);
	}
	ingot_sink_free(disk);
}

static void hostile_entries(void **state)
{
	const size_t last = DISK / 512 - 1;
	unsigned char *d;
	struct ingot_sink *disk = sample_disk(512, &d);
	struct ingot_gpt *gpt;

	(void)state;
	ingot_put_le64(d + 1024 + 40, UINT64_MAX);
	ingot_put_le64(d + 1024 + 4 * 128 + 32, 6149);
	ingot_put_le64(d + 1024 + 4 * 128 + 40, last);
	memset(d + 1024 + 127 * 128 + 56, 0xd8, 72);
	memcpy(d + 512 * (last - 32), d + 1024, 16384);
	reseal(d, 1, 2);
	reseal(d, last, last - 32);
	gpt = read_back(d, "d: partition 1 goes from sector 2048 to 18446744073709551615, which "
			   "cannot be\n"
			   "d: partition 5 leaves the usable sectors\n"
			   "d: partitions 5 and 128 overlap\n");
	assert_int_equal(gpt->count, 2);
	assert_int_equal(strlen(gpt->partitions[1].name), 108); /* 36 times U+FFFD */
	free(gpt);
	ingot_sink_free(disk);
}

static void no_table(void **state)
{
	unsigned char *d;
	struct ingot_sink *disk;
	struct ingot_error err;

	(void)state;
	assert_ok(ingot_sink_memory(DISK, &disk, &d, &err));
	assert_null(read_back(d, ""));
	memset(d, 0xff, DISK);
	assert_null(read_back(d, ""));
	ingot_sink_free(disk);
}

/* Characters above U+FFFF are two units, and 36 units leave no room for a zero. */
static void wide_name(void **state)
{
	struct ingot_gpt *gpt = sample(512), *found;
	struct ingot_sink *disk;
	unsigned char *d;
	struct ingot_error err;
	char *name = gpt->partitions[0].name;

	(void)state;
	assert_ok(ingot_sink_memory(DISK, &disk, &d, &err));
	strcpy(name, "a\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xf0\x90\x80\x80");
	assert_ok(ingot_gpt_write(gpt, disk, &err));
	assert_memory_equal(d + 1024 + 56, "a\0\x3d\xd8\x00\xde\xff\xdb\xff\xdf\0\xd8\0\xdc\0\0",
			    16);
	memset(name, 0, sizeof(gpt->partitions[0].name));
	for (unsigned i = 0; i < 18; i++)
		memcpy(name + (size_t)4 * i, "\xf0\x9f\x98\x80", 4);
	assert_ok(ingot_gpt_write(gpt, disk, &err));
	found = read_back(d, "");
	assert_string_equal(found->partitions[0].name, name);
	assert_int_equal(ingot_get_le16(d + 1024 + 126), 0xde00);
	assert_int_equal(ingot_get_le32(d + 1024 + 128), 0);
	free(found);
	name[72] = 'a';
	assert_fails(ingot_gpt_write(gpt, disk, &err), -EINVAL, "longer than 36 UTF-16 units");
	memmove(name + 1, name, 72);
	name[0] = 'a';
	assert_fails(ingot_gpt_write(gpt, disk, &err), -EINVAL, "longer than 36 UTF-16 units");
	strcpy(name, "\xed\xa0\x80");
	assert_fails(ingot_gpt_write(gpt, disk, &err), -EINVAL, "is not UTF-8");
	free(gpt);
	ingot_sink_free(disk);
}

/* The sample with one thing wrong is refused, and nothing of it is written. */
static void refuses(const struct ingot_gpt_partition *first, const char *words)
{
	static const unsigned char zero[1024];
	struct ingot_gpt *gpt = sample(512);
	struct ingot_sink *disk;
	unsigned char *d;
	struct ingot_error err;

	gpt->partitions[0] = *first;
	assert_ok(ingot_sink_memory(DISK, &disk, &d, &err));
	assert_fails(ingot_gpt_write(gpt, disk, &err), -EINVAL, words);
	assert_memory_equal(d, zero, sizeof(zero));
	free(gpt);
	ingot_sink_free(disk);
}

static void refused_partitions(void **state)
{
	struct ingot_gpt *gpt = sample(512);
	const struct ingot_gpt_partition good = gpt->partitions[0];
	struct ingot_gpt_partition bad = good;

	(void)state;
	free(gpt);
	bad.attributes = 8;
	refuses(&bad, "partition table: partition 1 'USR-A': attribute bits 3 to 47");
	bad.attributes = UINT64_C(1) << 47;
	refuses(&bad, "attribute bits 3 to 47");
	bad = good;
	memset(&bad.type, 0, sizeof(bad.type));
	refuses(&bad, "unused entry");
	bad = good;
	bad.number = 0;
	refuses(&bad, "numbers go from 1 to 128");
	bad.number = 129;
	refuses(&bad, "numbers go from 1 to 128");
	bad.number = 5;
	refuses(&bad, "partition 5 'gr\xc3\xb6\xc3\x9f \xe2\x82\xac': the number is taken");
	bad = good;
	bad.size += 512;
	refuses(&bad, "overlaps partition 1");
	bad.size = 100;
	refuses(&bad, "not whole sectors");
	bad.size = 0;
	refuses(&bad, "not whole sectors");
	bad = good;
	bad.start += 1;
	refuses(&bad, "not whole sectors");
	bad.start = 33 * 512;
	refuses(&bad, "outside");
	bad.start = DISK - 33 * 512 - bad.size + 512;
	refuses(&bad, "outside");
	bad.start = UINT64_MAX - 511;
	refuses(&bad, "outside");
	bad.start = MIB;
	bad.size = UINT64_MAX - 511;
	refuses(&bad, "outside");
}

/* From the first usable sector to the last. */
static void full_disk(void **state)
{
	struct ingot_gpt *gpt = sample(4096), *found;
	struct ingot_sink *disk;
	unsigned char *d;
	struct ingot_error err;

	(void)state;
	gpt->count = 1;
	gpt->partitions[0].start = 6 * 4096;
	gpt->partitions[0].size = DISK - 11 * 4096;
	assert_ok(ingot_sink_memory(DISK, &disk, &d, &err));
	assert_ok(ingot_gpt_write(gpt, disk, &err));
	found = read_back(d, "");
	assert_int_equal(found->partitions[0].size, DISK - 11 * 4096);
	free(found);
	free(gpt);
	ingot_sink_free(disk);
}

static void refused_disks(void **state)
{
	static const struct {
		uint64_t size;
		unsigned sector_size;
		const char *words;
	} cases[] = {
		{DISK, 1024, "sectors of 1024 bytes"},
		{DISK, 0, "sectors of 0 bytes"},
		{DISK + 512, 4096, "not whole sectors"},
		{67 * 512, 512, "no room"},
		{0, 512, "no room"},
	};
	struct ingot_gpt *gpt = sample(512);
	struct ingot_sink *disk;
	struct ingot_error err;

	(void)state;
	assert_ok(ingot_sink_memory(DISK / 2, &disk, NULL, &err));
	assert_fails(ingot_gpt_write(gpt, disk, &err), -EINVAL, "not as long");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gpt->disk_size = disk->size = cases[i].size;
		gpt->sector_size = cases[i].sector_size;
		assert_fails(ingot_gpt_write(gpt, disk, &err), -EINVAL, cases[i].words);
	}
	free(gpt);
	ingot_sink_free(disk);
}

/* --- what libfdisk wrote ----------------------------------------------- */

/* A sink that keeps nothing but a digest of what is written, with where. */
struct digesting {
	struct ingot_sink sink;
	struct ingot_sha256 *digest;
};

static int digesting_write(struct ingot_sink *sink, uint64_t offset, const void *data, size_t n,
			   struct ingot_error *err)
{
	struct ingot_sha256 *digest = ((struct digesting *)sink)->digest;
	uint8_t at[8];
	int rc;

	ingot_put_le64(at, offset);
	rc = ingot_sha256_update(digest, at, sizeof(at), err);
	return rc < 0 ? rc : ingot_sha256_update(digest, data, n, err);
}

static const struct ingot_sink_ops DIGESTING_OPS = {digesting_write, NULL, NULL};

static void digest_writes(const struct ingot_gpt *gpt, char text[INGOT_SHA256_TEXT])
{
	struct digesting disk = {{&DIGESTING_OPS, "disk", gpt->disk_size}, NULL};
	uint8_t digest[INGOT_SHA256_SIZE];
	struct ingot_error err;

	disk.digest = ingot_sha256_new(&err);
	assert_non_null(disk.digest);
	assert_ok(ingot_gpt_write(gpt, &disk.sink, &err));
	assert_ok(ingot_sha256_final(disk.digest, digest, &err));
	ingot_sha256_free(disk.digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

static struct ingot_gpt *plan(const char *name, uint64_t disk_size, unsigned sector_size)
{
	const struct ingot_place_options options = {disk_size, sector_size};
	const uint8_t root_hash[32] = {0x80, 1, 2, 3};
	struct ingot_seed seed;
	struct ingot_gpt_identity identity = {&seed, "demo", "1.0", root_hash, sizeof(root_hash)};
	struct ingot_problems problems = {0};
	INGOT_LAYOUT struct ingot_layout *layout = NULL;
	INGOT_FREE struct ingot_placement *placement = NULL;
	struct ingot_gpt *gpt = NULL;
	struct ingot_error err;

	assert_ok(ingot_seed_parse("00112233445566778899aabbccddeeff", &seed, &err));
	assert_ok(ingot_layout_load(name, "x86-64", &problems, &layout, &err));
	ingot_problems_done(&problems);
	assert_ok(ingot_layout_place(layout, &options, &placement, &err));
	assert_ok(ingot_gpt_plan(layout, placement, &identity, &gpt, &err));
	return gpt;
}

/*
 * Each digest is of what libfdisk 2.38 wrote for the same table. Disks of 3 TiB have more sectors
 * of 512 bytes than the protective MBR can tell.
 */
static void as_libfdisk(void **state)
{
	static const struct {
		const char *layout; /* NULL: the sample */
		uint64_t disk_size;
		unsigned sector_size;
		const char *digest;
	} cases[] = {
		{"flatcar", 0, 512,
		 "1ff5c7eeaac1d1666a2a453918e53cf69223b404f30db057f6ae911ff7d1eda2"},
		{"flatcar", 0, 4096,
		 "2e9789425491d2c1411bc68096440a8bb564afa77e6debdb2ec0005f99c39247"},
		{"flatcar", 3 * TIB, 512,
		 "56edab91c9d344e13df70f176413de2838ea51dd8ec1225fe9e771a019767d0f"},
		{"flatcar", 3 * TIB, 4096,
		 "fe985d250bc204cf4193cbb49e6b97f133a89deb3bb71f53fe113a5fab11280f"},
		{"discoverable", 0, 512,
		 "87574627671e4ef3cec2caed167cf97e1338aead1f13ddfa5ff2fd653cfcd01a"},
		{"discoverable", 0, 4096,
		 "d2a4437bbff871780a762bc4c3a9a69fc94e21fbb38c2b11ef76e7d5718c998d"},
		{NULL, 0, 512, "8af68d7f56fe12179d38a6e7ffc18a798b587f056d823d35d0375aeb1ba44fc9"},
		{NULL, 0, 4096, "e4196532a44febb98d5442d79e699b81c62f5aa03362e584dc0d661e6f8b5bba"},
	};
	char digest[INGOT_SHA256_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ingot_gpt *gpt = cases[i].layout ? plan(cases[i].layout, cases[i].disk_size,
							       cases[i].sector_size)
							: sample(cases[i].sector_size);

		digest_writes(gpt, digest);
		assert_string_equal(digest, cases[i].digest);
		free(gpt);
	}
}

static void from_root_hash(void **state)
{
	uint8_t hash[32];
	struct ingot_guid guid;
	struct ingot_error err;
	char text[INGOT_GUID_TEXT];

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		hash[i] = (uint8_t)(0x10 + i);
	assert_ok(ingot_dps_uuid_from_root_hash(hash, 32, INGOT_DPS_FIRST, &guid, &err));
	assert_string_equal(ingot_guid_text(&guid, text), "10111213-1415-1617-1819-1a1b1c1d1e1f");
	assert_ok(ingot_dps_uuid_from_root_hash(hash, 32, INGOT_DPS_LAST, &guid, &err));
	assert_string_equal(ingot_guid_text(&guid, text), "20212223-2425-2627-2829-2a2b2c2d2e2f");
	assert_fails(ingot_dps_uuid_from_root_hash(hash, 15, INGOT_DPS_LAST, &guid, &err), -EINVAL,
		     "15 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(damaged),
		cmocka_unit_test(usable),
		cmocka_unit_test(hostile),
		cmocka_unit_test(hostile_entries),
		cmocka_unit_test(no_table),
		cmocka_unit_test(wide_name),
		cmocka_unit_test(refused_partitions),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(refused_disks),
		cmocka_unit_test(as_libfdisk),
		cmocka_unit_test(from_root_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
