#include "formats/unpack_internal.h"

#include <errno.h>
#include <libdeflate.h>
#include <zstd.h>

void ingot_unpacker_done(struct ingot_unpacker *unpacker)
{
	libdeflate_free_decompressor(unpacker->deflate);
	(void)ZSTD_freeDCtx(unpacker->zstd);
}

static int inflate_piece(struct ingot_unpacker *unpacker, enum ingot_packing packing,
			 const void *in, size_t n_in, void *out, size_t n_out, size_t *used,
			 size_t *ret_n, struct ingot_error *err)
{
	enum libdeflate_result result;

	if (!unpacker->deflate)
		unpacker->deflate = libdeflate_alloc_decompressor();
	if (!unpacker->deflate)
		return ingot_raise_oom(err, 0);
	if (packing == INGOT_PACKED_ZLIB)
		result = libdeflate_zlib_decompress_ex(unpacker->deflate, in, n_in, out, n_out,
						       used, ret_n);
	else
		result = libdeflate_deflate_decompress_ex(unpacker->deflate, in, n_in, out, n_out,
							  used, ret_n);
	if (result == LIBDEFLATE_SUCCESS)
		return 0;
	if (result == LIBDEFLATE_BAD_DATA)
		return ingot_raise(err, -EBADMSG, "the compressed data is damaged");
	return ingot_raise(err, -EBADMSG, "the compressed data gives more than %zu bytes", n_out);
}

static int unzstd_piece(struct ingot_unpacker *unpacker, const void *in, size_t n_in, void *out,
			size_t n_out, size_t *used, size_t *ret_n, struct ingot_error *err)
{
	size_t frame = ZSTD_findFrameCompressedSize(in, n_in), got;

	if (ZSTD_isError(frame))
		return ingot_raise(err, -EBADMSG, "the compressed data is damaged: %s",
				   ZSTD_getErrorName(frame));
	if (!unpacker->zstd)
		unpacker->zstd = ZSTD_createDCtx();
	if (!unpacker->zstd)
		return ingot_raise_oom(err, 0);
	got = ZSTD_decompressDCtx(unpacker->zstd, out, n_out, in, frame);
	if (ZSTD_isError(got))
		return ingot_raise(err, -EBADMSG, "the compressed data is damaged: %s",
				   ZSTD_getErrorName(got));
	*used = frame;
	*ret_n = got;
	return 0;
}

static int unpack(struct ingot_unpacker *unpacker, enum ingot_packing packing, const void *in,
		  size_t n_in, void *out, size_t n_out, size_t *used, size_t *ret_n,
		  struct ingot_error *err)
{
	if (packing == INGOT_PACKED_ZSTD)
		return unzstd_piece(unpacker, in, n_in, out, n_out, used, ret_n, err);
	return inflate_piece(unpacker, packing, in, n_in, out, n_out, used, ret_n, err);
}

int ingot_unpack(struct ingot_unpacker *unpacker, enum ingot_packing packing, const void *in,
		 size_t n_in, void *out, size_t n_out, size_t *ret_n, struct ingot_error *err)
{
	size_t used;

	return unpack(unpacker, packing, in, n_in, out, n_out, &used, ret_n, err);
}

int ingot_unpack_length(struct ingot_unpacker *unpacker, enum ingot_packing packing, const void *in,
			size_t n_in, void *out, size_t n_out, size_t *ret_used,
			struct ingot_error *err)
{
	size_t got;
	int rc = unpack(unpacker, packing, in, n_in, out, n_out, ret_used, &got, err);

	if (rc == 0 && got != n_out)
		rc = ingot_raise(err, -EBADMSG, "the compressed data gives %zu bytes only", got);
	return rc;
}
