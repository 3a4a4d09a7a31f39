#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/derive.h"
#include "fs/ext2.h"
#include "io/copy.h"
#include "io/output.h"
#include "same_file.h"
#include "tree/owner.h"
#include "tree/tree.h"

struct mkfs_options {
	const char *from, *output, *subtree, *uuid, *label, *owner, *owner_map, *seed;
	struct cli_u64 size, epoch;
	struct cli_list excludes;
	bool json;
};

/* "UID:GID" */
static int parse_owner(const char *text, struct ingot_tree_options *options,
		       struct ingot_error *err)
{
	uint32_t uid, gid;
	int rc = ingot_owner_parse(text, &uid, &gid, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "--owner");
	options->owner = true;
	options->uid = uid;
	options->gid = gid;
	return 0;
}

static int open_tree(const struct mkfs_options *o, int64_t epoch, struct ingot_tree **ret,
		     struct ingot_error *err)
{
	struct ingot_tree_options options = {
		.epoch = epoch, .excludes = o->excludes.items, .exclude_count = o->excludes.count};
	struct ingot_owner_map *map = NULL;
	int rc = 0;

	if (o->owner)
		rc = parse_owner(o->owner, &options, err);
	if (rc == 0 && o->owner_map)
		rc = ingot_owner_map_load(o->owner_map, &map, err);
	options.map = map;
	if (rc == 0)
		rc = ingot_tree_open(o->from, &options, ret, err);
	ingot_owner_map_free(map);
	return rc;
}

static int identifiers(const struct mkfs_options *o, struct ingot_ext2_options *ret,
		       struct ingot_error *err)
{
	const char *label = o->label ? o->label : "";
	struct ingot_seed seed;
	int rc;

	rc = o->seed ? ingot_seed_parse(o->seed, &seed, err)
		     : ingot_seed_from_name("mkfs", label, "", &seed, err);
	if (rc == 0)
		rc = ingot_derive_guid(&seed, "filesystem uuid", &ret->uuid, err);
	if (rc == 0)
		rc = ingot_derive_guid(&seed, "filesystem hash seed", &ret->hash_seed, err);
	if (rc == 0 && o->uuid)
		rc = ingot_guid_parse(o->uuid, &ret->uuid, err);
	return rc;
}

static int report(const struct ingot_ext2_options *options, uint64_t size,
		  const struct ingot_ext2_stats *stats, bool json, struct ingot_error *err)
{
	char uuid[INGOT_GUID_TEXT];
	json_t *object =
		json_pack("{s:s, s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "uuid",
			  ingot_guid_text(&options->uuid, uuid), "size", (json_int_t)size,
			  "block_size", INGOT_EXT2_BLOCK, "blocks", (json_int_t)stats->blocks,
			  "free_blocks", (json_int_t)stats->free_blocks, "inodes",
			  (json_int_t)stats->inodes, "files", (json_int_t)stats->files, "folders",
			  (json_int_t)stats->folders, "symbolic_links", (json_int_t)stats->links);
	int rc;

	if (!object)
		return ingot_raise_oom(err, 0);
	rc = cli_report(object, json, err);
	json_decref(object);
	return rc;
}

/* The report comes before the commit: whatever fails, there is no new file. */
static int write_source(const struct cli *cli, struct ingot_source *fs,
			const struct ingot_ext2_options *options,
			const struct ingot_ext2_stats *stats, struct ingot_error *err)
{
	const struct mkfs_options *o = cli->options;
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	int rc = ingot_output_create(o->output, &output, err);

	if (rc == 0)
		rc = ingot_output_sink(output, fs->size, &sink, err);
	if (rc == 0)
		rc = ingot_copy(fs, sink, cli->jobs, NULL, err);
	if (rc == 0 && !cli->quiet && strcmp(o->output, "-") != 0)
		rc = report(options, fs->size, stats, o->json, err);
	if (rc == 0)
		rc = ingot_output_commit(output, err);
	return rc;
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct mkfs_options *o = cli->options;
	struct ingot_ext2_options options = {.label = o->label, .size = o->size.value};
	INGOT_TREE struct ingot_tree *tree = NULL;
	INGOT_SOURCE struct ingot_source *fs = NULL;
	struct ingot_ext2_stats stats;
	struct ingot_node *root;
	int rc = same_file_refuse(o->from, o->output, err);

	if (rc == 0)
		rc = same_file_refuse(o->owner_map, o->output, err);
	if (rc == 0)
		rc = cli_epoch(&o->epoch, &options.epoch, err);
	if (rc == 0 && o->size.given && o->size.value == 0)
		rc = cli_usage(cli, err,
			       "--size 0 leaves no room; without --size it is as small as "
			       "possible");
	if (rc == 0)
		rc = identifiers(o, &options, err);
	if (rc == 0)
		rc = open_tree(o, options.epoch, &tree, err);
	if (rc < 0)
		return rc;
	root = ingot_tree_root(tree);
	if (o->subtree)
		rc = ingot_tree_split(tree, o->subtree, &root, err);
	if (rc == 0)
		rc = ingot_ext2_source(tree, root, &options, &fs, &stats, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "'%s'", o->from);
	return write_source(cli, fs, &options, &stats, err);
}

