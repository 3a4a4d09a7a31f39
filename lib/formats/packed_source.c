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

/*
 * A stream without points in it is unpacked from its start for a step back. Who reads in several
 * places in turn gets a cursor for each, as long as their decoders do not need too much memory.
 */
enum { CURSORS = 8, FAR = 8 << 20 };
#define CURSOR_MEMORY (UINT64_C(64) << 20)

/* Bytes that are unpacked in all, at most: so many times the whole, and so many. */
enum { TIMES_MAX = 32 };
#define UNPACKED_AT_LEAST (UINT64_C(4) << 30)

struct cursor {
	struct ingot_decoder *decoder;
	bool running; /* the decoder is at position */
	uint64_t position, used;
};

struct block {
	uint64_t number; /* of the disk's blocks; counts if there are bytes */
	bool filled;
	uint64_t used;
	unsigned char *data;
};

struct packed_source {
	struct ingot_source source;
	struct ingot_source *file;
	bool owns_file;
	struct ingot_packed_map map;
	pthread_mutex_t lock; /* of what follows, and of the decoders */
	struct cursor cursors[CURSORS];
	size_t cursor_count;
	struct block blocks[BLOCKS];
	uint64_t uses;	   /* of cursors and blocks: what was used last has the highest number */
	uint64_t unpacked; /* bytes so far */
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

/* --- unpacking --------------------------------------------------------- */

static int unpack(struct packed_source *packed, struct cursor *cursor, unsigned char *data,
		  size_t n, struct ingot_error *err)
{
	struct ingot_decoder *decoder = cursor->decoder;
	unsigned char more;
	size_t got;
	int rc = decoder->ops->read(decoder, data, n, &got, err);

	if (rc == 0 && got != n)
		rc = ingot_raise(err, -EBADMSG, "it gives fewer bytes than it says");
	if (rc == 0 && cursor->position + n == packed->source.size) {
		rc = decoder->ops->read(decoder, &more, 1, &got, err);
		if (rc == 0 && got != 0)
			rc = ingot_raise(err, -EBADMSG, "it gives more bytes than it says");
		cursor->running = false;
	}
	if (rc < 0)
		return ingot_wrap(err, rc, "unpack '%s' at 0x%llx", packed->source.name,
				  (unsigned long long)cursor->position);
	cursor->position += n;
	packed->unpacked += n;
	return 0;
}

/* Up to the next block's start, into nowhere: the decoder started inside a block. */
static int unpack_to_block(struct packed_source *packed, struct cursor *cursor,
			   struct ingot_error *err)
{
	unsigned char nowhere[16384];
	int rc = 0;

	while (rc == 0 && cursor->position % BLOCK != 0) {
		uint64_t rest = BLOCK - cursor->position % BLOCK;

		rc = unpack(packed, cursor, nowhere, (size_t)ingot_min(rest, sizeof(nowhere)), err);
	}
	return rc;
}

/* The block that was used least lately. */
static struct block *oldest_block(struct packed_source *packed)
{
	struct block *oldest = &packed->blocks[0];

	for (size_t i = 1; i < BLOCKS; i++)
		if (packed->blocks[i].used < oldest->used)
			oldest = &packed->blocks[i];
	return oldest;
}

static int unpack_block(struct packed_source *packed, struct cursor *cursor, struct block **ret,
			struct ingot_error *err)
{
	uint64_t number = cursor->position / BLOCK;
	struct block *block = oldest_block(packed);
	int rc;

	block->filled = false;
	if (!block->data)
		block->data = ingot_alloc_buffer(BLOCK, err);
	if (!block->data)
		return -ENOMEM;
	rc = unpack(packed, cursor, block->data,
		    (size_t)ingot_min(BLOCK, packed->source.size - cursor->position), err);
	if (rc < 0)
		return rc;
	block->number = number;
	block->filled = true;
	block->used = ++packed->uses;
	*ret = block;
	return 0;
}

/* --- cursors ----------------------------------------------------------- */

/* Whether going on from it is not longer than from the point. */
static bool leads_to(const struct cursor *cursor, const struct ingot_point *point, uint64_t start)
{
	return cursor->running && cursor->position >= point->out && cursor->position <= start;
}

/* The one that is nearest before `start`; NULL: there is none. */
static struct cursor *nearest(struct packed_source *packed, const struct ingot_point *point,
			      uint64_t start)
{
	struct cursor *best = NULL;

	for (size_t i = 0; i < packed->cursor_count; i++) {
		struct cursor *c = &packed->cursors[i];

		if (leads_to(c, point, start) && (!best || c->position > best->position))
			best = c;
	}
	return best;
}

/* One that is nowhere, or was used least lately. */
static struct cursor *idlest(struct packed_source *packed)
{
	struct cursor *idlest = &packed->cursors[0];

