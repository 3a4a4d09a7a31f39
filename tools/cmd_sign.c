#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/output.h"
#include "io/source.h"
#include "key_options.h"
#include "same_file.h"
#include "sign/pkcs7.h"

struct sign_options {
	struct key_options key;
	const char *output;
};

/* HEX, or the contents of FILE for "@FILE", where one end of line may follow. */
static int read_root_hash(const char *argument, char **ret, struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	size_t n;
	int rc;

	if (argument[0] != '@') {
		*ret = ingot_strdup(argument, err);
		return *ret ? 0 : -ENOMEM;
	}
	rc = ingot_load_file(argument + 1, 4096, &text, &n, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "root hash");
	if (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	if (strlen(text) != n)
		return ingot_raise(err, -EINVAL, "'%s' is not a text file", argument + 1);
	*ret = INGOT_TAKE(text);
	return 0;
}

static int write_signature(const char *path, const uint8_t *der, size_t n, struct ingot_error *err)
{
	INGOT_OUTPUT struct ingot_output *output = NULL;
	int rc = ingot_output_create(path, &output, err);

	if (rc == 0)
		rc = ingot_output_write(output, der, n, err);
	if (rc == 0)
		rc = ingot_output_commit(output, err);
	return rc;
}

static int run_root_hash(const struct cli *cli, struct ingot_error *err)
{
	const struct sign_options *o = cli->options;
	INGOT_CERTIFICATE struct ingot_certificate *certificate = NULL;
	INGOT_KEY struct ingot_key *key = NULL;
	INGOT_FREE char *root_hash = NULL;
	INGOT_FREE uint8_t *der = NULL;
	size_t n;
	int rc = key_options_refuse(&o->key, o->output, err);

	if (rc == 0 && cli->args[0][0] == '@')
		rc = same_file_refuse(cli->args[0] + 1, o->output, err);
	if (rc == 0)
		rc = read_root_hash(cli->args[0], &root_hash, err);
	if (rc == 0)
		rc = ingot_root_hash_check(root_hash, err);
	if (rc == 0)
		rc = key_options_open(cli, &o->key, &key, &certificate, err);
	if (rc == 0)
		rc = ingot_sign_root_hash(key, certificate, root_hash, &der, &n, err);
	if (rc == 0)
		rc = write_signature(o->output, der, n, err);
	return rc;
}

static const struct cli_option ROOT_HASH_OPTIONS[] = {
	KEY_OPTION_ROWS(struct sign_options, true /* required */),
	{"output", "FILE", "where the signature goes; - is standard output",
	 offsetof(struct sign_options, output), CLI_TEXT, .required = true},
};

const struct cli_command cmd_sign_root_hash = {
	.name = "sign root-hash",
	.arguments = "HEX|@FILE",
	.summary = "Sign a root hash for the kernel's dm-verity",
	.description =
		"Makes the detached PKCS#7 signature (DER, SHA-256, no attributes) that the kernel "
		"checks when a verity device is opened with a root hash signature, and that systemd "
		"takes as root-hash-signature=.\n"
		"\n"
		"HEX is the root hash as `ingot verity format` prints it: 64 digits for sha256, 128 "
		"for sha512, in lower case. With @FILE it is read from a file; one end of line at "
		"its end is not signed.\n"
		"\n"
		"The same key, certificate and root hash give the same bytes on any day, so a signed "
		"image can be built again bit for bit. The certificate has to be the key's own.\n"
		"\n" KEY_OPTIONS_TEXT,
	.examples =
		"# Test keys, then a signature\n"
		"signing/make-test-keys.sh keys\n"
		"ingot sign root-hash @usr.roothash --key keys/root-hash.key "
		"--certificate keys/root-hash.crt --output usr.roothash.p7s\n"
		"# The same with a key in a token\n"
		"ingot sign root-hash @usr.roothash --key 'pkcs11:token=Release;object=root-hash' "
		"--pin-file pin --certificate keys/root-hash.crt --output usr.roothash.p7s\n"
		"# What somebody else's program says about it\n"
		"printf %s \"$(cat usr.roothash)\" >text\n"
		"openssl smime -verify -binary -inform DER -in usr.roothash.p7s -content text "
		"-certfile keys/root-hash.crt -nointern -noverify\n",
	.options = ROOT_HASH_OPTIONS,
	.option_count = CLI_COUNT(ROOT_HASH_OPTIONS),
	.options_size = sizeof(struct sign_options),
	.args_min = 1,
	.args_max = 1,
	.run = run_root_hash,
};
