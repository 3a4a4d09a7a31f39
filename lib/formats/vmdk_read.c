/*
 * A VMDK that is one sparse extent with its descriptor inside (streamOptimized, monolithicSparse)
 * as the disk inside; vmdk_open.c has looked at its header. Tables are read where they are needed
 * and never kept.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/unpack_internal.h"
#include "formats/vmdk_read_internal.h"

enum { RUN_MAX = 128 }; /* table entries at a time */

struct entries {
	size_t count;
	uint32_t list[RUN_MAX];
};

/* --- tables ------------------------------------------------------------ */

int vmdk_table_place(const struct vmdk_source *v, uint32_t entry, uint64_t *ret,
		     struct ingot_error *err)
{
	*ret = vmdk_is_hole(v, entry) ? 0 : (uint64_t)entry * VMDK_SECTOR;
	if (*ret != 0 && !ingot_in_range(*ret, (uint64_t)v->gtes * 4, v->file->size))
		return ingot_raise(err, -EBADMSG, "a grain table at 0x%llx: not in the file",
				   (unsigned long long)*ret);
	return 0;
}

int vmdk_table_is_empty(const struct vmdk_source *v, uint64_t table, struct vmdk_file_hole *hole,
			bool *ret, struct ingot_error *err)
{
	uint64_t end = table + (uint64_t)v->gtes * 4;
	struct ingot_extent run;
	int rc;

	*ret = table == 0 || (table >= hole->start && end <= hole->end);
	if (*ret)
		return 0;
	rc = ingot_source_extent(v->file, table, &run, err);
	if (rc < 0 || !run.hole)
		return rc;
	*hole = (struct vmdk_file_hole){table, table + run.length};
	*ret = end <= hole->end;
	return 0;
}

/*
 * The table entries from a place on the disk, as many as fit and lie in the same table. *span: so
 * many bytes are known to be zero, and there are no entries.
 */
static int read_entries(struct vmdk_source *v, uint64_t offset, struct entries *ret, uint64_t *span,
			struct ingot_error *err)
{
	uint64_t index = offset % vmdk_table_span(v) / v->grain, table;
	unsigned char raw[4 * RUN_MAX];
	int rc = ingot_source_read(v->file, v->directory + offset / vmdk_table_span(v) * 4, raw, 4,
				   err);

	if (rc == 0)
		rc = vmdk_table_place(v, ingot_get_le32(raw), &table, err);
	if (rc < 0)
		return rc;
	*span = vmdk_table_span(v) - offset % vmdk_table_span(v);
	ret->count = 0;
	if (table == 0)
		return 0;
	*span = 0;
	ret->count = (size_t)ingot_min(v->gtes - index, RUN_MAX);
	rc = ingot_source_read(v->file, table + index * 4, raw, ret->count * 4, err);
	for (size_t i = 0; i < ret->count; i++)
		ret->list[i] = ingot_get_le32(raw + 4 * i);
	return rc;
}

/* --- grains ------------------------------------------------------------ */

/* What one read_at needs for compressed grains. */
struct unpacking {
	struct ingot_unpacker unpacker;
	unsigned char *grain, *packed;
};

/* The packed bytes of the grain at that disk offset; *n of them. */
static int load_packed(struct vmdk_source *v, uint64_t place, uint64_t offset,
		       unsigned char *packed, size_t *n, struct ingot_error *err)
{
	unsigned char marker[VMDK_GRAIN_MARKER];
	int rc = ingot_source_read(v->file, place, marker, sizeof(marker), err);

	if (rc < 0)
		return rc;
	*n = ingot_get_le32(marker + 8);
	if (ingot_get_le64(marker) != offset / VMDK_SECTOR)
		return ingot_raise(err, -EBADMSG, "the grain at 0x%llx belongs somewhere else",
				   (unsigned long long)place);
	if (*n > 2 * v->grain)
		return ingot_raise(err, -EBADMSG, "the grain at 0x%llx has %zu compressed bytes",
				   (unsigned long long)place, *n);
	return ingot_source_read(v->file, place + sizeof(marker), packed, *n, err);
}

