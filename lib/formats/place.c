/* Pieces to where the disk has them. */
#include "formats/format_internal.h"

int ingot_place_pieces_at(struct ingot_sink *sink, const struct ingot_chunk *chunk, uint64_t offset,
			  struct ingot_error *err)
{
	size_t i = 0;

	while (i < chunk->piece_count) {
		size_t first = i, at = i * INGOT_PIECE, end;
		int rc;

		while (i < chunk->piece_count && !chunk->pieces[i].zero)
			i++;
		end = (size_t)ingot_min(i * INGOT_PIECE, chunk->length);
		if (i == first) {
			i++;
			continue;
		}
		rc = ingot_sink_write(sink, offset + at, chunk->pieces[first].data, end - at, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_place_pieces(struct ingot_sink *sink, const struct ingot_chunk *chunk,
		       struct ingot_error *err)
{
	return ingot_place_pieces_at(sink, chunk, chunk->offset, err);
}
