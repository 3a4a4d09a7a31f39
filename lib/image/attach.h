/*
 * Signatures for a finished image, put into the room that a build left for them. Only sectors that
 * change are written. The result is, byte for byte, what a build with the keys at hand makes.
 *
 *	the initrd in the UKI on the ESP	the root hash's signature
 *	the UKI's checksum and its end		the signature for Secure Boot, if there is room for
 *one a partition of its own			the root hash's signature once more, if there is one
 *
 * Everything is looked at before the first write: each byte that is going to change has to be one
 * of the room or already the right one. So it can be done again, after a power failure, too.
 */
#ifndef INGOT_IMAGE_ATTACH_H
#define INGOT_IMAGE_ATTACH_H

#include "sign/request.h"

struct ingot_attach_report {
	const char *format;	/* of the image */
	unsigned places;	/* where signatures went */
	uint64_t bytes_written; /* 0: everything was there already */
};

/*
 * -EINVAL: the image has no room for these signatures, or it is another image. -EOPNOTSUPP: its
 * format cannot be changed in place.
 */
INGOT_API INGOT_MUST_USE int ingot_attach(const char *image,
					  const struct ingot_sign_request *response,
					  struct ingot_attach_report *ret, struct ingot_error *err);

/*
 * The manifest of a build that was to be signed later: its digests of the image, which is read as a
 * whole, and what it says of signatures. The file is replaced.
 */
INGOT_API INGOT_MUST_USE int ingot_attach_manifest(const char *manifest, const char *image,
						   const struct ingot_sign_request *response,
						   unsigned jobs, struct ingot_error *err);

#endif
