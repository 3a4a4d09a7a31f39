/* A request in words, for the person who is to sign it. */
#ifndef INGOT_IMAGE_REQUEST_SHOW_H
#define INGOT_IMAGE_REQUEST_SHOW_H

#include <stdio.h>

#include "sign/request.h"

/*
 * Everything that the signatures cover and the request proves, then what it only says. -EINVAL: the
 * initrd's end does not open /usr by the root hash that is to be signed.
 */
INGOT_API INGOT_MUST_USE int ingot_request_show(const struct ingot_sign_request *request,
						FILE *stream, struct ingot_error *err);

#endif
