/*
 * Changes in place in a VMDK: bytes of a grain, and if it is a zlib stream (RFC 1950) the Adler-32
 * at its end.
 */
#include <errno.h>
#include <libdeflate.h>

#include "base/bytes.h"
#include "formats/edit_internal.h"
#include "formats/store_internal.h"
#include "formats/vmdk_internal.h"

enum { ZLIB_HEAD = 2, ZLIB_TAIL = 4, BEFORE = VMDK_GRAIN_MARKER + ZLIB_HEAD };

static int is_stored(const struct vmdk_grain *grain, bool *ret, struct ingot_error *err)
{
	size_t size = ingot_stored_deflate_size((size_t)grain->size);
	unsigned char marker[VMDK_GRAIN_MARKER];
	int rc = ingot_source_read(grain->file, grain->at, marker, sizeof(marker), err);

	*ret = false;
	if (rc < 0 || ingot_get_le32(marker + 8) != size + ZLIB_HEAD + ZLIB_TAIL)
		return rc;
	return ingot_stored_deflate_is(grain->file, grain->at + BEFORE, (size_t)grain->size, ret,
				       err);
}

static int place(struct ingot_source *disk, uint64_t offset, struct ingot_place *ret,
		 struct ingot_error *err)
{
	struct vmdk_grain grain;
	int rc = ingot_vmdk_grain(disk, offset, &grain, err);

	if (rc < 0)
		return rc;
	*ret = (struct ingot_place){grain.span, !grain.hole, grain.at + grain.inside};
	if (grain.hole || !grain.compressed)
		return 0;
	rc = is_stored(&grain, &ret->stored, err);
	ret->at = grain.at + BEFORE + ingot_stored_deflate_place(grain.inside);
	ret->length =
		ingot_min(ret->length, INGOT_STORED_BLOCK - grain.inside % INGOT_STORED_BLOCK);
	return rc;
}

static int seal(struct ingot_source *disk, uint64_t offset, struct ingot_changes *changes,
		uint64_t *ret_end, struct ingot_error *err)
{
	INGOT_FREE unsigned char *data = NULL;
	struct vmdk_grain grain;
	unsigned char sum[ZLIB_TAIL];
	uint64_t stream;
	int rc = ingot_vmdk_grain(disk, offset, &grain, err);

	if (rc < 0)
		return rc;
	*ret_end = offset + grain.size - grain.inside;
	if (!grain.compressed)
		return 0;
	stream = grain.at + BEFORE;
	data = ingot_alloc(1, (size_t)grain.size, err);
	if (!data)
		return -ENOMEM;
	for (uint64_t at = 0; rc == 0 && at < grain.size; at += INGOT_STORED_BLOCK)
		rc = ingot_changes_read(changes, stream + ingot_stored_deflate_place(at), data + at,
					(size_t)ingot_min(INGOT_STORED_BLOCK, grain.size - at),
					err);
	if (rc < 0)
		return rc;
	ingot_put_be32(sum, libdeflate_adler32(1, data, (size_t)grain.size));
	return ingot_changes_add(changes, stream + ingot_stored_deflate_size((size_t)grain.size),
				 sum, sizeof(sum), err);
}

const struct ingot_edit_ops ingot_vmdk_edit = {.place = place, .seal = seal};
