#include "formats/store_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "formats/zst_internal.h"

/* --- deflate ----------------------------------------------------------- */

/* A bit for the last block, two of kind 0, up to a whole byte; LEN, and its complement. */
void ingot_stored_deflate_head(size_t i, size_t n, unsigned char head[INGOT_STORED_BLOCK_HEAD])
{
	size_t rest = n - i * INGOT_STORED_BLOCK;
	uint16_t length = (uint16_t)ingot_min(rest, INGOT_STORED_BLOCK);

	head[0] = rest <= INGOT_STORED_BLOCK;
	ingot_put_le16(head + 1, length);
	ingot_put_le16(head + 3, (uint16_t)~length);
}

size_t ingot_store_deflate(const void *data, size_t n, unsigned char *out)
{
	const unsigned char *from = data;

	for (size_t at = 0, i = 0; at < n; at += INGOT_STORED_BLOCK, i++) {
		size_t part = (size_t)ingot_min(n - at, INGOT_STORED_BLOCK);

		ingot_stored_deflate_head(i, n, out);
		memcpy(out + INGOT_STORED_BLOCK_HEAD, from + at, part);
		out += INGOT_STORED_BLOCK_HEAD + part;
	}
	return ingot_stored_deflate_size(n);
}

/* --- Zstandard --------------------------------------------------------- */

/* A single segment, which says its size in a byte, or in two less 256; the last block, kind 0. */
size_t ingot_stored_zstd_head(size_t n, unsigned char head[INGOT_STORED_ZSTD_HEAD])
{
	unsigned char *block = head + (n < 256 ? 6 : 7);

	ingot_put_le32(head, INGOT_ZST_MAGIC);
	head[4] = n < 256 ? 0x20 : 0x60;
	if (n < 256)
		head[5] = (unsigned char)n;
	else
		ingot_put_le16(head + 5, (uint16_t)(n - 256));
	ingot_put_le16(block, (uint16_t)(n << 3 | 1));
	block[2] = (unsigned char)(n >> 13);
	return (size_t)(block + 3 - head);
}

size_t ingot_store_zstd(const void *data, size_t n, unsigned char *out)
{
	unsigned char head[INGOT_STORED_ZSTD_HEAD];
	size_t size = ingot_stored_zstd_head(n, head);

	memcpy(out, head, size);
	memcpy(out + size, data, n);
	return size + n;
}

int ingot_stored_deflate_is(struct ingot_source *file, uint64_t at, size_t n, bool *ret,
			    struct ingot_error *err)
{
	*ret = true;
	for (size_t i = 0; *ret && i < ingot_div_up(n, INGOT_STORED_BLOCK); i++) {
		unsigned char want[INGOT_STORED_BLOCK_HEAD], head[INGOT_STORED_BLOCK_HEAD];
		uint64_t block = i * (uint64_t)(INGOT_STORED_BLOCK + INGOT_STORED_BLOCK_HEAD);
		int rc = ingot_source_read(file, at + block, head, sizeof(head), err);

		if (rc < 0)
			return rc;
		ingot_stored_deflate_head(i, n, want);
		*ret = memcmp(head, want, sizeof(head)) == 0;
	}
	return 0;
}
