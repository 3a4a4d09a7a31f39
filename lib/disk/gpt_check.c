#include "disk/gpt_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "disk/gpt_internal.h"

enum { SECTOR_MAX = 4096, ENTRIES = INGOT_LAYOUT_NUMBER_MAX * INGOT_GPT_ENTRY_SIZE };

struct checker {
	struct ingot_source *disk;
	struct ingot_gpt_findings *found;
	unsigned sector;
	uint64_t last; /* sector of the disk */
	unsigned char mbr[SECTOR_MAX], primary[SECTOR_MAX], backup[SECTOR_MAX];
	unsigned char entries[ENTRIES], copy[ENTRIES];
};

/* The first finding of a kind is kept. */
INGOT_PRINTF(2, 3) static void find(char text[INGOT_GPT_FINDING], const char *format, ...)
{
	va_list args;

	if (*text)
		return;
	va_start(args, format);
	(void)vsnprintf(text, INGOT_GPT_FINDING, format, args);
	va_end(args);
}

static bool is_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* --- protective MBR ---------------------------------------------------- */

static void check_mbr(struct checker *c)
{
	const unsigned char *mbr = c->mbr, *entry = mbr + 446;
	char *text = c->found->mbr;
	uint32_t size = (uint32_t)ingot_min(c->last, UINT32_MAX);

	if (ingot_get_le16(mbr + 510) != 0xaa55)
		find(text, "the signature at 510 is 0x%04x", ingot_get_le16(mbr + 510));
	if (!is_zero(mbr, 446))
		find(text, "there is something in the 446 bytes before its entries");
	if (entry[4] != 0xee)
		find(text, "the type of its entry is 0x%02x", entry[4]);
	if (entry[0] != 0)
		find(text, "its entry is marked 0x%02x, bootable or worse", entry[0]);
	if (memcmp(entry + 1, "\x00\x02\x00", 3) != 0 || memcmp(entry + 5, "\xff\xff\xff", 3) != 0)
		find(text, "cylinder, head and sector of its entry are not those of a whole disk");
	if (ingot_get_le32(entry + 8) != 1)
		find(text, "its entry starts in sector %u", ingot_get_le32(entry + 8));
	if (ingot_get_le32(entry + 12) != size)
		find(text, "its entry has %u sectors, not %u", ingot_get_le32(entry + 12), size);
	if (!is_zero(entry + 16, 48))
		find(text, "it has a second entry");
	if (!is_zero(mbr + 512, c->sector - 512))
		find(text, "there is something behind its 512 bytes");
}

/* --- a header and its entries ------------------------------------------ */

static void check_entries(const unsigned char *header, const unsigned char *entries, char *text)
{
	if (ingot_crc32(0, entries, ENTRIES) != ingot_get_le32(header + 88))
		find(text, "the checksum of its entries is wrong");
}

static void check_header(struct checker *c, unsigned char *header, char *text)
{
	uint32_t crc = ingot_get_le32(header + 16), sum;

	if (memcmp(header, INGOT_GPT_SIGNATURE, INGOT_GPT_SIGNATURE_SIZE) != 0)
		find(text, "the signature is missing");
	if (ingot_get_le32(header + 8) != INGOT_GPT_REVISION)
		find(text, "revision 0x%08x", ingot_get_le32(header + 8));
	if (ingot_get_le32(header + 12) != INGOT_GPT_HEADER_SIZE)
		find(text, "a header of %u bytes", ingot_get_le32(header + 12));
	ingot_put_le32(header + 16, 0);
	sum = ingot_crc32(0, header, INGOT_GPT_HEADER_SIZE);
	ingot_put_le32(header + 16, crc);
	if (sum != crc)
		find(text, "the checksum of the header is 0x%08x, not 0x%08x", crc, sum);
	if (ingot_get_le32(header + 20) != 0)
		find(text, "the reserved bytes at 20 are not zero");
	if (ingot_get_le32(header + 80) != INGOT_LAYOUT_NUMBER_MAX ||
	    ingot_get_le32(header + 84) != INGOT_GPT_ENTRY_SIZE)
		find(text, "%u entries of %u bytes", ingot_get_le32(header + 80),
		     ingot_get_le32(header + 84));
	if (!is_zero(header + INGOT_GPT_HEADER_SIZE, c->sector - INGOT_GPT_HEADER_SIZE))
		find(text, "there is something behind the header in its sector");
}

/* --- both, and the disk ------------------------------------------------ */

static void check_place(struct checker *c, const unsigned char *header, const char *which,
			uint64_t own, uint64_t other, uint64_t entries)
{
	char *text = c->found->agreement;

	if (ingot_get_le64(header + 24) != own)
		find(text, "the %s says that it is in sector %llu", which,
		     (unsigned long long)ingot_get_le64(header + 24));
	if (ingot_get_le64(header + 32) != other)
		find(text, "the %s looks for the other in sector %llu, not %llu", which,
		     (unsigned long long)ingot_get_le64(header + 32), (unsigned long long)other);
	if (ingot_get_le64(header + 72) != entries)
		find(text, "the %s looks for its entries in sector %llu, not %llu", which,
		     (unsigned long long)ingot_get_le64(header + 72), (unsigned long long)entries);
}

