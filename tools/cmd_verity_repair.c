#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "same_file.h"
#include "verity/fec_repair.h"
#include "verity_device.h"

enum { EXIT_REPAIRED = 0, EXIT_LOST = 1 };

struct repair_options {
	struct verity_options verity;
	const char *root_hash, *output, *hash_output;
	bool json;
};

/* A copy of a file that is put right and then gets its name. */
struct copy {
	struct ingot_output *output;
	struct ingot_sink *sink;
};

struct repair {
	const struct cli *cli;
	const struct repair_options *options;
	struct verity_device device;
	struct copy data, hash; /* hash: only where the tree has a file of its own */
	struct ingot_fec_repaired result;
	bool parity_right;
};

/* --- copies ------------------------------------------------------------ */

static int copy_file(const struct repair *repair, const char *path, struct ingot_source *from,
		     struct copy *ret, struct ingot_error *err)
{
	int rc = ingot_output_create(path, &ret->output, err);

	if (rc == 0)
		rc = ingot_output_sink(ret->output, from->size, &ret->sink, err);
	return rc == 0 ? ingot_copy(from, ret->sink, repair->cli->jobs, NULL, err) : rc;
}

static void copy_done(struct copy *copy)
{
	ingot_sink_free(copy->sink);
	ingot_output_free(copy->output);
}

/* --- repair ------------------------------------------------------------ */

static struct ingot_sink *hash_sink(const struct repair *repair)
{
	return repair->hash.sink ? repair->hash.sink : repair->data.sink;
}

static int put_right(struct repair *repair, struct ingot_error *err)
{
	const struct verity_device *device = &repair->device;
	const struct ingot_fec_repair job = {
		.data = repair->data.sink,
		.hash = hash_sink(repair),
		.parity = device->parity,
		.parity_offset = device->fec.offset,
		.root = device->root,
		.root_size = device->root_size,
		.jobs = repair->cli->jobs,
	};

	return ingot_fec_repair(&device->superblock.params, &device->geometry,
				&device->fec.geometry, &job, &repair->result, err);
}

/* Of what is right now. On the hash device it is made anew where it was wrong; a file of its own
 * is only looked at. */
static int settle_parity(struct repair *repair, struct ingot_error *err)
{
	const struct verity_device *device = &repair->device;
	INGOT_SOURCE struct ingot_source *data = NULL, *hash = NULL;
	struct ingot_fec_job job = {.parity_offset = device->fec.offset, .jobs = repair->cli->jobs};
	struct ingot_fec_result result;
	int rc = ingot_sink_source(repair->data.sink, &data, err);

	if (rc == 0)
		rc = ingot_sink_source(hash_sink(repair), &hash, err);
	if (rc < 0)
		return rc;
	job.data = data;
	job.hash = hash;
	rc = ingot_fec_check(&device->fec.geometry, &job, device->parity, &result, err);
	if (rc < 0)
		return rc;
	repair->parity_right = result.verdict == INGOT_VERITY_GOOD;
	if (repair->parity_right || device->own_parity)
		return 0;
	return ingot_fec_build(&device->fec.geometry, &job, hash_sink(repair), err);
}

/* --- report ------------------------------------------------------------ */

static json_t *list_blocks(const struct ingot_fec_list *list)
{
	json_t *array = json_array();

	for (uint64_t i = 0; i < list->count && i < INGOT_FEC_LISTED_MAX; i++) {
		const struct ingot_fec_block *b = &list->list[i];
		char level[32] = "data";

		if (b->level != INGOT_VERITY_LEVEL_DATA)
			(void)snprintf(level, sizeof(level), "hash level %d", b->level);
		(void)json_array_append_new(array, json_pack("{s:s, s:I, s:I}", "level", level,
							     "block", (json_int_t)b->block,
							     "offset", (json_int_t)b->offset));
	}
	return array;
}

static const char *parity_text(const struct repair *repair)
{
	if (repair->result.verdict != INGOT_VERITY_GOOD)
		return "not checked";
	if (repair->parity_right)
		return "verified";
	return repair->device.own_parity ? "not verified" : "made anew";
}

static int report(const struct repair *repair, struct ingot_error *err)
{
	const struct ingot_fec_repaired *r = &repair->result;
	bool good = r->verdict == INGOT_VERITY_GOOD;
	json_t *object = json_pack("{s:s, s:I, s:I, s:s}", "result", good ? "verified" : "lost",
				   "repaired", (json_int_t)r->repaired.count, "lost",
				   (json_int_t)r->lost.count, "fec", parity_text(repair));
	int rc;

	if (!object)
		return ingot_raise_oom(err, 0);
	if (repair->options->json &&
	    (json_object_set_new(object, "repaired_blocks", list_blocks(&r->repaired)) < 0 ||
	     json_object_set_new(object, "lost_blocks", list_blocks(&r->lost)) < 0)) {
		json_decref(object);
		return ingot_raise_oom(err, 0);
	}
	rc = cli_report(object, repair->options->json, err);
	json_decref(object);
	return rc;
}

/* For people, one line a block. */
static void complain(const struct repair *repair)
{
	const struct ingot_fec_list *lost = &repair->result.lost;
	const char *name = repair->cli->command->name;

	for (uint64_t i = 0; i < lost->count && i < INGOT_FEC_LISTED_MAX; i++) {
		const struct ingot_fec_block *b = &lost->list[i];
		bool is_data = b->level == INGOT_VERITY_LEVEL_DATA;

		fprintf(stderr, "ingot %s: lost: %s block %llu", name, is_data ? "data" : "hash",
			(unsigned long long)b->block);
		if (!is_data)
			fprintf(stderr, " of level %d", b->level);
		fprintf(stderr, ", at %llu of '%s'\n", (unsigned long long)b->offset,
			is_data ? repair->device.data_path : repair->device.hash_path);
	}
	if (lost->count > INGOT_FEC_LISTED_MAX)
		fprintf(stderr, "ingot %s: ... %llu blocks in all\n", name,
			(unsigned long long)lost->count);
	if (lost->count)
		fprintf(stderr, "ingot %s: nothing was written\n", name);
}

