/*
 * A reader that trusts nothing: every number of a header is held against the disk's size
 * and a limit before it is used.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/utf8.h"
#include "disk/gpt_internal.h"

enum {
	ENTRY_MAX = 4096,
	ENTRIES_MAX = 1024,
	ENTRIES_BYTES_MAX = 1024 * 1024,
	SECTOR_MAX = 4096,
};

/* One of the two headers, with its entries. */
struct table {
	uint64_t other, first_usable, last_usable; /* sectors */
	uint8_t uuid[16];
	uint32_t count, entry_size, entries_crc;
	unsigned char *entries;
};

struct reader {
	struct ingot_source *disk;
	struct ingot_problems *complaints;
	unsigned sector;
	uint64_t sectors; /* of the disk */
};

static void table_done(struct table *table)
{
	free(table->entries);
}

#define TABLE INGOT_CLEANUP(table_done)

#define COMPLAIN(reader, ...)                                                                      \
	ingot_problem_add((reader)->complaints, (reader)->disk->name, 0, 0, __VA_ARGS__)

/* --- one header -------------------------------------------------------- */

/* Words for what is wrong with the header in sector `at`, or NULL. */
static const char *check_header(const struct reader *reader, unsigned char *header, uint64_t at)
{
	uint32_t size = ingot_get_le32(header + 12), crc = ingot_get_le32(header + 16);

	if (memcmp(header, INGOT_GPT_SIGNATURE, INGOT_GPT_SIGNATURE_SIZE) != 0)
		return "has no signature";
	if (ingot_get_le32(header + 8) != INGOT_GPT_REVISION)
		return "has an unknown revision";
	if (size < INGOT_GPT_HEADER_SIZE || size > reader->sector)
		return "has an impossible size";
	ingot_put_le32(header + 16, 0);
	if (ingot_crc32(0, header, size) != crc)
		return "does not match its checksum";
	if (ingot_get_le64(header + 24) != at)
		return "says that it is in another sector";
	return NULL;
}

static const char *check_ranges(const struct reader *reader, const struct table *table,
				uint64_t entries_at)
{
	uint64_t bytes = (uint64_t)table->count * table->entry_size;

	if (table->last_usable >= reader->sectors)
		return "is that of a larger disk";
	if (table->first_usable > table->last_usable)
		return "has an impossible range of usable sectors";
	if (table->entry_size < INGOT_GPT_ENTRY_SIZE || table->entry_size > ENTRY_MAX ||
	    !ingot_is_power_of_two(table->entry_size))
		return "has entries of an impossible size";
	if (table->count == 0 || table->count > ENTRIES_MAX || bytes > ENTRIES_BYTES_MAX)
		return "has an impossible number of entries";
	if (entries_at < 2 ||
	    !ingot_in_range(entries_at, ingot_div_up(bytes, reader->sector), reader->sectors))
		return "has its entries outside the disk";
	return NULL;
}

static int read_entries(const struct reader *reader, struct table *table, uint64_t entries_at,
			const char **wrong, struct ingot_error *err)
{
	size_t bytes = (size_t)table->count * table->entry_size;
	int rc;

	table->entries = ingot_alloc(1, bytes, err);
	if (!table->entries)
		return -ENOMEM;
	rc = ingot_source_read(reader->disk, entries_at * reader->sector, table->entries, bytes,
			       err);
	if (rc == 0 && ingot_crc32(0, table->entries, bytes) != table->entries_crc)
		*wrong = "has entries that do not match their checksum";
	return rc;
}

/* *wrong is words for what is wrong with it; negative: it could not be read. */
static int read_table(const struct reader *reader, uint64_t at, struct table *table,
		      const char **wrong, struct ingot_error *err)
{
	unsigned char header[SECTOR_MAX];
	uint64_t entries_at;
	int rc = ingot_source_read(reader->disk, at * reader->sector, header, reader->sector, err);

	if (rc < 0)
		return rc;
	*wrong = check_header(reader, header, at);
	if (*wrong)
		return 0;
	table->other = ingot_get_le64(header + 32);
	table->first_usable = ingot_get_le64(header + 40);
	table->last_usable = ingot_get_le64(header + 48);
	memcpy(table->uuid, header + 56, sizeof(table->uuid));
	entries_at = ingot_get_le64(header + 72);
	table->count = ingot_get_le32(header + 80);
	table->entry_size = ingot_get_le32(header + 84);
	table->entries_crc = ingot_get_le32(header + 88);
	*wrong = check_ranges(reader, table, entries_at);
	return *wrong ? 0 : read_entries(reader, table, entries_at, wrong, err);
}

