#include "disk/layout.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "disk/layout_internal.h"

enum { DEFAULT_ALIGNMENT = 2 * 1024 * 1024 };

void ingot_layout_free(struct ingot_layout *layout)
{
	if (!layout)
		return;
	for (size_t i = 0; i < layout->count; i++) {
		free(layout->partitions[i].label);
		free(layout->partitions[i].filesystem_label);
	}
	free(layout->partitions);
	free(layout->name);
	free(layout->description);
	free(layout);
}

int ingot_layout_copy_text(struct ingot_yaml_node node, char **ret, struct ingot_error *err)
{
	const char *text = ingot_yaml_text(node);
	char *copy;

	if (!text)
		return 0;
	copy = ingot_strdup(text, err);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

void ingot_layout_problem(const struct ingot_layout_reader *reader,
			  const struct ingot_layout_partition *partition, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ingot_utf8_tame(text);
	ingot_problem_add(reader->problems, reader->file, partition ? partition->line : 0,
			  partition ? partition->column : 0, "%s", text);
}

/* --- the file's top ---------------------------------------------------- */

static void read_sector_size(struct ingot_layout_reader *reader, struct ingot_yaml_node node)
{
	uint64_t size = 512;

	if (ingot_yaml_u64(node, &size) && size != 512 && size != 4096) {
		ingot_yaml_problem(node, "sector-size is 512 or 4096");
		size = 512;
		reader->sizes_ok = false;
	}
	reader->layout->sector_size = (unsigned)size;
}

static void read_alignment(struct ingot_layout_reader *reader, struct ingot_yaml_node node)
{
	uint64_t *alignment = &reader->layout->alignment;

	*alignment = DEFAULT_ALIGNMENT;
	if (!ingot_yaml_size(node, alignment))
		return;
	if (!ingot_is_power_of_two(*alignment) || *alignment < 4096 ||
	    *alignment > UINT64_C(1) << 30) {
		ingot_yaml_problem(node, "alignment is a power of two from 4K to 1G");
		*alignment = DEFAULT_ALIGNMENT;
		reader->sizes_ok = false;
	}
}

static void read_size(struct ingot_layout_reader *reader, struct ingot_yaml_node node)
{
	uint64_t size;

	if (!ingot_yaml_is_given(node))
		return;
	if (!ingot_yaml_size(node, &size)) {
		reader->sizes_ok = false;
	} else if (size == 0 || size % 4096) {
		ingot_yaml_problem(node, "the disk's size is a multiple of 4K, not 0");
		reader->sizes_ok = false;
	} else {
		reader->layout->size = size;
	}
}

static int read_partitions(struct ingot_layout_reader *reader, struct ingot_yaml_node list)
{
	struct ingot_layout *layout = reader->layout;
	size_t count = ingot_yaml_count(list);

	if (!ingot_yaml_is_given(list))
		return 0;
	if (count == 0 || count > INGOT_LAYOUT_NUMBER_MAX) {
		ingot_yaml_problem(list, "a layout has 1 to %d partitions, not %zu",
				   INGOT_LAYOUT_NUMBER_MAX, count);
		reader->sizes_ok = false;
		return 0;
	}
	layout->partitions = ingot_alloc(count, sizeof(*layout->partitions), reader->err);
	if (!layout->partitions)
		return -ENOMEM;
	layout->count = count;
	for (size_t i = 0; i < count; i++) {
		int rc = ingot_layout_read_partition(reader, ingot_yaml_item(list, i),
						     &layout->partitions[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_layout(struct ingot_layout_reader *reader, struct ingot_yaml_node root)
{
	struct ingot_layout *layout = reader->layout;
	struct ingot_yaml_map map;
	int rc;

	if (!ingot_yaml_open(root, "a layout", &map))
		return 0;
	rc = ingot_layout_copy_text(ingot_yaml_get(&map, "name", /* required */ true),
				    &layout->name, reader->err);
	if (rc == 0)
		rc = ingot_layout_copy_text(ingot_yaml_get(&map, "description", false),
					    &layout->description, reader->err);
	if (rc < 0)
		return rc;
	read_sector_size(reader, ingot_yaml_get(&map, "sector-size", false));
	read_alignment(reader, ingot_yaml_get(&map, "alignment", false));
	read_size(reader, ingot_yaml_get(&map, "size", false));
	layout->disk_uuid_given =
		ingot_yaml_guid(ingot_yaml_get(&map, "disk-uuid", false), &layout->disk_uuid);
	rc = read_partitions(reader, ingot_yaml_get(&map, "partitions", /* required */ true));
	ingot_yaml_close(&map);
	return rc;
}

/* --- entrances --------------------------------------------------------- */

static int check_architecture(const char *architecture, struct ingot_error *err)
{
	if (strcmp(architecture, "x86-64") == 0 || strcmp(architecture, "arm64") == 0)
		return 0;
	return ingot_raise(err, -EINVAL, "architecture '%.80s' is neither x86-64 nor arm64",
			   architecture);
}

static int from_document(const char *file, struct ingot_yaml *doc, const char *architecture,
			 struct ingot_problems *problems, struct ingot_layout **ret,
			 struct ingot_error *err)
{
	INGOT_LAYOUT struct ingot_layout *layout = ingot_alloc(1, sizeof(*layout), err);
	struct ingot_layout_reader reader = {
		.file = file,
		.architecture = architecture,
		.problems = problems,
		.layout = layout,
		.sizes_ok = true,
		.err = err,
	};
	size_t before = problems->count + problems->more;
	int rc;

	if (!layout)
		return -ENOMEM;
	rc = read_layout(&reader, ingot_yaml_root(doc));
	if (rc == 0)
		rc = ingot_layout_check(&reader);
	if (rc < 0)
		return rc;
	if (problems->oom)
		return ingot_raise_oom(err, 0);
	if (problems->count + problems->more > before)
		return ingot_raise(err, -EINVAL, "'%s' is not a usable layout", file);
	*ret = INGOT_TAKE(layout);
	return 0;
}

int ingot_layout_parse(const char *file, const char *text, size_t size, const char *architecture,
		       struct ingot_problems *problems, struct ingot_layout **ret,
		       struct ingot_error *err)
{
	struct ingot_yaml *doc;
	int rc = check_architecture(architecture, err);

	if (rc == 0)
		rc = ingot_yaml_parse(file, text, size, problems, &doc, err);
	if (rc < 0)
		return rc;
	rc = from_document(file, doc, architecture, problems, ret, err);
	ingot_yaml_free(doc);
	return rc;
}

static int load_file(const char *path, const char *architecture, struct ingot_problems *problems,
		     struct ingot_layout **ret, struct ingot_error *err)
{
	struct ingot_yaml *doc;
	int rc = check_architecture(architecture, err);

	if (rc == 0)
		rc = ingot_yaml_load(path, problems, &doc, err);
	if (rc < 0)
		return rc;
	rc = from_document(path, doc, architecture, problems, ret, err);
	ingot_yaml_free(doc);
	return rc;
}

const char *ingot_layout_builtin_name(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!ingot_builtin_layouts[k].name)
			return NULL;
	return ingot_builtin_layouts[i].name;
}

static int raise_unknown(const char *name, struct ingot_error *err)
{
	char list[256] = "";
	size_t at = 0;

	for (size_t i = 0; ingot_layout_builtin_name(i) && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "",
				       ingot_layout_builtin_name(i));
	return ingot_raise(err, -ENOENT,
			   "no layout '%.80s' is built in (there are: %s); a file's name has a '/' "
			   "in it or ends in .yaml",
			   name, list);
}

static bool is_path(const char *name)
{
	size_t n = strlen(name);

	return strchr(name, '/') || (n >= 5 && strcmp(name + n - 5, ".yaml") == 0);
}

int ingot_layout_load(const char *name_or_path, const char *architecture,
		      struct ingot_problems *problems, struct ingot_layout **ret,
		      struct ingot_error *err)
{
	if (is_path(name_or_path))
		return load_file(name_or_path, architecture, problems, ret, err);
	for (const struct ingot_builtin_layout *b = ingot_builtin_layouts; b->name; b++)
		if (strcmp(b->name, name_or_path) == 0)
			return ingot_layout_parse(b->name, b->text, b->size, architecture, problems,
						  ret, err);
	return raise_unknown(name_or_path, err);
}
