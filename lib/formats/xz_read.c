/* xz files, by anybody: the index at the end of each stream finds its blocks. */
#include <errno.h>
#include <lzma.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/edit_internal.h"
#include "formats/packed_internal.h"

#define INDEX_MEMORY (UINT64_C(64) << 20)
#define BLOCK_MEMORY (UINT64_C(96) << 20)

struct xz_decoder {
	struct ingot_decoder decoder;
	struct ingot_input input;
	lzma_index *index;
	bool borrowed;	    /* the index is another decoder's */
	lzma_index_iter at; /* the block */
	bool ended;	    /* there is no block any more */
	bool inside;	    /* the block was begun */
	lzma_stream lzma;
	lzma_block block; /* lives as long as the decoder is in it */
};

static int failed(lzma_ret code, struct ingot_error *err)
{
	switch ((int)code) {
	case LZMA_MEM_ERROR:
		return ingot_raise_oom(err, 0);
	case LZMA_MEMLIMIT_ERROR:
		return ingot_raise(err, -ENOTSUP, "its index needs more than 64 MiB of memory");
	case LZMA_OPTIONS_ERROR:
		return ingot_raise(err, -ENOTSUP, "it uses what liblzma does not know");
	case LZMA_BUF_ERROR:
		return ingot_raise(err, -EBADMSG, "it is cut off");
	default:
		return ingot_raise(err, -EBADMSG, "it is damaged");
	}
}

/* --- blocks ------------------------------------------------------------ */

static int start_block(struct xz_decoder *xz, lzma_filter *filters, struct ingot_error *err)
{
	uint64_t memory = lzma_raw_decoder_memusage(filters);
	lzma_ret code;

	if (memory > BLOCK_MEMORY && memory != UINT64_MAX)
		return ingot_raise(err, -ENOTSUP, "a block needs more than 96 MiB of memory");
	code = lzma_block_compressed_size(&xz->block, xz->at.block.unpadded_size);
	if (code != LZMA_OK)
		return failed(code, err);
	if (xz->block.uncompressed_size != LZMA_VLI_UNKNOWN &&
	    xz->block.uncompressed_size != xz->at.block.uncompressed_size)
		return ingot_raise(err, -EBADMSG, "its index and a block do not fit");
	xz->block.uncompressed_size = xz->at.block.uncompressed_size;
	code = lzma_block_decoder(&xz->lzma, &xz->block);
	if (code != LZMA_OK)
		return failed(code, err);
	xz->inside = true;
	return 0;
}

static int begin_block(struct xz_decoder *xz, struct ingot_error *err)
{
	lzma_filter filters[LZMA_FILTERS_MAX + 1];
	uint8_t header[LZMA_BLOCK_HEADER_SIZE_MAX];
	lzma_ret code;
	int rc;

	ingot_input_seek(&xz->input, xz->at.block.compressed_file_offset);
	rc = ingot_input_take(&xz->input, header, 1, err);
	if (rc < 0)
		return rc;
	if (header[0] == 0)
		return ingot_raise(err, -EBADMSG, "its index names a block that is none");
	memset(&xz->block, 0, sizeof(xz->block));
	xz->block.version = 1;
	xz->block.filters = filters;
	xz->block.check = xz->at.stream.flags->check;
	xz->block.header_size = lzma_block_header_size_decode(header[0]);
	rc = ingot_input_take(&xz->input, header + 1, xz->block.header_size - 1, err);
	if (rc < 0)
		return rc;
	code = lzma_block_header_decode(&xz->block, NULL, header);
	if (code != LZMA_OK)
		return failed(code, err);
	rc = start_block(xz, filters, err);
	lzma_filters_free(filters, NULL);
	xz->block.filters = NULL;
	return rc;
}

