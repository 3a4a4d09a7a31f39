#include "io/source.h"

#include <errno.h>
#include <string.h>

/* Sources made of memory, of nothing, and of other sources. */

/* --- memory ------------------------------------------------------------ */

struct memory_source {
	struct ingot_source source;
	char *name;
	unsigned char data[];
};

static int memory_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		       struct ingot_error *err)
{
	(void)err;
	memcpy(data, ((struct memory_source *)source)->data + offset, n);
	return 0;
}

static void memory_free(struct ingot_source *source)
{
	free(((struct memory_source *)source)->name);
	free(source);
}

static const struct ingot_source_ops MEMORY_OPS = {memory_read, NULL, memory_free};

int ingot_source_memory(const char *name, const void *data, size_t n, struct ingot_source **ret,
			struct ingot_error *err)
{
	struct memory_source *memory = ingot_alloc(1, sizeof(*memory) + n, err);

	if (!memory)
		return -ENOMEM;
	memory->name = ingot_strdup(name, err);
	if (!memory->name) {
		free(memory);
		return -ENOMEM;
	}
	if (n)
		memcpy(memory->data, data, n);
	memory->source = (struct ingot_source){&MEMORY_OPS, memory->name, n};
	*ret = &memory->source;
	return 0;
}

/* --- part -------------------------------------------------------------- */

struct part_source {
	struct ingot_source source;
	struct ingot_source *whole;
	uint64_t offset;
};

static int part_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	struct part_source *part = (struct part_source *)source;

	return ingot_source_read(part->whole, part->offset + offset, data, n, err);
}

static int part_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		       struct ingot_error *err)
{
	struct part_source *part = (struct part_source *)source;
	int rc = ingot_source_extent(part->whole, part->offset + offset, ret, err);

	if (rc < 0)
		return rc;
	ret->length = ingot_min(ret->length, source->size - offset);
	return 0;
}

static void part_free(struct ingot_source *source)
{
	free(source);
}

static const struct ingot_source_ops PART_OPS = {part_read, part_extent, part_free};

int ingot_source_part(struct ingot_source *whole, uint64_t offset, uint64_t length,
		      struct ingot_source **ret, struct ingot_error *err)
{
	struct part_source *part;

	if (!ingot_in_range(offset, length, whole->size))
		return ingot_raise(err, -EINVAL, "'%s' has no %llu bytes at 0x%llx", whole->name,
				   (unsigned long long)length, (unsigned long long)offset);
	part = ingot_alloc(1, sizeof(*part), err);
	if (!part)
		return -ENOMEM;
	part->source = (struct ingot_source){&PART_OPS, whole->name, length};
	part->whole = whole;
	part->offset = offset;
	*ret = &part->source;
	return 0;
}

/* --- concat ------------------------------------------------------------ */

struct concat_source {
	struct ingot_source source;
	char *name;
	size_t count;
	struct piece {
		struct ingot_source *source;
		uint64_t start;
	} pieces[];
};

/* The piece that holds the byte at offset: the last that starts at or before it. */
static struct piece *piece_at(struct concat_source *concat, uint64_t offset)
{
	size_t low = 0, high = concat->count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (concat->pieces[middle].start <= offset)
			low = middle;
		else
			high = middle;
	}
	return &concat->pieces[low];
}

static int concat_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		       struct ingot_error *err)
{
	unsigned char *p = data;

	while (n > 0) {
		struct piece *piece = piece_at((struct concat_source *)source, offset);
		uint64_t inside = offset - piece->start;
		size_t part = (size_t)ingot_min(n, piece->source->size - inside);
		int rc = ingot_source_read(piece->source, inside, p, part, err);

		if (rc < 0)
			return rc;
		p += part;
		offset += part;
		n -= part;
	}
	return 0;
}

static int concat_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			 struct ingot_error *err)
{
	struct piece *piece = piece_at((struct concat_source *)source, offset);

	return ingot_source_extent(piece->source, offset - piece->start, ret, err);
}

static void concat_free(struct ingot_source *source)
{
	struct concat_source *concat = (struct concat_source *)source;

	for (size_t i = 0; i < concat->count; i++)
		ingot_source_free(concat->pieces[i].source);
	free(concat->name);
	free(concat);
}

static const struct ingot_source_ops CONCAT_OPS = {concat_read, concat_extent, concat_free};

int ingot_source_concat(const char *name, struct ingot_source **pieces, size_t count,
			struct ingot_source **ret, struct ingot_error *err)
{
	struct concat_source *concat;
	uint64_t size = 0;

	concat = ingot_alloc(1, sizeof(*concat) + count * sizeof(concat->pieces[0]), err);
	if (!concat)
		return -ENOMEM;
	concat->name = ingot_strdup(name, err);
	if (!concat->name) {
		free(concat);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		concat->pieces[i] = (struct piece){pieces[i], size};
		if (!ingot_add(size, pieces[i]->size, &size)) {
			free(concat->name);
			free(concat);
			return ingot_raise(err, -EOVERFLOW, "'%s' is too large", name);
		}
	}
	concat->count = count;
	concat->source = (struct ingot_source){&CONCAT_OPS, concat->name, size};
	*ret = &concat->source;
	return 0;
}

/* --- zero -------------------------------------------------------------- */

static int zero_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		     struct ingot_error *err)
{
	(void)source;
	(void)offset;
	(void)err;
	memset(data, 0, n);
	return 0;
}

static int zero_extent(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
		       struct ingot_error *err)
{
	(void)err;
	*ret = (struct ingot_extent){.length = source->size - offset, .hole = true};
	return 0;
}

static void zero_free(struct ingot_source *source)
{
	free(source);
}

static const struct ingot_source_ops ZERO_OPS = {zero_read, zero_extent, zero_free};

int ingot_source_zero(uint64_t size, struct ingot_source **ret, struct ingot_error *err)
{
	struct ingot_source *source = ingot_alloc(1, sizeof(*source), err);

	if (!source)
		return -ENOMEM;
	*source = (struct ingot_source){&ZERO_OPS, "zero", size};
	*ret = source;
	return 0;
}
