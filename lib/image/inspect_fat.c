#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fs/fat_read.h"
#include "image/inspect_internal.h"

enum { FILE_COST = 64 }; /* bytes of memory besides its path, about */

struct listing {
	struct inspection *inspection;
	const struct ingot_fat_volume *volume;
	const char *name; /* of the partition */
	json_t *files;
};

static bool is_efi(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && strcasecmp(path + n - 4, ".efi") == 0;
}

/* Whether there is still something left for this program, which is taken. */
static bool take_share(struct inspection *in, const struct listing *listing,
		       const struct ingot_fat_entry *entry)
{
	uint64_t clusters = ingot_div_up(entry->size, listing->volume->cluster_size);

	if (in->programs_left == 0 || in->clusters_left < clusters) {
		if (!in->skipped_programs)
			ingot_problem_add(in->problems, listing->name, 0, 0,
					  "more EFI programs than are looked into");
		in->skipped_programs = true;
		return false;
	}
	in->programs_left--;
	in->clusters_left -= clusters;
	return true;
}

/* NULL: none that is looked into. */
static json_t *program(const struct listing *listing, const struct ingot_fat_entry *entry)
{
	struct inspection *in = listing->inspection;
	INGOT_SOURCE struct ingot_source *content = NULL;
	struct ingot_error err = {0};

	if (!is_efi(entry->path) || !take_share(in, listing, entry))
		return NULL;
	if (inspect_failed(in, ingot_fat_file_source(listing->volume, entry, &content, &err))) {
		ingot_problem_add(in->problems, listing->name, 0, 0, "%s: %s", entry->path,
				  err.text);
		return NULL;
	}
	return inspect_pe(in, content);
}

static int visit(void *context, const struct ingot_fat_entry *entry, struct ingot_error *err)
{
	struct listing *listing = context;
	struct inspection *in = listing->inspection;
	size_t n = strlen(entry->path), cost = n + FILE_COST;
	json_t *file, *inside;

	if (entry->folder)
		return 0;
	if (cost > in->paths_left)
		return ingot_raise(err, -E2BIG, "more files than can be listed");
	in->paths_left -= cost;
	file = json_object();
	inspect_set(in, file, "path", inspect_text(entry->path, n));
	inspect_set(in, file, "size", json_integer((json_int_t)entry->size));
	inside = program(listing, entry);
	if (inside)
		inspect_set(in, file, "program", inside);
	inspect_append(in, listing->files, file);
	return 0;
}

static void describe(struct inspection *in, json_t *o, const struct ingot_fat_volume *volume)
{
	char id[10];

	(void)snprintf(id, sizeof(id), "%04X-%04X", volume->volume_id >> 16,
		       volume->volume_id & 0xffff);
	inspect_set(in, o, "kind", json_string(volume->bits == 32 ? "fat32" : "fat16"));
	inspect_set(in, o, "label", inspect_text(volume->label, strlen(volume->label)));
	inspect_set(in, o, "volume_id", json_string(id));
	inspect_set(in, o, "cluster_size", json_integer(volume->cluster_size));
}

json_t *inspect_fat(struct inspection *in, struct ingot_source *source, const char *name)
{
	struct ingot_fat_volume volume;
	struct listing listing = {.inspection = in, .volume = &volume, .name = name};
	struct ingot_error err = {0};
	int rc = ingot_fat_open(source, &volume, &err);
	json_t *o;

	if (inspect_failed(in, rc) && rc == -ENODATA)
		return NULL;
	o = json_object();
	if (rc == 0) {
		describe(in, o, &volume);
		listing.files = json_array();
		rc = ingot_fat_walk(&volume, visit, &listing, &err);
		inspect_set(in, o, "files", listing.files);
	} else {
		inspect_set(in, o, "kind", json_string("fat"));
	}
	if (inspect_failed(in, rc))
		ingot_problem_add(in->problems, name, 0, 0, "%s", err.text);
	return o;
}