/* What liblzma makes of the input at hand. *stuck: nothing happens without room. */
static int unpack_some(struct xz_decoder *xz, unsigned char *data, size_t n, size_t *ret_n,
		       bool *stuck, struct ingot_error *err)
{
	struct ingot_input *input = &xz->input;
	int rc = ingot_input_fill(input, err);
	lzma_ret code;

	if (rc < 0)
		return rc;
	xz->lzma.next_in = input->buffer + input->at;
	xz->lzma.avail_in = input->end - input->at;
	xz->lzma.next_out = data;
	xz->lzma.avail_out = n;
	code = lzma_code(&xz->lzma, LZMA_RUN);
	*ret_n = n - xz->lzma.avail_out;
	*stuck = *ret_n == 0 && xz->lzma.avail_in == input->end - input->at;
	input->at = input->end - xz->lzma.avail_in;
	if (code == LZMA_STREAM_END) {
		xz->inside = false;
		*stuck = false;
		xz->ended = lzma_index_iter_next(&xz->at, LZMA_INDEX_ITER_NONEMPTY_BLOCK);
		return 0;
	}
	if (code != LZMA_OK && !(code == LZMA_BUF_ERROR && n == 0))
		return failed(code, err);
	if (*stuck && n > 0 && input->at == input->end)
		return ingot_raise(err, -EBADMSG, "it is cut off");
	return 0;
}

/* Without room it goes on while something happens: a check may be next. */
static int read_some(struct ingot_decoder *decoder, void *data, size_t n, size_t *ret_n,
		     struct ingot_error *err)
{
	struct xz_decoder *xz = (struct xz_decoder *)decoder;
	bool stuck = false;
	int rc = 0;

	*ret_n = 0;
	while (rc == 0 && (*ret_n < n || (xz->inside && !stuck))) {
		size_t got;

		if (xz->ended)
			break;
		if (!xz->inside)
			rc = begin_block(xz, err);
		if (rc < 0)
			return rc;
		rc = unpack_some(xz, (unsigned char *)data + *ret_n, n - *ret_n, &got, &stuck, err);
		if (rc == 0)
			*ret_n += got;
	}
	return rc;
}

static int restart(struct ingot_decoder *decoder, const struct ingot_point *point,
		   struct ingot_error *err)
{
	struct xz_decoder *xz = (struct xz_decoder *)decoder;

	(void)err;
	xz->inside = false;
	lzma_index_iter_init(&xz->at, xz->index);
	xz->ended = lzma_index_iter_locate(&xz->at, point->out);
	return 0;
}

static void decoder_free(struct ingot_decoder *decoder)
{
	struct xz_decoder *xz = (struct xz_decoder *)decoder;

	lzma_end(&xz->lzma);
	if (!xz->borrowed)
		lzma_index_end(xz->index, NULL);
	free(xz);
}

static int decoder_fork(const struct ingot_decoder *decoder, struct ingot_decoder **ret,
			struct ingot_error *err);

static uint64_t decoder_memory(const struct ingot_decoder *decoder)
{
	return lzma_memusage(&((const struct xz_decoder *)decoder)->lzma);
}

static const struct ingot_decoder_ops XZ_OPS = {restart, read_some, decoder_fork, decoder_memory,
						decoder_free};

static struct xz_decoder *decoder_new(struct ingot_source *file, struct ingot_error *err)
{
	struct xz_decoder *xz = ingot_alloc(1, sizeof(*xz), err);

	if (!xz)
		return NULL;
	xz->decoder.ops = &XZ_OPS;
	xz->input.file = file;
	xz->lzma = (lzma_stream)LZMA_STREAM_INIT;
	return xz;
}

static int decoder_fork(const struct ingot_decoder *decoder, struct ingot_decoder **ret,
			struct ingot_error *err)
{
	const struct xz_decoder *xz = (const struct xz_decoder *)decoder;
	struct xz_decoder *fork = decoder_new(xz->input.file, err);

	if (!fork)
		return -ENOMEM;
	fork->index = xz->index;
	fork->borrowed = true;
	*ret = &fork->decoder;
	return 0;
}

/* --- the index --------------------------------------------------------- */

