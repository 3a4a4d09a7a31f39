/* The reserved sectors (fatgen103, "Boot Sector and BPB", "FSInfo"). */
#include "fs/fat_internal.h"

#include <string.h>

#include "base/bytes.h"

enum { INFO_SECTOR = 1, BACKUP_SECTOR = 6, HEAD32_SECTORS = 8, HEAD16_SECTORS = 1 };

size_t ingot_fat_head_size(const struct fat_layout *layout)
{
	return (size_t)layout->sector_size * (layout->bits == 32 ? HEAD32_SECTORS : HEAD16_SECTORS);
}

/* What both have, at 36 (FAT16) or 64 (FAT32). */
static void put_extended(const struct fat_plan *plan, const char *type, uint8_t *p)
{
	/* int 0x18: this disk does not boot, go on. Then halt. */
	static const uint8_t code[] = {0xcd, 0x18, 0xf4, 0xeb, 0xfd};

	p[0] = 0x80; /* drive */
	p[2] = 0x29; /* the next three fields are there */
	ingot_put_le32(p + 3, plan->options.volume_id);
	memcpy(p + 7, plan->label, FAT_SHORT_NAME);
	memcpy(p + 18, type, 8);
	memcpy(p + 26, code, sizeof(code));
}

static void put_common(const struct fat_plan *plan, uint8_t *p)
{
	const struct fat_layout *layout = &plan->layout;

	p[0] = 0xeb; /* a jump to the code behind the fields */
	p[2] = 0x90;
	memcpy(p + 3, "INGOT   ", 8);
	ingot_put_le16(p + 11, (uint16_t)layout->sector_size);
	p[13] = (uint8_t)(layout->cluster_size / layout->sector_size);
	ingot_put_le16(p + 14, (uint16_t)layout->reserved);
	p[16] = 2; /* tables */
	p[21] = FAT_MEDIA;
	ingot_put_le16(p + 24, 63); /* sectors per track and heads: nobody looks */
	ingot_put_le16(p + 26, 255);
	ingot_put_le32(p + 28, plan->options.hidden_sectors);
	ingot_put_le16(p + 510, 0xaa55);
}

static void put_boot_sector_16(const struct fat_plan *plan, uint8_t *p)
{
	const struct fat_layout *layout = &plan->layout;

	put_common(plan, p);
	p[1] = 0x3c;
	ingot_put_le16(p + 17, (uint16_t)(layout->root_size / FAT_ENTRY_SIZE));
	if (layout->sectors <= UINT16_MAX)
		ingot_put_le16(p + 19, (uint16_t)layout->sectors);
	else
		ingot_put_le32(p + 32, layout->sectors);
	ingot_put_le16(p + 22, (uint16_t)layout->table_sectors);
	put_extended(plan, "FAT16   ", p + 36);
}

static void put_boot_sector_32(const struct fat_plan *plan, uint8_t *p)
{
	const struct fat_layout *layout = &plan->layout;

	put_common(plan, p);
	p[1] = 0x58;
	ingot_put_le32(p + 32, layout->sectors);
	ingot_put_le32(p + 36, layout->table_sectors);
	ingot_put_le32(p + 44, FAT_FIRST_CLUSTER); /* the root */
	ingot_put_le16(p + 48, INFO_SECTOR);
	ingot_put_le16(p + 50, BACKUP_SECTOR);
	put_extended(plan, "FAT32   ", p + 64);
}

static void put_info_sector(const struct fat_plan *plan, uint8_t *p)
{
	uint32_t free_clusters = plan->layout.clusters - plan->used;

	ingot_put_le32(p, 0x41615252);
	ingot_put_le32(p + 484, 0x61417272);
	ingot_put_le32(p + 488, free_clusters);
	ingot_put_le32(p + 492, free_clusters ? FAT_FIRST_CLUSTER + plan->used : 0xffffffff);
	ingot_put_le32(p + 508, 0xaa550000);
}

void ingot_fat_put_head(const struct fat_plan *plan, uint8_t *p)
{
	size_t sector = plan->layout.sector_size;

	if (plan->layout.bits == 16) {
		put_boot_sector_16(plan, p);
		return;
	}
	put_boot_sector_32(plan, p);
	put_info_sector(plan, p + INFO_SECTOR * sector);
	memcpy(p + BACKUP_SECTOR * sector, p, 2 * sector);
}
