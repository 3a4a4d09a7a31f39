/*
 * Sources: bytes that can be read at any offset, with holes known beforehand. A file,
 * a piece of memory, a part of another source, several one after the other, or
 * something computed on the fly such as a filesystem that was never on a disk.
 *
 * read_at and extent_at may be called by several threads at once.
 */
#ifndef INGOT_IO_SOURCE_H
#define INGOT_IO_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"

struct ingot_source;

struct ingot_extent {
	uint64_t length; /* bytes from the offset asked for, at least 1 */
	bool hole;	 /* all zero, never worth a read */
};

struct ingot_range {
	uint64_t offset, length; /* bytes */
};

/* Of ranges that are apart and by rising offset, the first that ends behind it; NULL: none. */
const struct ingot_range *ingot_range_behind(const struct ingot_range *ranges, size_t count,
					     uint64_t offset);

struct ingot_source_ops {
	/* Exactly n bytes; the range was checked by the caller. */
	int (*read_at)(struct ingot_source *source, uint64_t offset, void *data, size_t n,
		       struct ingot_error *err);
	/* The run at offset, which is below size. NULL: everything is data. */
	int (*extent_at)(struct ingot_source *source, uint64_t offset, struct ingot_extent *ret,
			 struct ingot_error *err);
	void (*free)(struct ingot_source *source);
};

/* Implementations put this first in a struct of their own. */
struct ingot_source {
	const struct ingot_source_ops *ops;
	const char *name; /* for errors; lives as long as the source */
	uint64_t size;	  /* bytes */
};

/* -EIO past the end. A hole reads as zero. */
INGOT_API INGOT_MUST_USE int ingot_source_read(struct ingot_source *source, uint64_t offset,
					       void *data, size_t n, struct ingot_error *err);
INGOT_API INGOT_MUST_USE int ingot_source_extent(struct ingot_source *source, uint64_t offset,
						 struct ingot_extent *ret, struct ingot_error *err);
INGOT_API void ingot_source_free(struct ingot_source *source); /* NULL is allowed */
INGOT_DEFINE_CLEANUP(struct ingot_source, ingot_source, ingot_source_free)
#define INGOT_SOURCE INGOT_CLEANUP(ingot_source_cleanup)

/* A regular file or a block device. */
INGOT_API INGOT_MUST_USE int ingot_source_open(const char *path, struct ingot_source **ret,
					       struct ingot_error *err);
/* The same, open already: on success the source owns it. */
INGOT_API INGOT_MUST_USE int ingot_source_fd(int fd, const char *name, struct ingot_source **ret,
					     struct ingot_error *err);
/*
 * What can be read from an open file, once: a regular file at its start or a block device is taken
 * as it is; all else, such as a pipe, is read to its end into an unnamed file in the folder, where
 * zeros are holes. fd stays the caller's.
 */
INGOT_API INGOT_MUST_USE int ingot_source_spool(int fd, const char *name, const char *folder,
						struct ingot_source **ret, struct ingot_error *err);
/* A copy of the bytes. */
INGOT_API INGOT_MUST_USE int ingot_source_memory(const char *name, const void *data, size_t n,
						 struct ingot_source **ret,
						 struct ingot_error *err);
/* [offset, offset + length) of another source, which is borrowed. */
INGOT_API INGOT_MUST_USE int ingot_source_part(struct ingot_source *whole, uint64_t offset,
					       uint64_t length, struct ingot_source **ret,
					       struct ingot_error *err);
/*
 * Pieces one after the other. On success the new source owns them, on failure they
 * stay the caller's.
 */
INGOT_API INGOT_MUST_USE int ingot_source_concat(const char *name, struct ingot_source **pieces,
						 size_t count, struct ingot_source **ret,
						 struct ingot_error *err);
/*
 * In the ranges, which are apart and by rising offset, the bytes of `top`; elsewhere those of
 * `base`. It is as long as `top`; where the base is shorter, zeros. All are borrowed.
 */
INGOT_API INGOT_MUST_USE int ingot_source_overlay(const char *name, struct ingot_source *base,
						  struct ingot_source *top,
						  const struct ingot_range *ranges, size_t count,
						  struct ingot_source **ret,
						  struct ingot_error *err);
/* Zero bytes, one hole. */
INGOT_API INGOT_MUST_USE int ingot_source_zero(uint64_t size, struct ingot_source **ret,
					       struct ingot_error *err);

/* The whole source in memory, at most max bytes; the caller frees *ret. A NUL byte follows it. */
INGOT_API INGOT_MUST_USE int ingot_source_load(struct ingot_source *source, size_t max, char **ret,
					       size_t *ret_n, struct ingot_error *err);
/* The same from a path. */
INGOT_API INGOT_MUST_USE int ingot_load_file(const char *path, size_t max, char **ret,
					     size_t *ret_n, struct ingot_error *err);

/* SHA-256 over all bytes, holes included. */
INGOT_API INGOT_MUST_USE int ingot_source_sha256(struct ingot_source *source, uint8_t digest[32],
						 struct ingot_error *err);

#endif