/* --- both headers ------------------------------------------------------ */

static bool same_table(const struct table *a, const struct table *b)
{
	return a->first_usable == b->first_usable && a->last_usable == b->last_usable &&
	       memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0 && a->count == b->count &&
	       a->entry_size == b->entry_size &&
	       memcmp(a->entries, b->entries, (size_t)a->count * a->entry_size) == 0;
}

/* Where the copy is: where the primary says, if that can be; else at the end. */
static uint64_t backup_sector(const struct reader *reader, const struct table *primary)
{
	uint64_t last = reader->sectors - 1;

	if (!primary || primary->other == last)
		return last;
	COMPLAIN(reader, "the copy of the partition table is not in the disk's last sector");
	return primary->other > 1 && primary->other < last ? primary->other : last;
}

/* The primary where it is good, else the copy. -ENODATA: neither is. */
static int choose_table(const struct reader *reader, struct table *ret, struct ingot_error *err)
{
	TABLE struct table primary = {0}, backup = {0};
	const char *wrong = NULL, *backup_wrong = NULL;
	int rc = read_table(reader, 1, &primary, &wrong, err);

	if (rc == 0)
		rc = read_table(reader, backup_sector(reader, wrong ? NULL : &primary), &backup,
				&backup_wrong, err);
	if (rc < 0)
		return rc;
	if (wrong && backup_wrong)
		return ingot_raise(err, -ENODATA, "'%s' has no GUID partition table: it %s",
				   reader->disk->name, wrong);
	if (wrong)
		COMPLAIN(reader, "the partition table %s, its copy is good", wrong);
	else if (backup_wrong)
		COMPLAIN(reader, "the copy of the partition table %s", backup_wrong);
	else if (!same_table(&primary, &backup))
		COMPLAIN(reader, "the partition table and its copy differ");
	*ret = wrong ? backup : primary;
	(wrong ? &backup : &primary)->entries = NULL; /* moved */
	return 0;
}

/* Try both sizes. A signature decides; the copy's, where the primary has none. */
static int find_sector_size(struct reader *reader, struct ingot_error *err)
{
	static const unsigned sizes[] = {512, 4096};

	for (unsigned try = 0; try < 4; try++) {
		unsigned sector = sizes[try % 2];
		uint64_t sectors = reader->disk->size / sector;
		uint64_t at = try < 2 ? 1 : sectors - 1;
		char signature[INGOT_GPT_SIGNATURE_SIZE];
		int rc;

		if (sectors < 6)
			continue;
		rc = ingot_source_read(reader->disk, at * sector, signature, sizeof(signature),
				       err);
		if (rc < 0)
			return rc;
		if (memcmp(signature, INGOT_GPT_SIGNATURE, sizeof(signature)) == 0) {
			reader->sector = sector;
			reader->sectors = sectors;
			return 0;
		}
	}
	return ingot_raise(err, -ENODATA, "'%s' has no GUID partition table", reader->disk->name);
}

/* --- entries ----------------------------------------------------------- */

/* UTF-16LE up to a zero; half a surrogate pair becomes U+FFFD. */
static void decode_name(const unsigned char *raw, char name[INGOT_GPT_NAME_MAX])
{
	size_t at = 0;

	for (unsigned i = 0; i < INGOT_LAYOUT_LABEL_UNITS; i++) {
		uint32_t point = ingot_get_le16(raw + 2 * (size_t)i);
		uint32_t next = i + 1 < INGOT_LAYOUT_LABEL_UNITS
					? ingot_get_le16(raw + 2 * (size_t)i + 2)
					: 0;

		if (point == 0)
			break;
		if (point >> 10 == 0xd800 >> 10 && next >> 10 == 0xdc00 >> 10) {
			point = 0x10000 + ((point & 0x3ff) << 10) + (next & 0x3ff);
			i++;
		}
		at += ingot_utf8_encode(point, name + at);
	}
	name[at] = '\0';
}

