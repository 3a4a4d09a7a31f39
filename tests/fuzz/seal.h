/* The checksums of a partition table in an image are set right: the fuzzer cannot guess them. */
#ifndef INGOT_TESTS_SEAL_H
#define INGOT_TESTS_SEAL_H

#include "base/crc32.h"
#include "sparse.h"

static void seal(struct sparse *sparse, uint64_t at, size_t sector)
{
	struct ingot_source *source = &sparse->source;
	uint8_t header[512], entries[128 * 128], crc[4];
	uint64_t entries_at;
	uint32_t bytes;

	if (!ingot_in_range(at, sizeof(header), source->size))
		return;
	(void)sparse_read(source, at, header, sizeof(header), NULL);
	bytes = ingot_get_le32(header + 80) * ingot_get_le32(header + 84);
	entries_at = ingot_get_le64(header + 72) * sector;
	if (memcmp(header, "EFI PART", 8) != 0 || bytes > sizeof(entries) ||
	    !ingot_in_range(entries_at, bytes, source->size))
		return;
	(void)sparse_read(source, entries_at, entries, bytes, NULL);
	ingot_put_le32(crc, ingot_crc32(0, entries, bytes));
	sparse_write(sparse, at + 88, crc, 4);
	memcpy(header + 88, crc, 4);
	ingot_put_le32(header + 16, 0);
	ingot_put_le32(crc, ingot_crc32(0, header, ingot_min(92, ingot_get_le32(header + 12))));
	sparse_write(sparse, at + 16, crc, 4);
}

static void seal_all(struct sparse *sparse)
{
	for (size_t sector = 512; sector <= 4096; sector *= 8) {
		seal(sparse, sector, sector);
		seal(sparse, sparse->source.size - sector, sector);
	}
}

#endif
