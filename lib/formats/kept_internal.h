/*
 * Compressed pieces that were unpacked for a few of their bytes: the next bytes wanted are likely
 * to be beside them, and a folder of a filesystem would otherwise be unpacked once for each of its
 * entries. Pieces that are read as a whole do not need it. Several threads may use it at once.
 */
#ifndef INGOT_FORMATS_KEPT_INTERNAL_H
#define INGOT_FORMATS_KEPT_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INGOT_KEPT_PIECES = 16 };

struct ingot_kept {
	pthread_mutex_t lock;
	/* A piece's place is its number, modulo INGOT_KEPT_PIECES. */
	struct {
		uint64_t number; /* counts if there are bytes */
		unsigned char *data;
	} pieces[INGOT_KEPT_PIECES];
};

/* From zeroed memory; done is for what was begun. */
void ingot_kept_init(struct ingot_kept *kept);
void ingot_kept_done(struct ingot_kept *kept);

/* n bytes of piece `number` from `inside` on; false: it is not kept. */
bool ingot_kept_copy(struct ingot_kept *kept, uint64_t number, size_t inside, void *data, size_t n);

/*
 * All pieces have the same size. *piece is kept from now on; the caller gets the buffer of another
 * one for it, which is his to fill or to free, or NULL.
 */
void ingot_kept_put(struct ingot_kept *kept, uint64_t number, unsigned char **piece);

#endif
