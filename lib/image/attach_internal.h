/* Attaching: what is to be changed where, before anything is. */
#ifndef INGOT_IMAGE_ATTACH_INTERNAL_H
#define INGOT_IMAGE_ATTACH_INTERNAL_H

#include "image/attach.h"
#include "io/source.h"

/* Bytes of the disk that are room now and shall be a signature. */
struct attach_patch {
	uint64_t offset; /* on the disk */
	size_t n;
	uint8_t *room, *want;
	uint8_t *found; /* on the disk now: each byte one of the two */
};

#define ATTACH_PATCHES_MAX 64 /* a file in more pieces was not made by a build */

struct attach_plan {
	unsigned places;
	size_t count;
	struct attach_patch patches[ATTACH_PATCHES_MAX];
};

INGOT_MUST_USE int attach_plan_make(struct ingot_source *disk,
				    const struct ingot_sign_request *response,
				    struct attach_plan *ret, struct ingot_error *err);
void attach_plan_done(struct attach_plan *plan); /* after a failure, too */

/* attach_ami.c: the file beside an AMI's image, which is signed. It is replaced. */
INGOT_MUST_USE int attach_ami_import(const char *path, const struct ingot_attach_image *image,
				     struct ingot_error *err);

#endif
