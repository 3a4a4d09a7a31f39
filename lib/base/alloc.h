/*
 * Memory that releases itself, checked arithmetic, and an arena for many small
 * things that die together.
 */
#ifndef INGOT_BASE_ALLOC_H
#define INGOT_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

/* --- cleanup attributes: `INGOT_FREE char *text = ...;` ---------------- */

static inline void ingot_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void ingot_cleanup_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define INGOT_CLEANUP(f) __attribute__((cleanup(f)))
#define INGOT_FREE	 INGOT_CLEANUP(ingot_cleanup_free)
#define INGOT_CLOSE	 INGOT_CLEANUP(ingot_cleanup_close)

/* Ownership moves: the variable is emptied and its value returned. */
#define INGOT_TAKE(p)                                                                              \
	__extension__({                                                                            \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

/* A cleanup function `name_cleanup` for pointers of the type, calling `release`. */
#define INGOT_DEFINE_CLEANUP(type, name, release)                                                  \
	static inline void name##_cleanup(type **p)                                                \
	{                                                                                          \
		if (*p)                                                                            \
			release(*p);                                                               \
	}

/* --- checked arithmetic: false on overflow ----------------------------- */

static inline INGOT_MUST_USE bool ingot_add(uint64_t a, uint64_t b, uint64_t *ret)
{
	return !__builtin_add_overflow(a, b, ret);
}

static inline INGOT_MUST_USE bool ingot_mul(uint64_t a, uint64_t b, uint64_t *ret)
{
	return !__builtin_mul_overflow(a, b, ret);
}

/* Whether [offset, offset + length) lies inside [0, size). */
static inline bool ingot_in_range(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* Division rounded up; b > 0. Cannot overflow. */
static inline uint64_t ingot_div_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

/* a rounded up to a multiple of b; the caller knows that the result fits. */
static inline uint64_t ingot_round_up(uint64_t a, uint64_t b)
{
	return ingot_div_up(a, b) * b;
}

static inline bool ingot_is_power_of_two(uint64_t a)
{
	return a != 0 && (a & (a - 1)) == 0;
}

static inline uint64_t ingot_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t ingot_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* --- allocation with an error ------------------------------------------ */

/* count * size zeroed bytes, overflow checked. NULL and a raised error on failure. */
INGOT_API void *ingot_alloc(size_t count, size_t size, struct ingot_error *err);

/*
 * As ingot_alloc(1, size), from the start of a page: for buffers that files are read into. malloc's
 * large blocks begin 16 bytes behind one, and so each store aliases a load that has just been made
 * from the page cache; on some processors the kernel then copies at a quarter of its speed.
 */
INGOT_API void *ingot_alloc_buffer(size_t size, struct ingot_error *err);

/* A copy of size bytes (size 0 gives a valid pointer). */
INGOT_API void *ingot_memdup(const void *data, size_t size, struct ingot_error *err);

INGOT_API char *ingot_strdup(const char *text, struct ingot_error *err);

/* A formatted string; NULL and a raised error on failure. */
INGOT_API char *ingot_format(struct ingot_error *err, const char *format, ...) INGOT_PRINTF(2, 3);

/*
 * Grow an array to hold at least `need` elements of `size` bytes. *items may move;
 * new elements are not initialised. *room is the capacity.
 */
INGOT_API INGOT_MUST_USE int ingot_grow(void **items, size_t *room, size_t need, size_t size,
					struct ingot_error *err);

/* --- arena ------------------------------------------------------------- */

struct ingot_arena_chunk;

/* Zero-initialised is an empty arena. Nothing is freed before the whole. */
struct ingot_arena {
	struct ingot_arena_chunk *chunks;
	size_t used, size; /* of the newest chunk */
};

/* size bytes, zeroed, aligned to `align` (a power of two, at most 16). */
INGOT_API void *ingot_arena_alloc(struct ingot_arena *arena, size_t size, size_t align,
				  struct ingot_error *err);
INGOT_API void *ingot_arena_copy(struct ingot_arena *arena, const void *data, size_t size,
				 size_t align, struct ingot_error *err);
INGOT_API void ingot_arena_done(struct ingot_arena *arena);

#endif
