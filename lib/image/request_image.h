/*
 * A request held against the image itself, on the machine that signs: what the build machine says
 * of the UKI that is to be signed is then proven, and so is that /usr has this root hash.
 */
#ifndef INGOT_IMAGE_REQUEST_IMAGE_H
#define INGOT_IMAGE_REQUEST_IMAGE_H

#include "sign/request.h"

/* What a UKI is made of, in this order. */
enum ingot_request_part {
	INGOT_REQUEST_OS_RELEASE,
	INGOT_REQUEST_INITRD, /* without the archive at its end, which has the signature */
	INGOT_REQUEST_LINUX,
	INGOT_REQUEST_PARTS,
};

/* One UKI of a request as an image has it. */
struct ingot_request_found {
	const char
		*image; /* the file's name, borrowed; NULL: no image was seen that has this UKI */
	struct {
		uint64_t size;
		uint8_t digest[INGOT_SHA256_SIZE];
	} parts[INGOT_REQUEST_PARTS];
};

/* All zero before the first image. */
struct ingot_request_proof {
	const char *image; /* in which /usr was seen; NULL: in none */
	uint64_t usr_blocks, usr_block_size;
	struct ingot_request_found uki, vendors[INGOT_REQUEST_VENDORS_MAX];
};

/*
 * Checks one image, raw or in a container, and adds what it proves. The UKI on its ESP is one of
 * the request's: the base image's or a vendor's, by its command line. Everything of it that will be
 * signed is read in the image and has to be what the request has, byte for byte; /usr is read as a
 * whole and has to have the root hash; the image itself has to pass the checks of `ingot verify`
 * but for those of signatures. layout: as there, NULL: the one that fits. -EBADMSG: it does not.
 */
INGOT_API INGOT_MUST_USE int ingot_request_check_image(const struct ingot_sign_request *request,
						       const char *path, const char *layout,
						       unsigned jobs,
						       struct ingot_request_proof *proof,
						       struct ingot_error *err);

#endif
