/* Reading a compressed file through its map. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "formats/packed_internal.h"

/* --- input ------------------------------------------------------------- */

void ingot_input_seek(struct ingot_input *input, uint64_t offset)
{
	input->next = offset;
	input->at = input->end = 0;
}

int ingot_input_fill(struct ingot_input *input, struct ingot_error *err)
{
	size_t n;
	int rc;

	if (input->at < input->end || input->next >= input->file->size)
		return 0;
	n = (size_t)ingot_min(INGOT_INPUT_BUFFER, input->file->size - input->next);
	rc = ingot_source_read(input->file, input->next, input->buffer, n, err);
	if (rc < 0)
		return rc;
	input->next += n;
	input->at = 0;
	input->end = n;
	return 0;
}

int ingot_input_take(struct ingot_input *input, void *data, size_t n, struct ingot_error *err)
{
	unsigned char *p = data;

	while (n > 0) {
		int rc = ingot_input_fill(input, err);
		size_t part = (size_t)ingot_min(n, input->end - input->at);

		if (rc < 0)
			return rc;
		if (part == 0)
			return ingot_raise(err, -EBADMSG, "it is cut off");
		memcpy(p, input->buffer + input->at, part);
		input->at += part;
		p += part;
		n -= part;
	}
	return 0;
}

/* --- source ------------------------------------------------------------ */

enum { BLOCK = 256 * 1024, BLOCKS = 128 };

struct block {
	uint64_t number; /* of the disk's blocks; counts if there are bytes */
	bool filled;
	unsigned char *data;
};

struct packed_source {
	struct ingot_source source;
	struct ingot_source *file;
	bool owns_file;
	struct ingot_decoder *decoder;
	struct ingot_packed_map map;
	pthread_mutex_t lock; /* of what follows, and of the decoder */
	bool running;	      /* the decoder is at position */
	uint64_t position;
	struct block blocks[BLOCKS]; /* a block's place is its number, modulo BLOCKS */
};

/* The last point at or before it; the first one is at 0. */
static const struct ingot_point *point_before(const struct ingot_packed_map *map, uint64_t offset)
{
	size_t low = 0, high = map->point_count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (map->points[middle].out <= offset)
			low = middle;
		else
			high = middle;
	}
	return &map->points[low];
}

static int unpack(struct packed_source *packed, unsigned char *data, size_t n,
		  struct ingot_error *err)
{
	unsigned char more;
	size_t got;
	int rc = packed->decoder->ops->read(packed->decoder, data, n, &got, err);

	if (rc == 0 && got != n)
		rc = ingot_raise(err, -EBADMSG, "it gives fewer bytes than it says");
	if (rc == 0 && packed->position + n == packed->source.size) {
		rc = packed->decoder->ops->read(packed->decoder, &more, 1, &got, err);
		if (rc == 0 && got != 0)
			rc = ingot_raise(err, -EBADMSG, "it gives more bytes than it says");
		packed->running = false;
	}
	if (rc < 0)
		return ingot_wrap(err, rc, "unpack '%s' at 0x%llx", packed->source.name,
				  (unsigned long long)packed->position);
	packed->position += n;
	return 0;
}

/* Up to the next block's start, into nowhere: the decoder started inside a block. */
static int unpack_to_block(struct packed_source *packed, struct ingot_error *err)
{
	unsigned char nowhere[16384];
	int rc = 0;

	while (rc == 0 && packed->position % BLOCK != 0) {
		uint64_t rest = BLOCK - packed->position % BLOCK;

		rc = unpack(packed, nowhere, (size_t)ingot_min(rest, sizeof(nowhere)), err);
	}
	return rc;
}

static int unpack_block(struct packed_source *packed, struct ingot_error *err)
{
	uint64_t number = packed->position / BLOCK;
	struct block *block = &packed->blocks[number % BLOCKS];
	int rc;

	block->filled = false;
	if (!block->data)
		block->data = ingot_alloc_buffer(BLOCK, err);
	if (!block->data)
		return -ENOMEM;
	rc = unpack(packed, block->data,
		    (size_t)ingot_min(BLOCK, packed->source.size - packed->position), err);
	if (rc < 0)
		return rc;
	block->number = number;
	block->filled = true;
	return 0;
}

