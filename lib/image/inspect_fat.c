#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fs/fat_read.h"
#include "image/inspect_internal.h"

struct listing {
	const struct ingot_fat_volume *volume;
	json_t *files;
};

static bool is_efi(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && strcasecmp(path + n - 4, ".efi") == 0;
}

static int visit(void *context, const struct ingot_fat_entry *entry, struct ingot_error *err)
{
	struct listing *listing = context;
	INGOT_SOURCE struct ingot_source *content = NULL;
	json_t *file, *program = NULL;

	(void)err;
	if (entry->folder)
		return 0;
	file = json_object();
	inspect_set(file, "path", inspect_text(entry->path, strlen(entry->path)));
	inspect_set(file, "size", json_integer((json_int_t)entry->size));
	if (is_efi(entry->path) &&
	    ingot_fat_file_source(listing->volume, entry, &content, NULL) == 0)
		program = inspect_pe(content);
	if (program)
		inspect_set(file, "program", program);
	(void)json_array_append_new(listing->files, file);
	return 0;
}

json_t *inspect_fat(struct ingot_source *source, const char *name, struct ingot_problems *problems)
{
	struct ingot_fat_volume volume;
	struct listing listing = {.volume = &volume};
	struct ingot_error err = {0};
	char id[10];
	json_t *o;
	int rc = ingot_fat_open(source, &volume, &err);

	if (rc == -ENODATA)
		return NULL;
	o = json_object();
	inspect_set(o, "kind", json_string("fat"));
	if (rc < 0) {
		ingot_problem_add(problems, name, 0, 0, "%s", err.text);
		return o;
	}
	(void)snprintf(id, sizeof(id), "%04X-%04X", volume.volume_id >> 16,
		       volume.volume_id & 0xffff);
	inspect_set(o, "kind", json_string(volume.bits == 32 ? "fat32" : "fat16"));
	inspect_set(o, "label", inspect_text(volume.label, strlen(volume.label)));
	inspect_set(o, "volume_id", json_string(id));
	inspect_set(o, "cluster_size", json_integer(volume.cluster_size));
	listing.files = json_array();
	rc = ingot_fat_walk(&volume, visit, &listing, &err);
	if (rc < 0)
		ingot_problem_add(problems, name, 0, 0, "%s", err.text);
	inspect_set(o, "files", listing.files);
	return o;
}
