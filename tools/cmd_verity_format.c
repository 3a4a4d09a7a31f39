#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/derive.h"
#include "base/text.h"
#include "cli.h"
#include "io/output.h"
#include "same_file.h"
#include "verity/build.h"
#include "verity/superblock.h"
#include "verity_fec.h"
#include "verity_options.h"

struct format_options {
	struct verity_options verity;
	const char *uuid, *seed;
	bool json;
};

/* What one call works on. */
struct format {
	const struct cli *cli;
	const struct format_options *options;
	const char *path;
	struct ingot_verity_params params;
	struct ingot_verity_geometry geometry;
	struct verity_fec fec;
	uint64_t hash_size; /* of the file that the hash area is in, when all is done */
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	size_t root_size;
};

/* --- identifiers ------------------------------------------------------- */

/* Without --seed: SHA-256 of the parameters as text, so that the same call gives the same tree. */
static int default_seed(const struct ingot_verity_params *params, uint64_t data_blocks,
			struct ingot_seed *ret, struct ingot_error *err)
{
	struct ingot_seed seed = {.size = INGOT_SHA256_SIZE};
	INGOT_FREE char *text = ingot_format(err, "ingot verity %s %u %u %llu", params->hash,
					     params->data_block_size, params->hash_block_size,
					     (unsigned long long)data_blocks);
	int rc;

	if (!text)
		return -ENOMEM;
	rc = ingot_sha256(text, strlen(text), seed.bytes, err);
	if (rc < 0)
		return rc;
	*ret = seed;
	return 0;
}

static int identifiers(const struct format_options *o, uint64_t data_blocks,
		       struct ingot_verity_params *params, struct ingot_error *err)
{
	struct ingot_seed seed;
	int rc = o->seed ? ingot_seed_parse(o->seed, &seed, err)
			 : default_seed(params, data_blocks, &seed, err);

	if (rc == 0 && !o->verity.salt) {
		params->salt_size = 32;
		rc = ingot_derive(&seed, "verity salt", params->salt, params->salt_size, err);
	}
	if (rc < 0)
		return rc;
	if (!o->uuid)
		return ingot_derive_guid(&seed, "verity uuid", &params->uuid, err);
	rc = ingot_guid_parse(o->uuid, &params->uuid, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "--uuid");
	return 0;
}

/* --- report ------------------------------------------------------------ */

static int report(const struct format *format, struct ingot_error *err)
{
	const struct ingot_verity_params *params = &format->params;
	const struct ingot_verity_geometry *g = &format->geometry;
	char root[2 * INGOT_VERITY_DIGEST_MAX + 1], salt[2 * INGOT_VERITY_SALT_MAX + 1] = "-";
	char uuid[INGOT_GUID_TEXT];
	json_t *object;
	int rc;

	if (format->cli->quiet)
		return 0;
	ingot_hex(format->root, format->root_size, root);
	if (params->salt_size > 0)
		ingot_hex(params->salt, params->salt_size, salt);
	(void)ingot_guid_text(&params->uuid, uuid);
	object = json_pack("{s:s, s:s, s:s*, s:I, s:I, s:I, s:i, s:i, s:i, s:s}", "root_hash", root,
			   "salt", salt, "uuid", params->no_superblock ? NULL : uuid, "data_blocks",
			   (json_int_t)g->data_blocks, "hash_offset", (json_int_t)g->hash_offset,
			   "hash_blocks", (json_int_t)g->hash_blocks, "data_block_size",
			   (int)params->data_block_size, "hash_block_size",
			   (int)params->hash_block_size, "hash_type", (int)params->hash_type,
			   "hash", params->hash);
	if (!object)
		return ingot_raise_oom(err, 0);
	rc = verity_fec_report(&format->fec, object, err);
	if (rc == 0)
		rc = cli_report(object, format->options->json, err);
	json_decref(object);
	return rc;
}

/* --- writing ----------------------------------------------------------- */

static int build(struct format *format, struct ingot_source *file, struct ingot_sink *sink,
		 struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *data = NULL;
	struct ingot_verity_job job = {
		.hash = sink,
		.hash_offset = format->geometry.hash_offset,
		.jobs = format->cli->jobs,
	};
	int rc = ingot_source_part(file, 0, format->geometry.data_size, &data, err);

	if (rc < 0)
		return rc;
	job.data = data;
	rc = ingot_verity_build(&format->params, &job, format->root, &format->root_size, err);
	if (rc < 0)
		return rc;
	return verity_fec_write(&format->fec, data, sink, job.jobs, err);
}