/* The decoder at or before a block, by the shorter way. */
static int approach(struct packed_source *packed, uint64_t start, struct ingot_error *err)
{
	const struct ingot_point *point = point_before(&packed->map, start);
	int rc;

	if (packed->running && packed->position <= start && packed->position >= point->out)
		return 0;
	packed->running = false;
	rc = packed->decoder->ops->restart(packed->decoder, point, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "unpack '%s'", packed->source.name);
	packed->position = point->out;
	packed->running = true;
	return 0;
}

static int get_block(struct packed_source *packed, uint64_t number, struct ingot_error *err)
{
	const struct block *block = &packed->blocks[number % BLOCKS];
	int rc;

	if (block->filled && block->number == number)
		return 0;
	rc = approach(packed, number * BLOCK, err);
	if (rc == 0)
		rc = unpack_to_block(packed, err);
	while (rc == 0 && !(block->filled && block->number == number))
		rc = unpack_block(packed, err);
	if (rc < 0)
		packed->running = false;
	return rc;
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	struct packed_source *packed = (struct packed_source *)source;
	unsigned char *p = data;

	while (n > 0) {
		uint64_t number = offset / BLOCK;
		size_t inside = (size_t)(offset % BLOCK);
		size_t part = (size_t)ingot_min(n, BLOCK - inside);
		int rc;

		(void)pthread_mutex_lock(&packed->lock);
		rc = get_block(packed, number, err);
		if (rc == 0)
			memcpy(p, packed->blocks[number % BLOCKS].data + inside, part);
		(void)pthread_mutex_unlock(&packed->lock);
		if (rc < 0)
			return rc;
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

/* The map does not change any more: no lock. */
static int extent_at(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		     struct ingot_error *err)
{
	const struct ingot_packed_map *map = &((struct packed_source *)source)->map;
	size_t low = 0, high = map->run_count;

	(void)err;
	while (low < high) { /* the first run that ends past it */
		size_t middle = (low + high) / 2;

		if (map->runs[middle].end > offset)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == map->run_count)
		*ret = (struct ingot_extent){.length = source->size - offset};
	else if (map->runs[low].start > offset)
		*ret = (struct ingot_extent){.length = map->runs[low].start - offset};
	else
		*ret = (struct ingot_extent){.length = map->runs[low].end - offset, .hole = true};
	return 0;
}

static void packed_free(struct ingot_source *source)
{
	struct packed_source *packed = (struct packed_source *)source;

	for (size_t i = 0; i < BLOCKS; i++)
		free(packed->blocks[i].data);
	ingot_decoder_free(packed->decoder);
	ingot_packed_map_done(&packed->map);
	if (packed->owns_file)
		ingot_source_free(packed->file);
	(void)pthread_mutex_destroy(&packed->lock);
	free(packed);
}

static const struct ingot_source_ops PACKED_OPS = {read_at, extent_at, packed_free};

int ingot_packed_source(struct ingot_source *file, struct ingot_decoder *decoder,
			struct ingot_packed_map *map, struct ingot_source **ret,
			struct ingot_error *err)
{
	struct packed_source *packed = ingot_alloc(1, sizeof(*packed), err);

	if (!packed)
		return -ENOMEM;
	packed->source = (struct ingot_source){&PACKED_OPS, file->name, map->size};
	packed->file = file;
	packed->decoder = decoder;
	packed->map = *map;
	*map = (struct ingot_packed_map){0};
	(void)pthread_mutex_init(&packed->lock, NULL);
	*ret = &packed->source;
	return 0;
}

struct ingot_decoder *ingot_packed_decoder(struct ingot_source *source)
{
	return ((struct packed_source *)source)->decoder;
}

void ingot_packed_own(struct ingot_source *source)
{
	((struct packed_source *)source)->owns_file = true;
}
