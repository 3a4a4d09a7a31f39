/* The footer of a VHD of fixed size: vhd.c has its table. */
#include <string.h>

#include "base/bytes.h"
#include "formats/check_internal.h"

enum { FOOTER = 512, FIXED = 2 };

static uint32_t checksum(const unsigned char footer[FOOTER])
{
	uint32_t sum = 0;

	for (size_t i = 0; i < FOOTER; i++)
		if (i < 64 || i >= 68)
			sum += footer[i];
	return ~sum;
}

static void check_fields(const unsigned char *f, uint64_t disk, char finding[INGOT_FORMAT_FINDING])
{
	uint32_t version = ingot_get_be32(f + 12), features = ingot_get_be32(f + 8);

	if (memcmp(f, "conectix", 8) != 0)
		ingot_finding(finding, "the footer's cookie is missing");
	if (ingot_get_be32(f + 64) != checksum(f))
		ingot_finding(finding, "the footer's checksum is 0x%08x, not 0x%08x",
			      ingot_get_be32(f + 64), checksum(f));
	if ((features & ~1U) != 2)
		ingot_finding(finding, "the footer's features are 0x%08x", features);
	if (version != 0x00010000)
		ingot_finding(finding, "the footer's version is 0x%08x", version);
	if (ingot_get_be64(f + 16) != UINT64_MAX)
		ingot_finding(finding, "the footer leads to something, which a fixed disk has not");
	if (ingot_get_be64(f + 48) != disk || ingot_get_be64(f + 40) != disk)
		ingot_finding(finding, "the footer's sizes are not that of the disk, %llu",
			      (unsigned long long)disk);
	if (ingot_get_be32(f + 60) != FIXED)
		ingot_finding(finding, "the footer's kind is %u", ingot_get_be32(f + 60));
	if (f[84] != 0)
		ingot_finding(finding, "it is in a saved state");
	if (!ingot_bytes_are_zero(f + 85, FOOTER - 85))
		ingot_finding(finding, "the footer's reserved bytes are not zero");
}

int ingot_vhd_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		    struct ingot_error *err)
{
	unsigned char footer[FOOTER];
	int rc = ingot_source_read(file, file->size - FOOTER, footer, FOOTER, err);

	if (rc < 0)
		return rc;
	check_fields(footer, file->size - FOOTER, finding);
	return 0;
}