/* The grain at that disk offset into unpacking->grain, of *ret_n packed bytes. The last one may be
 * cut off. */
static int read_packed(struct vmdk_source *v, uint64_t place, uint64_t offset,
		       struct unpacking *unpacking, size_t *ret_n, struct ingot_error *err)
{
	size_t n, got, want = (size_t)ingot_min(v->grain, v->source.size - offset);
	int rc;

	if (!unpacking->grain)
		unpacking->grain = ingot_alloc(1, (size_t)v->grain, err);
	if (unpacking->grain && !unpacking->packed)
		unpacking->packed = ingot_alloc(2, (size_t)v->grain, err);
	if (!unpacking->grain || !unpacking->packed)
		return -ENOMEM;
	rc = load_packed(v, place, offset, unpacking->packed, &n, err);
	if (rc < 0)
		return rc;
	*ret_n = n;
	rc = ingot_unpack(&unpacking->unpacker, INGOT_PACKED_ZLIB, unpacking->packed, n,
			  unpacking->grain, (size_t)v->grain, &got, err);
	if (rc == 0 && got < want)
		rc = ingot_raise(err, -EBADMSG, "the compressed data gives %zu bytes, not %zu", got,
				 want);
	return rc < 0 ? ingot_wrap(err, rc, "the grain at 0x%llx", (unsigned long long)place) : 0;
}

/*
 * n bytes of a compressed grain. One that did not shrink is not kept: it may be one that is changed
 * in place, and there is little to unpack.
 */
static int read_piece(struct vmdk_source *v, uint64_t place, uint64_t offset, unsigned char *data,
		      size_t n, struct unpacking *unpacking, struct ingot_error *err)
{
	uint64_t number = offset / v->grain;
	size_t inside = (size_t)(offset % v->grain), packed;
	int rc;

	if (n < v->grain && ingot_kept_copy(&v->kept, number, inside, data, n))
		return 0;
	rc = read_packed(v, place, offset - inside, unpacking, &packed, err);
	if (rc < 0)
		return rc;
	memcpy(data, unpacking->grain + inside, n);
	if (n < v->grain && packed < v->grain)
		ingot_kept_put(&v->kept, number, &unpacking->grain);
	return 0;
}

/* n bytes of one grain. */
static int read_inside(struct vmdk_source *v, uint32_t entry, uint64_t offset, unsigned char *data,
		       size_t n, struct unpacking *unpacking, struct ingot_error *err)
{
	uint64_t place = (uint64_t)entry * VMDK_SECTOR;

	if (vmdk_is_hole(v, entry)) {
		memset(data, 0, n);
		return 0;
	}
	if (v->flags & VMDK_FLAG_COMPRESSED)
		return read_piece(v, place, offset, data, n, unpacking, err);
	return ingot_source_read(v->file, place + offset % v->grain, data, n, err);
}

/* As much as one call of read_entries tells about. */
static int read_run(struct vmdk_source *v, uint64_t offset, unsigned char *data, size_t n,
		    struct unpacking *unpacking, size_t *done, struct ingot_error *err)
{
	struct entries entries;
	uint64_t span;
	int rc = read_entries(v, offset, &entries, &span, err);

	if (rc < 0)
		return rc;
	*done = (size_t)ingot_min(n, span);
	memset(data, 0, *done);
	for (size_t i = 0; i < entries.count && *done < n; i++) {
		uint64_t at = offset + *done;
		size_t part = (size_t)ingot_min(n - *done, v->grain - at % v->grain);

		rc = read_inside(v, entries.list[i], at, data + *done, part, unpacking, err);
		if (rc < 0)
			return rc;
		*done += part;
	}
	return 0;
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	struct vmdk_source *v = (struct vmdk_source *)source;
	struct unpacking unpacking = {0};
	int rc = 0;

