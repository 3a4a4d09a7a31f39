/*
 * A source that remembers. Who asks only whether something is there takes a failed read for a no;
 * so that a medium that does not read is not reported as one without content, the first failure is
 * kept here.
 */
#ifndef INGOT_IO_SOURCE_WATCHED_H
#define INGOT_IO_SOURCE_WATCHED_H

#include "io/source.h"

struct ingot_watched_source {
	struct ingot_source source; /* the inner one's name, size and bytes */
	struct ingot_source *inner; /* borrowed */
	struct ingot_error err;	    /* its code 0: all reads went well */
};

/* Needs no end; freeing its source does nothing. */
void ingot_watched_source(struct ingot_watched_source *watched, struct ingot_source *inner);

#endif