#define AT(member) offsetof(struct mkfs_options, member)
static const struct cli_option OPTIONS[] = {
	{"from", "DIR|ARCHIVE|-",
	 "the tree: a directory, an archive in any compression, or - for an archive "
	 "from standard input",
	 AT(from), CLI_TEXT, true},
	{"output", "FILE", "the filesystem; - is standard output", AT(output), CLI_TEXT, true},
	{"subtree", "PATH", "only this folder of the tree, as the root, such as usr", AT(subtree),
	 CLI_TEXT, false},
	{"size", "SIZE",
	 "size of the filesystem in bytes, or with K, M, G; as small as possible without", AT(size),
	 CLI_SIZE, false},
	{"uuid", "UUID", "identifier of the filesystem; derived from the seed without", AT(uuid),
	 CLI_TEXT, false},
	{"seed", "HEX", "what identifiers are derived from, 16 to 64 bytes; the label without",
	 AT(seed), CLI_TEXT, false},
	{"label", "TEXT", "name of the filesystem, at most 16 bytes", AT(label), CLI_TEXT, false},
	{"epoch", "SECONDS", "no time in the image is later than this; $SOURCE_DATE_EPOCH without",
	 AT(epoch), CLI_U64, false},
	{"owner", "UID:GID", "everything belongs to this user and group", AT(owner), CLI_TEXT,
	 false},
	{"owner-map", "FILE",
	 "who owns what: lines 'uid HOST IMAGE COUNT', 'gid HOST IMAGE COUNT', "
	 "'path PATTERN UID GID [MODE]'",
	 AT(owner_map), CLI_TEXT, false},
	{"exclude", "PATTERN",
	 "leave out what matches, a folder with all in it; ** is any depth. May be given "
	 "several times",
	 AT(excludes), CLI_LIST, false},
	{"json", NULL, "report as JSON", AT(json), CLI_FLAG, false},
};

const struct cli_command cmd_mkfs = {
	.name = "mkfs",
	.arguments = "",
	.summary = "Make a read-only ext2 filesystem from a tree",
	.description =
		"Writes an ext2 filesystem with the read-only feature flag, without root, mount or loop "
		"device. The bytes depend on the tree and the options alone: not on the user, the "
		"clock, the order of the directory or the number of threads.\n\n"
		"Owners, modes, times (whole seconds, brought down to the epoch), hard links, symbolic "
		"links, devices, FIFOs, sockets, sparse files and extended attributes (user, trusted, "
		"security, POSIX ACLs) are kept. Read from a directory, a tree looks as the user sees it: "
		"an ordinary user gives --owner or --owner-map, or builds from an archive.\n\n"
		"A tree that does not fit into --size is refused before anything is written, with the "
		"heaviest folders.",
	.examples =
		"# the usr folder of an archive; in 1 GiB there is room for its hash tree behind it\n"
		"ingot mkfs --from rootfs.tar.zst --subtree usr --size 1065345024 "
		"--epoch 1767225600 --output usr.ext2\n"
		"# a directory of one's own, everything owned by root\n"
		"ingot mkfs --from ./tree --owner 0:0 --epoch 0 --output tree.ext2",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct mkfs_options),
	.run = run,
};
