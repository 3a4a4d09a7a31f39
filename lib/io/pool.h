/*
 * The ordered worker pool: `work` runs for the indices 0 .. count - 1 on several
 * threads in any order, `commit` for each index in order, one at a time. Whatever
 * depends on order happens in commit, so the result is the same for any number of
 * jobs; with one job everything runs in the calling thread, and that is the reference
 * which the parallel runs have to match. `after` runs once an index is committed, on any
 * thread in any order: for what commit found a place for and need not put there itself.
 *
 * A slot is one item under way. It is made once and used again for later indices, so
 * buffers live in it. There are two slots per job.
 */
#ifndef INGOT_IO_POOL_H
#define INGOT_IO_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ingot_pool_ops {
	size_t slot_size; /* bytes, zeroed before slot_init */
	int (*slot_init)(void *context, void *slot,
			 struct ingot_error *err);    /* NULL: nothing to do */
	void (*slot_done)(void *context, void *slot); /* NULL; also after a failed slot_init */
	int (*work)(void *context, uint64_t index, void *slot, struct ingot_error *err);
	int (*commit)(void *context, uint64_t index, void *slot,
		      struct ingot_error *err);						  /* NULL */
	int (*after)(void *context, uint64_t index, void *slot, struct ingot_error *err); /* NULL */
};

/* The error of the lowest failing index is the one reported; later indices may have run. */
INGOT_API INGOT_MUST_USE int ingot_pool_run(unsigned jobs, uint64_t count,
					    const struct ingot_pool_ops *ops, void *context,
					    struct ingot_error *err);

/* A `-j` value to a number of jobs: 0 is every core this process may use. */
INGOT_API unsigned ingot_pool_jobs(unsigned wanted);

#endif
