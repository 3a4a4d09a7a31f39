/* What goes into the OEM partition. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/vendor_internal.h"

static const char RELEASE[] = "oem-release";

/* --- files ------------------------------------------------------------- */

/* A relative path of names that are neither empty nor "." nor "..". */
static bool is_path(const char *path)
{
	for (const char *name = path; name; name = strchr(name, '/')) {
		size_t n;

		name += name != path;
		n = strcspn(name, "/");
		if (n == 0 || n > 255 || (n == 1 && name[0] == '.') ||
		    (n == 2 && name[0] == '.' && name[1] == '.'))
			return false;
	}
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return strlen(path) <= 1024;
}

static size_t files_size(const struct ingot_vendor *vendor)
{
	size_t size = 0;

	for (size_t i = 0; i < vendor->file_count; i++)
		size += vendor->files[i].size;
	return size;
}

/* Whether one of the two is the other, or lies in it as if it were a folder. */
static bool collide(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), least = n < m ? n : m;

	if (memcmp(a, b, least) != 0)
		return false;
	return n == m || (n < m ? b[n] : a[m]) == '/';
}

static bool is_wrong(const struct ingot_vendor *vendor, struct ingot_yaml_node node,
		     const struct ingot_vendor_file *file)
{
	if (!is_path(file->path)) {
		ingot_yaml_problem(node, "'%.80s' is not a relative path of usual names",
				   file->path);
		return true;
	}
	if (vendor->has_release && collide(file->path, RELEASE)) {
		ingot_yaml_problem(node, "oem-release is made from the key release");
		return true;
	}
	for (size_t i = 0; i < vendor->file_count; i++)
		if (collide(file->path, vendor->files[i].path)) {
			ingot_yaml_problem(node, "'%.80s' and '%.80s' cannot both be files",
					   vendor->files[i].path, file->path);
			return true;
		}
	if (vendor->file_count == INGOT_VENDOR_FILES_MAX ||
	    file->size > INGOT_VENDOR_OEM_MAX - files_size(vendor)) {
		ingot_yaml_problem(node, "more than %d files, or %d MiB of them",
				   INGOT_VENDOR_FILES_MAX, INGOT_VENDOR_OEM_MAX >> 20);
		return true;
	}
	return false;
}

void ingot_vendor_add_file(struct ingot_vendor_reader *reader, struct ingot_yaml_node node,
			   const struct ingot_vendor_file *file)
{
	struct ingot_vendor *vendor = reader->vendor;
	size_t at = vendor->file_count;

	if (is_wrong(vendor, node, file))
		return;
	while (at > 0 && strcmp(vendor->files[at - 1].path, file->path) > 0) {
		vendor->files[at] = vendor->files[at - 1];
		at--;
	}
	vendor->files[at] = *file;
	vendor->file_count++;
}

static void *copy(struct ingot_vendor_reader *reader, const void *data, size_t n)
{
	void *p = ingot_vendor_alloc(reader, n, 1);

	return p ? memcpy(p, data, n) : NULL;
}

static void read_files(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	struct ingot_yaml_map map;

	if (!ingot_yaml_is_given(node) || !ingot_yaml_open(node, "files", &map))
		return;
	for (size_t i = 0; reader->rc == 0 && i < map.count; i++) {
		struct ingot_vendor_file file = {0};
		struct ingot_yaml_node value = ingot_yaml_pair(&map, i, &file.path);
		const char *text = ingot_yaml_text(value);

		if (!text)
			continue;
		file.size = strlen(text);
		file.path = copy(reader, file.path, strlen(file.path) + 1);
		file.data = copy(reader, text, file.size + 1);
		if (file.path && file.data)
			ingot_vendor_add_file(reader, value, &file);
	}
	ingot_yaml_close(&map);
}

/* --- oem-release ------------------------------------------------------- */

