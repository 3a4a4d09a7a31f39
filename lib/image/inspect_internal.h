/* What the parts of inspect share. */
#ifndef INGOT_IMAGE_INSPECT_INTERNAL_H
#define INGOT_IMAGE_INSPECT_INTERNAL_H

#include <errno.h>

#include "base/guid.h"
#include "image/inspect.h"

/*
 * One inspection. An image can claim a file as often as it likes, under names as long as it
 * likes: what is done for that is counted over the whole image. No real one comes near.
 */
struct inspection {
	struct ingot_problems *problems;
	size_t paths_left;	/* bytes that the lists of files may still take */
	uint64_t clusters_left; /* ... that files may have to be looked into */
	unsigned programs_left; /* ... that are looked into */
	bool skipped_programs;
	bool no_memory; /* something was left out for want of it: there is no report then */
};

#define INSPECT_PATHS_MAX    ((size_t)16 * 1024 * 1024)
#define INSPECT_CLUSTERS_MAX (4 * 1024 * 1024)
#define INSPECT_PROGRAMS_MAX 256

/* jansson hands NULL on: a value that could not be made is seen when it is put somewhere. */
static inline void inspect_set(struct inspection *in, json_t *object, const char *key,
			       json_t *value)
{
	in->no_memory |= json_object_set_new(object, key, value) < 0;
}

static inline void inspect_append(struct inspection *in, json_t *array, json_t *value)
{
	in->no_memory |= json_array_append_new(array, value) < 0;
}

/* Whether a look failed. That there was no memory for it is no finding, and is remembered. */
static inline bool inspect_failed(struct inspection *in, int rc)
{
	in->no_memory |= rc == -ENOMEM;
	return rc < 0;
}

/* --- inspect_text.c ---------------------------------------------------- */

/* Text that may be anything, as UTF-8: what is none, becomes \xNN. Blanks at the end are cut off.
 */
json_t *inspect_text(const char *text, size_t n);

json_t *inspect_guid(const struct ingot_guid *guid);

/* --- what may stand in a partition, as an object with "kind"; NULL: something else --- */

/* `name` says whose problems are reported. */
json_t *inspect_content(struct inspection *in, struct ingot_source *source, const char *name);

/* A FAT volume and the UKIs on it. */
json_t *inspect_fat(struct inspection *in, struct ingot_source *source, const char *name);

/* A PE file. */
json_t *inspect_pe(struct inspection *in, struct ingot_source *source);

#endif
