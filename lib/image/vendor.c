#include "image/vendor.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "image/vendor_internal.h"
#include "io/source.h"

static const char *const ARCHITECTURES[] = {
	[INGOT_VENDOR_X86_64] = "x86-64",
	[INGOT_VENDOR_ARM64] = "arm64",
};

const char *ingot_vendor_architecture_name(enum ingot_vendor_architecture architecture)
{
	return ARCHITECTURES[architecture];
}

bool ingot_vendor_architecture_find(const char *name, enum ingot_vendor_architecture *ret)
{
	for (unsigned i = 0; i < INGOT_VENDOR_ARCHITECTURES; i++) {
		if (strcmp(ARCHITECTURES[i], name) != 0)
			continue;
		*ret = (enum ingot_vendor_architecture)i;
		return true;
	}
	return false;
}

const char *ingot_vendor_firmware_name(enum ingot_vendor_firmware firmware)
{
	return firmware == INGOT_FIRMWARE_BIOS ? "bios" : "efi";
}

const struct ingot_vendor_output *ingot_vendor_output_find(const struct ingot_vendor *vendor,
							   const char *format)
{
	for (size_t i = 0; i < vendor->output_count; i++)
		if (strcmp(vendor->outputs[i].format, format) == 0)
			return &vendor->outputs[i];
	return NULL;
}

/* --- what the image gets ----------------------------------------------- */

/* Puts " KEY=VALUE" behind the text, which is freed if there is no memory. */
static char *append(char *text, const char *key, const char *value, struct ingot_error *err)
{
	char *longer;

	if (!text || !value)
		return text;
	longer = ingot_format(err, "%s%s%s%s", text, *text ? " " : "", key, value);
	free(text);
	return longer;
}

char *ingot_vendor_kernel_arguments(const struct ingot_vendor *vendor,
				    enum ingot_vendor_architecture architecture,
				    struct ingot_error *err)
{
	const struct ingot_vendor_words *arguments = &vendor->arguments[architecture];
	const struct ingot_vendor_words *consoles = &vendor->consoles[architecture];
	char *text = ingot_strdup("", err);

	text = append(text, "ignition.platform.id=", vendor->ignition, err);
	text = append(text, "flatcar.oem.id=", vendor->flatcar, err);
	for (size_t i = 0; i < arguments->count; i++)
		text = append(text, "", arguments->list[i], err);
	for (size_t i = 0; i < consoles->count; i++)
		text = append(text, "console=", consoles->list[i], err);
	return text;
}

int ingot_vendor_size_disk(const struct ingot_vendor *vendor, uint64_t base_disk,
			   uint64_t base_root, uint64_t *ret, struct ingot_error *err)
{
	uint64_t size = base_disk;
	bool fits = true;

	if (base_root && vendor->root_size > base_root)
		fits = ingot_add(size, vendor->root_size - base_root, &size);
	size = ingot_max(size, vendor->disk_size);
	/* Below 2^63, which is as far as a file goes, and room to round. */
	if (!fits || size > INT64_MAX || vendor->round > INT64_MAX ||
	    ingot_div_up(size, vendor->round) > INT64_MAX / vendor->round)
		return ingot_raise(err, -EOVERFLOW, "vendor '%s': the disk is too large",
				   vendor->name);
	*ret = ingot_round_up(size, vendor->round);
	return 0;
}

/* --- entrances --------------------------------------------------------- */

void ingot_vendor_free(struct ingot_vendor *vendor)
{
	struct ingot_arena arena;

	if (!vendor)
		return;
	arena = vendor->arena;
	free(vendor);
	ingot_arena_done(&arena);
}

const char *ingot_vendor_builtin_name(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!ingot_builtin_vendors[k].name)
			return NULL;
	return ingot_builtin_vendors[i].name;
}

bool ingot_vendor_is_builtin(const char *name)
{
	for (const struct ingot_builtin_vendor *b = ingot_builtin_vendors; b->name; b++)
		if (strcmp(b->name, name) == 0)
			return true;
	return false;
}

bool ingot_vendor_is_path(const char *name)
{
	size_t n = strlen(name);

	return strchr(name, '/') || (n >= 5 && strcmp(name + n - 5, ".yaml") == 0);
}

static int load_file(const char *path, struct ingot_problems *problems, struct ingot_vendor **ret,
		     struct ingot_error *err)
{
	INGOT_FREE char *directory =
		ingot_format(err, "%.*s", (int)(ingot_base_name(path) - path), path);
	INGOT_FREE char *text = NULL;
	size_t size;
	int rc = directory ? ingot_load_file(path, INGOT_YAML_MAX, &text, &size, err) : -ENOMEM;

	if (rc < 0)
		return rc;
	return ingot_vendor_parse(path, directory, text, size, problems, ret, err);
}

int ingot_vendor_load(const char *name_or_path, struct ingot_problems *problems,
		      struct ingot_vendor **ret, struct ingot_error *err)
{
	if (ingot_vendor_is_path(name_or_path))
		return load_file(name_or_path, problems, ret, err);
	for (const struct ingot_builtin_vendor *b = ingot_builtin_vendors; b->name; b++)
		if (strcmp(b->name, name_or_path) == 0)
			return ingot_vendor_parse(b->name, NULL, b->text, b->size, problems, ret,
						  err);
	return ingot_raise(err, -ENOENT,
			   "no vendor '%.80s' is built in ('ingot vendors' lists them); a file's "
			   "name has a '/' in it or ends in .yaml",
			   name_or_path);
}
