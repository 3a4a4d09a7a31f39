/* From a source to a sink, on several threads, holes left as holes. */
#ifndef INGOT_IO_COPY_H
#define INGOT_IO_COPY_H

#include "io/sink.h"
#include "io/source.h"

/* How far a long step has come; called in order, by one thread at a time. */
struct ingot_progress {
	void (*report)(void *context, uint64_t done, uint64_t total);
	void *context;
};

/* NULL progress: nobody looks. */
static inline void ingot_progress_report(const struct ingot_progress *progress, uint64_t done,
					 uint64_t total)
{
	if (progress && progress->report)
		progress->report(progress->context, done, total);
}

/* The sink is at least as large as the source and still empty. */
INGOT_API INGOT_MUST_USE int ingot_copy(struct ingot_source *source, struct ingot_sink *sink,
					unsigned jobs, const struct ingot_progress *progress,
					struct ingot_error *err);

#endif
