/*
 * Output files that appear whole or not at all. The bytes go to a file without a name
 * in the folder of the final one (or, where the filesystem has no such files, to one
 * with a temporary name that signals remove); commit writes them to the disk and
 * renames. Until then, what stood under the final name stays.
 */
#ifndef INGOT_IO_OUTPUT_H
#define INGOT_IO_OUTPUT_H

#include "base/alloc.h"
#include "base/error.h"
#include "io/sink.h"

struct ingot_output;

/*
 * path "-" is standard output, which receives everything at commit. A path that is
 * there and not a regular file is refused.
 */
INGOT_API INGOT_MUST_USE int ingot_output_create(const char *path, struct ingot_output **ret,
						 struct ingot_error *err);

/* The open file, readable and writable, owned by the output. */
INGOT_API int ingot_output_fd(const struct ingot_output *output);
INGOT_API const char *ingot_output_name(const struct ingot_output *output);

/* Whether both get one name, however it was written: the later commit would replace the other. */
INGOT_API bool ingot_output_is_same(const struct ingot_output *a, const struct ingot_output *b);

/* A sink of that size over the file; free it before the output. */
INGOT_API INGOT_MUST_USE int ingot_output_sink(struct ingot_output *output, uint64_t size,
					       struct ingot_sink **ret, struct ingot_error *err);

/* All bytes at once, from the start. */
INGOT_API INGOT_MUST_USE int ingot_output_write(struct ingot_output *output, const void *data,
						size_t n, struct ingot_error *err);

/* fsync and rename. On failure nothing has changed under the final name. */
INGOT_API INGOT_MUST_USE int ingot_output_commit(struct ingot_output *output,
						 struct ingot_error *err);

/*
 * Several: either all appear or none. Standard output is written first, and no signal comes between
 * the names. If one cannot be had, the others are taken back; where the filesystem has no
 * RENAME_EXCHANGE, what stood under them is gone.
 */
INGOT_API INGOT_MUST_USE int ingot_outputs_commit(struct ingot_output *const *outputs, size_t count,
						  struct ingot_error *err);

/* Without a commit before it, everything is gone. NULL is allowed. */
INGOT_API void ingot_output_free(struct ingot_output *output);
INGOT_DEFINE_CLEANUP(struct ingot_output, ingot_output, ingot_output_free)
#define INGOT_OUTPUT INGOT_CLEANUP(ingot_output_cleanup)

/*
 * For a program's main. SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGPIPE remove temporary names, then
 * kill; SIGXFSZ is ignored, so that a file over the size limit is an error like a full disk.
 */
INGOT_API void ingot_output_handle_signals(void);

#endif
