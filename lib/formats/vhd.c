/* VHD of fixed size: the disk, then a footer. */
#include <errno.h>

#include "formats/format_internal.h"
#include "formats/vhd_internal.h"

struct vhd_writer {
	struct ingot_writer writer;
	struct ingot_sink *sink;
	uint64_t disk; /* whole sectors */
};

static int start(const struct ingot_writer_ops *ops, struct ingot_output *output, uint64_t size,
		 const struct ingot_format_options *options, struct ingot_writer **ret,
		 struct ingot_error *err)
{
	struct vhd_writer *vhd = ingot_alloc(1, sizeof(*vhd), err);
	int rc;

	(void)options;
	if (!vhd)
		return -ENOMEM;
	vhd->writer = (struct ingot_writer){ops, size};
	vhd->disk = ingot_round_up(size, VHD_SECTOR);
	rc = ingot_output_sink(output, vhd->disk + VHD_FOOTER, &vhd->sink, err);
	if (rc < 0) {
		free(vhd);
		return rc;
	}
	*ret = &vhd->writer;
	return 0;
}

static int place(struct ingot_writer *writer, const struct ingot_chunk *chunk,
		 struct ingot_error *err)
{
	return ingot_place_pieces(((struct vhd_writer *)writer)->sink, chunk, err);
}

static int finish(struct ingot_writer *writer, const struct ingot_seed *seed,
		  struct ingot_error *err)
{
	struct vhd_writer *vhd = (struct vhd_writer *)writer;
	unsigned char footer[VHD_FOOTER];
	struct ingot_guid guid;
	int rc = ingot_derive_guid(seed, "vhd identifier", &guid, err);

	if (rc < 0)
		return rc;
	ingot_vhd_make_footer(vhd->disk, UINT64_MAX, &guid, footer);
	return ingot_sink_write(vhd->sink, vhd->disk, footer, VHD_FOOTER, err);
}

static void vhd_free(struct ingot_writer *writer)
{
	ingot_sink_free(((struct vhd_writer *)writer)->sink);
	free(writer);
}

const struct ingot_writer_ops ingot_vhd_writer = {
	.format = {"vhd", "Microsoft's, of fixed size: what Azure takes"},
	.needs = INGOT_NEED_IDENTITY,
	.start = start,
	.place = place,
	.finish = finish,
	.free = vhd_free,
};
