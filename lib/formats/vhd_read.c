/*
 * A VHD as the disk inside: of fixed size, which is the file without its footer, or one that
 * grows.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/blocks_internal.h"
#include "formats/vhd_internal.h"

/* --- of fixed size ----------------------------------------------------- */

struct fixed_source {
	struct ingot_source source;
	struct ingot_source *file;
};

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	return ingot_source_read(((struct fixed_source *)source)->file, offset, data, n, err);
}

static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	int rc = ingot_source_extent(((struct fixed_source *)source)->file, offset, ret, err);

	if (rc == 0)
		ret->length = ingot_min(ret->length, source->size - offset);
	return rc;
}

static void source_free(struct ingot_source *source)
{
	ingot_source_free(((struct fixed_source *)source)->file);
	free(source);
}

static const struct ingot_source_ops FIXED_OPS = {read_at, extent_at, source_free};

static int open_fixed(struct ingot_source *file, const unsigned char *footer,
		      struct ingot_source **ret, struct ingot_error *err)
{
	uint64_t size = ingot_get_be64(footer + 48);
	struct fixed_source *vhd;

	if (size > file->size - VHD_FOOTER)
		return ingot_raise(err, -EBADMSG, "a disk of %llu bytes is not in the file",
				   (unsigned long long)size);
	vhd = ingot_alloc(1, sizeof(*vhd), err);
	if (!vhd)
		return -ENOMEM;
	vhd->source = (struct ingot_source){&FIXED_OPS, file->name, size};
	vhd->file = file;
	*ret = &vhd->source;
	return 0;
}

/* --- one that grows ---------------------------------------------------- */

struct vhd_source {
	struct ingot_block_source blocks;
	uint64_t table; /* its place in the file */
};

static int locate(struct ingot_block_source *blocks, uint64_t first, size_t n, uint64_t *places,
		  struct ingot_error *err)
{
	unsigned char raw[4 * INGOT_BLOCK_RUN];
	int rc = ingot_source_read(blocks->file, ((struct vhd_source *)blocks)->table + 4 * first,
				   raw, 4 * n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		uint64_t sector = ingot_get_be32(raw + 4 * i);

		places[i] = sector == VHD_ABSENT ? INGOT_BLOCK_HOLE
						 : sector * VHD_SECTOR + blocks->before;
	}
	return rc;
}

/* Sectors whose bit is 0 were never written: they are zero, whatever is in their place. */
static int mask(struct ingot_block_source *blocks, uint64_t bitmap, uint64_t inside,
		unsigned char *data, size_t n, struct ingot_error *err)
{
	unsigned char bits[512]; /* of 2 MiB, a block of nearly every VHD */
	uint64_t loaded = UINT64_MAX;

	for (size_t at = 0, part; at < n; at += part) {
		uint64_t sector = (inside + at) / VHD_SECTOR, byte = sector / 8;

		part = (size_t)ingot_min(n - at, VHD_SECTOR - (inside + at) % VHD_SECTOR);
		if (byte / sizeof(bits) != loaded) {
			int rc;

			loaded = byte / sizeof(bits);
			rc = ingot_source_read(blocks->file, bitmap + loaded * sizeof(bits), bits,
					       sizeof(bits), err);
			if (rc < 0)
				return rc;
		}
		if (!(bits[byte % sizeof(bits)] & 0x80 >> sector % 8))
			memset(data + at, 0, part);
	}
	return 0;
}

static int read_block(struct ingot_block_source *blocks, uint64_t place, uint64_t inside,
		      void *data, size_t n, struct ingot_error *err)
{
	int rc = ingot_source_read(blocks->file, place + inside, data, n, err);

	return rc < 0 ? rc : mask(blocks, place - blocks->before, inside, data, n, err);
}

static const struct ingot_block_ops VHD_OPS = {"vhd", locate, read_block};

static int check_header(const unsigned char h[VHD_HEADER], uint64_t size, struct ingot_error *err)
{
	uint32_t entries = ingot_get_be32(h + 28), block = ingot_get_be32(h + 32);

	if (memcmp(h, "cxsparse", 8) != 0)
		return ingot_raise(err, -EBADMSG, "its header is missing");
	if (ingot_get_be32(h + VHD_HEADER_SUM) != ingot_vhd_checksum(h, VHD_HEADER, VHD_HEADER_SUM))
		return ingot_raise(err, -EBADMSG, "the checksum of its header is wrong");
	if (ingot_get_be32(h + 24) >> 16 != 1)
		return ingot_raise(err, -ENOTSUP, "version 0x%08x of its header is unknown",
				   ingot_get_be32(h + 24));
	if (!ingot_is_power_of_two(block) || block < VHD_SECTOR)
		return ingot_raise(err, -EBADMSG, "its blocks have %u bytes", block);
	if (size == 0 || size > INT64_MAX)
		return ingot_raise(err, -EBADMSG, "its size of %llu bytes is impossible",
				   (unsigned long long)size);
	if (entries < ingot_div_up(size, block))
		return ingot_raise(err, -EBADMSG, "%u blocks of %u bytes for %llu bytes", entries,
				   block, (unsigned long long)size);
	return 0;
}

