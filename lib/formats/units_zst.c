#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/xxh64.h"
#include "formats/store_internal.h"
#include "formats/units_internal.h"
#include "formats/zst_internal.h"

enum { SUM = 4 };

static int stored(struct ingot_units *units, const struct ingot_unit *unit, uint64_t *ret,
		  struct ingot_error *err)
{
	unsigned char want[INGOT_STORED_ZSTD_HEAD], head[INGOT_STORED_ZSTD_HEAD];
	size_t n;
	int rc;

	*ret = 0;
	if (unit->size > INGOT_PIECE)
		return 0;
	n = ingot_stored_zstd_head(unit->size, want);
	want[4] |= INGOT_ZST_CHECKSUM;
	if (unit->packed != n + unit->size + SUM)
		return 0;
	rc = ingot_source_read(units->file, unit->in, head, n, err);
	if (rc == 0 && memcmp(head, want, n) == 0)
		*ret = unit->in + n;
	return rc;
}

/* Its checksum is looked at by libzstd. */
static int unpack(struct ingot_units *units, const struct ingot_unit *unit,
		  const unsigned char *packed, unsigned char *data, struct ingot_error *err)
{
	size_t got;
	int rc = ingot_unpack(&units->unpacker, INGOT_PACKED_ZSTD, packed, unit->packed, data,
			      unit->size, &got, err);

	if (rc == 0 && got != unit->size)
		return ingot_raise(err, -EBADMSG, "it gives fewer bytes than it says");
	return rc;
}

static uint64_t place(uint64_t inside)
{
	return inside;
}

static void sum(const unsigned char *data, size_t n, unsigned char out[4])
{
	ingot_put_le32(out, (uint32_t)ingot_xxh64(data, n));
}

/* --- the seek table ---------------------------------------------------- */

static int no_table(struct ingot_error *err)
{
	return ingot_raise(err, -EOPNOTSUPP,
			   "it has no seek table: it was not made for changes in place");
}

/* The number of frames, and where the table's first entry is. */
static int find_table(struct ingot_source *file, uint32_t *ret_frames, uint64_t *ret_at,
		      struct ingot_error *err)
{
	unsigned char foot[INGOT_ZST_TABLE_FOOT], head[8];
	uint64_t size;
	int rc;

	if (file->size < sizeof(head) + sizeof(foot))
		return no_table(err);
	rc = ingot_source_read(file, file->size - sizeof(foot), foot, sizeof(foot), err);
	if (rc < 0)
		return rc;
	*ret_frames = ingot_get_le32(foot);
	if (ingot_get_le32(foot + 5) != INGOT_ZST_FOOT_MAGIC || foot[4] != 0 ||
	    *ret_frames > INGOT_ZST_TABLE_MAX)
		return no_table(err);
	size = (uint64_t)*ret_frames * INGOT_ZST_ENTRY + sizeof(foot);
	if (size + sizeof(head) > file->size)
		return no_table(err);
	*ret_at = file->size - size;
	rc = ingot_source_read(file, *ret_at - sizeof(head), head, sizeof(head), err);
	if (rc == 0 &&
	    (ingot_get_le32(head) != INGOT_ZST_TABLE_MAGIC || ingot_get_le32(head + 4) != size))
		return no_table(err);
	return rc;
}

static int list(struct ingot_units *units, struct ingot_error *err)
{
	INGOT_FREE unsigned char *table = NULL;
	uint32_t frames;
	uint64_t at, in = 0;
	int rc = find_table(units->file, &frames, &at, err);

	if (rc < 0)
		return rc;
	table = ingot_alloc(ingot_max(frames, 1), INGOT_ZST_ENTRY, err);
	rc = table ? ingot_source_read(units->file, at, table, (size_t)frames * INGOT_ZST_ENTRY,
				       err)
		   : -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < frames; i++) {
		const unsigned char *entry = table + (size_t)i * INGOT_ZST_ENTRY;

		rc = ingot_units_add(units, in, ingot_get_le32(entry), ingot_get_le32(entry + 4),
				     err);
		in += ingot_get_le32(entry);
	}
	return rc;
}

static const struct ingot_unit_ops OPS = {
	.list = list,
	.stored = stored,
	.unpack = unpack,
	.place = place,
	.block = INGOT_PIECE,
	.sum = sum,
	.sum_from_end = SUM,
};

int ingot_zst_units_open(struct ingot_source *file, struct ingot_source **ret,
			 struct ingot_error *err)
{
	return ingot_units_open(file, &OPS, ret, err);
}
