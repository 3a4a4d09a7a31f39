/*
 * Which blocks of a file with holes hold data. A block is 4096 bytes, and one that is all zero is
 * a hole, however the source stored it: the map depends on the contents, not on the granularity
 * of the filesystem or the archiver they were on.
 */
#ifndef INGOT_TREE_SPARSE_INTERNAL_H
#define INGOT_TREE_SPARSE_INTERNAL_H

#include "base/alloc.h"
#include "tree/tree.h"

#define INGOT_SPARSE_BLOCK 4096

struct run_list {
	struct ingot_run *list;
	size_t count, room;
};

/* Bytes of the file, in the order of their offsets. What is left out is a hole. */
INGOT_MUST_USE int ingot_run_list_add_data(struct run_list *runs, uint64_t offset, const void *data,
					   size_t n, struct ingot_error *err);

/* A stretch as it is, joined with the one before if it goes on both in the file and at `at`. */
INGOT_MUST_USE int ingot_run_list_add(struct run_list *runs, uint64_t offset, uint64_t length,
				      uint64_t at, struct ingot_error *err);

/* The list for a file of this size, for good. Empties the list. */
INGOT_MUST_USE int ingot_run_list_keep(struct run_list *runs, struct ingot_arena *arena,
				       uint64_t size, const struct ingot_runs **ret,
				       struct ingot_error *err);

/* Look for holes in a file, and if there is one add all its data to the list. */
INGOT_MUST_USE int ingot_sparse_scan(int fd, uint64_t size, struct run_list *runs, bool *ret_holes,
				     struct ingot_error *err);

static inline void ingot_run_list_done(struct run_list *runs)
{
	free(runs->list);
}

bool ingot_is_zero(const void *data, size_t n);

#endif
