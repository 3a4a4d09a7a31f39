#include "formats/xz_internal.h"

#include <errno.h>
#include <string.h>

enum { PRESET_BEST = 6 }; /* those above differ in the size of the dictionary only */

int ingot_xz_block(unsigned level, const void *data, size_t n, unsigned char *out, size_t room,
		   struct ingot_xz_block *ret, struct ingot_error *err)
{
	uint32_t preset = level > PRESET_BEST ? PRESET_BEST : level;
	lzma_options_lzma options;
	lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
	lzma_block block = {.check = LZMA_CHECK_CRC64, .filters = filters};
	size_t used = 0;
	lzma_ret rc;

	if (level == 9)
		preset |= LZMA_PRESET_EXTREME;
	if (lzma_lzma_preset(&options, preset))
		return ingot_raise(err, -EINVAL, "xz has no preset %u", preset);
	options.dict_size = INGOT_CHUNK;
	rc = lzma_block_buffer_encode(&block, NULL, data, n, out, &used, room);
	if (rc == LZMA_MEM_ERROR)
		return ingot_raise_oom(err, 0);
	if (rc != LZMA_OK)
		return ingot_raise(err, -EIO, "compress %zu bytes with xz: error %d", n, (int)rc);
	ret->packed.data = out;
	ret->packed.size = used;
	ret->unpadded = lzma_block_unpadded_size(&block);
	return 0;
}

int ingot_xz_store_block(const void *data, size_t n, unsigned char *out, size_t room,
			 struct ingot_xz_block *ret, struct ingot_error *err)
{
	lzma_options_lzma options = {.dict_size = INGOT_CHUNK};
	lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
	lzma_block block = {.check = LZMA_CHECK_CRC64, .filters = filters};
	size_t used = 0;

	if (lzma_block_uncomp_encode(&block, data, n, out, &used, room) != LZMA_OK)
		return ingot_raise(err, -EIO, "store %zu bytes in xz: there is no room", n);
	ret->packed.data = out;
	ret->packed.size = used;
	ret->unpadded = lzma_block_unpadded_size(&block);
	return 0;
}

/* A chunk is one block, and so all of it is stored if any of it is plain. */
int ingot_xz_pack(struct ingot_packer *packer, struct ingot_error *err)
{
	struct ingot_chunk *chunk = &packer->chunk;
	bool plain = false, zero = true;

	for (size_t i = 0; i < chunk->piece_count; i++) {
		plain |= chunk->pieces[i].plain;
		zero &= chunk->pieces[i].zero;
	}
	if (plain)
		return ingot_xz_store_block(packer->data, chunk->length, packer->xz,
					    packer->xz_room, &chunk->xz, err);
	return zero ? 0
		    : ingot_xz_block(packer->level, packer->data, chunk->length, packer->xz,
				     packer->xz_room, &chunk->xz, err);
}

int ingot_xz_pack_init(struct ingot_packer *packer, struct ingot_error *err)
{
	packer->xz_room = lzma_block_buffer_bound(INGOT_CHUNK);
	packer->xz = ingot_alloc(1, packer->xz_room, err);
	return packer->xz ? 0 : -ENOMEM;
}
