#include "image/check_vmdk_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { DESCRIPTOR_MAX = 1024 * 1024 };

bool check_vmdk_header(struct checker *c, struct ingot_source *vmdk, struct check_vmdk *ret)
{
	unsigned char h[CHECK_VMDK_SECTOR];
	bool grain_ok, capacity_ok;

	if (!check_read(c, vmdk, 0, h, sizeof(h), "header"))
		return false;
	if (memcmp(h, "KDMV", 4) != 0) {
		check_add(c, "magic", false, "KDMV", SAY("%08x", ingot_get_be32(h)));
		return false;
	}
	*ret = (struct check_vmdk){
		.version = ingot_get_le32(h + 4),
		.flags = ingot_get_le32(h + 8),
		.capacity = ingot_get_le64(h + 12),
		.grain = ingot_get_le64(h + 20),
		.descriptor = ingot_get_le64(h + 28),
		.descriptor_size = ingot_get_le64(h + 36),
		.rgd = ingot_get_le64(h + 48),
		.gd = ingot_get_le64(h + 56),
		.overhead = ingot_get_le64(h + 64),
		.compression = ingot_get_le16(h + 77),
	};
	check_add(c, "line ends", memcmp(h + 73, "\n \r\n", 4) == 0, "as they were written",
		  memcmp(h + 73, "\n \r\n", 4) == 0 ? "as they were written"
						    : "changed, as by a transfer as text");
	check_number(c, "unclean shutdown", 0, h[72]);
	check_number(c, "entries of a grain table", CHECK_VMDK_GTES, ingot_get_le32(h + 44));
	grain_ok = ret->grain == 128;
	check_number(c, "grain, sectors", 128, ret->grain);
	capacity_ok = ret->capacity && ret->capacity <= CHECK_VMDK_CAPACITY_MAX / 512 &&
		      ret->capacity % 128 == 0;
	check_add(c, "capacity", capacity_ok, "whole grains, at most 8 TiB",
		  SAY("%llu sectors", (unsigned long long)ret->capacity));
	return grain_ok && capacity_ok && ingot_get_le32(h + 44) == CHECK_VMDK_GTES;
}

/* The number behind "RW " in the line of the only extent, and its kind; 0: there is no such line.
 */
static uint64_t extent_sectors(const char *text)
{
	unsigned long long sectors = 0;
	unsigned extents = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "RW ", 3) == 0 || strncmp(line, "RDONLY ", 7) == 0) {
			extents++;
			if (sscanf(line, "RW %20llu SPARSE ", &sectors) != 1)
				sectors = 0;
		}
	}
	return extents == 1 ? sectors : 0;
}

void check_vmdk_descriptor(struct checker *c, struct ingot_source *vmdk,
			   const struct check_vmdk *header, const char *type)
{
	INGOT_FREE char *text = NULL;
	char wanted[64];
	uint64_t sectors;
	size_t size;

	if (header->descriptor == 0 || header->descriptor_size == 0 ||
	    header->descriptor_size > DESCRIPTOR_MAX / CHECK_VMDK_SECTOR ||
	    header->descriptor > CHECK_VMDK_CAPACITY_MAX) {
		check_add(c, "descriptor", false, "in the file, at most 1 MiB",
			  SAY("%llu sectors at %llu", (unsigned long long)header->descriptor_size,
			      (unsigned long long)header->descriptor));
		return;
	}
	size = (size_t)header->descriptor_size * CHECK_VMDK_SECTOR;
	text = ingot_alloc(size + 1, 1, NULL);
	if (!text) {
		c->oom = true;
		return;
	}
	if (!check_read(c, vmdk, header->descriptor * CHECK_VMDK_SECTOR, text, size, "descriptor"))
		return;
	(void)snprintf(wanted, sizeof(wanted), "createType=\"%s\"", type);
	check_add(c, "descriptor's type", strstr(text, wanted), wanted,
		  strstr(text, wanted) ? wanted : "another or none");
	check_add(c, "parent", strstr(text, "parentCID=ffffffff"), "none",
		  strstr(text, "parentCID=ffffffff") ? "none" : "another disk, or no parentCID");
	sectors = extent_sectors(text);
	check_number(c, "extent, sectors", header->capacity, sectors);
}
