/* The steps of holding a request against an image. */
#ifndef INGOT_IMAGE_REQUEST_IMAGE_INTERNAL_H
#define INGOT_IMAGE_REQUEST_IMAGE_INTERNAL_H

#include "image/request_image.h"
#include "image/verify_internal.h"

/*
 * request_bytes.c: the file is the one that is to be signed. What a request has of it, digest and
 * end, is made again of the file; der is the room for the root hash's signature. -EBADMSG.
 */
INGOT_MUST_USE int request_check_bytes(const struct ingot_request_uki *uki,
				       struct ingot_source *file, const uint8_t *der, size_t n,
				       struct ingot_error *err);

/* request_parts.c: what the UKI of an image is made of, and whether the request says the same. */
INGOT_MUST_USE int request_check_parts(const struct ingot_sign_request *request,
				       const struct ingot_request_uki *uki,
				       const struct verify_program *program,
				       struct ingot_request_found *found, struct ingot_error *err);

#endif
