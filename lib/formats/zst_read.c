/*
 * Zstandard files (RFC 8878), by anybody. The map is made from the headers of frames and blocks; a
 * place in a frame is reached from the frame's start.
 */
#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "base/bytes.h"
#include "formats/packed_internal.h"
#include "formats/zst_internal.h"

enum { BLOCK_MAX = 1 << 17, WINDOW_LOG_MAX = 27, STEP = 65536 };

/* --- the decoder ------------------------------------------------------- */

struct zst_decoder {
	struct ingot_decoder decoder;
	struct ingot_input input;
	struct ZSTD_DCtx_s *zstd;
	bool inside;	/* a frame */
	bool one_frame; /* its end is the end */
};

static int restart(struct ingot_decoder *decoder, const struct ingot_point *point,
		   struct ingot_error *err)
{
	struct zst_decoder *zst = (struct zst_decoder *)decoder;

	(void)err;
	ingot_input_seek(&zst->input, point->in);
	(void)ZSTD_DCtx_reset(zst->zstd, ZSTD_reset_session_only);
	zst->inside = false;
	return 0;
}

/* A step: whatever zstd makes of the input at hand. *stuck: nothing happened. */
static int unpack_some(struct zst_decoder *zst, ZSTD_outBuffer *out, bool *stuck,
		       struct ingot_error *err)
{
	struct ingot_input *input = &zst->input;
	size_t had = out->pos, code;
	ZSTD_inBuffer in;
	int rc = ingot_input_fill(input, err);

	if (rc < 0)
		return rc;
	in = (ZSTD_inBuffer){input->buffer, input->end, input->at};
	code = ZSTD_decompressStream(zst->zstd, out, &in);
	if (ZSTD_isError(code))
		return ingot_raise(err, -EBADMSG, "it is damaged: %s", ZSTD_getErrorName(code));
	*stuck = in.pos == input->at && out->pos == had;
	input->at = in.pos;
	zst->inside = code != 0;
	return 0;
}

static bool at_end(const struct zst_decoder *zst)
{
	return zst->input.at == zst->input.end && zst->input.next >= zst->input.file->size;
}

static int read_some(struct ingot_decoder *decoder, void *data, size_t n, size_t *ret_n,
		     struct ingot_error *err)
{
	struct zst_decoder *zst = (struct zst_decoder *)decoder;
	ZSTD_outBuffer out = {data, n, 0};
	bool stuck = false;
	int rc = 0;

	/* Without room it goes on while something happens: a checksum may be next. */
	while (rc == 0 && (out.pos < n || (zst->inside && !stuck))) {
		if (at_end(zst) && !zst->inside)
			break;
		rc = unpack_some(zst, &out, &stuck, err);
		if (rc == 0 && stuck && out.pos < n)
			return ingot_raise(err, -EBADMSG, "it is cut off");
		if (rc == 0 && zst->one_frame && !zst->inside)
			break;
	}
	*ret_n = out.pos;
	return rc;
}

static void decoder_free(struct ingot_decoder *decoder)
{
	(void)ZSTD_freeDCtx(((struct zst_decoder *)decoder)->zstd);
	free(decoder);
}

static int decoder_fork(const struct ingot_decoder *decoder, struct ingot_decoder **ret,
			struct ingot_error *err);

static uint64_t decoder_memory(const struct ingot_decoder *decoder)
{
	return ZSTD_sizeof_DCtx(((const struct zst_decoder *)decoder)->zstd);
}

static const struct ingot_decoder_ops ZST_OPS = {restart, read_some, decoder_fork, decoder_memory,
						 decoder_free};

