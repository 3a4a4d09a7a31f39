/* ingot disk: a disk from a layout and the partitions' contents. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "commands.h"
#include "disk/gpt.h"
#include "io/copy.h"
#include "io/output.h"
#include "same_file.h"

struct options {
	const char *layout;
	struct cli_list partitions;
	const char *output;
	struct cli_u64 sector_size;
	struct cli_u64 size;
	const char *seed;
	const char *architecture;
	const char *root_hash;
	const char *image_name, *image_version;
};

static const struct cli_option OPTIONS[] = {
	{"layout", "NAME|FILE",
	 "a built-in layout (flatcar, discoverable), or a YAML file: a path "
	 "with a '/' in it or with .yaml at its end",
	 offsetof(struct options, layout), CLI_TEXT, true},
	{"partition", "LABEL=FILE",
	 "what goes into the partition with that label; may be given "
	 "several times, other partitions read as zero",
	 offsetof(struct options, partitions), CLI_LIST, false},
	{"output", "FILE", "the disk image, sparse; '-' is standard output",
	 offsetof(struct options, output), CLI_TEXT, true},
	{"size", "SIZE", "bytes of the disk, instead of the layout's",
	 offsetof(struct options, size), CLI_SIZE, false},
	{"sector-size", "512|4096", "instead of the layout's",
	 offsetof(struct options, sector_size), CLI_U64, false},
	{"architecture", "ARCH", "x86-64 (the default) or arm64: decides on type GUIDs",
	 offsetof(struct options, architecture), CLI_TEXT, false},
	{"seed", "HEX",
	 "16 to 64 bytes from which GUIDs are derived that the layout leaves open; "
	 "without it they depend on nothing but the layout's name and the "
	 "architecture",
	 offsetof(struct options, seed), CLI_TEXT, false},
	{"root-hash", "HEX", "the verity root hash, for partitions whose UUID comes from it",
	 offsetof(struct options, root_hash), CLI_TEXT, false},
	{"image-name", "TEXT", "replaces {name} in labels", offsetof(struct options, image_name),
	 CLI_TEXT, false},
	{"image-version", "TEXT", "replaces {version} in labels",
	 offsetof(struct options, image_version), CLI_TEXT, false},
};

/* --- the table --------------------------------------------------------- */

static int load_layout(const struct options *o, const char *architecture, struct ingot_layout **ret,
		       struct ingot_error *err)
{
	struct ingot_problems problems = {0};
	int rc = ingot_layout_load(o->layout, architecture, &problems, ret, err);

	if (ingot_problems_any(&problems)) {
		INGOT_FREE char *text = ingot_problems_text(&problems);

		fputs(text ? text : "", stderr);
	}
	ingot_problems_done(&problems);
	return rc;
}

static int find_seed(const struct options *o, const struct ingot_layout *layout,
		     const char *architecture, struct ingot_seed *ret, struct ingot_error *err)
{
	if (o->seed)
		return ingot_seed_parse(o->seed, ret, err);
	return ingot_seed_from_name(layout->name, "ingot disk", architecture, ret, err);
}

static int plan_table(const struct options *o, const struct ingot_layout *layout,
		      const char *architecture, struct ingot_gpt **ret, struct ingot_error *err)
{
	const struct ingot_place_options place = {o->size.value, (unsigned)o->sector_size.value};
	INGOT_FREE struct ingot_placement *placement = NULL;
	struct ingot_seed seed;
	uint8_t hash[64];
	struct ingot_gpt_identity identity = {.seed = &seed,
					      .name = o->image_name,
					      .version = o->image_version,
					      .root_hash = o->root_hash ? hash : NULL};
	int rc = find_seed(o, layout, architecture, &seed, err);

	if (rc == 0 && o->root_hash) {
		rc = ingot_unhex(o->root_hash, hash, sizeof(hash), &identity.root_hash_size, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "--root-hash");
	}
	if (rc == 0)
		rc = ingot_layout_place(layout, &place, &placement, err);
	return rc < 0 ? rc : ingot_gpt_plan(layout, placement, &identity, ret, err);
}

/* --- contents ---------------------------------------------------------- */

static int raise_unknown(const struct ingot_gpt *gpt, const char *label, size_t n,
			 struct ingot_error *err)
{
	char list[1024] = "";
	size_t at = 0;

	for (size_t i = 0; i < gpt->count && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "",
				       gpt->partitions[i].name);
	return ingot_raise(err, -EINVAL, "no partition has the label '%.*s' (there are: %s)",
			   (int)ingot_min(n, 200), label, list);
}

/* LABEL=FILE: the partition's index, and the file. */
static int find_partition(const struct ingot_gpt *gpt, const char *item, size_t *ret,
			  const char **ret_file, struct ingot_error *err)
{
	const char *equals = strchr(item, '=');
	size_t n = equals ? (size_t)(equals - item) : 0;

	if (!equals || !equals[1])
		return ingot_raise(err, -EINVAL, "--partition '%.200s' is not LABEL=FILE", item);
	for (size_t i = 0; i < gpt->count; i++)
		if (strlen(gpt->partitions[i].name) == n &&
		    memcmp(gpt->partitions[i].name, item, n) == 0) {
			*ret = i;
			*ret_file = equals + 1;
			return 0;
		}
	return raise_unknown(gpt, item, n, err);
}