/* liblzma says where it wants to read: it goes through the file from its end. */
static int read_index(struct xz_decoder *xz, struct ingot_error *err)
{
	struct ingot_input *input = &xz->input;
	lzma_stream lzma = LZMA_STREAM_INIT;
	lzma_ret code = lzma_file_info_decoder(&lzma, &xz->index, INDEX_MEMORY, input->file->size);
	int rc = 0;

	ingot_input_seek(input, 0);
	while (rc == 0 && (code == LZMA_OK || code == LZMA_SEEK_NEEDED)) {
		if (code == LZMA_SEEK_NEEDED)
			ingot_input_seek(input, lzma.seek_pos);
		rc = ingot_input_fill(input, err);
		lzma.next_in = input->buffer + input->at;
		lzma.avail_in = input->end - input->at;
		if (rc == 0)
			code = lzma_code(&lzma, lzma.avail_in ? LZMA_RUN : LZMA_FINISH);
		input->at = input->end - lzma.avail_in;
	}
	lzma_end(&lzma);
	if (rc == 0 && code != LZMA_STREAM_END)
		return failed(code, err);
	return rc;
}

static int make_map(struct xz_decoder *xz, struct ingot_zero_units *zeros,
		    struct ingot_packed_map *map, struct ingot_error *err)
{
	const struct ingot_point start = {0};
	lzma_index_iter at;
	int rc = ingot_packed_map_point(map, &start, err);

	lzma_index_iter_init(&at, xz->index);
	while (rc == 0 && !lzma_index_iter_next(&at, LZMA_INDEX_ITER_NONEMPTY_BLOCK)) {
		const struct ingot_point point = {.in = at.block.compressed_file_offset,
						  .out = at.block.uncompressed_file_offset};

		if (!lzma_check_is_supported(at.stream.flags->check))
			return ingot_raise(err, -ENOTSUP, "liblzma does not know its check");
		rc = ingot_packed_map_unit(map, zeros, xz->input.file, &xz->decoder, &point,
					   at.block.total_size, at.block.uncompressed_size, err);
	}
	return rc;
}

static int open_stream(struct ingot_source *file, struct ingot_zero_units *zeros,
		       struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_packed_map map = {0};
	struct xz_decoder *xz = decoder_new(file, err);
	int rc;

	if (!xz)
		return -ENOMEM;
	rc = read_index(xz, err);
	if (rc == 0)
		rc = make_map(xz, zeros, &map, err);
	if (rc == 0)
		rc = ingot_packed_source(file, &xz->decoder, &map, ret, err);
	ingot_packed_map_done(&map);
	if (rc < 0)
		decoder_free(&xz->decoder);
	return rc;
}

int ingot_xz_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE struct ingot_zero_units *zeros = ingot_alloc(1, sizeof(*zeros), err);

	return zeros ? open_stream(file, zeros, ret, err) : -ENOMEM;
}

/* --- changes in place -------------------------------------------------- */

enum { CHUNK_HEAD = 3, CHECK = 8, BLOCK_MAX = 4 << 20 };

/* Little of it is read, so that to find the zeros first would take longer than to unpack some. */
int ingot_xz_open_own(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	int rc = open_stream(file, NULL /* zeros */, ret, err);

	if (rc == 0)
		ingot_packed_own(*ret);
	return rc;
}

static int find_block(struct ingot_source *source, uint64_t offset, lzma_index_iter *ret,
		      struct ingot_error *err)
{
	const struct xz_decoder *xz = (struct xz_decoder *)ingot_packed_decoder(source);

	lzma_index_iter_init(ret, xz->index);
	if (lzma_index_iter_locate(ret, offset))
		return ingot_raise(err, -EBADMSG, "its index ends before the disk");
	return 0;
}

/* Of LZMA2: 1 or 2, the second without a reset of the dictionary; one less than the bytes. */
static bool is_stored_chunk(const unsigned char head[CHUNK_HEAD])
{
	return head[0] == 1 || head[0] == 2;
}

/*
 * The stored chunk of a block that has the byte `inside`; *ret_start: the first byte of the chunk,
 * *ret_n: its bytes, 0 if one up to there is compressed.
 */
