#include "formats/gce_internal.h"

#include <errno.h>
#include <string.h>

#include "formats/edit_internal.h"
#include "formats/ustar_internal.h"

enum { PIECES_MAX = 1 << 20 };

int ingot_tar_map_add(struct ingot_tar_map *map, uint64_t offset, uint64_t length,
		      struct ingot_error *err)
{
	const struct ingot_tar_piece *last = map->count ? &map->pieces[map->count - 1] : NULL;
	uint64_t end;
	int rc;

	if (!ingot_add(offset, length, &end) || end > INT64_MAX ||
	    (last && offset < last->offset + last->length))
		return ingot_raise(err, -EBADMSG, "the sparse map is out of order");
	if (map->count == PIECES_MAX)
		return ingot_raise(err, -EFBIG, "the sparse map has more than %d pieces",
				   PIECES_MAX);
	if (length == 0) /* the end, as tar has it */
		return 0;
	rc = ingot_grow((void **)&map->pieces, &map->room, map->count + 1, sizeof(*map->pieces),
			err);
	if (rc < 0)
		return rc;
	map->pieces[map->count++] = (struct ingot_tar_piece){offset, length, map->stored};
	map->stored += length;
	return 0;
}

/* --- GNU's old format -------------------------------------------------- */

enum {
	ENTRY = 24, /* offset and length, 12 bytes each */
	HEADER_MAP = 386,
	HEADER_ENTRIES = 4,
	HEADER_MORE = 482,
	HEADER_SIZE = 483,
	BLOCK_ENTRIES = 21,
	BLOCK_MORE = 504,
};

