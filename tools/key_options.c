#include "key_options.h"

#include <stdio.h>

#include "same_file.h"

static int check(const struct cli *cli, const struct key_options *options, struct ingot_error *err)
{
	if (ingot_key_is_uri(options->key)) {
		if (options->passphrase_file || options->passphrase_variable)
			return cli_usage(cli, err,
					 "a token has a PIN, not a passphrase: give --pin-file");
	} else if (options->pin_file) {
		return cli_usage(cli, err,
				 "--pin-file is for keys in tokens (pkcs11:...); a PEM file has a "
				 "passphrase");
	}
	if (options->passphrase_file && options->passphrase_variable)
		return cli_usage(cli, err, "give --passphrase-file or --passphrase-env, not both");
	return 0;
}

static void warn(const struct cli *cli, const char *what, const char *path)
{
	if (!cli->quiet)
		fprintf(stderr,
			"ingot %s: warning: others than its owner can read or change %s '%s'\n",
			cli->command->name, what, path);
}

int key_options_open(const struct cli *cli, const struct key_options *options,
		     struct ingot_key **ret_key, struct ingot_certificate **ret_certificate,
		     struct ingot_error *err)
{
	bool is_uri = ingot_key_is_uri(options->key);
	const struct ingot_key_source source = {
		.location = options->key,
		.secret_file = is_uri ? options->pin_file : options->passphrase_file,
		.secret_variable = options->passphrase_variable,
		.may_ask = true,
	};
	unsigned exposed;
	int rc = check(cli, options, err);

	if (rc == 0)
		rc = ingot_certificate_load(options->certificate, ret_certificate, err);
	if (rc < 0)
		return rc;
	ingot_key_protect_process();
	rc = ingot_key_open(&source, ret_key, &exposed, err);
	if (rc < 0)
		return rc;
	if (exposed & INGOT_KEY_EXPOSED)
		warn(cli, "key", options->key);
	if (exposed & INGOT_SECRET_EXPOSED)
		warn(cli, "the secret's file",
		     source.secret_file ? source.secret_file : "of the URI's pin-source");
	return ingot_key_check(*ret_key, *ret_certificate, err);
}

int key_options_refuse(const struct key_options *options, const char *output,
		       struct ingot_error *err)
{
	const char *inputs[] = {options->key, options->certificate, options->passphrase_file,
				options->pin_file};

	return same_file_refuse_all(inputs, CLI_COUNT(inputs), output, err);
}