static int decoder_new(struct ingot_source *file, struct zst_decoder **ret, struct ingot_error *err)
{
	struct zst_decoder *zst = ingot_alloc(1, sizeof(*zst), err);

	if (!zst)
		return -ENOMEM;
	zst->decoder.ops = &ZST_OPS;
	zst->input.file = file;
	zst->zstd = ZSTD_createDCtx();
	if (!zst->zstd) {
		free(zst);
		return ingot_raise_oom(err, 0);
	}
	(void)ZSTD_DCtx_setParameter(zst->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	*ret = zst;
	return 0;
}

static int decoder_fork(const struct ingot_decoder *decoder, struct ingot_decoder **ret,
			struct ingot_error *err)
{
	struct zst_decoder *fork;
	int rc = decoder_new(((const struct zst_decoder *)decoder)->input.file, &fork, err);

	if (rc == 0)
		*ret = &fork->decoder;
	return rc;
}

/* --- the map ----------------------------------------------------------- */

struct scan {
	struct ingot_source *file;
	struct zst_decoder *zst;
	struct ingot_packed_map *map;
	struct ingot_zero_units *zeros;
	struct ingot_input input;
	bool has_total;
	uint64_t total;
};

struct frame {
	bool sized;
	uint64_t size; /* of the content, if it says so */
	bool checksum;
	uint64_t most; /* that its blocks can hold */
};

/* RFC 8878, 3.1.1.1: the header behind the magic number. */
static int read_header(struct scan *scan, struct frame *ret, struct ingot_error *err)
{
	static const size_t SIZES[] = {0, 2, 4, 8}, DICTIONARY[] = {0, 1, 2, 4};
	unsigned char d, window = 0, raw[8] = {0};
	bool single;
	size_t n;
	int rc = ingot_input_take(&scan->input, &d, 1, err);

	if (rc < 0)
		return rc;
	single = d & 1 << 5;
	if (d & 1 << 3)
		return ingot_raise(err, -EBADMSG, "a frame's header has an unknown bit");
	if (DICTIONARY[d & 3])
		return ingot_raise(err, -ENOTSUP, "a frame needs a dictionary");
	if (!single)
		rc = ingot_input_take(&scan->input, &window, 1, err);
	n = single && d >> 6 == 0 ? 1 : SIZES[d >> 6];
	if (rc == 0)
		rc = ingot_input_take(&scan->input, raw, n, err);
	if (rc < 0)
		return rc;
	if (!single && (window >> 3) + 10 > WINDOW_LOG_MAX)
		return ingot_raise(err, -ENOTSUP, "a frame needs a window of more than 128 MiB");
	*ret = (struct frame){.sized = n > 0, .checksum = d & INGOT_ZST_CHECKSUM};
	ret->size = ingot_get_le64(raw) + (n == 2 ? 256 : 0);
	return 0;
}

static int skip(struct scan *scan, uint64_t n, struct ingot_error *err)
{
	uint64_t position = ingot_input_position(&scan->input);

	if (!ingot_in_range(position, n, scan->file->size))
		return ingot_raise(err, -EBADMSG, "it is cut off");
	if (n <= scan->input.end - scan->input.at)
		scan->input.at += (size_t)n;
	else
		ingot_input_seek(&scan->input, position + n);
	return 0;
}

/* 3.1.1.2: a block's header is 3 bytes; one of the kind 1 is a byte and how often. */
static int skip_blocks(struct scan *scan, struct frame *frame, struct ingot_error *err)
{
	bool last = false;

	while (!last) {
		unsigned char raw[4] = {0};
		uint32_t header, size;
		int rc = ingot_input_take(&scan->input, raw, 3, err);

		if (rc < 0)
			return rc;
		header = ingot_get_le32(raw);
		last = header & 1;
		size = header >> 3;
		if ((header >> 1 & 3) == 3 || size > BLOCK_MAX)
			return ingot_raise(err, -EBADMSG, "a block's header is none");
		rc = skip(scan, (header >> 1 & 3) == 1 ? 1 : size, err);
		if (rc < 0)
			return rc;
		frame->most += (header >> 1 & 3) == 2 ? BLOCK_MAX : size;
	}
	return skip(scan, frame->checksum ? 4 : 0, err);
}

/* The content of a frame that does not say how long it is. */
static int measure(struct scan *scan, const struct ingot_point *point, uint64_t *ret,
		   struct ingot_error *err)
{
	INGOT_FREE unsigned char *data = ingot_alloc_buffer(STEP, err);
	int rc = data ? restart(&scan->zst->decoder, point, err) : -ENOMEM;

	scan->zst->one_frame = true;
	scan->zst->inside = true;
	*ret = 0;
	while (rc == 0 && scan->zst->inside) {
		size_t got;

		rc = read_some(&scan->zst->decoder, data, STEP, &got, err);
		*ret += rc == 0 ? got : 0;
	}
	scan->zst->one_frame = false;
	return rc;
}

static int scan_frame(struct scan *scan, uint64_t start, struct ingot_error *err)
{
	const struct ingot_point point = {.in = start, .out = scan->map->size};
	struct frame frame = {0};
	int rc = read_header(scan, &frame, err);

	if (rc == 0)
		rc = skip_blocks(scan, &frame, err);
	if (rc == 0 && !frame.sized)
		rc = measure(scan, &point, &frame.size, err);
	if (rc < 0)
		return rc;
	if (frame.size > frame.most)
		return ingot_raise(err, -EBADMSG, "a frame has fewer blocks than bytes");
	return ingot_packed_map_unit(scan->map, scan->zeros, scan->file, &scan->zst->decoder,
				     &point, ingot_input_position(&scan->input) - start, frame.size,
				     err);
}

/* A skippable frame. Ours says how long the disk is. */
static int scan_skippable(struct scan *scan, uint32_t magic, struct ingot_error *err)
{
	unsigned char raw[4], content[16];
	uint32_t size;
	int rc = ingot_input_take(&scan->input, raw, 4, err);

	if (rc < 0)
		return rc;
	size = ingot_get_le32(raw);
	if (magic != INGOT_ZST_SIZE_MAGIC || size != sizeof(content) || scan->has_total)
		return skip(scan, size, err);
	rc = ingot_input_take(&scan->input, content, sizeof(content), err);
	if (rc == 0 && memcmp(content, INGOT_ZST_SIZE_NAME, 8) == 0) {
		scan->has_total = true;
		scan->total = ingot_get_le64(content + 8);
	}
	return rc;
}

static int scan_all(struct scan *scan, struct ingot_error *err)
{
	uint64_t start;

	while ((start = ingot_input_position(&scan->input)) < scan->file->size) {
		unsigned char raw[4];
		uint32_t magic;
		int rc = ingot_input_take(&scan->input, raw, 4, err);

		if (rc < 0)
			return rc;
		magic = ingot_get_le32(raw);
		if (magic == INGOT_ZST_MAGIC)
			rc = scan_frame(scan, start, err);
		else if ((magic & ~UINT32_C(15)) == INGOT_ZST_SKIPPABLE)
			rc = scan_skippable(scan, magic, err);
		else
			return ingot_raise(err, -EBADMSG, "what is at 0x%llx is no frame",
					   (unsigned long long)start);
		if (rc < 0)
			return ingot_wrap(err, rc, "frame at 0x%llx", (unsigned long long)start);
	}
	if (scan->has_total && scan->total != scan->map->size)
		return ingot_raise(
			err, -EBADMSG, "it is cut off: it gives %llu bytes, and says %llu",
			(unsigned long long)scan->map->size, (unsigned long long)scan->total);
	return 0;
}

static int make_map(struct ingot_source *file, struct zst_decoder *zst,
		    struct ingot_packed_map *map, struct ingot_error *err)
{
	INGOT_FREE struct ingot_zero_units *zeros = ingot_alloc(1, sizeof(*zeros), err);
	INGOT_FREE struct scan *scan = zeros ? ingot_alloc(1, sizeof(*scan), err) : NULL;
	int rc;

	if (!scan)
		return -ENOMEM;
	scan->file = file;
	scan->zst = zst;
	scan->map = map;
	scan->zeros = zeros;
	scan->input.file = file;
	rc = scan_all(scan, err);
	if (rc == 0 && map->point_count == 0)
		return ingot_raise(err, -EBADMSG, "it has no frame");
	return rc;
}

int ingot_zst_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_packed_map map = {0};
	struct zst_decoder *zst = NULL;
	int rc = decoder_new(file, &zst, err);

	if (rc == 0)
		rc = make_map(file, zst, &map, err);
	if (rc == 0)
		rc = ingot_packed_source(file, &zst->decoder, &map, ret, err);
	ingot_packed_map_done(&map);
	if (rc < 0 && zst)
		ingot_decoder_free(&zst->decoder);
	return rc;
}
