#include "base/alloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ARENA_CHUNK = 256 * 1024, PAGE = 4096 };

struct ingot_arena_chunk {
	struct ingot_arena_chunk *next;
	_Alignas(16) unsigned char data[];
};

void *ingot_alloc(size_t count, size_t size, struct ingot_error *err)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		(void)!ingot_raise_oom(err,
				       size && count > SIZE_MAX / size ? SIZE_MAX : count * size);
	return p;
}

void *ingot_alloc_buffer(size_t size, struct ingot_error *err)
{
	void *p = NULL;

	if (posix_memalign(&p, PAGE, size ? size : 1) != 0) {
		(void)!ingot_raise_oom(err, size);
		return NULL;
	}
	return memset(p, 0, size);
}

void *ingot_memdup(const void *data, size_t size, struct ingot_error *err)
{
	void *p = malloc(size ? size : 1);

	if (!p) {
		(void)!ingot_raise_oom(err, size);
		return NULL;
	}
	if (size)
		memcpy(p, data, size);
	return p;
}

char *ingot_strdup(const char *text, struct ingot_error *err)
{
	return ingot_memdup(text, strlen(text) + 1, err);
}

char *ingot_format(struct ingot_error *err, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		(void)!ingot_raise_oom(err, strlen(format));
		return NULL;
	}
	return text;
}

int ingot_grow(void **items, size_t *room, size_t need, size_t size, struct ingot_error *err)
{
	size_t want = *room > 16 ? *room : 16;
	size_t bytes;
	void *p;

	assert(size > 0);
	if (need <= *room)
		return 0;
	while (want < need) {
		if (want > SIZE_MAX / 2)
			return ingot_raise_oom(err, SIZE_MAX);
		want += want / 2;
	}
	if (__builtin_mul_overflow(want, size, &bytes))
		return ingot_raise_oom(err, SIZE_MAX);
	p = realloc(*items, bytes);
	if (!p)
		return ingot_raise_oom(err, bytes);
	*items = p;
	*room = want;
	return 0;
}

static struct ingot_arena_chunk *new_chunk(size_t size, struct ingot_error *err)
{
	struct ingot_arena_chunk *chunk = NULL;

	if (size < SIZE_MAX - sizeof(*chunk))
		chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		(void)!ingot_raise_oom(err, size);
	return chunk;
}

void *ingot_arena_alloc(struct ingot_arena *arena, size_t size, size_t align,
			struct ingot_error *err)
{
	size_t at = (arena->used + align - 1) & ~(align - 1);
	/* A large thing gets a chunk of its own behind the newest, which goes on filling. */
	bool alone = size > ARENA_CHUNK / 4 && arena->chunks;
	struct ingot_arena_chunk *chunk;

	assert(align <= 16 && ingot_is_power_of_two(align));
	if (arena->chunks && at <= arena->size && size <= arena->size - at) {
		arena->used = at + size;
		return arena->chunks->data + at;
	}
	chunk = new_chunk(alone ? size : ingot_max(size, ARENA_CHUNK), err);
	if (!chunk)
		return NULL;
	if (alone) {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
		return chunk->data;
	}
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->size = size > ARENA_CHUNK ? size : ARENA_CHUNK;
	arena->used = size;
	return chunk->data;
}

void *ingot_arena_copy(struct ingot_arena *arena, const void *data, size_t size, size_t align,
		       struct ingot_error *err)
{
	void *p = ingot_arena_alloc(arena, size, align, err);

	if (p && size)
		memcpy(p, data, size);
	return p;
}

void ingot_arena_done(struct ingot_arena *arena)
{
	struct ingot_arena_chunk *chunk = arena->chunks, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*arena = (struct ingot_arena){0};
}
