/* Sparse members of a tar archive: pieces of data, and zeros between them. */
#ifndef INGOT_FORMATS_GCE_INTERNAL_H
#define INGOT_FORMATS_GCE_INTERNAL_H

#include "io/source.h"

struct ingot_tar_piece {
	uint64_t offset, length; /* on the disk */
	uint64_t at;		 /* in the archive */
};

/* Zeroed is empty. */
struct ingot_tar_map {
	struct ingot_tar_piece *pieces;
	size_t count, room;
	uint64_t stored; /* bytes of all pieces */
};

/* The next piece; -EBADMSG: it lies before the end of the last one, or there are too many. */
INGOT_MUST_USE int ingot_tar_map_add(struct ingot_tar_map *map, uint64_t offset, uint64_t length,
				     struct ingot_error *err);

/* GNU's old format: four pieces in the header, more in blocks behind it, up to *at. */
INGOT_MUST_USE int ingot_tar_map_old(struct ingot_tar_map *map, struct ingot_source *archive,
				     const unsigned char header[512], uint64_t *at, uint64_t *size,
				     struct ingot_error *err);
/* Pax, version 1.0: a text in front of the data. *at moves behind it. */
INGOT_MUST_USE int ingot_tar_map_text(struct ingot_tar_map *map, struct ingot_source *archive,
				      uint64_t *at, uint64_t end, struct ingot_error *err);

/* The disk of that size; the pieces lie one after the other from `at` on. It takes both. */
INGOT_MUST_USE int ingot_tar_map_source(struct ingot_tar_map *map, struct ingot_source *archive,
					uint64_t at, uint64_t size, struct ingot_source **ret,
					struct ingot_error *err);

#endif