/* The output replaces what it is written to: DATA must not be that. */
static int check_not_data(const struct format *format, const char *output, struct ingot_error *err)
{
	if (strcmp(output, "-") == 0)
		return cli_usage(format->cli, err, "the hash tree cannot go to standard output");
	if (same_file(output, format->path))
		return ingot_raise(
			err, -EINVAL,
			"--hash-file is DATA itself: give --hash-offset alone to put the "
			"hash area behind the data");
	return 0;
}

static int write_file(struct format *format, struct ingot_source *file, struct ingot_error *err)
{
	const char *path = format->options->verity.hash_file;
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	int rc = check_not_data(format, path, err);

	if (rc == 0)
		rc = ingot_output_create(path, &output, err);
	if (rc == 0)
		rc = ingot_output_sink(output, format->hash_size, &sink, err);
	if (rc == 0)
		rc = build(format, file, sink, err);
	if (rc == 0)
		rc = report(format, err);
	if (rc == 0)
		rc = verity_fec_commit(&format->fec, err);
	if (rc == 0)
		rc = ingot_output_commit(output, err);
	return rc;
}

static int wipe_superblock(const struct format *format, struct ingot_sink *sink,
			   struct ingot_error *err)
{
	static const uint8_t zero[INGOT_VERITY_SUPERBLOCK_SIZE];

	if (format->params.no_superblock)
		return 0;
	return ingot_sink_write(sink, format->geometry.hash_offset, zero, sizeof(zero), err);
}

/* An old superblock goes first: from here until the tree is whole there is none. */
static int write_in_place(struct format *format, int fd, struct ingot_source *file,
			  struct ingot_error *err)
{
	INGOT_SINK struct ingot_sink *sink = NULL;
	int rc = ingot_sink_fd(fd, format->path, format->hash_size, &sink, err);

	if (rc == 0)
		rc = wipe_superblock(format, sink, err);
	if (rc == 0)
		rc = build(format, file, sink, err);
	if (rc == 0)
		rc = report(format, err);
	if (rc == 0 && fsync(fd) < 0)
		rc = ingot_raise_errno(err, errno, "write '%s' to the disk", format->path);
	if (rc == 0)
		rc = verity_fec_commit(&format->fec, err);
	/* The first failure is what the user is told. */
	if (rc < 0 && sink && wipe_superblock(format, sink, NULL) < 0)
		return ingot_wrap(err, rc, "'%s' may have a superblock", format->path);
	return rc;
}

/* Behind the data, in the same file. Whatever fails, the data stays and the file is as long as
 * it was. */
static int append(struct format *format, struct ingot_source *file, struct ingot_error *err)
{
	INGOT_CLOSE int fd = open(format->path, O_RDWR | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0)
		return ingot_raise_errno(err, errno, "open '%s' for writing", format->path);
	if (fstat(fd, &st) < 0)
		return ingot_raise_errno(err, errno, "stat '%s'", format->path);
	if (!S_ISREG(st.st_mode))
		return ingot_raise(err, -EINVAL, "'%s' is not a regular file", format->path);
	rc = write_in_place(format, fd, file, err);
	if (rc < 0 && ftruncate(fd, st.st_size) < 0)
		return ingot_wrap(err, rc, "'%s' could not be made as short as it was",
				  format->path);
	return rc;
}

/* --- command ----------------------------------------------------------- */

/* The parity's file, and how long the other one gets. */
static int prepare_fec(struct format *format, const struct ingot_source *file,
		       struct ingot_error *err)
{
	const struct verity_options *o = &format->options->verity;
	struct verity_fec *fec = &format->fec;
	int rc;

	format->hash_size = format->geometry.end;
	if (!o->hash_file)
		format->hash_size = ingot_max(format->hash_size, file->size);
	rc = verity_fec_init(o, &format->params, &format->geometry, format->hash_size, fec, err);
	if (rc < 0)
		return rc;
	if (o->fec_file)
		return verity_fec_create(o->fec_file, format->path, o->hash_file, fec, err);
	format->hash_size = ingot_max(format->hash_size, verity_fec_end(fec));
	return 0;
}

