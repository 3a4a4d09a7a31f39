/* SHA-256 of a file, computed beside the build: an archive is as large as the image. */
#ifndef INGOT_IMAGE_BACKGROUND_INTERNAL_H
#define INGOT_IMAGE_BACKGROUND_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

#include "base/digest.h"
#include "base/error.h"

struct background_digest {
	const char *path; /* borrowed */
	bool running;	  /* a thread is at it; without one it is computed at once */
	pthread_t thread;
	int rc;
	struct ingot_error err;
	uint64_t size;
	uint8_t digest[INGOT_SHA256_SIZE];
};

/* The struct must stay where it is until it is done. */
void background_digest_start(struct background_digest *background, const char *path);

/* Waits; the size and the digest are then in the struct. */
INGOT_MUST_USE int background_digest_wait(struct background_digest *background,
					  struct ingot_error *err);

/* Waits for the thread, if there is one. */
void background_digest_done(struct background_digest *background);

#endif