static int find_chunk(struct ingot_source *file, const lzma_index_iter *block, uint64_t inside,
		      uint64_t *ret_at, uint64_t *ret_start, size_t *ret_n, struct ingot_error *err)
{
	uint64_t at = block->block.compressed_file_offset;
	unsigned char head[CHUNK_HEAD];
	int rc = ingot_source_read(file, at, head, 1, err);

	at += lzma_block_header_size_decode((uint32_t)head[0]);
	*ret_start = *ret_n = 0;
	while (rc == 0) {
		rc = ingot_source_read(file, at, head, sizeof(head), err);
		if (rc < 0 || !is_stored_chunk(head))
			return rc;
		*ret_n = (size_t)ingot_get_be16(head + 1) + 1;
		*ret_at = at + sizeof(head);
		if (inside - *ret_start < *ret_n)
			return 0;
		*ret_start += *ret_n;
		at += sizeof(head) + *ret_n;
		*ret_n = 0;
	}
	return rc;
}

static int place(struct ingot_source *source, uint64_t offset, struct ingot_place *ret,
		 struct ingot_error *err)
{
	struct ingot_source *file = ((struct xz_decoder *)ingot_packed_decoder(source))->input.file;
	uint64_t inside, at, start;
	lzma_index_iter block;
	size_t n;
	int rc = find_block(source, offset, &block, err);

	if (rc < 0)
		return rc;
	inside = offset - block.block.uncompressed_file_offset;
	*ret = (struct ingot_place){.length = block.block.uncompressed_size - inside};
	if (block.stream.flags->check != LZMA_CHECK_CRC64)
		return 0;
	rc = find_chunk(file, &block, inside, &at, &start, &n, err);
	if (rc < 0 || n == 0)
		return rc;
	*ret = (struct ingot_place){start + n - inside, true, at + (inside - start)};
	return 0;
}

/*
 * CRC-64 of a block's content, which has to be stored as a whole: its chunks up to the changed one
 * were. data: the block from its first chunk on.
 */
static int sum_stored(const unsigned char *data, size_t size, uint64_t unpacked, uint64_t *ret,
		      struct ingot_error *err)
{
	size_t at = 0;

	*ret = 0;
	while (unpacked > 0 && size - at > CHUNK_HEAD && is_stored_chunk(data + at)) {
		size_t n = (size_t)ingot_get_be16(data + at + 1) + 1;

		at += CHUNK_HEAD;
		if (n > size - at || n > unpacked)
			break;
		*ret = lzma_crc64(data + at, n, *ret);
		at += n;
		unpacked -= n;
	}
	return unpacked == 0 ? 0 : ingot_raise(err, -EOPNOTSUPP, "a block is compressed in part");
}

static int seal(struct ingot_source *source, uint64_t offset, struct ingot_changes *changes,
		uint64_t *ret_end, struct ingot_error *err)
{
	INGOT_FREE unsigned char *data = NULL;
	unsigned char sum[CHECK];
	uint64_t end, crc;
	lzma_index_iter block;
	size_t head, size;
	int rc = find_block(source, offset, &block, err);

	if (rc < 0)
		return rc;
	*ret_end = block.block.uncompressed_file_offset + block.block.uncompressed_size;
	if (block.block.uncompressed_size > BLOCK_MAX || block.block.total_size > 2 * BLOCK_MAX)
		return ingot_raise(err, -EOPNOTSUPP, "a block has more than %d bytes", BLOCK_MAX);
	size = (size_t)block.block.total_size;
	data = ingot_alloc_buffer(size, err);
	if (!data)
		return -ENOMEM;
	rc = ingot_changes_read(changes, block.block.compressed_file_offset, data, size, err);
	if (rc < 0)
		return rc;
	head = lzma_block_header_size_decode((uint32_t)data[0]);
	if (head + CHECK > size)
		return ingot_raise(err, -EBADMSG, "a block is shorter than its header");
	rc = sum_stored(data + head, size - head - CHECK, block.block.uncompressed_size, &crc, err);
	if (rc < 0)
		return rc;
	end = block.block.compressed_file_offset + block.block.total_size;
	ingot_put_le64(sum, crc);
	return ingot_changes_add(changes, end - CHECK, sum, sizeof(sum), err);
}

const struct ingot_edit_ops ingot_xz_edit = {.place = place, .seal = seal};
