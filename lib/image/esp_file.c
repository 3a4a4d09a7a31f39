#include "image/esp_file_internal.h"

#include <errno.h>
#include <string.h>

bool esp_is_program(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && strcasecmp(path + n - 4, ".efi") == 0;
}

struct search {
	const char *path;
	bool found;
	struct ingot_fat_entry entry;
};

static int visit(void *context, const struct ingot_fat_entry *entry, struct ingot_error *err)
{
	struct search *s = context;

	(void)err;
	if (entry->folder || strcmp(entry->path, s->path) != 0)
		return 0;
	s->found = true;
	s->entry = *entry;
	s->entry.path = s->path;
	return 0;
}

int esp_file_find(struct ingot_source *part, const char *path, struct ingot_fat_volume *volume,
		  struct ingot_source **ret, struct ingot_error *err)
{
	struct search search = {.path = path};
	int rc = ingot_fat_open(part, volume, err);

	*ret = NULL;
	if (rc == -ENODATA || rc == -EINVAL)
		return 0;
	if (rc == 0)
		rc = ingot_fat_walk(volume, visit, &search, err);
	if (rc < 0 || !search.found)
		return rc == -EINVAL ? 0 : rc;
	return ingot_fat_file_source(volume, &search.entry, ret, err);
}
