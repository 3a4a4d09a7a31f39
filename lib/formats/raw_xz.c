/*
 * raw.xz: the disk as one stream of xz, a block for each MiB, with CRC-64 and a dictionary of
 * 1 MiB; the index at the end finds any of them. A MiB of zeros is compressed once.
 */
#include <errno.h>

#include "formats/append_internal.h"
#include "formats/format_internal.h"
#include "formats/xz_internal.h"

enum { LEVEL = 6 }; /* of zeros */

struct xz_writer {
	struct ingot_writer writer;
	struct ingot_append append;
	struct lzma_index_s *index;
	struct ingot_xz_block zero; /* a chunk of zeros; made when needed */
};

static void xz_free(struct ingot_writer *writer)
{
	struct xz_writer *xz = (struct xz_writer *)writer;

	ingot_append_done(&xz->append);
	lzma_index_end(xz->index, NULL);
	free(xz->zero.packed.data);
	free(xz);
}

static int begin(struct xz_writer *xz, struct ingot_output *output, struct ingot_error *err)
{
	const lzma_stream_flags flags = {.check = LZMA_CHECK_CRC64};
	unsigned char header[LZMA_STREAM_HEADER_SIZE];
	int rc = ingot_append_init(&xz->append, output, err);

	if (rc < 0)
		return rc;
	xz->index = lzma_index_init(NULL);
	if (!xz->index)
		return ingot_raise_oom(err, 0);
	if (lzma_stream_header_encode(&flags, header) != LZMA_OK)
		return ingot_raise(err, -EIO, "the header cannot be written");
	return ingot_append_bytes(&xz->append, header, sizeof(header), err);
}

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	struct xz_writer *xz = ingot_alloc(1, sizeof(*xz), err);
	int rc;

	(void)options;
	if (!xz)
		return -ENOMEM;
	xz->writer = (struct ingot_writer){ops, size};
	rc = begin(xz, output, err);
	if (rc < 0) {
		xz_free(&xz->writer);
		return rc;
	}
	*ret = &xz->writer;
	return 0;
}

static int put_block(struct xz_writer *xz, const struct ingot_xz_block *block, size_t n,
		     struct ingot_error *err)
{
	lzma_ret rc = lzma_index_append(xz->index, NULL, block->unpadded, n);

	if (rc == LZMA_MEM_ERROR)
		return ingot_raise_oom(err, 0);
	if (rc != LZMA_OK)
		return ingot_raise(err, -EFBIG, "the disk is too large for xz");
	return ingot_append_bytes(&xz->append, block->packed.data, block->packed.size, err);
}

/* n zeros; xz->zero is of a whole chunk. */
static int make_zeros(size_t n, struct ingot_xz_block *ret, struct ingot_error *err)
{
	size_t room = lzma_block_buffer_bound(n);
	INGOT_FREE unsigned char *zeros = ingot_alloc(1, n, err);
	INGOT_FREE unsigned char *out = zeros ? ingot_alloc(1, room, err) : NULL;
	int rc = out ? ingot_xz_block(LEVEL, zeros, n, out, room, ret, err) : -ENOMEM;

	if (rc < 0)
		return rc;
	ret->packed.data = ingot_memdup(out, ret->packed.size, err);
	return ret->packed.data ? 0 : -ENOMEM;
}

static int put_zeros(struct xz_writer *xz, size_t n, struct ingot_error *err)
{
	struct ingot_xz_block block = {0};
	int rc = 0;

	if (n == INGOT_CHUNK) {
		if (!xz->zero.packed.data)
			rc = make_zeros(n, &xz->zero, err);
		return rc < 0 ? rc : put_block(xz, &xz->zero, n, err);
	}
	rc = make_zeros(n, &block, err);
	if (rc == 0)
		rc = put_block(xz, &block, n, err);
	free(block.packed.data);
	return rc;
}

static int append(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		  struct ingot_error *err)
{
	struct xz_writer *xz = (struct xz_writer *)writer;

	if (chunk->xz.packed.size)
		return put_block(xz, &chunk->xz, chunk->length, err);
	return put_zeros(xz, chunk->length, err);
}

static int put_index(struct xz_writer *xz, struct ingot_error *err)
{
	size_t size = (size_t)lzma_index_size(xz->index), used = 0;
	INGOT_FREE unsigned char *raw = ingot_alloc(1, size, err);

	if (!raw)
		return -ENOMEM;
	if (lzma_index_buffer_encode(xz->index, raw, &used, size) != LZMA_OK)
		return ingot_raise(err, -EIO, "the index cannot be written");
	return ingot_append_bytes(&xz->append, raw, used, err);
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	struct xz_writer *xz = (struct xz_writer *)writer;
	const lzma_stream_flags flags = {.backward_size = lzma_index_size(xz->index),
					 .check = LZMA_CHECK_CRC64};
	unsigned char footer[LZMA_STREAM_HEADER_SIZE];
	int rc = put_index(xz, err);

	(void)seed;
	if (rc < 0)
		return rc;
	if (lzma_stream_footer_encode(&flags, footer) != LZMA_OK)
		return ingot_raise(err, -EIO, "the footer cannot be written");
	rc = ingot_append_bytes(&xz->append, footer, sizeof(footer), err);
	return rc < 0 ? rc : ingot_append_flush(&xz->append, err);
}

const struct ingot_writer_ops ingot_raw_xz_writer = {
	.format = {"raw.xz", "the disk, compressed with xz"},
	.needs = INGOT_NEED_XZ | INGOT_NEED_HOLES,
	.start = start,
	.append = append,
	.finish = finish,
	.free = xz_free,
};
