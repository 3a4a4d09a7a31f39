/*
 * Signatures for a finished image of any format, put into the room that a build left for them. Only
 * sectors that change are written (formats/edit.h). The result is, byte for byte, what a build with
 * the keys at hand makes.
 *
 *	the initrd in the UKI on the ESP	the root hash's signature
 *	the UKI's checksum and its end		the one for Secure Boot, if there is room for it
 *	a partition of its own, if any		the root hash's signature once more
 *
 * Everything is looked at before the first write: each byte that is going to change has to be one
 * of the room or already the right one. So it can be done again, after a power failure, too.
 */
#ifndef INGOT_IMAGE_ATTACH_H
#define INGOT_IMAGE_ATTACH_H

#include "io/source.h"
#include "sign/request.h"

struct ingot_attach_report {
	const char *format;	/* of the image */
	unsigned places;	/* where signatures went */
	uint64_t bytes_written; /* 0: everything was there already */
	/* Where on the disk signatures are now, whatever was written; to be freed. */
	struct ingot_range *ranges;
	size_t range_count;
};

/*
 * -EINVAL: the image has no room for these signatures, or it is another image. -EOPNOTSUPP: its
 * format cannot be changed in place, or another program wrote it.
 */
INGOT_API INGOT_MUST_USE int ingot_attach(const char *image,
					  const struct ingot_sign_request *response,
					  struct ingot_attach_report *ret, struct ingot_error *err);

/* --- what a build made ------------------------------------------------- */

struct ingot_attach_image {
	char *path;
	struct ingot_attach_report report; /* of ingot_attach */
};

/* All outputs of a manifest, beside it. To be freed, after a failure too. */
INGOT_API INGOT_MUST_USE int ingot_attach_list(const char *manifest,
					       struct ingot_attach_image **ret, size_t *ret_count,
					       struct ingot_error *err);
INGOT_API void ingot_attach_images_free(struct ingot_attach_image *images, size_t count);

/*
 * The manifest of a build that was to be signed later: its digests of the images, which are read as
 * a whole, and what it says of signatures. Before it, files beside the images that have digests of
 * their blocks. Each file is replaced.
 */
INGOT_API INGOT_MUST_USE int ingot_attach_manifest(const char *manifest,
						   const struct ingot_attach_image *images,
						   size_t count,
						   const struct ingot_sign_request *response,
						   unsigned jobs, struct ingot_error *err);

#endif
