/*
 * A compressed file as a source: any place in it, with bounded memory and without a copy.
 *
 * A decoder unpacks from front to back and can start at certain points. The map has the points, the
 * size, and the runs of zeros that were seen when it was made. The source goes on where a decoder
 * is or starts at the last point before what is wanted, and keeps what was used last, so that
 * workers that read a little out of order cost nothing. Where the points are far apart, it has
 * several decoders, for several places that are read in turn; and it refuses to go back and forth
 * for ever (-EFBIG).
 *
 * Formats: gzip_read.c, zst_read.c and xz_read.c are decoders; the *_scan.c make maps.
 */
#ifndef INGOT_FORMATS_PACKED_INTERNAL_H
#define INGOT_FORMATS_PACKED_INTERNAL_H

#include "io/source.h"

/* More than that is taken for an attack. */
#define INGOT_UNPACKED_MAX (UINT64_C(64) << 40)

/* --- input ------------------------------------------------------------- */

enum { INGOT_INPUT_BUFFER = 65536 };

/* A file from some place on. */
struct ingot_input {
	struct ingot_source *file; /* borrowed */
	uint64_t next;		   /* what is read next, behind the buffer */
	size_t at, end;		   /* of the buffer: what is not used yet */
	unsigned char buffer[INGOT_INPUT_BUFFER];
};

void ingot_input_seek(struct ingot_input *input, uint64_t offset);
/* Where the first unused byte is in the file. */
static inline uint64_t ingot_input_position(const struct ingot_input *input)
{
	return input->next - (input->end - input->at);
}
/* Something is in the buffer afterwards, except at the end of the file. */
INGOT_MUST_USE int ingot_input_fill(struct ingot_input *input, struct ingot_error *err);
/* Exactly n bytes, or the file is cut off. */
INGOT_MUST_USE int ingot_input_take(struct ingot_input *input, void *data, size_t n,
				    struct ingot_error *err);

/* --- decoders ---------------------------------------------------------- */

enum { INGOT_WINDOW = 32768 };

/* A place where unpacking can start. */
struct ingot_point {
	uint64_t in, out; /* in the file, and of the unpacked bytes */
	unsigned bits;	  /* gzip: how many of the byte before belong to it */
	const unsigned char
		*window; /* gzip: INGOT_WINDOW bytes before it; NULL: a member's start */
};

struct ingot_decoder;

struct ingot_decoder_ops {
	int (*restart)(struct ingot_decoder *decoder, const struct ingot_point *point,
		       struct ingot_error *err);
	/*
	 * The next n bytes, fewer at the end only. A unit with a checksum that ends with the last
	 * of them has been checked.
	 */
	int (*read)(struct ingot_decoder *decoder, void *data, size_t n, size_t *ret_n,
		    struct ingot_error *err);
	/*
	 * Another decoder of the same file, to be restarted first and freed before this one; and
	 * the memory that this one holds, bytes. Both NULL where points are never far apart.
	 */
	int (*fork)(const struct ingot_decoder *decoder, struct ingot_decoder **ret,
		    struct ingot_error *err);
	uint64_t (*memory)(const struct ingot_decoder *decoder);
	void (*free)(struct ingot_decoder *decoder);
};

/* Implementations put this first in a struct of their own. */
struct ingot_decoder {
	const struct ingot_decoder_ops *ops;
};

static inline void ingot_decoder_free(struct ingot_decoder *decoder)
{
	if (decoder)
		decoder->ops->free(decoder);
}

/* --- the map ----------------------------------------------------------- */

struct ingot_zero_run {
	uint64_t start, end;
};

/* Zeroed is empty. */
struct ingot_packed_map {
	uint64_t size;		    /* unpacked */
	struct ingot_point *points; /* by place, the first at 0 */
	size_t point_count, point_room, window_count;
	uint64_t spacing; /* of the unpacked bytes, between points */
	struct ingot_zero_run *runs;
	size_t run_count, run_room;
};

void ingot_packed_map_done(struct ingot_packed_map *map);
/* Whether a point there would be far enough from the last one. */
bool ingot_packed_map_wants(const struct ingot_packed_map *map, uint64_t out);
/* A point, unless it is too close to the last one. The window is copied. */
INGOT_MUST_USE int ingot_packed_map_point(struct ingot_packed_map *map,
					  const struct ingot_point *point, struct ingot_error *err);
/* [start, end) is zero; by rising place. Of very many runs the last are forgotten. */
INGOT_MUST_USE int ingot_packed_map_zeros(struct ingot_packed_map *map, uint64_t start,
					  uint64_t end, struct ingot_error *err);
/* n bytes more; -EFBIG: too many. */
INGOT_MUST_USE int ingot_packed_map_grow(struct ingot_packed_map *map, uint64_t n,
					 struct ingot_error *err);

/* --- units that are all zero ------------------------------------------- */

enum { INGOT_ZERO_UNIT_PACKED = 8192, INGOT_ZERO_UNITS = 8 };

/* Units seen before that were zero: most zeros are the same few units again and again. */
struct ingot_zero_units {
	unsigned tries; /* that were unpacked */
	size_t count;
	struct {
		size_t packed;
		uint64_t unpacked;
		unsigned char bytes[INGOT_ZERO_UNIT_PACKED];
	} known[INGOT_ZERO_UNITS];
};

/*
 * The unit of that many bytes at the point goes into the map: the point, its size, and a run of
 * zeros if it is one. To know that it is unpacked, if it is small enough to be zeros; with NULL for
 * `zeros`, none is looked for.
 */
INGOT_MUST_USE int ingot_packed_map_unit(struct ingot_packed_map *map,
					 struct ingot_zero_units *zeros, struct ingot_source *file,
					 struct ingot_decoder *decoder,
					 const struct ingot_point *point, uint64_t packed,
					 uint64_t unpacked, struct ingot_error *err);

/* --- the source -------------------------------------------------------- */

/* On success it has taken the decoder and the map's content. The file stays borrowed until ... */
INGOT_MUST_USE int ingot_packed_source(struct ingot_source *file, struct ingot_decoder *decoder,
				       struct ingot_packed_map *map, struct ingot_source **ret,
				       struct ingot_error *err);
/* ... this: it is freed with the source. */
void ingot_packed_own(struct ingot_source *source);
/* For the format that made it; its own thread only. */
struct ingot_decoder *ingot_packed_decoder(struct ingot_source *source);

/* Files of these formats unpacked, as ingot_packed_source. */
INGOT_MUST_USE int ingot_gzip_open(struct ingot_source *file, struct ingot_source **ret,
				   struct ingot_error *err);
INGOT_MUST_USE int ingot_zst_open(struct ingot_source *file, struct ingot_source **ret,
				  struct ingot_error *err);
INGOT_MUST_USE int ingot_xz_open(struct ingot_source *file, struct ingot_source **ret,
				 struct ingot_error *err);

#endif
