#include <string.h>

#include "disk/layout_internal.h"
#include "disk/type.h"

static const char *const CONTENTS[] = {
	[INGOT_CONTENT_NONE] = "none",
	[INGOT_CONTENT_ESP] = "esp",
	[INGOT_CONTENT_USR] = "usr",
	[INGOT_CONTENT_USR_VERITY] = "usr-verity",
	[INGOT_CONTENT_USR_VERITY_SIG] = "usr-verity-sig",
	[INGOT_CONTENT_USR_FEC] = "usr-fec",
	[INGOT_CONTENT_ROOT] = "root",
	[INGOT_CONTENT_OEM] = "oem",
};

static const char *const FILESYSTEMS[] = {
	[INGOT_FILESYSTEM_NONE] = "none",
	[INGOT_FILESYSTEM_FAT32] = "fat32",
	[INGOT_FILESYSTEM_EXT2] = "ext2",
	[INGOT_FILESYSTEM_EXT4] = "ext4",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *ingot_content_name(enum ingot_content content)
{
	return CONTENTS[content];
}

const char *ingot_filesystem_name(enum ingot_filesystem filesystem)
{
	return FILESYSTEMS[filesystem];
}

/* --- single values ----------------------------------------------------- */

static void read_number(struct ingot_layout_reader *reader, struct ingot_yaml_node node,
			struct ingot_layout_partition *p)
{
	uint64_t number;

	if (!ingot_yaml_u64(node, &number)) {
		reader->sizes_ok = false;
	} else if (number < 1 || number > INGOT_LAYOUT_NUMBER_MAX) {
		ingot_yaml_problem(node, "number is 1 to %d", INGOT_LAYOUT_NUMBER_MAX);
		reader->sizes_ok = false;
	} else {
		p->number = (unsigned)number;
	}
}

/* `128M`, `rest`, or 0 for a number that is only kept. */
static void read_size(struct ingot_layout_reader *reader, struct ingot_yaml_node node,
		      struct ingot_layout_partition *p)
{
	const char *text = ingot_yaml_text(node);

	if (!text) {
		reader->sizes_ok = false;
	} else if (strcmp(text, "rest") == 0) {
		p->rest = true;
	} else if (!ingot_yaml_size(node, &p->size)) {
		reader->sizes_ok = false;
	} else if (p->size % reader->layout->sector_size) {
		ingot_yaml_problem(node, "size is not a multiple of the sector size, %u",
				   reader->layout->sector_size);
		reader->sizes_ok = false;
	} else {
		p->reserved = p->size == 0;
	}
}

static void read_start(struct ingot_layout_reader *reader, struct ingot_yaml_node node,
		       struct ingot_layout_partition *p)
{
	if (!ingot_yaml_is_given(node))
		return;
	p->start_given = ingot_yaml_size(node, &p->start);
	if (!p->start_given)
		reader->sizes_ok = false;
}

/* A GUID, a short name, or a mapping from architectures to either. */
static void read_type_text(struct ingot_yaml_node node, struct ingot_guid *ret)
{
	const char *text = ingot_yaml_text(node);

	if (!text || ingot_partition_type(text, ret))
		return;
	if (ingot_guid_parse(text, ret, NULL) < 0)
		ingot_yaml_problem(node, "'%.80s' is neither a GUID nor one of: %s", text,
				   ingot_partition_type_names());
	else if (ingot_guid_is_zero(ret))
		ingot_yaml_problem(node, "a type of all zeros marks an unused entry");
}

static void read_type(struct ingot_layout_reader *reader, struct ingot_yaml_node node,
		      struct ingot_layout_partition *p)
{
	static const char *const architectures[] = {"x86-64", "arm64"};
	struct ingot_yaml_map map;
	bool found = false;

	if (!ingot_yaml_is_map(node)) {
		read_type_text(node, &p->type);
		return;
	}
	if (!ingot_yaml_open(node, "type", &map))
		return;
	for (size_t i = 0; i < COUNT(architectures); i++) {
		struct ingot_yaml_node value = ingot_yaml_get(&map, architectures[i], false);
		struct ingot_guid type = {0};

		read_type_text(value, &type);
		if (strcmp(architectures[i], reader->architecture) != 0)
			continue;
		found = ingot_yaml_is_given(value);
		p->type = type;
	}
	if (!found)
		ingot_yaml_problem(node, "type has nothing for %s", reader->architecture);
	ingot_yaml_close(&map);
}

static void read_uuid(struct ingot_yaml_node node, struct ingot_layout_partition *p)
{
	const char *text = ingot_yaml_text(node);

	if (!text)
		return;
	if (strcmp(text, "root-hash-first") == 0) {
		p->uuid_rule = INGOT_UUID_ROOT_HASH_FIRST;
	} else if (strcmp(text, "root-hash-last") == 0) {
		p->uuid_rule = INGOT_UUID_ROOT_HASH_LAST;
	} else if (ingot_guid_parse(text, &p->uuid, NULL) < 0) {
		ingot_yaml_problem(node,
				   "'%.80s' is neither a UUID nor root-hash-first nor "
				   "root-hash-last",
				   text);
	} else if (ingot_guid_is_zero(&p->uuid)) {
		ingot_yaml_problem(node, "a UUID of all zeros identifies nothing");
	} else {
		p->uuid_rule = INGOT_UUID_FIXED;
	}
}

/* --- content ----------------------------------------------------------- */

static enum ingot_filesystem usual_filesystem(enum ingot_content content)
{
	switch (content) {
	case INGOT_CONTENT_ESP:
		return INGOT_FILESYSTEM_FAT32;
	case INGOT_CONTENT_USR:
		return INGOT_FILESYSTEM_EXT2;
	case INGOT_CONTENT_ROOT:
	case INGOT_CONTENT_OEM:
		return INGOT_FILESYSTEM_EXT4;
	case INGOT_CONTENT_NONE:
	case INGOT_CONTENT_USR_VERITY:
	case INGOT_CONTENT_USR_VERITY_SIG:
	case INGOT_CONTENT_USR_FEC:
		break;
	}
	return INGOT_FILESYSTEM_NONE;
}

static bool can_hold(enum ingot_filesystem filesystem, enum ingot_content content)
{
	if (filesystem == usual_filesystem(content))
		return true;
	return filesystem == INGOT_FILESYSTEM_EXT2 &&
	       usual_filesystem(content) == INGOT_FILESYSTEM_EXT4;
}

static void read_filesystem(struct ingot_yaml_node node, struct ingot_layout_partition *p)
{
	int i;

	p->filesystem = usual_filesystem(p->content);
	if (!ingot_yaml_is_given(node))
		return;
	i = ingot_yaml_choice(node, FILESYSTEMS + 1, COUNT(FILESYSTEMS) - 1);
	if (i < 0)
		return;
	if (!can_hold((enum ingot_filesystem)(i + 1), p->content))
		ingot_yaml_problem(node, "content %s is not made as %s",
				   ingot_content_name(p->content), FILESYSTEMS[i + 1]);
	else
		p->filesystem = (enum ingot_filesystem)(i + 1);
}

static void read_verity(struct ingot_yaml_node node, struct ingot_layout_partition *p)
{
	static const char *const places[] = {"appended"};

	if (!ingot_yaml_is_given(node))
		return;
	/* Even where the word is wrong: one complaint is enough. */
	p->verity_appended = p->content == INGOT_CONTENT_USR;
	if (ingot_yaml_choice(node, places, COUNT(places)) >= 0 && !p->verity_appended)
		ingot_yaml_problem(node, "verity stands beside content usr only");
}

/* A volume name has room for 11 bytes in FAT and 16 in ext. */
static int read_filesystem_label(struct ingot_layout_reader *reader, struct ingot_yaml_node node,
				 struct ingot_layout_partition *p)
{
	size_t max = p->filesystem == INGOT_FILESYSTEM_FAT32 ? 11 : 16;
	int rc = ingot_layout_copy_text(node, &p->filesystem_label, reader->err);

	if (rc < 0 || !p->filesystem_label)
		return rc;
	if (p->filesystem == INGOT_FILESYSTEM_NONE)
		ingot_yaml_problem(node, "filesystem-label without a filesystem");
	else if (strlen(p->filesystem_label) > max)
		ingot_yaml_problem(node, "filesystem-label is longer than %zu bytes", max);
	return 0;
}

static int read_content(struct ingot_layout_reader *reader, struct ingot_yaml_map *map,
			struct ingot_layout_partition *p)
{
	struct ingot_yaml_node node = ingot_yaml_get(map, "content", false);
	int i = ingot_yaml_choice(node, CONTENTS, COUNT(CONTENTS));

	if (i > 0)
		p->content = (enum ingot_content)i;
	if (p->content != INGOT_CONTENT_NONE && p->reserved)
		ingot_yaml_problem(node, "a partition of size 0 has no content");
	read_filesystem(ingot_yaml_get(map, "filesystem", false), p);
	read_verity(ingot_yaml_get(map, "verity", false), p);
	return read_filesystem_label(reader, ingot_yaml_get(map, "filesystem-label", false), p);
}

/* --- the whole --------------------------------------------------------- */

static int read_label(struct ingot_layout_reader *reader, struct ingot_yaml_node node,
		      struct ingot_layout_partition *p)
{
	struct ingot_error why;
	char *text = NULL;
	int rc = ingot_layout_copy_text(node, &p->label, reader->err);

	if (rc < 0 || !p->label)
		return rc;
	/* With the shortest values it must fit. */
	if (ingot_layout_expand_label(p->label, "", "", &text, &why) < 0)
		ingot_yaml_problem(node, "%s", why.text);
	free(text);
	return 0;
}

int ingot_layout_read_partition(struct ingot_layout_reader *reader, struct ingot_yaml_node node,
				struct ingot_layout_partition *p)
{
	struct ingot_yaml_map map;
	int rc;

	p->line = ingot_yaml_line(node);
	p->column = ingot_yaml_column(node);
	if (!ingot_yaml_open(node, "a partition", &map)) {
		reader->sizes_ok = false;
		return 0;
	}
	read_number(reader, ingot_yaml_get(&map, "number", /* required */ true), p);
	read_size(reader, ingot_yaml_get(&map, "size", /* required */ true), p);
	read_start(reader, ingot_yaml_get(&map, "start", false), p);
	read_type(reader, ingot_yaml_get(&map, "type", /* required */ !p->reserved), p);
	read_uuid(ingot_yaml_get(&map, "uuid", false), p);
	p->attributes = ingot_layout_read_attributes(ingot_yaml_get(&map, "attributes", false));
	rc = read_label(reader, ingot_yaml_get(&map, "label", /* required */ !p->reserved), p);
	if (rc == 0)
		rc = read_content(reader, &map, p);
	ingot_yaml_close(&map);
	return rc;
}
