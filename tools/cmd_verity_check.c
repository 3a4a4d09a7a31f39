#include <stdio.h>

#include "base/text.h"
#include "cli.h"
#include "verity/check.h"
#include "verity_device.h"

enum { EXIT_VERIFIED = 0, EXIT_NOT_VERIFIED = 1 };

struct check_options {
	struct verity_options verity;
	const char *root_hash;
	bool json;
};

/* What one call works on. */
struct check {
	const struct cli *cli;
	const struct check_options *options;
	struct verity_device device;

	struct ingot_verity_result result;
	enum ingot_verity_verdict second; /* of libcryptsetup */
	char second_words[INGOT_VERITY_WORDS];
	struct ingot_fec_result fec_result;
};

/* --- checking ---------------------------------------------------------- */

static int check_both(struct check *check, struct ingot_error *err)
{
	const struct ingot_verity_check job = {
		.data = check->device.data,
		.data_blocks = check->device.superblock.data_blocks,
		.hash = check->device.hash,
		.hash_offset = check->options->verity.hash_offset.value,
		.root = check->device.root,
		.root_size = check->device.root_size,
		.jobs = check->cli->jobs,
	};
	int rc = ingot_verity_check(&check->device.superblock.params, &job, &check->result, err);

	if (rc < 0)
		return rc;
	return ingot_verity_check_cryptsetup(
		&check->device.superblock.params, job.data_blocks, check->device.data_path,
		check->device.hash_path, job.hash_offset, check->device.root,
		check->device.root_size, &check->second, check->second_words, err);
}

static int check_parity(struct check *check, struct ingot_error *err)
{
	const struct ingot_fec_job job = {
		.data = check->device.data,
		.hash = check->device.hash,
		.parity_offset = check->device.fec.offset,
		.jobs = check->cli->jobs,
	};

	if (!check->device.fec.wanted)
		return 0;
	return ingot_fec_check(&check->device.fec.geometry, &job, check->device.parity,
			       &check->fec_result, err);
}

/* --- report ------------------------------------------------------------ */

static const char *verdict_text(enum ingot_verity_verdict verdict)
{
	switch (verdict) {
	case INGOT_VERITY_GOOD:
		return "verified";
	case INGOT_VERITY_BAD:
		return "not verified";
	case INGOT_VERITY_NOT_CHECKED:
		break;
	}
	return "not checked";
}

static bool is_verified(const struct check *check)
{
	return check->result.verdict == INGOT_VERITY_GOOD && check->second == INGOT_VERITY_GOOD;
}

static bool is_parity_right(const struct check *check)
{
	return !check->device.fec.wanted || check->fec_result.verdict == INGOT_VERITY_GOOD;
}

static void level_text(int level, char *text, size_t size)
{
	if (level == INGOT_VERITY_LEVEL_DATA)
		(void)snprintf(text, size, "data");
	else
		(void)snprintf(text, size, "hash level %d", level);
}

/* What is wrong, for people. */
static void complain(const struct check *check)
{
	const struct ingot_verity_result *result = &check->result;
	bool is_data = result->level == INGOT_VERITY_LEVEL_DATA;
	char level[32];

	level_text(result->level, level, sizeof(level));
	if (result->verdict == INGOT_VERITY_BAD)
		fprintf(stderr,
			"ingot %s: not verified: %s block %llu, at %llu of '%s', is wrong\n",
			check->cli->command->name, level, (unsigned long long)result->block,
			(unsigned long long)result->offset,
			is_data ? check->device.data_path : check->device.hash_path);
	if (check->second == INGOT_VERITY_BAD)
		fprintf(stderr, "ingot %s: not verified by libcryptsetup: %s\n",
			check->cli->command->name, check->second_words);
	if (check->second != result->verdict)
		fprintf(stderr, "ingot %s: the two checks disagree\n", check->cli->command->name);
	if (!is_parity_right(check))
		fprintf(stderr,
			"ingot %s: not the parity of these data and this tree: codeword %llu, at "
			"%llu of '%s', is wrong\n",
			check->cli->command->name, (unsigned long long)check->fec_result.codeword,
			(unsigned long long)check->fec_result.offset, check->device.fec_path);
}