/* --- command ----------------------------------------------------------- */

static int check_outputs(const struct repair *repair, struct ingot_error *err)
{
	const struct repair_options *o = repair->options;

	if (!repair->device.fec.wanted)
		return cli_usage(
			repair->cli, err,
			"give --fec-file FILE or --fec-offset BYTES: without parity nothing "
			"can be repaired");
	if (!o->verity.hash_file != !o->hash_output)
		return cli_usage(repair->cli, err,
				 "--hash-output FILE is for a hash tree in a file of its own, and "
				 "needed then");
	if (strcmp(o->output, "-") == 0 || (o->hash_output && strcmp(o->hash_output, "-") == 0))
		return cli_usage(repair->cli, err,
				 "outputs have to be files: the report goes to standard output");
	return 0;
}

static int make(struct repair *repair, struct ingot_error *err)
{
	const struct repair_options *o = repair->options;
	int rc = check_outputs(repair, err);

	if (rc == 0)
		rc = copy_file(repair, o->output, repair->device.data, &repair->data, err);
	if (rc == 0 && o->hash_output)
		rc = copy_file(repair, o->hash_output, repair->device.hash, &repair->hash, err);
	if (rc == 0)
		rc = put_right(repair, err);
	if (rc == 0 && repair->result.verdict == INGOT_VERITY_GOOD)
		rc = settle_parity(repair, err);
	return rc;
}

static int commit(struct repair *repair, struct ingot_error *err)
{
	struct ingot_output *outputs[] = {repair->data.output, repair->hash.output};

	return ingot_outputs_commit(outputs, repair->hash.output ? 2 : 1, err);
}

/* Said first: a report that cannot be written leaves nothing behind. */
static int finish(struct repair *repair, struct ingot_error *err)
{
	int rc = 0;

	if (repair->options->json || !repair->cli->quiet)
		rc = report(repair, err);
	if (rc == 0 && repair->result.verdict == INGOT_VERITY_GOOD)
		rc = commit(repair, err);
	if (rc < 0)
		return rc;
	complain(repair);
	return repair->result.verdict == INGOT_VERITY_GOOD ? EXIT_REPAIRED : EXIT_LOST;
}

static int check_inputs_stay(const struct cli *cli, struct ingot_error *err)
{
	const struct repair_options *o = cli->options;
	const char *inputs[] = {cli->args[0], o->verity.hash_file, o->verity.fec_file};
	int rc = same_file_refuse_all(inputs, CLI_COUNT(inputs), o->output, err);

	if (rc == 0)
		rc = same_file_refuse_all(inputs, CLI_COUNT(inputs), o->hash_output, err);
	if (rc == 0 && o->hash_output && same_file(o->output, o->hash_output))
		rc = cli_usage(cli, err, "--output and --hash-output are one file");
	return rc;
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct repair_options *o = cli->options;
	struct repair repair = {.cli = cli, .options = o};
	int rc = check_inputs_stay(cli, err);

	if (rc == 0)
		rc = verity_device_open(cli, &o->verity, o->root_hash, &repair.device, err);

	if (rc == 0)
		rc = make(&repair, err);
	if (rc == 0)
		rc = finish(&repair, err);
	copy_done(&repair.hash);
	copy_done(&repair.data);
	verity_device_close(&repair.device);
	return rc;
}

static const struct cli_option OPTIONS[] = {
	{"root-hash", "HEX", "the root hash that everything has to match",
	 offsetof(struct repair_options, root_hash), CLI_TEXT, true},
	{"output", "FILE", "where DATA goes, put right", offsetof(struct repair_options, output),
	 CLI_TEXT, true},
	{"hash-output", "FILE", "where the file of --hash-file goes",
	 offsetof(struct repair_options, hash_output), CLI_TEXT, false},
	VERITY_OPTION_ROWS(repair_options),
	{"salt", "HEX|-", "the salt; - is none", VERITY_AT(repair_options, salt), CLI_TEXT, false},
	{"json", NULL, "report as JSON, with a list of the blocks",
	 offsetof(struct repair_options, json), CLI_FLAG, false},
};

const struct cli_command cmd_verity_repair = {
	.name = "verity repair",
	.arguments = "DATA",
	.summary = "Put right what does not match the root hash, with the parity",
	.description =
		"Reads all of DATA and its hash tree, computes the blocks that do not match from the "
		"others and the parity, believes them only when they match the root hash, and writes "
		"a copy with them. DATA itself is not changed.\n\n"
		"Of the 255 blocks that share their bytes of parity as many can be lost as there are "
		"roots. If any block stays lost nothing is written, and the blocks are named.\n\n"
		"Parity behind the hash tree that was wrong itself is made anew in the copy; of parity "
		"in a file of its own the report says whether it is right.\n\n"
		"Exit status: 0 everything matches in the copy, 1 some blocks are lost, 2 it could not "
		"be done.",
	.examples = "# data, tree and parity in one file\n"
		    "ingot verity repair usr.img --hash-offset 1065345024 --fec-offset 1073741824 "
		    "--root-hash \"$root\" --output usr.new\n"
		    "# in files of their own\n"
		    "ingot verity repair usr.ext2 --hash-file usr.verity --fec-file usr.fec "
		    "--root-hash \"$root\" --output usr.new --hash-output verity.new",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct repair_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
