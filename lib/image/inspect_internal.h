/* What the parts of inspect share. */
#ifndef INGOT_IMAGE_INSPECT_INTERNAL_H
#define INGOT_IMAGE_INSPECT_INTERNAL_H

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
};

#define INSPECT_PATHS_MAX    ((size_t)16 * 1024 * 1024)
#define INSPECT_CLUSTERS_MAX (4 * 1024 * 1024)
#define INSPECT_PROGRAMS_MAX 256

/* jansson hands NULL on; a key with a failed value is left out. */
static inline void inspect_set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

/* --- inspect_text.c ---------------------------------------------------- */

/* Text that may be anything, as UTF-8: what is none, becomes \xNN. Blanks at the end are cut off.
 */
json_t *inspect_text(const char *text, size_t n);

json_t *inspect_guid(const struct ingot_guid *guid);

/* --- what may stand in a partition, as an object with "kind"; NULL: something else --- */

/* `name` says whose problems are reported. */
json_t *inspect_content(struct inspection *inspection, struct ingot_source *source,
			const char *name);

/* A FAT volume and the UKIs on it. */
json_t *inspect_fat(struct inspection *inspection, struct ingot_source *source, const char *name);

/* A PE file. */
json_t *inspect_pe(struct ingot_source *source);

#endif
