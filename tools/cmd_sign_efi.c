/* ingot sign efi-list, ingot sign efi-variable: what firmware is told to trust. */
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "io/output.h"
#include "io/source.h"
#include "key_options.h"
#include "same_file.h"
#include "sign/efi.h"

static int write_output(const char *path, const uint8_t *data, size_t n, struct ingot_error *err)
{
	INGOT_OUTPUT struct ingot_output *output = NULL;
	int rc = ingot_output_create(path, &output, err);

	if (rc == 0)
		rc = ingot_output_write(output, data, n, err);
	return rc < 0 ? rc : ingot_output_commit(output, err);
}

/* --- efi-list ---------------------------------------------------------- */

struct list_options {
	const char *owner, *output;
};

static int make_list(const struct list_options *o, struct ingot_certificate **certificates,
		     size_t count, struct ingot_error *err)
{
	INGOT_FREE uint8_t *list = NULL;
	struct ingot_guid owner;
	size_t n;
	int rc = o->owner ? ingot_guid_parse(o->owner, &owner, err)
			  : ingot_efi_owner(certificates[0], &owner, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "owner");
	rc = ingot_efi_list((const struct ingot_certificate *const *)certificates, count, &owner,
			    &list, &n, err);
	return rc < 0 ? rc : write_output(o->output, list, n, err);
}

static int run_list(const struct cli *cli, struct ingot_error *err)
{
	const struct list_options *o = cli->options;
	INGOT_FREE struct ingot_certificate **certificates =
		ingot_alloc(cli->arg_count, sizeof(*certificates), err);
	int rc = certificates ? same_file_refuse_all(cli->args, cli->arg_count, o->output, err)
			      : -ENOMEM;

	for (size_t i = 0; i < cli->arg_count && rc == 0; i++)
		rc = ingot_certificate_load(cli->args[i], &certificates[i], err);
	if (rc == 0)
		rc = make_list(cli->options, certificates, cli->arg_count, err);
	for (size_t i = 0; certificates && i < cli->arg_count; i++)
		ingot_certificate_free(certificates[i]);
	return rc;
}

static const struct cli_option LIST_OPTIONS[] = {
	{"owner", "GUID", "whose certificates they are; derived from the first one without",
	 offsetof(struct list_options, owner), CLI_TEXT, false},
	{"output", "FILE", "where the list goes (.esl); - is standard output",
	 offsetof(struct list_options, output), CLI_TEXT, true},
};

const struct cli_command cmd_sign_efi_list = {
	.name = "sign efi-list",
	.arguments = "CERTIFICATE...",
	.summary = "List certificates for UEFI firmware's PK, KEK or db",
	.description =
		"Puts certificates (PEM or DER) into an EFI signature list, the form in which UEFI "
		"firmware keeps what it trusts: one list after the other, each with one certificate. "
		"Nothing is signed here; `ingot sign efi-variable` does that.\n"
		"\n"
		"The owner is a GUID of your choice that says who put the entry there, so that it can "
		"be found again. Firmware attaches no meaning to it.",
	.examples = "# Two certificates for db\n"
		    "ingot sign efi-list db-2026.crt db-2027.crt --owner "
		    "28fc0c3d-5a16-4d1b-a2b5-6a3b6c0d0b5e --output db.esl\n",
	.options = LIST_OPTIONS,
	.option_count = CLI_COUNT(LIST_OPTIONS),
	.options_size = sizeof(struct list_options),
	.args_min = 1,
	.args_max = 64,
	.run = run_list,
};

/* --- efi-variable ------------------------------------------------------ */

struct variable_options {
	struct key_options key;
	struct cli_u64 epoch;
	bool append;
	const char *output;
};

static int sign_variable(const struct cli *cli, const struct ingot_efi_variable *variable,
			 struct ingot_error *err)
{
	const struct variable_options *o = cli->options;
	INGOT_CERTIFICATE struct ingot_certificate *certificate = NULL;
	INGOT_KEY struct ingot_key *key = NULL;
	INGOT_FREE uint8_t *data = NULL;
	size_t n;
	int rc = key_options_open(cli, &o->key, &key, &certificate, err);

	if (rc == 0)
		rc = ingot_efi_variable_sign(variable, key, certificate, &data, &n, err);
	return rc < 0 ? rc : write_output(o->output, data, n, err);
}

static int run_variable(const struct cli *cli, struct ingot_error *err)
{
	const struct variable_options *o = cli->options;
	struct ingot_efi_variable variable = {.name = cli->args[0], .append = o->append};
	INGOT_FREE char *list = NULL;
	int rc = key_options_refuse(&o->key, o->output, err);

	if (rc == 0)
		rc = same_file_refuse(cli->args[1], o->output, err);
	if (rc == 0)
		rc = cli_epoch(&o->epoch, &variable.time, err);
	if (rc == 0)
		rc = ingot_load_file(cli->args[1], INGOT_EFI_LIST_MAX, &list, &variable.n, err);
	if (rc < 0)
		return rc;
	variable.list = (const uint8_t *)list;
	rc = ingot_efi_list_check(variable.list, variable.n, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "'%s'", cli->args[1]);
	return sign_variable(cli, &variable, err);
}

static const struct cli_option VARIABLE_OPTIONS[] = {
	KEY_OPTION_ROWS(struct variable_options, true /* required */),
	{"epoch", "SECONDS",
	 "time of the update, $SOURCE_DATE_EPOCH without; firmware wants a later one each time",
	 offsetof(struct variable_options, epoch), CLI_U64, false},
	{"append", NULL, "add to what the variable holds, instead of replacing it",
	 offsetof(struct variable_options, append), CLI_FLAG, false},
	{"output", "FILE", "where the update goes (.auth); - is standard output",
	 offsetof(struct variable_options, output), CLI_TEXT, true},
};

const struct cli_command cmd_sign_efi_variable = {
	.name = "sign efi-variable",
	.arguments = "PK|KEK|db|dbx|dbt LIST",
	.summary = "Sign an update of one of UEFI firmware's Secure Boot variables",
	.description =
		"Signs a list that `ingot sign efi-list` made, so that firmware takes it as the new "
		"contents of a variable: an authenticated update with a time "
		"(EFI_VARIABLE_AUTHENTICATION_2). It is what firmware setup programs, KeyTool, "
		"efi-updatevar and systemd-boot (loader/keys/) enrol.\n"
		"\n"
		"PK and KEK are signed by the key of PK, db and dbx by one of KEK; the first PK by "
		"itself. The update says when it was made, and firmware refuses one that is not "
		"later than the last. With an empty LIST the variable is removed: an update of PK of "
		"this kind, kept in a safe place, is the way back into setup mode.\n"
		"\n" KEY_OPTIONS_TEXT,
	.examples = "# All that a machine of your own needs\n"
		    "for name in PK KEK db; do\n"
		    "    ingot sign efi-list $name.crt --output $name.esl\n"
		    "done\n"
		    "ingot sign efi-variable PK PK.esl --key PK.key --certificate PK.crt "
		    "--epoch 1767225600 --output PK.auth\n"
		    "ingot sign efi-variable KEK KEK.esl --key PK.key --certificate PK.crt "
		    "--epoch 1767225600 --output KEK.auth\n"
		    "ingot sign efi-variable db db.esl --key KEK.key --certificate KEK.crt "
		    "--epoch 1767225600 --output db.auth\n",
	.options = VARIABLE_OPTIONS,
	.option_count = CLI_COUNT(VARIABLE_OPTIONS),
	.options_size = sizeof(struct variable_options),
	.args_min = 2,
	.args_max = 2,
	.run = run_variable,
};
