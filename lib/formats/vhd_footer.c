#include "formats/vhd_internal.h"

#include <string.h>

#include "base/bytes.h"

uint32_t ingot_vhd_checksum(const unsigned char *data, size_t n, size_t at)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		if (i < at || i >= at + 4)
			sum += data[i];
	return ~sum;
}

/*
 * No geometry multiplies to any size. The largest there is, and the creator "qem2", say that the
 * size in bytes counts, to QEMU and to Hyper-V alike; from a geometry that fits, QEMU would take a
 * size that is not the disk's.
 */
void ingot_vhd_make_footer(uint64_t size, uint64_t header, const struct ingot_guid *guid,
			   unsigned char f[VHD_FOOTER])
{
	memset(f, 0, VHD_FOOTER);
	memcpy(f, "conectix", 8);
	ingot_put_be32(f + 8, 2);
	ingot_put_be32(f + 12, 0x00010000);
	ingot_put_be64(f + 16, header);
	memcpy(f + 28, "qem2", 4);
	ingot_put_be32(f + 32, 0x00050003);
	memcpy(f + 36, "Wi2k", 4);
	ingot_put_be64(f + 40, size);
	ingot_put_be64(f + 48, size);
	ingot_put_be16(f + 56, 65535);
	f[58] = 16;
	f[59] = 255;
	ingot_put_be32(f + 60, header == UINT64_MAX ? VHD_FIXED : VHD_GROWS);
	memcpy(f + 68, guid->bytes, 16);
	ingot_put_be32(f + 64, ingot_vhd_checksum(f, VHD_FOOTER, VHD_FOOTER_SUM));
}
