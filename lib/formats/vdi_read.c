/* A VDI, growing or of fixed size, as the disk inside. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/blocks_internal.h"
#include "formats/vdi_internal.h"

enum { BLOCK_MAX = 256 << 20 };

struct vdi_source {
	struct ingot_block_source blocks;
	uint64_t map, data; /* places in the file */
	uint32_t extra;	    /* bytes in front of each block */
};

static int locate(struct ingot_block_source *blocks, uint64_t first, size_t n, uint64_t *places,
		  struct ingot_error *err)
{
	const struct vdi_source *vdi = (const struct vdi_source *)blocks;
	unsigned char raw[4 * INGOT_BLOCK_RUN];
	int rc = ingot_source_read(blocks->file, vdi->map + 4 * first, raw, 4 * n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		uint32_t number = ingot_get_le32(raw + 4 * i);

		places[i] = number >= VDI_ZERO ? INGOT_BLOCK_HOLE
					       : vdi->data + vdi->extra +
							 number * (blocks->block + vdi->extra);
	}
	return rc;
}

static const struct ingot_block_ops VDI_OPS = {.format = "vdi", .locate = locate};

bool ingot_vdi_probe(const struct ingot_probe *probe)
{
	return ingot_get_le32(probe->head + 64) == VDI_MAGIC;
}

static bool is_zero(const unsigned char *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

static int check_kind(const unsigned char *h, struct ingot_error *err)
{
	uint32_t version = ingot_get_le32(h + 68), kind = ingot_get_le32(h + 76);

	if (version >> 16 != VDI_VERSION >> 16)
		return ingot_raise(err, -ENOTSUP, "version %u.%u is unknown", version >> 16,
				   version & 0xffff);
	if (ingot_get_le32(h + 72) < VDI_HEADER_FIELDS || ingot_get_le32(h + 72) > VDI_HEADER - 72)
		return ingot_raise(err, -EBADMSG, "its header has %u bytes",
				   ingot_get_le32(h + 72));
	if (kind == VDI_DIFFERENCING || kind == VDI_UNDO || !is_zero(h + 424, 32))
		return ingot_raise(err, -ENOTSUP, "it is the difference to another file");
	if (kind != VDI_GROWS && kind != VDI_FIXED)
		return ingot_raise(err, -ENOTSUP, "its kind %u is unknown", kind);
	return 0;
}

static int check_sizes(const unsigned char *h, struct ingot_error *err)
{
	uint64_t size = ingot_get_le64(h + 368);
	uint32_t block = ingot_get_le32(h + 376), extra = ingot_get_le32(h + 380);
	uint32_t count = ingot_get_le32(h + 384);

	if (size == 0 || size > INT64_MAX)
		return ingot_raise(err, -EBADMSG, "its size of %llu bytes is impossible",
				   (unsigned long long)size);
	if (!ingot_is_power_of_two(block) || block < VDI_SECTOR || block > BLOCK_MAX)
		return ingot_raise(err, -EBADMSG, "its blocks have %u bytes", block);
	if (extra % VDI_SECTOR != 0 || extra > BLOCK_MAX)
		return ingot_raise(err, -EBADMSG, "its blocks have %u bytes in front", extra);
	if (count < ingot_div_up(size, block))
		return ingot_raise(err, -EBADMSG, "%u blocks of %u bytes for %llu bytes", count,
				   block, (unsigned long long)size);
	return 0;
}

static int read_geometry(struct vdi_source *vdi, struct ingot_source *file, const unsigned char *h,
			 struct ingot_error *err)
{
	vdi->map = ingot_get_le32(h + 340);
	vdi->data = ingot_get_le32(h + 344);
	vdi->extra = ingot_get_le32(h + 380);
	vdi->blocks.block = ingot_get_le32(h + 376);
	vdi->blocks.before = vdi->extra;
	ingot_blocks_init(&vdi->blocks, file, ingot_get_le64(h + 368));
	if (vdi->map < VDI_HEADER || !ingot_in_range(vdi->map, vdi->blocks.count * 4, file->size))
		return ingot_raise(err, -EBADMSG, "its map at 0x%llx: not in the file",
				   (unsigned long long)vdi->map);
	vdi->blocks.tables[0] = (struct ingot_range){0, VDI_HEADER};
	vdi->blocks.tables[1] = (struct ingot_range){vdi->map, vdi->blocks.count * 4};
	return 0;
}

static int read_header(struct vdi_source *vdi, struct ingot_source *file, struct ingot_error *err)
{
	unsigned char h[VDI_HEADER];
	int rc;

	if (file->size < VDI_HEADER)
		return ingot_raise(err, -EBADMSG, "its header is cut off");
	rc = ingot_source_read(file, 0, h, sizeof(h), err);
	if (rc == 0)
		rc = check_kind(h, err);
	if (rc == 0)
		rc = check_sizes(h, err);
	return rc < 0 ? rc : read_geometry(vdi, file, h, err);
}

int ingot_vdi_open(struct ingot_source *file, struct ingot_source **ret, struct ingot_error *err)
{
	INGOT_FREE struct vdi_source *vdi = ingot_alloc(1, sizeof(*vdi), err);
	int rc;

	if (!vdi)
		return -ENOMEM;
	vdi->blocks.ops = &VDI_OPS;
	rc = read_header(vdi, file, err);
	if (rc == 0)
		rc = ingot_blocks_check(&vdi->blocks, err);
	if (rc < 0)
		return rc;
	*ret = &INGOT_TAKE(vdi)->blocks.source;
	return 0;
}
