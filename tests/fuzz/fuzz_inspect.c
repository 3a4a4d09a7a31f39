/*
 * Any bytes as an image. Input is spread over the image, so that small inputs reach what is far
 * apart: records of "offset in units of 16 bytes (le32), length (le16), bytes", all else is zero.
 * The first two bytes are the image's size in pages, at most 64 MiB. The checksums of a partition
 * table are set right, because the fuzzer cannot guess them.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "image/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGE = 4096, SIZE_MAX_PAGES = 16384 };

/* Every page that was never written is a hole that takes no memory. */
struct sparse {
	struct ingot_source source;
	uint8_t *pages[SIZE_MAX_PAGES];
};

static int sparse_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		       struct ingot_error *err)
{
	struct sparse *sparse = (struct sparse *)source;
	uint8_t *p = data;

	(void)err;
	while (n > 0) {
		const uint8_t *page = sparse->pages[offset / PAGE];
		size_t part = (size_t)ingot_min(n, PAGE - offset % PAGE);

		if (page)
			memcpy(p, page + offset % PAGE, part);
		else
			memset(p, 0, part);
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

static int sparse_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			 struct ingot_error *err)
{
	const struct sparse *sparse = (const struct sparse *)source;
	uint64_t page = offset / PAGE, end = ingot_div_up(source->size, PAGE);

	(void)err;
	ret->hole = !sparse->pages[page];
	while (page < end && !sparse->pages[page] == ret->hole)
		page++;
	ret->length = ingot_min(page * PAGE, source->size) - offset;
	return 0;
}

static const struct ingot_source_ops OPS = {sparse_read, sparse_extent, NULL};

static void write_at(struct sparse *sparse, uint64_t offset, const uint8_t *from, size_t n)
{
	for (; n > 0 && offset < sparse->source.size; n--, offset++) {
		uint8_t **page = &sparse->pages[offset / PAGE];

		if (!*page)
			*page = calloc(1, PAGE);
		assert(*page);
		(*page)[offset % PAGE] = *from++;
	}
}

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
	write_at(sparse, at + 88, crc, 4);
	memcpy(header + 88, crc, 4);
	ingot_put_le32(header + 16, 0);
	ingot_put_le32(crc, ingot_crc32(0, header, ingot_min(92, ingot_get_le32(header + 12))));
	write_at(sparse, at + 16, crc, 4);
}

static void fill(struct sparse *sparse, const uint8_t *data, size_t size)
{
	while (size > 6) {
		uint64_t offset = (uint64_t)ingot_get_le32(data) * 16;
		size_t n = ingot_min(ingot_get_le16(data + 4), size - 6);

		write_at(sparse, offset, data + 6, n);
		data += 6 + n;
		size -= 6 + n;
	}
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

	if (size < 2 || ingot_get_le16(data) > SIZE_MAX_PAGES)
		return 0;
	sparse.source = (struct ingot_source){&OPS, "fuzz", (uint64_t)ingot_get_le16(data) * PAGE};
	fill(&sparse, data + 2, size - 2);
	if (ingot_inspect(&sparse.source, &problems, &report, &err) == 0)
		check(report);
	json_decref(report);
	ingot_problems_done(&problems);
	for (size_t i = 0; i < SIZE_MAX_PAGES; i++) {
		free(sparse.pages[i]);
		sparse.pages[i] = NULL;
	}
	return 0;
}
