/*
 * Sinks: where bytes go, at any offset, by several threads at once. What nobody wrote
 * reads as zero and takes no space: a sink starts as one hole of its full size.
 */
#ifndef INGOT_IO_SINK_H
#define INGOT_IO_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/source.h"

struct ingot_sink;

struct ingot_sink_ops {
	int (*write_at)(struct ingot_sink *sink, uint64_t offset, const void *data, size_t n,
			struct ingot_error *err);
	int (*read_at)(struct ingot_sink *sink, uint64_t offset, void *data, size_t n,
		       struct ingot_error *err);
	void (*free)(struct ingot_sink *sink);
};

/* Implementations put this first in a struct of their own. */
struct ingot_sink {
	const struct ingot_sink_ops *ops;
	const char *name; /* for errors; lives as long as the sink */
	uint64_t size;	  /* bytes; a write past it is an error */
};

INGOT_API INGOT_MUST_USE int ingot_sink_write(struct ingot_sink *sink, uint64_t offset,
					      const void *data, size_t n, struct ingot_error *err);
/* What was written before; what was not reads as zero. */
INGOT_API INGOT_MUST_USE int ingot_sink_read(struct ingot_sink *sink, uint64_t offset, void *data,
					     size_t n, struct ingot_error *err);
INGOT_API void ingot_sink_free(struct ingot_sink *sink); /* NULL is allowed */
INGOT_DEFINE_CLEANUP(struct ingot_sink, ingot_sink, ingot_sink_free)
#define INGOT_SINK INGOT_CLEANUP(ingot_sink_cleanup)

/* An open file, borrowed; it is as long as the sink. */
INGOT_API INGOT_MUST_USE int ingot_sink_fd(int fd, const char *name, uint64_t size,
					   struct ingot_sink **ret, struct ingot_error *err);
/* The same, but the file is as long as what was written, and the sink as long as any file. */
INGOT_API INGOT_MUST_USE int ingot_sink_growing(int fd, const char *name, struct ingot_sink **ret,
						struct ingot_error *err);
/* The file of a growing sink ends here; up to here what nobody wrote is a hole. */
INGOT_API INGOT_MUST_USE int ingot_sink_truncate(struct ingot_sink *sink, uint64_t length,
						 struct ingot_error *err);
/* [offset, offset + length) of another sink, which is borrowed. */
INGOT_API INGOT_MUST_USE int ingot_sink_part(struct ingot_sink *whole, uint64_t offset,
					     uint64_t length, struct ingot_sink **ret,
					     struct ingot_error *err);
/* What was written before, to be read by what takes a source. The sink is borrowed. */
INGOT_API INGOT_MUST_USE int ingot_sink_source(struct ingot_sink *sink, struct ingot_source **ret,
					       struct ingot_error *err);
/* Memory of its own, for tests and small things; `data` points at size bytes. */
INGOT_API INGOT_MUST_USE int ingot_sink_memory(size_t size, struct ingot_sink **ret,
					       unsigned char **ret_data, struct ingot_error *err);

#endif
