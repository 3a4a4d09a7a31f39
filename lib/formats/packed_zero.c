#include <errno.h>
#include <string.h>

#include "formats/packed_internal.h"
#include "io/nonzero.h"

enum {
	SMALLEST_RATIO = 256,
	LARGEST = 8 << 20, /* unpacked */
	TRIES = 256,	   /* what more units may be is left to whoever reads them */
	STEP = 65536,
};

static bool is_known(const struct ingot_zero_units *zeros, const unsigned char *bytes,
		     size_t packed, uint64_t unpacked)
{
	for (size_t i = 0; i < zeros->count; i++)
		if (zeros->known[i].packed == packed && zeros->known[i].unpacked == unpacked &&
		    memcmp(zeros->known[i].bytes, bytes, packed) == 0)
			return true;
	return false;
}

static void remember(struct ingot_zero_units *zeros, const unsigned char *bytes, size_t packed,
		     uint64_t unpacked)
{
	if (zeros->count == INGOT_ZERO_UNITS)
		return;
	zeros->known[zeros->count].packed = packed;
	zeros->known[zeros->count].unpacked = unpacked;
	memcpy(zeros->known[zeros->count].bytes, bytes, packed);
	zeros->count++;
}

static int unpack_zeros(struct ingot_decoder *decoder, const struct ingot_point *point,
			uint64_t unpacked, bool *ret, struct ingot_error *err)
{
	INGOT_FREE unsigned char *data = ingot_alloc_buffer(STEP, err);
	int rc = data ? decoder->ops->restart(decoder, point, err) : -ENOMEM;

	*ret = rc == 0;
	for (uint64_t at = 0; rc == 0 && *ret && at < unpacked; at += STEP) {
		size_t n = (size_t)ingot_min(STEP, unpacked - at), got;

		rc = decoder->ops->read(decoder, data, n, &got, err);
		if (rc == 0 && got != n)
			rc = ingot_raise(err, -EBADMSG, "it is cut off");
		if (rc == 0)
			*ret = ingot_first_nonzero(data, n) == n;
	}
	return rc;
}

static int is_zero_unit(struct ingot_zero_units *zeros, struct ingot_source *file,
			struct ingot_decoder *decoder, const struct ingot_point *point,
			uint64_t packed, uint64_t unpacked, bool *ret, struct ingot_error *err)
{
	unsigned char bytes[INGOT_ZERO_UNIT_PACKED];
	int rc;

	*ret = false;
	if (!zeros || packed > sizeof(bytes) || unpacked > LARGEST ||
	    unpacked / SMALLEST_RATIO < packed)
		return 0;
	rc = ingot_source_read(file, point->in, bytes, (size_t)packed, err);
	if (rc < 0)
		return rc;
	*ret = is_known(zeros, bytes, (size_t)packed, unpacked);
	if (*ret || zeros->tries == TRIES)
		return 0;
	zeros->tries++;
	rc = unpack_zeros(decoder, point, unpacked, ret, err);
	if (rc == 0 && *ret)
		remember(zeros, bytes, (size_t)packed, unpacked);
	return rc;
}

int ingot_packed_map_unit(struct ingot_packed_map *map, struct ingot_zero_units *zeros,
			  struct ingot_source *file, struct ingot_decoder *decoder,
			  const struct ingot_point *point, uint64_t packed, uint64_t unpacked,
			  struct ingot_error *err)
{
	bool zero;
	int rc = ingot_packed_map_point(map, point, err);

	if (rc == 0)
		rc = ingot_packed_map_grow(map, unpacked, err);
	if (rc == 0)
		rc = is_zero_unit(zeros, file, decoder, point, packed, unpacked, &zero, err);
	if (rc < 0 || !zero)
		return rc;
	return ingot_packed_map_zeros(map, point->out, point->out + unpacked, err);
}
