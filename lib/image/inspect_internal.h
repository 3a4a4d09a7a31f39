/* What the parts of inspect share. */
#ifndef INGOT_IMAGE_INSPECT_INTERNAL_H
#define INGOT_IMAGE_INSPECT_INTERNAL_H

#include "image/inspect.h"

/* jansson hands NULL on; a key with a failed value is left out. */
static inline void inspect_set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

/* Text that may be anything, as UTF-8. */
json_t *inspect_text(const char *text, size_t n);

/*
 * What stands in a partition, as an object with "kind"; NULL: nothing known. `name` says
 * whose problems are reported.
 */
json_t *inspect_content(struct ingot_source *source, const char *name,
			struct ingot_problems *problems);

/* A FAT volume and the UKIs on it. */
json_t *inspect_fat(struct ingot_source *source, const char *name,
		    struct ingot_problems *problems);

/* A PE file; NULL: it is none. */
json_t *inspect_pe(struct ingot_source *source);

#endif