static int read_header(struct vhd_source *vhd, struct ingot_source *file,
		       const unsigned char *footer, struct ingot_error *err)
{
	uint64_t place = ingot_get_be64(footer + 16), size = ingot_get_be64(footer + 48);
	struct ingot_block_source *blocks = &vhd->blocks;
	unsigned char h[VHD_HEADER];
	int rc;

	if (!ingot_in_range(place, VHD_HEADER, file->size))
		return ingot_raise(err, -EBADMSG, "its header at 0x%llx: not in the file",
				   (unsigned long long)place);
	rc = ingot_source_read(file, place, h, sizeof(h), err);
	if (rc == 0)
		rc = check_header(h, size, err);
	if (rc < 0)
		return rc;
	vhd->table = ingot_get_be64(h + 16);
	blocks->block = ingot_get_be32(h + 32);
	blocks->before = ingot_round_up(ingot_div_up(blocks->block / VHD_SECTOR, 8), VHD_SECTOR);
	ingot_blocks_init(blocks, file, size);
	if (!ingot_in_range(vhd->table, blocks->count * 4, file->size))
		return ingot_raise(err, -EBADMSG, "its table at 0x%llx: not in the file",
				   (unsigned long long)vhd->table);
	blocks->tables[0] = (struct ingot_range){0, VHD_FOOTER};
	blocks->tables[1] = (struct ingot_range){place, VHD_HEADER};
	blocks->tables[2] = (struct ingot_range){vhd->table, blocks->count * 4};
	blocks->tables[3] = (struct ingot_range){file->size - VHD_FOOTER, VHD_FOOTER};
	return 0;
}

static int open_growing(struct ingot_source *file, const unsigned char *footer,
			struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE struct vhd_source *vhd = ingot_alloc(1, sizeof(*vhd), err);
	int rc;

	if (!vhd)
		return -ENOMEM;
	vhd->blocks.ops = &VHD_OPS;
	rc = read_header(vhd, file, footer, err);
	if (rc == 0)
		rc = ingot_blocks_check(&vhd->blocks, err);
	if (rc < 0)
		return rc;
	*ret = &INGOT_TAKE(vhd)->blocks.source;
	return 0;
}

/* --- which of them ----------------------------------------------------- */

/* One that grows has a copy of the footer at its start, one of fixed size only this. */
bool ingot_vhd_probe(const struct ingot_probe *probe)
{
	return memcmp(probe->tail, "conectix", 8) == 0 || memcmp(probe->head, "conectix", 8) == 0;
}

/* The copy at the start is not asked: it has no word on whether the file is whole. */
static int check_footer(const unsigned char f[VHD_FOOTER], struct ingot_error *err)
{
	uint32_t kind = ingot_get_be32(f + 60);

	if (memcmp(f, "conectix", 8) != 0)
		return ingot_raise(err, -EBADMSG,
				   "its footer is missing at the end: the file may be cut off");
	if (ingot_get_be32(f + VHD_FOOTER_SUM) != ingot_vhd_checksum(f, VHD_FOOTER, VHD_FOOTER_SUM))
		return ingot_raise(err, -EBADMSG, "the checksum of its footer is wrong");
	if (kind == VHD_DIFFERENCING)
		return ingot_raise(err, -ENOTSUP, "it is the difference to another file");
	if (kind != VHD_FIXED && kind != VHD_GROWS)
		return ingot_raise(err, -ENOTSUP, "its kind %u is unknown", kind);
	return 0;
}

int ingot_vhd_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	unsigned char footer[VHD_FOOTER];
	int rc;

	if (file->size < VHD_FOOTER)
		return ingot_raise(err, -EBADMSG, "it is cut off");
	rc = ingot_source_read(file, file->size - VHD_FOOTER, footer, VHD_FOOTER, err);
	if (rc == 0)
		rc = check_footer(footer, err);
	if (rc < 0)
		return rc;
	return ingot_get_be32(footer + 60) == VHD_FIXED ? open_fixed(file, footer, ret, err)
							: open_growing(file, footer, ret, err);
}

/* --- changes in place -------------------------------------------------- */

/* Of one that grows, sector by sector: those that do not count as written are zero. */
static int place_growing(struct ingot_block_source *blocks, uint64_t offset,
			 struct ingot_place *ret, struct ingot_error *err)
{
	uint64_t inside = offset % blocks->block, sector = inside / VHD_SECTOR;
	unsigned char bits;
	int rc = ingot_blocks_place(&blocks->source, offset, ret, err);

	if (rc < 0 || !ret->stored)
		return rc;
	ret->length = VHD_SECTOR - inside % VHD_SECTOR;
	rc = ingot_source_read(blocks->file, ret->at - inside - blocks->before + sector / 8, &bits,
			       1, err);
	ret->stored = bits & 0x80 >> sector % 8;
	return rc;
}

static int place(struct ingot_source *source, uint64_t offset, struct ingot_place *ret,
		 struct ingot_error *err)
{
	if (source->ops != &FIXED_OPS)
		return place_growing((struct ingot_block_source *)source, offset, ret, err);
	*ret = (struct ingot_place){source->size - offset, true, offset};
	return 0;
}

const struct ingot_edit_ops ingot_vhd_edit = {.place = place};
