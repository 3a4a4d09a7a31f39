/*
 * Temporary names, which a signal removes before it kills the process.
 *
 * A name is created, renamed and removed only between lock and unlock. In between the thread takes
 * no signal, and a handler on another thread waits; so a handler sees every name that exists, and
 * once it has removed them no new one can appear.
 */
#ifndef INGOT_IO_TEMPNAME_INTERNAL_H
#define INGOT_IO_TEMPNAME_INTERNAL_H

#include <signal.h>

struct ingot_tempname {
	char *path;
	struct ingot_tempname *next;
};

/* The thread's signal mask is kept in old. */
void ingot_tempnames_lock(sigset_t *old);
void ingot_tempnames_unlock(const sigset_t *old);

/* Locked only. The name is borrowed; one that is not in the list may be removed. */
void ingot_tempname_add(struct ingot_tempname *name);
void ingot_tempname_remove(struct ingot_tempname *name);

#endif