/* An entry that begins with NUL is behind the last one. */
static int add_entries(struct ingot_tar_map *map, const unsigned char *p, size_t count,
		       struct ingot_error *err)
{
	for (; count > 0 && p[0] != '\0'; count--, p += ENTRY) {
		uint64_t offset, length;
		int rc;

		if (!ingot_ustar_number(p, &offset) || !ingot_ustar_number(p + 12, &length))
			return ingot_raise(err, -EBADMSG,
					   "the sparse map has a number that is none");
		rc = ingot_tar_map_add(map, offset, length, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_tar_map_old(struct ingot_tar_map *map, struct ingot_source *archive,
		      const unsigned char header[512], uint64_t *at, uint64_t *size,
		      struct ingot_error *err)
{
	unsigned char block[USTAR_BLOCK];
	bool more = header[HEADER_MORE] != 0;
	int rc = add_entries(map, header + HEADER_MAP, HEADER_ENTRIES, err);

	if (!ingot_ustar_number(header + HEADER_SIZE, size))
		return ingot_raise(err, -EBADMSG, "the sparse member's size is no number");
	for (size_t i = 0; rc == 0 && more; i++, *at += USTAR_BLOCK) {
		if (i > PIECES_MAX / BLOCK_ENTRIES)
			return ingot_raise(err, -EFBIG, "the sparse map has more than %d pieces",
					   PIECES_MAX);
		rc = ingot_source_read(archive, *at, block, sizeof(block), err);
		if (rc == 0)
			rc = add_entries(map, block, BLOCK_ENTRIES, err);
		more = block[BLOCK_MORE] != 0;
	}
	return rc;
}

/* --- pax 1.0 ----------------------------------------------------------- */

/* The text: a number a line. */
struct text {
	struct ingot_source *archive;
	uint64_t next, end;
	unsigned char block[USTAR_BLOCK];
	size_t used; /* of the block */
};

static int next_number(struct text *text, uint64_t *ret, struct ingot_error *err)
{
	*ret = 0;
	for (int digits = 0; digits <= 20; digits++) {
		unsigned char c;

		if (text->used == USTAR_BLOCK) {
			int rc;

			if (text->end - text->next < USTAR_BLOCK)
				break;
			rc = ingot_source_read(text->archive, text->next, text->block, USTAR_BLOCK,
					       err);
			if (rc < 0)
				return rc;
			text->next += USTAR_BLOCK;
			text->used = 0;
		}
		c = text->block[text->used++];
		if (c == '\n' && digits > 0)
			return 0;
		if (c < '0' || c > '9' || !ingot_mul(*ret, 10, ret) ||
		    !ingot_add(*ret, (uint64_t)(c - '0'), ret))
			break;
	}
	return ingot_raise(err, -EBADMSG, "the sparse map has a number that is none");
}

int ingot_tar_map_text(struct ingot_tar_map *map, struct ingot_source *archive, uint64_t *at,
		       uint64_t end, struct ingot_error *err)
{
	struct text text = {.archive = archive, .next = *at, .end = end, .used = USTAR_BLOCK};
	uint64_t count;
	int rc = next_number(&text, &count, err);

	for (uint64_t i = 0; rc == 0 && i < count; i++) {
		uint64_t offset, length;

		rc = next_number(&text, &offset, err);
		if (rc == 0)
			rc = next_number(&text, &length, err);
		if (rc == 0)
			rc = ingot_tar_map_add(map, offset, length, err);
	}
	*at = text.next;
	return rc;
}

/* --- the disk ---------------------------------------------------------- */

struct sparse_source {
	struct ingot_source source;
	struct ingot_source *archive;
	struct ingot_tar_map map;
	uint64_t at;
};

/* The first piece that ends past the offset, or the count. */
static size_t find_piece(const struct ingot_tar_map *map, uint64_t offset)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (map->pieces[middle].offset + map->pieces[middle].length > offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* What is at the offset, and how far: in the archive at *at, or a hole. */
static struct ingot_extent look(const struct sparse_source *sparse, uint64_t offset, uint64_t *at)
{
	size_t i = find_piece(&sparse->map, offset);
	const struct ingot_tar_piece *piece = &sparse->map.pieces[i];

	if (i == sparse->map.count)
		return (struct ingot_extent){sparse->source.size - offset, true};
	if (piece->offset > offset)
		return (struct ingot_extent){piece->offset - offset, true};
	*at = sparse->at + piece->at + (offset - piece->offset);
	return (struct ingot_extent){piece->offset + piece->length - offset, false};
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	struct sparse_source *sparse = (struct sparse_source *)source;
	unsigned char *p = data;

	while (n > 0) {
		uint64_t at = 0;
		struct ingot_extent run = look(sparse, offset, &at);
		size_t part = (size_t)ingot_min(n, run.length);
		int rc = 0;

		if (run.hole)
			memset(p, 0, part);
		else
			rc = ingot_source_read(sparse->archive, at, p, part, err);
		if (rc < 0)
			return rc;
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

/* Data may still be a hole of the archive's. */
static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	struct sparse_source *sparse = (struct sparse_source *)source;
	uint64_t at = 0;
	struct ingot_extent run = look(sparse, offset, &at);
	int rc;

	*ret = run;
	if (run.hole)
		return 0;
	rc = ingot_source_extent(sparse->archive, at, ret, err);
	ret->length = ingot_min(ret->length, run.length);
	return rc;
}

static void sparse_free(struct ingot_source *source)
{
	struct sparse_source *sparse = (struct sparse_source *)source;

	ingot_source_free(sparse->archive);
	free(sparse->map.pieces);
	free(sparse);
}

static const struct ingot_source_ops SPARSE_OPS = {read_at, extent_at, sparse_free};

int ingot_tar_map_source(struct ingot_tar_map *map, struct ingot_source *archive, uint64_t at,
			 uint64_t size, struct ingot_source **ret, struct ingot_error *err)
{
	const struct ingot_tar_piece *last = map->count ? &map->pieces[map->count - 1] : NULL;
	struct sparse_source *sparse;

	if (last && last->offset + last->length > size)
		return ingot_raise(err, -EBADMSG, "the sparse map goes past the end of the disk");
	if (!ingot_in_range(at, map->stored, archive->size))
		return ingot_raise(err, -EBADMSG, "it is cut off");
	sparse = ingot_alloc(1, sizeof(*sparse), err);
	if (!sparse)
		return -ENOMEM;
	sparse->source = (struct ingot_source){&SPARSE_OPS, archive->name, size};
	sparse->archive = archive;
	sparse->map = *map;
	sparse->at = at;
	*map = (struct ingot_tar_map){0};
	*ret = &sparse->source;
	return 0;
}

/* --- changes in place -------------------------------------------------- */

static int place(struct ingot_source *source, uint64_t offset, struct ingot_place *ret,
		 struct ingot_error *err)
{
	uint64_t at = 0;
	struct ingot_extent run = look((const struct sparse_source *)source, offset, &at);

	(void)err;
	*ret = (struct ingot_place){run.length, !run.hole, at};
	return 0;
}

const struct ingot_edit_ops ingot_gce_edit = {.place = place};