/* Opens every FILE and holds its size against the partition's. */
static int open_contents(const struct ingot_gpt *gpt, const struct options *o,
			 struct ingot_source **sources, struct ingot_error *err)
{
	const struct cli_list *list = &o->partitions;

	for (size_t k = 0; k < list->count; k++) {
		char is[INGOT_SIZE_TEXT], has[INGOT_SIZE_TEXT];
		const struct ingot_gpt_partition *p;
		const char *file;
		size_t i;
		int rc = find_partition(gpt, list->items[k], &i, &file, err);

		if (rc < 0)
			return rc;
		p = &gpt->partitions[i];
		if (sources[i])
			return ingot_raise(err, -EINVAL, "--partition %s is given twice", p->name);
		rc = same_file_refuse(file, o->output, err);
		if (rc == 0)
			rc = ingot_source_open(file, &sources[i], err);
		if (rc < 0)
			return ingot_wrap(err, rc, "partition '%s'", p->name);
		if (sources[i]->size > p->size)
			return ingot_raise(
				err, -ENOSPC,
				"partition '%s': '%s' has %s (%llu bytes), the partition "
				"has room for %s (%llu bytes)",
				p->name, file, ingot_size_text(sources[i]->size, is),
				(unsigned long long)sources[i]->size, ingot_size_text(p->size, has),
				(unsigned long long)p->size);
	}
	return 0;
}

static int copy_contents(const struct ingot_gpt *gpt, struct ingot_source **sources,
			 struct ingot_sink *disk, unsigned jobs, struct ingot_error *err)
{
	for (size_t i = 0; i < gpt->count; i++) {
		INGOT_SINK struct ingot_sink *part = NULL;
		int rc;

		if (!sources[i])
			continue;
		rc = ingot_sink_part(disk, gpt->partitions[i].start, gpt->partitions[i].size, &part,
				     err);
		if (rc == 0)
			rc = ingot_copy(sources[i], part, jobs, NULL, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "partition '%s'", gpt->partitions[i].name);
	}
	return 0;
}

static int write_disk(const struct cli *cli, const struct ingot_gpt *gpt,
		      struct ingot_source **sources, struct ingot_error *err)
{
	const struct options *o = cli->options;
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_SINK struct ingot_sink *disk = NULL;
	int rc = ingot_output_create(o->output, &output, err);

	if (rc == 0)
		rc = ingot_output_sink(output, gpt->disk_size, &disk, err);
	if (rc == 0)
		rc = copy_contents(gpt, sources, disk, cli->jobs, err);
	if (rc == 0)
		rc = ingot_gpt_write(gpt, disk, err);
	return rc < 0 ? rc : ingot_output_commit(output, err);
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct options *o = cli->options;
	const char *architecture = o->architecture ? o->architecture : "x86-64";
	struct ingot_source *sources[INGOT_LAYOUT_NUMBER_MAX] = {NULL};
	INGOT_LAYOUT struct ingot_layout *layout = NULL;
	INGOT_FREE struct ingot_gpt *gpt = NULL;
	int rc;

	if (o->sector_size.given && o->sector_size.value != 512 && o->sector_size.value != 4096)
		return cli_usage(cli, err, "--sector-size is 512 or 4096");
	if (o->size.given && o->size.value == 0)
		return cli_usage(cli, err, "--size 0 is no disk");
	rc = same_file_refuse(o->layout, o->output, err);
	if (rc == 0)
		rc = load_layout(o, architecture, &layout, err);
	if (rc == 0)
		rc = plan_table(o, layout, architecture, &gpt, err);
	if (rc == 0)
		rc = open_contents(gpt, o, sources, err);
	if (rc == 0)
		rc = write_disk(cli, gpt, sources, err);
	for (size_t i = 0; i < INGOT_LAYOUT_NUMBER_MAX; i++)
		ingot_source_free(sources[i]);
	return rc;
}

const struct cli_command cmd_disk = {
	.name = "disk",
	.arguments = "",
	.summary = "Put partitions into a disk image with a GUID partition table",
	.description =
		"Makes a disk image from a layout and files that hold what the partitions shall "
		"contain. The layout says where each partition lies, what it is called, its type, "
		"its UUID and its attributes; docs/layouts.md describes the file format.\n\n"
		"The image is sparse, and the same input gives the same bytes: GUIDs that the "
		"layout does not fix are derived from --seed. Give every image a seed of its own if "
		"two of them can meet in one machine.\n\n"
		"A file that is smaller than its partition leaves the rest zero; one that is larger "
		"is an error, and nothing is written.",
	.examples = "# A Flatcar disk from a /usr image with its hash tree appended, and an ESP\n"
		    "ingot disk --layout flatcar --partition USR-A=usr.img \\\n"
		    "    --partition EFI-SYSTEM=esp.img --output disk.img\n"
		    "# A discoverable disk: /usr and its tree are named after the root hash\n"
		    "ingot disk --layout discoverable --image-name demo --image-version 1 \\\n"
		    "    --root-hash \"$(cat roothash)\" --partition demo_1=usr.img \\\n"
		    "    --partition demo_1_verity=usr.verity --output disk.img\n"
		    "# For a disk with 4096-byte sectors, larger than the layout says\n"
		    "ingot disk --layout flatcar --sector-size 4096 --size 16G --output disk.img",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct options),
	.args_min = 0,
	.args_max = 0,
	.run = run,
};