static int prepare(struct format *format, const struct ingot_source *file, struct ingot_error *err)
{
	const struct format_options *o = format->options;
	uint64_t data_blocks;
	int rc = verity_params(&o->verity, &format->params, err);

	if (rc == 0)
		rc = verity_data_blocks(&o->verity, &format->params, file, &data_blocks, err);
	if (rc == 0)
		rc = identifiers(o, data_blocks, &format->params, err);
	if (rc == 0)
		rc = ingot_verity_geometry(&format->params, data_blocks,
					   o->verity.hash_offset.value, &format->geometry, err);
	if (rc == 0)
		rc = verity_check_overlap(&o->verity, &format->geometry, err);
	if (rc == 0)
		rc = prepare_fec(format, file, err);
	return rc;
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	struct format format = {.cli = cli, .options = cli->options, .path = cli->args[0]};
	INGOT_SOURCE struct ingot_source *file = NULL;
	int rc = verity_check_placement(cli, &format.options->verity, err);

	if (rc == 0)
		rc = ingot_source_open(format.path, &file, err);
	if (rc == 0)
		rc = prepare(&format, file, err);
	if (rc == 0)
		rc = format.options->verity.hash_file ? write_file(&format, file, err)
						      : append(&format, file, err);
	verity_fec_done(&format.fec);
	return rc;
}

static const struct cli_option OPTIONS[] = {
	VERITY_OPTION_ROWS(format_options),
	{"salt", "HEX|-", "at most 256 bytes; - is none; derived from the seed without",
	 VERITY_AT(format_options, salt), CLI_TEXT, false},
	{"uuid", "UUID", "identifier of the hash area; derived from the seed without",
	 offsetof(struct format_options, uuid), CLI_TEXT, false},
	{"seed", "HEX", "what salt and UUID are derived from, 16 to 64 bytes",
	 offsetof(struct format_options, seed), CLI_TEXT, false},
	{"json", NULL, "report as JSON", offsetof(struct format_options, json), CLI_FLAG, false},
};

const struct cli_command cmd_verity_format = {
	.name = "verity format",
	.arguments = "DATA",
	.summary = "Make a dm-verity hash tree",
	.description =
		"Hashes the blocks of DATA, a file or a block device, into a dm-verity hash tree, and "
		"prints the root hash: whoever knows it can tell whether any byte of DATA was changed. "
		"The tree is the same, byte for byte, as that of 'veritysetup format'; it is made on "
		"all cores, and holes in DATA are not read.\n\n"
		"The hash area (superblock and tree) goes to --hash-file, which appears whole or not "
		"at all, or with --hash-offset alone into DATA, behind the data. DATA then must be a "
		"regular file. If that fails, or is interrupted, the data is as it was and there is no "
		"superblock; a hash area that was there before is lost.\n\n"
		"With --fec-file, or --fec-offset alone, there is forward error correction too: parity "
		"from which dm-verity repairs blocks that do not match the tree. It is the same as that "
		"of 'veritysetup format --fec-device'. With --fec-file it is in a file of its own, which "
		"appears whole or not at all, at --fec-offset there if that is given; with --fec-offset "
		"alone it lies behind the tree in the same file. Data, tree and all that follows the tree "
		"in its file, up to the parity, is protected. N roots make parity of N bytes to each 255 "
		"- N, and repair that many lost blocks out of 255 that are spread over the whole device. "
		"Interrupted while the parity is written behind a tree, that tree is whole and the parity "
		"is not.\n\n"
		"Nothing is random. Salt (32 bytes) and UUID are HMAC-SHA-256 of 'verity salt' and "
		"'verity uuid', keyed by the seed. Without --seed that is the SHA-256 of the text 'ingot "
		"verity HASH DATA-BLOCK-SIZE HASH-BLOCK-SIZE DATA-BLOCKS'. Give a seed of your own to "
		"keep others from computing hash collisions ahead of time.",
	.examples =
		"# the tree in a file of its own\n"
		"ingot verity format usr.ext2 --hash-file usr.verity\n"
		"# behind 260094 blocks of data, in the same file\n"
		"ingot verity format usr.img --data-blocks 260094 --hash-offset 1065345024\n"
		"# tree and parity in files of their own\n"
		"ingot verity format usr.ext2 --hash-file usr.verity --fec-file usr.fec --fec-roots 2",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct format_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