	for (size_t at = 0, part; rc == 0 && at < n; at += part)
		rc = read_run(v, offset + at, (unsigned char *)data + at, n - at, &unpacking, &part,
			      err);
	ingot_unpacker_done(&unpacking.unpacker);
	free(unpacking.grain);
	free(unpacking.packed);
	return rc < 0 ? ingot_wrap(err, rc, "vmdk '%s'", source->name) : 0;
}

/* From the table with that index on, how many are empty, one after the other. */
static int count_empty(struct vmdk_source *v, uint64_t first, uint64_t *ret,
		       struct ingot_error *err)
{
	unsigned char raw[4 * RUN_MAX];
	struct vmdk_file_hole hole = {0};

	*ret = 0;
	for (uint64_t n; first + *ret < v->tables; *ret += n) {
		uint64_t at = first + *ret;
		int rc;

		n = ingot_min(v->tables - at, RUN_MAX);
		rc = ingot_source_read(v->file, v->directory + at * 4, raw, (size_t)n * 4, err);
		for (uint64_t i = 0; rc == 0 && i < n; i++) {
			uint64_t table;
			bool empty = false;

			rc = vmdk_table_place(v, ingot_get_le32(raw + 4 * i), &table, err);
			if (rc == 0)
				rc = vmdk_table_is_empty(v, table, &hole, &empty, err);
			if (rc == 0 && !empty) {
				*ret += i;
				return 0;
			}
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A hole that goes up to the end of a table may go on behind it. */
static int extend_hole(struct vmdk_source *v, uint64_t offset, struct ingot_extent *hole,
		       struct ingot_error *err)
{
	uint64_t end = offset + hole->length, more;
	int rc;

	if (end % vmdk_table_span(v) != 0)
		return 0;
	rc = count_empty(v, end / vmdk_table_span(v), &more, err);
	if (rc == 0)
		hole->length = ingot_min(hole->length + more * vmdk_table_span(v),
					 v->source.size - offset);
	return rc;
}

static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	struct vmdk_source *v = (struct vmdk_source *)source;
	struct entries entries;
	uint64_t span;
	size_t i = 0;
	int rc = read_entries(v, offset, &entries, &span, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "vmdk '%s'", source->name);
	ret->hole = entries.count == 0 || vmdk_is_hole(v, entries.list[0]);
	while (i < entries.count && vmdk_is_hole(v, entries.list[i]) == ret->hole)
		i++;
	if (i > 0)
		span = i * v->grain - offset % v->grain;
	ret->length = ingot_min(span, source->size - offset);
	rc = ret->hole ? extend_hole(v, offset, ret, err) : 0;
	return rc < 0 ? ingot_wrap(err, rc, "vmdk '%s'", source->name) : 0;
}

static void vmdk_free(struct ingot_source *source)
{
	struct vmdk_source *v = (struct vmdk_source *)source;

	ingot_source_free(v->file);
	ingot_kept_done(&v->kept);
	free(v);
}

const struct ingot_source_ops vmdk_source_ops = {read_at, extent_at, vmdk_free};

int ingot_vmdk_grain(struct ingot_source *source, uint64_t offset, struct vmdk_grain *ret,
		     struct ingot_error *err)
{
	struct vmdk_source *v = (struct vmdk_source *)source;
	struct entries entries;
	uint64_t span;
	int rc = read_entries(v, offset, &entries, &span, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "vmdk '%s'", source->name);
	*ret = (struct vmdk_grain){.file = v->file,
				   .size = v->grain,
				   .inside = offset % v->grain,
				   .compressed = v->flags & VMDK_FLAG_COMPRESSED,
				   .hole = true,
				   .span = span};
	if (entries.count == 0)
		return 0;
	ret->span = v->grain - ret->inside;
	ret->hole = vmdk_is_hole(v, entries.list[0]);
	ret->at = (uint64_t)entries.list[0] * VMDK_SECTOR;
	return 0;
}
