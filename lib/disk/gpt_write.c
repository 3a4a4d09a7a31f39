/*
 * The table is made in memory, its front and its copy, and written in two pieces. Everything comes
 * from the plan, nothing from the host.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/utf8.h"
#include "disk/gpt_internal.h"

/* Both in sectors. */
struct header_place {
	uint64_t own, other, entries;
};

/* --- what can be written ----------------------------------------------- */

static int check_disk(const struct ingot_gpt *gpt, struct ingot_error *err)
{
	unsigned sector = gpt->sector_size;

	if (sector != 512 && sector != 4096)
		return ingot_raise(err, -EINVAL, "sectors of %u bytes", sector);
	if (gpt->disk_size % sector)
		return ingot_raise(err, -EINVAL, "the disk's size is not whole sectors");
	if (gpt->disk_size < 2 * (uint64_t)ingot_gpt_first_usable(sector) * sector)
		return ingot_raise(err, -EINVAL, "the disk has no room for it");
	return 0;
}

static int check_partition(const struct ingot_gpt *gpt, const struct ingot_gpt_partition *p,
			   struct ingot_error *err)
{
	unsigned sector = gpt->sector_size;

	if (p->number < 1 || p->number > INGOT_LAYOUT_NUMBER_MAX)
		return ingot_raise(err, -EINVAL, "numbers go from 1 to %d",
				   INGOT_LAYOUT_NUMBER_MAX);
	if (ingot_guid_is_zero(&p->type))
		return ingot_raise(err, -EINVAL, "a type of all zeros marks an unused entry");
	if (p->attributes >> 3 & ((UINT64_C(1) << 45) - 1))
		return ingot_raise(err, -EINVAL, "attribute bits 3 to 47 are reserved");
	if (p->start % sector || p->size % sector || p->size == 0)
		return ingot_raise(err, -EINVAL, "not whole sectors");
	if (p->start < (uint64_t)ingot_gpt_first_usable(sector) * sector ||
	    !ingot_in_range(p->start, p->size, ingot_gpt_usable_end(gpt->disk_size, sector)))
		return ingot_raise(err, -EINVAL, "outside the disk's usable sectors");
	return 0;
}

/* A partition against those before it. */
static int check_others(const struct ingot_gpt *gpt, const struct ingot_gpt_partition *p,
			struct ingot_error *err)
{
	for (const struct ingot_gpt_partition *o = gpt->partitions; o < p; o++) {
		if (o->number == p->number)
			return ingot_raise(err, -EINVAL, "the number is taken");
		if (p->start < o->start + o->size && o->start < p->start + p->size)
			return ingot_raise(err, -EINVAL, "overlaps partition %u", o->number);
	}
	return 0;
}

/* --- entries ----------------------------------------------------------- */

/* UTF-16 (RFC 2781); what is above U+FFFF takes two units. Returns their number. */
static size_t encode_point(uint32_t point, uint16_t units[2])
{
	if (point <= 0xffff) {
		units[0] = (uint16_t)point;
		return 1;
	}
	point -= 0x10000;
	units[0] = (uint16_t)(0xd800 | point >> 10);
	units[1] = (uint16_t)(0xdc00 | (point & 0x3ff));
	return 2;
}

/* A name that fills its field has no zero behind it. */
static int fill_name(const char *name, unsigned char *raw, struct ingot_error *err)
{
	size_t count = 0, left = strlen(name), bytes;

	for (const char *p = name; left > 0; p += bytes, left -= bytes) {
		uint32_t point;
		uint16_t units[2];
		size_t n;

		bytes = ingot_utf8_decode(p, left, &point);
		if (bytes == 0)
			return ingot_raise(err, -EINVAL, "the name is not UTF-8");
		n = encode_point(point, units);
		if (n > INGOT_LAYOUT_LABEL_UNITS - count)
			return ingot_raise(err, -EINVAL, "the name is longer than %d UTF-16 units",
					   INGOT_LAYOUT_LABEL_UNITS);
		for (size_t i = 0; i < n; i++)
			ingot_put_le16(raw + 2 * count++, units[i]);
	}
	return 0;
}

static int fill_entry(const struct ingot_gpt *gpt, const struct ingot_gpt_partition *p,
		      unsigned char *entries, struct ingot_error *err)
{
	unsigned char *entry = entries + (size_t)(p->number - 1) * INGOT_GPT_ENTRY_SIZE;

	ingot_guid_to_gpt(&p->type, entry);
	ingot_guid_to_gpt(&p->uuid, entry + 16);
	ingot_put_le64(entry + 32, p->start / gpt->sector_size);
	ingot_put_le64(entry + 40, (p->start + p->size) / gpt->sector_size - 1);
	ingot_put_le64(entry + 48, p->attributes);
	return fill_name(p->name, entry + 56, err);
}

