/*
 * Any bytes as an image, spread over it as sparse.h says. The checksums of a partition table are
 * set right, because the fuzzer cannot guess them.
 */
#include "sparse.h"

#include "base/crc32.h"
#include "image/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

/* Whatever the bytes were, the report is JSON that says the same when it is read again. */
static void check(json_t *report)
{
	INGOT_FREE char *text = json_dumps(report, JSON_INDENT(2));
	json_t *again = text ? json_loads(text, JSON_ALLOW_NUL, NULL) : NULL;

	assert(again && json_equal(report, again));
	json_decref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sparse sparse;
	struct ingot_problems problems = {0};
	struct ingot_error err = {0};
	json_t *report = NULL;

	if (!sparse_fill(&sparse, data, size))
		return 0;
	seal_all(&sparse);
	if (ingot_inspect(&sparse.source, &problems, &report, &err) == 0)
		check(report);
	json_decref(report);
	ingot_problems_done(&problems);
	sparse_empty(&sparse);
	return 0;
}
