#include <errno.h>
#include <libdeflate.h>

#include "base/bytes.h"
#include "formats/gzip_internal.h"
#include "formats/gzip_read_internal.h"
#include "formats/store_internal.h"
#include "formats/units_internal.h"

static int read_head(struct ingot_source *file, uint64_t in, struct ingot_gzip_head *ret,
		     struct ingot_error *err)
{
	unsigned char raw[INGOT_GZIP_FIRST_HEAD];
	size_t n = (size_t)ingot_min(sizeof(raw), file->size - in);
	int rc = ingot_source_read(file, in, raw, n, err);

	if (rc == 0 && (!ingot_gzip_parse_head(raw, n, ret) || ret->member == 0))
		return ingot_raise(err, -EOPNOTSUPP,
				   "the member at 0x%llx does not say where it ends: it was not "
				   "made for changes in place",
				   (unsigned long long)in);
	if (rc == 0 && ret->member <= ret->length + INGOT_GZIP_TAIL)
		return ingot_raise(err, -EBADMSG, "the member at 0x%llx is not as long as it says",
				   (unsigned long long)in);
	return rc;
}

static int stored(struct ingot_units *units, const struct ingot_unit *unit, uint64_t *ret,
		  struct ingot_error *err)
{
	struct ingot_gzip_head head;
	bool is;
	int rc = read_head(units->file, unit->in, &head, err);

	*ret = 0;
	if (rc < 0 ||
	    unit->packed != head.length + ingot_stored_deflate_size(unit->size) + INGOT_GZIP_TAIL)
		return rc;
	rc = ingot_stored_deflate_is(units->file, unit->in + head.length, unit->size, &is, err);
	if (rc == 0 && is)
		*ret = unit->in + head.length;
	return rc;
}

static int unpack(struct ingot_units *units, const struct ingot_unit *unit,
		  const unsigned char *packed, unsigned char *data, struct ingot_error *err)
{
	struct ingot_gzip_head head;
	size_t got;
	int rc = read_head(units->file, unit->in, &head, err);

	if (rc == 0)
		rc = ingot_unpack(&units->unpacker, INGOT_PACKED_DEFLATE, packed + head.length,
				  unit->packed - head.length - INGOT_GZIP_TAIL, data, unit->size,
				  &got, err);
	if (rc < 0)
		return rc;
	if (got != unit->size || libdeflate_crc32(0, data, got) !=
					 ingot_get_le32(packed + unit->packed - INGOT_GZIP_TAIL))
		return ingot_raise(err, -EBADMSG, "its checksum is wrong");
	return 0;
}

static void sum(const unsigned char *data, size_t n, unsigned char out[4])
{
	ingot_put_le32(out, libdeflate_crc32(0, data, n));
}

static int list(struct ingot_units *units, struct ingot_error *err)
{
	int rc = 0;

	for (uint64_t in = 0; rc == 0 && in < units->file->size;) {
		struct ingot_gzip_head head;
		unsigned char tail[4];

		rc = read_head(units->file, in, &head, err);
		if (rc == 0 && !ingot_in_range(in, head.member, units->file->size))
			return ingot_raise(err, -EBADMSG, "it is cut off");
		if (rc == 0)
			rc = ingot_source_read(units->file, in + head.member - 4, tail, 4, err);
		if (rc == 0)
			rc = ingot_units_add(units, in, head.member, ingot_get_le32(tail), err);
		in += rc == 0 ? head.member : 0;
	}
	return rc;
}

static const struct ingot_unit_ops OPS = {
	.list = list,
	.stored = stored,
	.unpack = unpack,
	.place = ingot_stored_deflate_place,
	.block = INGOT_STORED_BLOCK,
	.sum = sum,
	.sum_from_end = INGOT_GZIP_TAIL,
};

int ingot_gzip_units_open(struct ingot_source *file, struct ingot_source **ret,
			  struct ingot_error *err)
{
	return ingot_units_open(file, &OPS, ret, err);
}
