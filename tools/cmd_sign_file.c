/* ingot sign file, ingot sign sums: detached signatures that plain openssl checks. */
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "image/sums.h"
#include "io/output.h"
#include "io/source.h"
#include "key_options.h"
#include "same_file.h"
#include "sign/cms.h"

struct file_options {
	struct key_options key;
	const char *output;
};

static int sign_digest(const struct cli *cli, const uint8_t digest[INGOT_SHA256_SIZE],
		       uint8_t **der, size_t *n, struct ingot_error *err)
{
	const struct file_options *o = cli->options;
	INGOT_CERTIFICATE struct ingot_certificate *certificate = NULL;
	INGOT_KEY struct ingot_key *key = NULL;
	int rc = key_options_open(cli, &o->key, &key, &certificate, err);

	return rc < 0 ? rc : ingot_cms_sign(key, certificate, digest, der, n, err);
}

/* Not committed yet. */
static int write_output(const char *path, const void *data, size_t n, struct ingot_output **ret,
			struct ingot_error *err)
{
	int rc = ingot_output_create(path, ret, err);

	return rc < 0 ? rc : ingot_output_write(*ret, data, n, err);
}

static int check_output(const struct cli *cli, const char *output, struct ingot_error *err)
{
	const struct file_options *o = cli->options;
	int rc = key_options_refuse(&o->key, output, err);

	return rc < 0 ? rc : same_file_refuse_all(cli->args, cli->arg_count, output, err);
}

/* --- one file ---------------------------------------------------------- */

static int run_file(const struct cli *cli, struct ingot_error *err)
{
	const struct file_options *o = cli->options;
	INGOT_SOURCE struct ingot_source *source = NULL;
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_FREE uint8_t *der = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	size_t n;
	int rc = check_output(cli, o->output, err);

	if (rc == 0)
		rc = ingot_source_open(cli->args[0], &source, err);
	if (rc == 0)
		rc = ingot_source_sha256(source, digest, err);
	if (rc == 0)
		rc = sign_digest(cli, digest, &der, &n, err);
	if (rc == 0)
		rc = write_output(o->output, der, n, &output, err);
	return rc < 0 ? rc : ingot_output_commit(output, err);
}

static const struct cli_option FILE_OPTIONS[] = {
	KEY_OPTION_ROWS(struct file_options, true /* required */),
	{"output", "FILE", "where the signature goes (FILE.p7s); - is standard output",
	 offsetof(struct file_options, output), CLI_TEXT, true},
};

const struct cli_command cmd_sign_file = {
	.name = "sign file",
	.arguments = "FILE",
	.summary = "Sign any file: a detached signature that openssl checks",
	.description =
		"Makes a detached CMS signature (PKCS#7, DER, SHA-256) of a file: an image, a "
		"manifest, an archive. It contains no time: the same key, certificate and file give "
		"the same bytes on any day.\n"
		"\n"
		"A key that signs files can sign root hashes and programs as well; what is signed "
		"says which it is, so a signature of one is never good for another.\n"
		"\n" KEY_OPTIONS_TEXT,
	.examples = "# Sign a manifest, and what openssl says about it\n"
		    "ingot sign file demo-1.manifest.json --key release.key "
		    "--certificate release.crt --output demo-1.manifest.json.p7s\n"
		    "openssl cms -verify -binary -inform DER -in demo-1.manifest.json.p7s "
		    "-content demo-1.manifest.json -CAfile ca.crt -purpose any -out /dev/null\n",
	.options = FILE_OPTIONS,
	.option_count = CLI_COUNT(FILE_OPTIONS),
	.options_size = sizeof(struct file_options),
	.args_min = 1,
	.args_max = 1,
	.run = run_file,
};

/* --- checksums --------------------------------------------------------- */

/* Both are whole before either gets its name; the list, which says more alone, is the last. */
static int write_sums(const char *path, const char *text, size_t n, const uint8_t *der,
		      size_t der_n, struct ingot_error *err)
{
	INGOT_FREE char *signature_path = ingot_format(err, "%s.p7s", path);
	INGOT_OUTPUT struct ingot_output *sums = NULL;
	INGOT_OUTPUT struct ingot_output *signature = NULL;
	int rc;

	if (!signature_path)
		return -ENOMEM;
	rc = write_output(path, text, n, &sums, err);
	if (rc == 0)
		rc = write_output(signature_path, der, der_n, &signature, err);
	if (rc < 0)
		return rc;
	return ingot_outputs_commit((struct ingot_output *[]){signature, sums}, 2, err);
}

static int check_both(const struct cli *cli, struct ingot_error *err)
{
	const struct file_options *o = cli->options;
	INGOT_FREE char *signature = ingot_format(err, "%s.p7s", o->output);
	int rc = signature ? check_output(cli, o->output, err) : -ENOMEM;

	return rc < 0 ? rc : check_output(cli, signature, err);
}

static int run_sums(const struct cli *cli, struct ingot_error *err)
{
	const struct file_options *o = cli->options;
	INGOT_FREE uint8_t *der = NULL;
	INGOT_FREE char *text = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	size_t n, der_n;
	int rc;

	if (strcmp(o->output, "-") == 0)
		return cli_usage(cli, err,
				 "--output has to be a file: a second one goes beside it");
	rc = check_both(cli, err);
	if (rc == 0)
		rc = ingot_sums_text(cli->args, cli->arg_count, &text, &n, err);
	if (rc == 0)
		rc = ingot_sha256(text, n, digest, err);
	if (rc == 0)
		rc = sign_digest(cli, digest, &der, &der_n, err);
	return rc < 0 ? rc : write_sums(o->output, text, n, der, der_n, err);
}

static const struct cli_option SUMS_OPTIONS[] = {
	KEY_OPTION_ROWS(struct file_options, true /* required */),
	{"output", "FILE", "the list (SHA256SUMS); its signature goes to FILE.p7s",
	 offsetof(struct file_options, output), CLI_TEXT, true},
};

const struct cli_command cmd_sign_sums = {
	.name = "sign sums",
	.arguments = "FILE...",
	.summary = "List the SHA-256 of files, and sign the list",
	.description =
		"Writes a list of the files' SHA-256 as `sha256sum -c` reads it, sorted by name and "
		"without folders, and beside it a detached signature of the list as `ingot sign "
		"file` makes it. Who has both, and the certificate, checks a whole release with "
		"openssl and sha256sum.\n"
		"\n" KEY_OPTIONS_TEXT,
	.examples =
		"# A release, signed and checked\n"
		"ingot sign sums out/demo-1.raw out/demo-1.manifest.json --key release.key "
		"--certificate release.crt --output out/SHA256SUMS\n"
		"cd out\n"
		"openssl cms -verify -binary -inform DER -in SHA256SUMS.p7s -content SHA256SUMS "
		"-CAfile ca.crt -purpose any -out /dev/null && sha256sum -c SHA256SUMS\n",
	.options = SUMS_OPTIONS,
	.option_count = CLI_COUNT(SUMS_OPTIONS),
	.options_size = sizeof(struct file_options),
	.args_min = 1,
	.args_max = SIZE_MAX,
	.run = run_sums,
};