static int fill_entries(const struct ingot_gpt *gpt, unsigned char *entries,
			struct ingot_error *err)
{
	for (size_t i = 0; i < gpt->count; i++) {
		const struct ingot_gpt_partition *p = &gpt->partitions[i];
		int rc = check_partition(gpt, p, err);

		if (rc == 0)
			rc = check_others(gpt, p, err);
		if (rc == 0)
			rc = fill_entry(gpt, p, entries, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "partition %u '%s'", p->number, p->name);
	}
	return 0;
}

/* --- the sectors around them ------------------------------------------- */

/*
 * Section 5.2.3: one entry of a type that old tools leave alone, over the whole disk. Its last
 * sector in cylinders, heads and sectors depends on a geometry that an image does not have; like
 * every other tool we say that it is out of their range.
 */
static void fill_protective_mbr(const struct ingot_gpt *gpt, unsigned char *mbr)
{
	uint64_t last = gpt->disk_size / gpt->sector_size - 1;
	unsigned char *entry = mbr + 446;

	memcpy(entry + 1, "\x00\x02\x00", 3); /* first sector: cylinder 0, head 0, sector 2 */
	entry[4] = 0xee;
	memcpy(entry + 5, "\xff\xff\xff", 3);
	ingot_put_le32(entry + 8, 1);
	ingot_put_le32(entry + 12, (uint32_t)ingot_min(last, UINT32_MAX));
	ingot_put_le16(mbr + 510, 0xaa55);
}

static void fill_header(const struct ingot_gpt *gpt, const struct header_place *place,
			uint32_t entries_crc, unsigned char *header)
{
	unsigned sector = gpt->sector_size;

	memcpy(header, INGOT_GPT_SIGNATURE, INGOT_GPT_SIGNATURE_SIZE);
	ingot_put_le32(header + 8, INGOT_GPT_REVISION);
	ingot_put_le32(header + 12, INGOT_GPT_HEADER_SIZE);
	ingot_put_le64(header + 24, place->own);
	ingot_put_le64(header + 32, place->other);
	ingot_put_le64(header + 40, ingot_gpt_first_usable(sector));
	ingot_put_le64(header + 48, ingot_gpt_usable_end(gpt->disk_size, sector) / sector - 1);
	ingot_guid_to_gpt(&gpt->uuid, header + 56);
	ingot_put_le64(header + 72, place->entries);
	ingot_put_le32(header + 80, INGOT_LAYOUT_NUMBER_MAX);
	ingot_put_le32(header + 84, INGOT_GPT_ENTRY_SIZE);
	ingot_put_le32(header + 88, entries_crc);
	ingot_put_le32(header + 16, ingot_crc32(0, header, INGOT_GPT_HEADER_SIZE));
}

/*
 * head: protective MBR, header, entries. tail: entries, header. Both are zeros before, as long as
 * the sectors that a table takes at either end of a disk.
 */
static int fill_table(const struct ingot_gpt *gpt, unsigned char *head, unsigned char *tail,
		      struct ingot_error *err)
{
	const size_t entries_size = INGOT_LAYOUT_NUMBER_MAX * INGOT_GPT_ENTRY_SIZE;
	unsigned sector = gpt->sector_size;
	uint64_t last = gpt->disk_size / sector - 1;
	const struct header_place primary = {1, last, 2};
	const struct header_place backup = {last, 1, last - ingot_gpt_entry_sectors(sector)};
	unsigned char *entries = head + 2 * (size_t)sector;
	uint32_t crc;
	int rc = fill_entries(gpt, entries, err);

	if (rc < 0)
		return rc;
	crc = ingot_crc32(0, entries, entries_size);
	fill_protective_mbr(gpt, head);
	fill_header(gpt, &primary, crc, head + sector);
	memcpy(tail, entries, entries_size);
	fill_header(gpt, &backup, crc, tail + entries_size);
	return 0;
}

static int write_table(const struct ingot_gpt *gpt, struct ingot_sink *disk,
		       struct ingot_error *err)
{
	uint64_t end = ingot_gpt_usable_end(gpt->disk_size, gpt->sector_size);
	size_t head_size = (size_t)ingot_gpt_first_usable(gpt->sector_size) * gpt->sector_size;
	size_t tail_size = (size_t)(gpt->disk_size - end);
	INGOT_FREE unsigned char *head = ingot_alloc(1, head_size + tail_size, err);
	int rc;

	if (!head)
		return -ENOMEM;
	rc = fill_table(gpt, head, head + head_size, err);
	if (rc == 0)
		rc = ingot_sink_write(disk, 0, head, head_size, err);
	return rc < 0 ? rc : ingot_sink_write(disk, end, head + head_size, tail_size, err);
}

int ingot_gpt_write(const struct ingot_gpt *gpt, struct ingot_sink *disk, struct ingot_error *err)
{
	int rc;

	if (disk->size != gpt->disk_size)
		return ingot_raise(err, -EINVAL, "'%s' is not as long as its partition table says",
				   disk->name);
	rc = check_disk(gpt, err);
	if (rc == 0)
		rc = write_table(gpt, disk, err);
	return rc < 0 ? ingot_wrap(err, rc, "'%s': partition table", disk->name) : 0;
}