static void check_agreement(struct checker *c)
{
	uint64_t backup_entries = c->found->backup_start / c->sector;
	char *text = c->found->agreement;

	check_place(c, c->primary, "table", 1, c->last, 2);
	check_place(c, c->backup, "copy", c->last, 1, backup_entries);
	if (memcmp(c->primary + 40, c->backup + 40, 16) != 0)
		find(text, "the usable sectors differ");
	if (memcmp(c->primary + 56, c->backup + 56, 16) != 0)
		find(text, "the disk's UUIDs differ");
	for (size_t i = 0; i < INGOT_LAYOUT_NUMBER_MAX; i++)
		if (memcmp(c->entries + i * INGOT_GPT_ENTRY_SIZE,
			   c->copy + i * INGOT_GPT_ENTRY_SIZE, INGOT_GPT_ENTRY_SIZE) != 0)
			find(text, "entry %zu differs", i + 1);
	if (ingot_get_le64(c->primary + 40) != c->found->entries_end / c->sector ||
	    ingot_get_le64(c->primary + 48) != backup_entries - 1)
		find(text, "the usable sectors are not all between the table and its copy");
}

/* --- partitions -------------------------------------------------------- */

/* Zero up to the end of the field behind the name's first zero. */
static bool is_name_clean(const unsigned char *name)
{
	size_t n = 0;

	while (n < 72 && ingot_get_le16(name + n) != 0)
		n += 2;
	return is_zero(name + n, 72 - n);
}

static void check_entry(struct checker *c, unsigned number, const unsigned char *entry)
{
	uint64_t first = ingot_get_le64(entry + 32), end = ingot_get_le64(entry + 40);
	char *text = c->found->partitions;

	if (first > end || first < ingot_get_le64(c->primary + 40) ||
	    end > ingot_get_le64(c->primary + 48))
		find(text, "partition %u, sectors %llu to %llu, leaves the usable ones", number,
		     (unsigned long long)first, (unsigned long long)end);
	if (first % (INGOT_GPT_ALIGNMENT / ingot_min(c->sector, INGOT_GPT_ALIGNMENT)) != 0)
		find(text, "partition %u is not aligned to %d bytes", number, INGOT_GPT_ALIGNMENT);
	if (ingot_get_le64(entry + 48) >> 3 & ((UINT64_C(1) << 45) - 1))
		find(text, "partition %u has reserved attributes", number);
	if (is_zero(entry + 16, 16))
		find(text, "partition %u has no UUID", number);
	if (!is_name_clean(entry + 56))
		find(text, "partition %u has something behind its name", number);
}

static void compare(struct checker *c, unsigned i, unsigned j)
{
	const unsigned char *a = c->entries + (size_t)i * INGOT_GPT_ENTRY_SIZE;
	const unsigned char *b = c->entries + (size_t)j * INGOT_GPT_ENTRY_SIZE;
	char *text = c->found->partitions;

	if (ingot_get_le64(a + 32) <= ingot_get_le64(b + 40) &&
	    ingot_get_le64(b + 32) <= ingot_get_le64(a + 40))
		find(text, "partitions %u and %u overlap", i + 1, j + 1);
	if (memcmp(a + 16, b + 16, 16) == 0)
		find(text, "partitions %u and %u have the same UUID", i + 1, j + 1);
}

static void check_partitions(struct checker *c)
{
	bool used[INGOT_LAYOUT_NUMBER_MAX];

	for (unsigned i = 0; i < INGOT_LAYOUT_NUMBER_MAX; i++) {
		const unsigned char *entry = c->entries + (size_t)i * INGOT_GPT_ENTRY_SIZE;

		used[i] = !is_zero(entry, 16);
		if (used[i])
			check_entry(c, i + 1, entry);
		else if (!is_zero(entry, INGOT_GPT_ENTRY_SIZE))
			find(c->found->partitions, "entry %u has no type, but something else",
			     i + 1);
		for (unsigned j = 0; used[i] && j < i; j++)
			if (used[j])
				compare(c, j, i);
	}
}

/* --- the whole --------------------------------------------------------- */

static int load(struct checker *c, struct ingot_error *err)
{
	uint64_t end = c->last * c->sector;
	int rc = ingot_source_read(c->disk, 0, c->mbr, c->sector, err);

	if (rc == 0)
		rc = ingot_source_read(c->disk, c->sector, c->primary, c->sector, err);
	if (rc == 0)
		rc = ingot_source_read(c->disk, 2 * (uint64_t)c->sector, c->entries, ENTRIES, err);
	if (rc == 0)
		rc = ingot_source_read(c->disk, end - ENTRIES, c->copy, ENTRIES, err);
	if (rc == 0)
		rc = ingot_source_read(c->disk, end, c->backup, c->sector, err);
	return rc;
}

int ingot_gpt_check(struct ingot_source *disk, unsigned sector_size, struct ingot_gpt_findings *ret,
		    struct ingot_error *err)
{
	INGOT_FREE struct checker *c = ingot_alloc(1, sizeof(*c), err);
	int rc;

	*ret = (struct ingot_gpt_findings){0};
	if (!c)
		return -ENOMEM;
	if (sector_size < 512 || sector_size > SECTOR_MAX ||
	    disk->size < 2 * (uint64_t)ingot_gpt_first_usable(sector_size) * sector_size)
		return ingot_raise(err, -EINVAL, "'%s' is too small for a partition table",
				   disk->name);
	c->disk = disk;
	c->found = ret;
	c->sector = sector_size;
	c->last = disk->size / sector_size - 1;
	ret->entries_end = 2 * (uint64_t)sector_size + ENTRIES;
	ret->backup_start = c->last * sector_size - ENTRIES;
	rc = load(c, err);
	if (rc < 0)
		return rc;
	check_mbr(c);
	check_header(c, c->primary, ret->primary);
	check_entries(c->primary, c->entries, ret->primary);
	check_header(c, c->backup, ret->backup);
	check_entries(c->backup, c->copy, ret->backup);
	check_agreement(c);
	check_partitions(c);
	if (disk->size % sector_size)
		find(ret->agreement, "the disk's size is not whole sectors");
	return 0;
}
