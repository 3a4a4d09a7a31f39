/*
 * Any bytes as a disk. The fuzzer cannot guess checksums, so they are set right first where
 * the bytes look like a header; the first byte decides for which of the two.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "disk/gpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal(uint8_t *disk, size_t size, size_t at, size_t sector)
{
	uint8_t *header = disk + at;
	uint64_t entries, bytes;
	uint32_t header_size;

	if (!ingot_in_range(at, sector, size))
		return;
	memcpy(header, "EFI PART\0\0\1", 12);
	header_size = ingot_get_le32(header + 12);
	entries = ingot_get_le64(header + 72) * sector;
	bytes = (uint64_t)ingot_get_le32(header + 80) * ingot_get_le32(header + 84);
	if (ingot_in_range(entries, bytes, size))
		ingot_put_le32(header + 88, ingot_crc32(0, disk + entries, bytes));
	ingot_put_le32(header + 16, 0);
	if (header_size <= sector)
		ingot_put_le32(header + 16, ingot_crc32(0, header, header_size));
}

static void check(const struct ingot_gpt *gpt, uint64_t size)
{
	assert(gpt->disk_size == size);
	for (size_t i = 0; i < gpt->count; i++) {
		const struct ingot_gpt_partition *p = &gpt->partitions[i];

		assert(p->size > 0 && ingot_in_range(p->start, p->size, size));
		assert(strlen(p->name) < sizeof(p->name));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingot_problems complaints = {0};
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_FREE struct ingot_gpt *gpt = NULL;
	INGOT_FREE uint8_t *disk = NULL;
	struct ingot_error err;

	if (size < 1)
		return 0;
	disk = ingot_memdup(data + 1, size - 1, &err);
	size--;
	if (disk && data[0] & 1)
		seal(disk, size, data[0] & 4 ? 4096 : 512, data[0] & 4 ? 4096 : 512);
	if (disk && data[0] & 2 && size > 8192)
		seal(disk, size, size - (data[0] & 4 ? 4096 : 512), data[0] & 4 ? 4096 : 512);
	if (!disk || ingot_source_memory("fuzz", disk, size, &source, &err) < 0)
		return 0;
	if (ingot_gpt_read(source, &complaints, &gpt, &err) == 0)
		check(gpt, size);
	ingot_problems_done(&complaints);
	return 0;
}