	for (size_t i = 0; i < packed->cursor_count; i++) {
		struct cursor *c = &packed->cursors[i];

		if (!c->running)
			return c;
		if (c->used < idlest->used)
			idlest = c;
	}
	return idlest;
}

static bool can_have_more(const struct packed_source *packed)
{
	const struct ingot_decoder *first = packed->cursors[0].decoder;

	return packed->cursor_count < CURSORS && first->ops->fork &&
	       first->ops->memory(first) <= CURSOR_MEMORY / (packed->cursor_count + 1);
}

static int one_more(struct packed_source *packed, struct cursor **ret, struct ingot_error *err)
{
	const struct ingot_decoder *first = packed->cursors[0].decoder;
	struct cursor *cursor = &packed->cursors[packed->cursor_count];
	int rc = first->ops->fork(first, &cursor->decoder, err);

	if (rc < 0)
		return rc;
	packed->cursor_count++;
	*ret = cursor;
	return 0;
}

/*
 * The one that has the shortest way. If that is long, a new one: somebody may still want to go on
 * where the others are.
 */
static int choose(struct packed_source *packed, const struct ingot_point *point, uint64_t start,
		  struct cursor **ret, struct ingot_error *err)
{
	struct cursor *near = nearest(packed, point, start);
	uint64_t way = start - (near ? near->position : point->out);

	*ret = near && way < FAR ? near : idlest(packed);
	if (way >= FAR && (*ret)->running && can_have_more(packed))
		return one_more(packed, ret, err);
	return 0;
}

/* Whoever makes a file that is read back and forth does not get the machine for days. */
static int check_patience(const struct packed_source *packed, struct ingot_error *err)
{
	if (packed->unpacked <= TIMES_MAX * packed->source.size + UNPACKED_AT_LEAST)
		return 0;
	return ingot_raise(err, -EFBIG,
			   "'%s' is read back and forth, and a step back in it means to unpack it "
			   "from far: unpack it first",
			   packed->source.name);
}

/* A cursor at or before a block. */
static int approach(struct packed_source *packed, uint64_t start, struct cursor **ret,
		    struct ingot_error *err)
{
	const struct ingot_point *point = point_before(&packed->map, start);
	struct cursor *cursor;
	int rc = check_patience(packed, err);

	if (rc == 0)
		rc = choose(packed, point, start, ret, err);
	if (rc < 0 || leads_to(*ret, point, start))
		return rc;
	cursor = *ret;
	cursor->running = false;
	rc = cursor->decoder->ops->restart(cursor->decoder, point, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "unpack '%s'", packed->source.name);
	cursor->position = point->out;
	cursor->running = true;
	return 0;
}

/* --- reading ----------------------------------------------------------- */

static struct block *find_block(struct packed_source *packed, uint64_t number)
{
	for (size_t i = 0; i < BLOCKS; i++)
		if (packed->blocks[i].filled && packed->blocks[i].number == number)
			return &packed->blocks[i];
	return NULL;
}

static int get_block(struct packed_source *packed, uint64_t number, struct block **ret,
		     struct ingot_error *err)
{
	struct block *block = find_block(packed, number);
	struct cursor *cursor;
	int rc = 0;

	if (!block) {
		rc = approach(packed, number * BLOCK, &cursor, err);
		if (rc < 0)
			return rc;
		rc = unpack_to_block(packed, cursor, err);
		while (rc == 0 && (!block || block->number != number))
			rc = unpack_block(packed, cursor, &block, err);
		if (rc < 0) {
			cursor->running = false;
			return rc;
		}
		cursor->used = ++packed->uses;
	}
	block->used = ++packed->uses;
	*ret = block;
	return 0;
}

static int read_at(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		   struct ingot_error *err)
{
	struct packed_source *packed = (struct packed_source *)source;
	unsigned char *p = data;

	while (n > 0) {
		size_t inside = (size_t)(offset % BLOCK);
		size_t part = (size_t)ingot_min(n, BLOCK - inside);
		struct block *block;
		int rc;

		(void)pthread_mutex_lock(&packed->lock);
		rc = get_block(packed, offset / BLOCK, &block, err);
		if (rc == 0)
			memcpy(p, block->data + inside, part);
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
	/* The first is the last: others borrow from it. */
	for (size_t i = packed->cursor_count; i-- > 0;)
		ingot_decoder_free(packed->cursors[i].decoder);
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
	packed->cursors[0].decoder = decoder;
	packed->cursor_count = 1;
	packed->map = *map;
	*map = (struct ingot_packed_map){0};
	(void)pthread_mutex_init(&packed->lock, NULL);
	*ret = &packed->source;
	return 0;
}

struct ingot_decoder *ingot_packed_decoder(struct ingot_source *source)
{
	return ((struct packed_source *)source)->cursors[0].decoder;
}

void ingot_packed_own(struct ingot_source *source)
{
	((struct packed_source *)source)->owns_file = true;
}
