/* Blocks of an xz file (its specification, 1.2.1): each chunk of a disk is one. */
#ifndef INGOT_FORMATS_XZ_INTERNAL_H
#define INGOT_FORMATS_XZ_INTERNAL_H

#include <lzma.h>

#include "formats/chunk_internal.h"

/* What a packer needs for its chunk, and the chunk as a block; none if it is all zero. */
INGOT_MUST_USE int ingot_xz_pack_init(struct ingot_packer *packer, struct ingot_error *err);
INGOT_MUST_USE int ingot_xz_pack(struct ingot_packer *packer, struct ingot_error *err);

/* At most INGOT_CHUNK bytes as a block, which lies in out. */
INGOT_MUST_USE int ingot_xz_block(unsigned level, const void *data, size_t n, unsigned char *out,
				  size_t room, struct ingot_xz_block *ret, struct ingot_error *err);
/* The same, stored: chunks of LZMA2 that are not compressed. */
INGOT_MUST_USE int ingot_xz_store_block(const void *data, size_t n, unsigned char *out, size_t room,
					struct ingot_xz_block *ret, struct ingot_error *err);

#endif