/* Where the data or the tree is wrong, and what is known of the parity. */
static int add_results(const struct check *check, json_t *object, struct ingot_error *err)
{
	const struct ingot_verity_result *result = &check->result;
	const struct ingot_fec_result *fec = &check->fec_result;
	char level[32];
	int rc = 0;

	level_text(result->level, level, sizeof(level));
	if (result->verdict == INGOT_VERITY_BAD)
		rc = json_object_set_new(object, "bad_level", json_string(level)) |
		     json_object_set_new(object, "bad_block",
					 json_integer((json_int_t)result->block)) |
		     json_object_set_new(object, "bad_offset",
					 json_integer((json_int_t)result->offset));
	if (check->device.fec.wanted)
		rc |= json_object_set_new(object, "fec", json_string(verdict_text(fec->verdict)));
	if (fec->verdict == INGOT_VERITY_BAD)
		rc |= json_object_set_new(object, "fec_bad_codeword",
					  json_integer((json_int_t)fec->codeword)) |
		      json_object_set_new(object, "fec_bad_offset",
					  json_integer((json_int_t)fec->offset));
	if (rc != 0)
		return ingot_raise_oom(err, 0);
	return verity_fec_report(&check->device.fec, object, err);
}

static int report(const struct check *check, struct ingot_error *err)
{
	char root[2 * INGOT_VERITY_DIGEST_MAX + 1];
	json_t *object;
	int rc;

	ingot_hex(check->device.root, check->device.root_size, root);
	object = json_pack("{s:s, s:s, s:s, s:I, s:s}", "root_hash", root, "result",
			   verdict_text(is_verified(check) ? INGOT_VERITY_GOOD : INGOT_VERITY_BAD),
			   "libcryptsetup", verdict_text(check->second), "data_blocks",
			   (json_int_t)check->device.superblock.data_blocks, "hash",
			   check->device.superblock.params.hash);
	if (!object)
		return ingot_raise_oom(err, 0);
	rc = add_results(check, object, err);
	if (rc == 0)
		rc = cli_report(object, check->options->json, err);
	json_decref(object);
	return rc;
}

/* --- command ----------------------------------------------------------- */

static int run_opened(struct check *check, struct ingot_error *err)
{
	int rc = check_both(check, err);

	if (rc == 0)
		rc = check_parity(check, err);
	if (rc == 0 && (check->options->json || !check->cli->quiet))
		rc = report(check, err);
	if (rc < 0)
		return rc;
	if (is_verified(check) && is_parity_right(check))
		return EXIT_VERIFIED;
	complain(check);
	return EXIT_NOT_VERIFIED;
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct check_options *o = cli->options;
	struct check check = {.cli = cli, .options = o};
	int rc = verity_device_open(cli, &o->verity, o->root_hash, &check.device, err);

	if (rc == 0)
		rc = run_opened(&check, err);
	verity_device_close(&check.device);
	return rc;
}

static const struct cli_option OPTIONS[] = {
	{"root-hash", "HEX", "the root hash to check against",
	 offsetof(struct check_options, root_hash), CLI_TEXT, true},
	VERITY_OPTION_ROWS(check_options),
	{"salt", "HEX|-", "the salt; - is none", VERITY_AT(check_options, salt), CLI_TEXT, false},
	{"json", NULL, "report as JSON", offsetof(struct check_options, json), CLI_FLAG, false},
};

const struct cli_command cmd_verity_check = {
	.name = "verity check",
	.arguments = "DATA",
	.summary = "Check data against its hash tree and a root hash",
	.description =
		"Reads all of DATA and its hash tree, hashes them again on all cores, and compares "
		"from the root hash down; then libcryptsetup, which shares no code with this program, "
		"does the same on one core. DATA is verified only if both say so. Neither needs root "
		"or a device mapper.\n\n"
		"Of data that is not verified the first bad block is named: its level (data, or hash "
		"level 0 for the leaves and up to the root), its number in that level, and its place "
		"in the file.\n\n"
		"Everything about the tree comes from its superblock. With --no-superblock it is given "
		"by the same options as for 'ingot verity format', the salt always.\n\n"
		"With --fec-file, or --fec-offset alone, the parity is computed again too and compared; "
		"it gets a verdict of its own (FEC), and must be right for exit status 0. Of data that was "
		"changed it is not the parity: then both are not verified.\n\n"
		"Exit status: 0 verified, 1 not verified, 2 it could not be checked (a file too short "
		"for its tree, no superblock, a read error).",
	.examples = "# the tree in a file of its own\n"
		    "ingot verity check usr.ext2 --hash-file usr.verity --root-hash \"$root\"\n"
		    "# behind the data\n"
		    "ingot verity check usr.img --hash-offset 1065345024 --root-hash \"$root\"",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct check_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
