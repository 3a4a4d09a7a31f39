/* SHA-256 of a file that was just written: holes are zeros, and never read. */
#ifndef INGOT_IMAGE_DIGEST_INTERNAL_H
#define INGOT_IMAGE_DIGEST_INTERNAL_H

#include "base/digest.h"
#include "io/copy.h"

INGOT_MUST_USE int image_digest(int fd, struct ingot_sink *sink,
				const struct ingot_progress *progress,
				uint8_t digest[INGOT_SHA256_SIZE], struct ingot_error *err);

#endif
