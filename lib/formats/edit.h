/*
 * Bytes of the disk changed in a finished file, in place, whatever its format: a few bytes of the
 * file for a few bytes of the disk. What a container compresses or leaves out cannot be changed; a
 * conversion stores the pieces that it is told to (struct ingot_convert_disk, plain).
 *
 * Changes are collected first, with every checksum that they entail, and nothing is written before
 * all of them are known. Then those sectors of the file are written that become different. If that
 * is interrupted, the same changes can be made again: a stored piece is read without a look at its
 * checksum, and no write touches what tells where pieces are.
 */
#ifndef INGOT_FORMATS_EDIT_H
#define INGOT_FORMATS_EDIT_H

#include "io/source.h"

struct ingot_edit;

/*
 * The file for reading and writing. ret_name, if not NULL, receives the format's name as from
 * ingot_format_open. -EOPNOTSUPP: no file of this format can be changed in place.
 */
INGOT_API INGOT_MUST_USE int ingot_edit_open(const char *path, const char **ret_name,
					     struct ingot_edit **ret, struct ingot_error *err);
INGOT_API void ingot_edit_free(struct ingot_edit *edit); /* NULL is allowed */
INGOT_DEFINE_CLEANUP(struct ingot_edit, ingot_edit, ingot_edit_free)
#define INGOT_EDIT INGOT_CLEANUP(ingot_edit_cleanup)

/* The disk as it is in the file; the edit's. */
INGOT_API struct ingot_source *ingot_edit_disk(const struct ingot_edit *edit);

/* Later calls go over earlier ones. -EINVAL: the file has no room for these bytes. */
INGOT_API INGOT_MUST_USE int ingot_edit_put(struct ingot_edit *edit, uint64_t offset,
					    const void *data, size_t n, struct ingot_error *err);
/* All of it, and on the disk; *ret_written: bytes of the sectors that were written. */
INGOT_API INGOT_MUST_USE int ingot_edit_commit(struct ingot_edit *edit, uint64_t *ret_written,
					       struct ingot_error *err);

#endif
