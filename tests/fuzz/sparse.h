/*
 * For fuzz targets: any bytes as a large image. Input is spread over the image, so that small
 * inputs reach what is far apart: records of "offset in units of 16 bytes (le32), length (le16),
 * bytes", all else is zero. The first two bytes are the image's size in pages, at most 64 MiB.
 */
#ifndef INGOT_TESTS_SPARSE_H
#define INGOT_TESTS_SPARSE_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "io/source.h"

enum { PAGE = 4096, SIZE_MAX_PAGES = 16384 };

/* Every page that was never written is a hole that takes no memory. */
struct sparse {
	struct ingot_source source;
	uint8_t *pages[SIZE_MAX_PAGES];
};

static inline int sparse_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
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

static inline int sparse_extent(struct ingot_source *source, uint64_t offset,
				struct ingot_extent *ret, struct ingot_error *err)
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

static const struct ingot_source_ops SPARSE_OPS = {sparse_read, sparse_extent, NULL};

static inline void sparse_write(struct sparse *sparse, uint64_t offset, const uint8_t *from,
				size_t n)
{
	for (; n > 0 && offset < sparse->source.size; n--, offset++) {
		uint8_t **page = &sparse->pages[offset / PAGE];

		if (!*page)
			*page = calloc(1, PAGE);
		assert(*page);
		(*page)[offset % PAGE] = *from++;
	}
}

/* False: not even a size. */
static inline bool sparse_fill(struct sparse *sparse, const uint8_t *data, size_t size)
{
	if (size < 2 || ingot_get_le16(data) > SIZE_MAX_PAGES)
		return false;
	sparse->source =
		(struct ingot_source){&SPARSE_OPS, "fuzz", (uint64_t)ingot_get_le16(data) * PAGE};
	data += 2;
	size -= 2;
	while (size > 6) {
		uint64_t offset = (uint64_t)ingot_get_le32(data) * 16;
		size_t n = ingot_min(ingot_get_le16(data + 4), size - 6);

		sparse_write(sparse, offset, data + 6, n);
		data += 6 + n;
		size -= 6 + n;
	}
	return true;
}

static inline void sparse_empty(struct sparse *sparse)
{
	for (size_t i = 0; i < SIZE_MAX_PAGES; i++) {
		free(sparse->pages[i]);
		sparse->pages[i] = NULL;
	}
}

#endif
