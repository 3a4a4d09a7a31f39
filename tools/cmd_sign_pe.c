/* ingot sign pe: Authenticode, for UEFI Secure Boot. */
#include <errno.h>

#include "cli.h"
#include "commands.h"
#include "image/pe_signature.h"
#include "io/copy.h"
#include "io/output.h"
#include "key_options.h"

struct pe_options {
	struct key_options key;
	bool remove;
	const char *output;
};

static int write_file(const struct cli *cli, struct ingot_source *image, struct ingot_error *err)
{
	const struct pe_options *o = cli->options;
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	int rc = ingot_output_create(o->output, &output, err);

	if (rc == 0)
		rc = ingot_output_sink(output, image->size, &sink, err);
	if (rc == 0)
		rc = ingot_copy(image, sink, cli->jobs, NULL, err);
	return rc < 0 ? rc : ingot_output_commit(output, err);
}

static int sign(const struct cli *cli, struct ingot_source *source, struct ingot_error *err)
{
	const struct pe_options *o = cli->options;
	INGOT_CERTIFICATE struct ingot_certificate *certificate = NULL;
	INGOT_SOURCE struct ingot_source *image = NULL;
	INGOT_KEY struct ingot_key *key = NULL;
	int rc;

	if (!o->key.key || !o->key.certificate)
		return cli_usage(cli, err, "give --key and --certificate, or --remove");
	rc = key_options_open(cli, &o->key, &key, &certificate, err);
	if (rc == 0)
		rc = ingot_pe_sign(source, key, certificate, &image, err);
	return rc < 0 ? rc : write_file(cli, image, err);
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct pe_options *o = cli->options;
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_SOURCE struct ingot_source *image = NULL;
	int rc;

	if (o->remove && (o->key.key || o->key.certificate))
		return cli_usage(cli, err, "--remove takes neither --key nor --certificate");
	rc = key_options_refuse(&o->key, o->output, err);
	if (rc < 0)
		return rc;
	rc = ingot_source_open(cli->args[0], &source, err);
	if (rc < 0)
		return rc;
	if (!o->remove)
		return sign(cli, source, err);
	rc = ingot_pe_remove(source, &image, err);
	return rc < 0 ? rc : write_file(cli, image, err);
}

static const struct cli_option OPTIONS[] = {
	KEY_OPTION_ROWS(struct pe_options, false /* required */),
	{"remove", NULL, "take all signatures off instead", offsetof(struct pe_options, remove),
	 CLI_FLAG, false},
	{"output", "FILE", "the signed file; - is standard output, and FILE itself is allowed",
	 offsetof(struct pe_options, output), CLI_TEXT, true},
};

const struct cli_command cmd_sign_pe = {
	.name = "sign pe",
	.arguments = "FILE",
	.summary = "Sign an EFI program or unified kernel image for Secure Boot",
	.description =
		"Adds an Authenticode signature (SHA-256, no time) to a PE file: a unified kernel "
		"image, a boot loader, a kernel with EFI stub. UEFI firmware starts it if the "
		"certificate or one of its issuers is in the firmware's db. Signatures that the file "
		"has stay in front of the new one, so a file can be signed by several keys in turn; "
		"--remove takes all of them off.\n"
		"\n"
		"The same key, certificate and file give the same bytes on any day. The file is "
		"padded with zeros to a multiple of 8 bytes, and its checksum set right.\n"
		"\n" KEY_OPTIONS_TEXT,
	.examples = "# A kernel image that the firmware accepts, as others see it\n"
		    "ingot sign pe uki.efi --key db.key --certificate db.crt --output signed.efi\n"
		    "sbverify --cert db.crt signed.efi\n"
		    "# Another signature, by a key in a token\n"
		    "ingot sign pe signed.efi --key 'pkcs11:token=Release;object=db' "
		    "--certificate next.crt --output signed.efi\n",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct pe_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