/* false after a complaint: the entry's range cannot be read. */
static bool decode_entry(const struct reader *reader, const struct table *table, unsigned number,
			 struct ingot_gpt_partition *p)
{
	const unsigned char *entry = table->entries + (size_t)(number - 1) * table->entry_size;
	uint64_t first = ingot_get_le64(entry + 32), last = ingot_get_le64(entry + 40);

	if (first > last || last >= reader->sectors) {
		COMPLAIN(reader, "partition %u goes from sector %llu to %llu, which cannot be",
			 number, (unsigned long long)first, (unsigned long long)last);
		return false;
	}
	if (first < table->first_usable || last > table->last_usable)
		COMPLAIN(reader, "partition %u leaves the usable sectors", number);
	p->number = number;
	p->start = first * reader->sector;
	p->size = (last - first + 1) * reader->sector;
	ingot_guid_from_gpt(entry, &p->type);
	ingot_guid_from_gpt(entry + 16, &p->uuid);
	p->attributes = ingot_get_le64(entry + 48);
	decode_name(entry + 56, p->name);
	return true;
}

static void compare(const struct reader *reader, const struct ingot_gpt_partition *a,
		    const struct ingot_gpt_partition *b)
{
	if (a->start < b->start + b->size && b->start < a->start + a->size)
		COMPLAIN(reader, "partitions %u and %u overlap", a->number, b->number);
	if (ingot_guid_equal(&a->uuid, &b->uuid))
		COMPLAIN(reader, "partitions %u and %u have the same UUID", a->number, b->number);
}

static bool is_used(const struct table *table, unsigned number)
{
	static const unsigned char zero[16];

	return memcmp(table->entries + (size_t)(number - 1) * table->entry_size, zero,
		      sizeof(zero)) != 0;
}

static int decode_table(const struct reader *reader, const struct table *table,
			struct ingot_gpt **ret, struct ingot_error *err)
{
	size_t used = 0;
	struct ingot_gpt *gpt;

	for (unsigned number = 1; number <= table->count; number++)
		used += is_used(table, number);
	gpt = ingot_alloc(1, sizeof(*gpt) + used * sizeof(gpt->partitions[0]), err);
	if (!gpt)
		return -ENOMEM;
	gpt->disk_size = reader->disk->size;
	gpt->sector_size = reader->sector;
	ingot_guid_from_gpt(table->uuid, &gpt->uuid);
	for (unsigned number = 1; number <= table->count; number++)
		if (is_used(table, number) &&
		    decode_entry(reader, table, number, &gpt->partitions[gpt->count]))
			gpt->count++;
	for (size_t i = 0; i < gpt->count; i++)
		for (size_t j = 0; j < i; j++)
			compare(reader, &gpt->partitions[j], &gpt->partitions[i]);
	*ret = gpt;
	return 0;
}

/* --- protective MBR ---------------------------------------------------- */

/* Section 5.2.3: four entries of 16 bytes at 446, the type in byte 4 of each. */
static int check_mbr(const struct reader *reader, struct ingot_error *err)
{
	unsigned char mbr[512];
	bool protective = false;
	int rc = ingot_source_read(reader->disk, 0, mbr, sizeof(mbr), err);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < 4; i++)
		protective |= mbr[446 + 16 * i + 4] == 0xee;
	if (ingot_get_le16(mbr + 510) != 0xaa55 || !protective)
		COMPLAIN(reader, "there is no protective MBR in the first sector");
	return 0;
}

int ingot_gpt_read(struct ingot_source *disk, struct ingot_problems *complaints,
		   struct ingot_gpt **ret, struct ingot_error *err)
{
	struct reader reader = {.disk = disk, .complaints = complaints};
	TABLE struct table table = {0};
	int rc = find_sector_size(&reader, err);

	if (rc == 0)
		rc = choose_table(&reader, &table, err);
	if (rc == 0)
		rc = check_mbr(&reader, err);
	return rc < 0 ? rc : decode_table(&reader, &table, ret, err);
}