static void read_release(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	struct ingot_vendor *vendor = reader->vendor;
	struct ingot_vendor_release *release = &vendor->release;
	struct ingot_yaml_map map;

	if (!ingot_yaml_is_given(node) || !ingot_yaml_open(node, "release", &map))
		return;
	vendor->has_release = true;
	release->id = ingot_vendor_word(reader, ingot_yaml_get(&map, "id", false));
	release->name = ingot_vendor_line(reader, ingot_yaml_get(&map, "name", false));
	release->version_id = ingot_vendor_word(reader, ingot_yaml_get(&map, "version-id", false));
	release->home_url = ingot_vendor_word(reader, ingot_yaml_get(&map, "home-url", false));
	release->bug_report_url =
		ingot_vendor_word(reader, ingot_yaml_get(&map, "bug-report-url", false));
	ingot_yaml_close(&map);
	if (!release->id)
		release->id = vendor->flatcar ? vendor->flatcar : vendor->name;
}

void ingot_vendor_read_oem(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	struct ingot_yaml_node folder;
	struct ingot_yaml_map map;
	const char *path;

	if (!ingot_yaml_is_given(node) || !ingot_yaml_open(node, "oem", &map))
		return;
	reader->vendor->files =
		ingot_vendor_alloc(reader, INGOT_VENDOR_FILES_MAX, sizeof(*reader->vendor->files));
	if (!reader->vendor->files)
		return;
	read_release(reader, ingot_yaml_get(&map, "release", false));
	read_files(reader, ingot_yaml_get(&map, "files", false));
	folder = ingot_yaml_get(&map, "folder", false);
	path = ingot_yaml_text(folder);
	if (path && !*path)
		ingot_yaml_problem(folder, "the path is empty");
	else if (path && !reader->directory)
		ingot_yaml_problem(folder, "a folder is for vendor files that are not built in");
	else if (path && reader->rc == 0)
		ingot_vendor_read_folder(reader, folder, path);
	ingot_yaml_close(&map);
}

/* KEY="VALUE" as a shell reads it: os-release(5). */
static void put_field(FILE *f, const char *key, const char *value)
{
	if (!value)
		return;
	(void)fprintf(f, "%s=\"", key);
	for (const char *p = value; *p; p++)
		(void)fprintf(f, strchr("\"\\$`", *p) ? "\\%c" : "%c", *p);
	(void)fputs("\"\n", f);
}

/* The text, which the caller frees; NULL: no memory. */
static char *release_text(const struct ingot_vendor_release *release, const char *version,
			  size_t *ret_n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_n);

	if (!f)
		return NULL;
	put_field(f, "ID", release->id);
	put_field(f, "NAME", release->name);
	put_field(f, "VERSION_ID", release->version_id ? release->version_id : version);
	put_field(f, "HOME_URL", release->home_url);
	put_field(f, "BUG_REPORT_URL", release->bug_report_url);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static int make_release(struct ingot_vendor *vendor, const char *version,
			struct ingot_vendor_file *ret, struct ingot_error *err)
{
	size_t n = 0;
	INGOT_FREE char *text = release_text(&vendor->release, version, &n);

	if (!text)
		return ingot_raise_oom(err, 0);
	*ret = (struct ingot_vendor_file){.path = RELEASE, .size = n};
	ret->data = ingot_arena_copy(&vendor->arena, text, n, 1, err);
	return ret->data ? 0 : -ENOMEM;
}

int ingot_vendor_oem_files(struct ingot_vendor *vendor, const char *version,
			   struct ingot_vendor_file **ret, size_t *ret_count,
			   struct ingot_error *err)
{
	size_t count = vendor->file_count, at = 0;
	INGOT_FREE struct ingot_vendor_file *files = ingot_alloc(count + 1, sizeof(*files), err);

	if (!files)
		return -ENOMEM;
	if (vendor->has_release) {
		while (at < count && strcmp(vendor->files[at].path, RELEASE) < 0)
			at++;
		if (make_release(vendor, version, &files[at], err) < 0)
			return -ENOMEM;
	} else {
		at = count;
	}
	for (size_t i = 0; i < count; i++)
		files[i + (i >= at)] = vendor->files[i];
	*ret = INGOT_TAKE(files);
	*ret_count = count + vendor->has_release;
	return 0;
}
