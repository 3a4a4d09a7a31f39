/* A request in words, for the person who is to sign it. */
#ifndef INGOT_IMAGE_REQUEST_SHOW_H
#define INGOT_IMAGE_REQUEST_SHOW_H

#include <stdio.h>

#include "image/request_image.h"
#include "sign/request.h"

/*
 * Everything that the signatures cover and the request proves, then what it only says. What images
 * prove besides is marked; proof is NULL where there are none. -EINVAL: the initrd's end does not
 * open /usr by the root hash that is to be signed.
 */
INGOT_API INGOT_MUST_USE int ingot_request_show(const struct ingot_sign_request *request,
						const struct ingot_request_proof *proof,
						FILE *stream, struct ingot_error *err);

#endif
