/* A VHD's footer: vhd_internal.h has its table. What grows is in blocks_check.c. */
#include <string.h>

#include "base/bytes.h"
#include "formats/check_internal.h"
#include "formats/vhd_internal.h"

static void check_fields(const unsigned char *f, bool grows, char finding[INGOT_FORMAT_FINDING])
{
	uint32_t version = ingot_get_be32(f + 12), features = ingot_get_be32(f + 8);
	uint32_t sum = ingot_vhd_checksum(f, VHD_FOOTER, VHD_FOOTER_SUM);

	if (memcmp(f, "conectix", 8) != 0)
		ingot_finding(finding, "the footer's cookie is missing");
	if (ingot_get_be32(f + VHD_FOOTER_SUM) != sum)
		ingot_finding(finding, "the footer's checksum is 0x%08x, not 0x%08x",
			      ingot_get_be32(f + VHD_FOOTER_SUM), sum);
	if ((features & ~1U) != 2)
		ingot_finding(finding, "the footer's features are 0x%08x", features);
	if (version != 0x00010000)
		ingot_finding(finding, "the footer's version is 0x%08x", version);
	if (ingot_get_be64(f + 16) != (grows ? VHD_FOOTER : UINT64_MAX))
		ingot_finding(finding, "the footer leads to 0x%llx",
			      (unsigned long long)ingot_get_be64(f + 16));
	if (ingot_get_be64(f + 48) != ingot_get_be64(f + 40))
		ingot_finding(finding, "the footer's sizes differ");
	if (f[84] != 0)
		ingot_finding(finding, "it is in a saved state");
	if (!ingot_bytes_are_zero(f + 85, VHD_FOOTER - 85))
		ingot_finding(finding, "the footer's reserved bytes are not zero");
}

int ingot_vhd_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		    struct ingot_error *err)
{
	unsigned char footer[VHD_FOOTER];
	uint64_t disk = file->size - VHD_FOOTER;
	bool grows;
	int rc = ingot_source_read(file, disk, footer, VHD_FOOTER, err);

	if (rc < 0)
		return rc;
	grows = ingot_get_be32(footer + 60) == VHD_GROWS;
	check_fields(footer, grows, finding);
	if (*finding)
		return 0;
	if (grows)
		return ingot_vhd_dynamic_check(file, footer, finding, err);
	if (ingot_get_be32(footer + 60) != VHD_FIXED)
		ingot_finding(finding, "the footer's kind is %u", ingot_get_be32(footer + 60));
	if (ingot_get_be64(footer + 48) != disk)
		ingot_finding(finding, "the footer says %llu bytes, the disk has %llu",
			      (unsigned long long)ingot_get_be64(footer + 48),
			      (unsigned long long)disk);
	return 0;
}
