/* ingot sign --request: the other half of a build without keys, on the machine that has them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli.h"
#include "commands.h"
#include "image/request_show.h"
#include "io/output.h"
#include "io/source.h"
#include "same_file.h"

struct request_options {
	const char *request, *response, *layout;
	struct cli_list keys, certificates, images;
	const char *passphrase_file, *passphrase_variable, *pin_file;
	bool yes;
};

enum { KEYS_MAX = INGOT_SIGNERS_MAX + 1 };

struct keys {
	struct ingot_key *list[KEYS_MAX];
	size_t count;
};

static void keys_done(struct keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		ingot_key_free(keys->list[i]);
}

/* --- what may be signed ------------------------------------------------ */

static bool is_same(const struct ingot_certificate *a, const struct ingot_certificate *b)
{
	size_t n, m;
	const uint8_t *x = ingot_certificate_der(a, &n), *y = ingot_certificate_der(b, &m);

	return n == m && memcmp(x, y, n) == 0;
}

/* The certificates that were given are the only ones that the request may name. */
static int check_certificate(const struct cli_list *given, const struct ingot_certificate *wanted,
			     struct ingot_error *err)
{
	INGOT_FREE char *subject = NULL;
	int rc;

	for (size_t i = 0; i < given->count; i++) {
		INGOT_CERTIFICATE struct ingot_certificate *certificate = NULL;

		rc = ingot_certificate_load(given->items[i], &certificate, err);
		if (rc < 0)
			return rc;
		if (is_same(certificate, wanted))
			return 0;
	}
	rc = ingot_certificate_subject(wanted, &subject, err);
	if (rc < 0)
		return rc;
	return ingot_raise(err, -EKEYREJECTED,
			   "the request is for the certificate '%s', which is none of those given",
			   subject);
}

static int check_certificates(const struct request_options *o,
			      const struct ingot_sign_request *request, struct ingot_error *err)
{
	int rc = 0;

	if (o->certificates.count == 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < request->signer_count; i++)
		rc = check_certificate(&o->certificates, request->signers[i].certificate, err);
	if (rc == 0 && request->uki.signer.certificate)
		rc = check_certificate(&o->certificates, request->uki.signer.certificate, err);
	return rc;
}

/* --- images ------------------------------------------------------------ */

/* Before anything is shown: an image that the request is not of stops it. */
static int check_images(const struct cli *cli, const struct ingot_sign_request *request,
			struct ingot_request_proof *proof, struct ingot_error *err)
{
	const struct request_options *o = cli->options;
	int rc = 0;

	if (o->layout && o->images.count == 0)
		return cli_usage(cli, err, "--layout is for an --image");
	for (size_t i = 0; rc == 0 && i < o->images.count; i++)
		rc = ingot_request_check_image(request, o->images.items[i], o->layout, cli->jobs,
					       proof, err);
	return rc;
}

/* --- keys -------------------------------------------------------------- */

static void warn(const struct cli *cli, const char *what, const char *path)
{
	if (!cli->quiet)
		fprintf(stderr,
			"ingot sign: warning: others than its owner can read or change %s '%s'\n",
			what, path);
}

static int open_keys(const struct cli *cli, struct keys *keys, struct ingot_error *err)
{
	const struct request_options *o = cli->options;

	ingot_key_protect_process();
	for (size_t i = 0; i < o->keys.count; i++) {
		bool is_uri = ingot_key_is_uri(o->keys.items[i]);
		const struct ingot_key_source source = {
			.location = o->keys.items[i],
			.secret_file = is_uri ? o->pin_file : o->passphrase_file,
			.secret_variable = is_uri ? NULL : o->passphrase_variable,
			.may_ask = true,
		};
		unsigned exposed;
		int rc = ingot_key_open(&source, &keys->list[i], &exposed, err);

		if (rc < 0)
			return rc;
		keys->count++;
		if (exposed & INGOT_KEY_EXPOSED)
			warn(cli, "key", source.location);
		if (exposed & INGOT_SECRET_EXPOSED)
			warn(cli, "the secret of key", source.location);
	}
	return 0;
}

/* --- asking ------------------------------------------------------------ */

/* From the terminal itself: what a pipe says is not a person's word. */
static int ask(struct ingot_error *err)
{
	FILE *terminal = fopen("/dev/tty", "r+e");
	char answer[16] = "";

	if (!terminal)
		return ingot_raise(err, -ENOTTY,
				   "there is no terminal to ask at; --yes signs without asking");
	fputs("Sign this? [y/N] ", terminal);
	(void)fflush(terminal);
	if (!fgets(answer, sizeof(answer), terminal))
		answer[0] = '\0';
	(void)fclose(terminal);
	if (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0)
		return 0;
	fputs("Nothing was signed.\n", stderr);
	return 1;
}

/* --- the command ------------------------------------------------------- */

static int load(const char *path, struct ingot_sign_request **ret, struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	size_t n;
	int rc = ingot_load_file(path, INGOT_REQUEST_MAX, &text, &n, err);

	if (rc == 0)
		rc = ingot_sign_request_read(text, n, ret, err);
	return rc < 0 ? ingot_wrap(err, rc, "request '%s'", path) : 0;
}

static int sign(const struct cli *cli, struct ingot_sign_request *request, struct ingot_error *err)
{
	const struct request_options *o = cli->options;
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_FREE char *text = NULL;
	struct keys keys = {0};
	int rc = open_keys(cli, &keys, err);

	if (rc == 0)
		rc = ingot_sign_request_sign(request, keys.list, keys.count, err);
	keys_done(&keys);
	if (rc == 0)
		rc = ingot_sign_response_write(request, &text, err);
	if (rc == 0)
		rc = ingot_output_create(o->response, &output, err);
	if (rc == 0)
		rc = ingot_output_write(output, text, strlen(text), err);
	return rc < 0 ? rc : ingot_output_commit(output, err);
}

static int check_response(const struct request_options *o, struct ingot_error *err)
{
	const char *files[] = {o->request, o->passphrase_file, o->pin_file};
	const struct cli_list *lists[] = {&o->keys, &o->certificates, &o->images};
	int rc = same_file_refuse_all(files, CLI_COUNT(files), o->response, err);

	for (size_t i = 0; rc == 0 && i < CLI_COUNT(lists); i++)
		rc = same_file_refuse_all(lists[i]->items, lists[i]->count, o->response, err);
	return rc;
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct request_options *o = cli->options;
	INGOT_SIGN_REQUEST struct ingot_sign_request *request = NULL;
	INGOT_FREE struct ingot_request_proof *proof = ingot_alloc(1, sizeof(*proof), err);
	int rc;

	if (!proof)
		return -ENOMEM;
	if (o->keys.count > KEYS_MAX)
		return cli_usage(cli, err, "there are %zu keys, at most %d are possible",
				 o->keys.count, KEYS_MAX);
	rc = check_response(o, err);
	if (rc == 0)
		rc = load(o->request, &request, err);
	if (rc == 0)
		rc = check_certificates(o, request, err);
	if (rc == 0)
		rc = check_images(cli, request, proof, err);
	if (rc == 0)
		rc = ingot_request_show(request, o->images.count > 0 ? proof : NULL, stderr, err);
	if (rc == 0 && !o->yes)
		rc = ask(err);
	return rc == 0 ? sign(cli, request, err) : rc;
}

#define AT(member) offsetof(struct request_options, member)
static const struct cli_option OPTIONS[] = {
	{"request", "FILE", "what `ingot build --sign-later` wants signed", AT(request), CLI_TEXT,
	 true},
	{"key", "FILE|URI",
	 "private key: a PEM file, or the URI of one in a token (pkcs11:...); once for each signer",
	 AT(keys), CLI_LIST, true},
	{"certificate", "FILE", "sign only for this certificate; may be given several times",
	 AT(certificates), CLI_LIST, false},
	{"image", "FILE",
	 "check that the request is of this image, raw or in a container, and show what it proves; "
	 "once for the base image, once for each vendor's",
	 AT(images), CLI_LIST, false},
	{"layout", "NAME|FILE",
	 "the partitions of an --image have to be those of this layout; without it, it is the "
	 "built-in one that they are most like",
	 AT(layout), CLI_TEXT, false},
	{"response", "FILE", "where the signatures go; - is standard output", AT(response),
	 CLI_TEXT, true},
	{"yes", NULL, "do not ask", AT(yes), CLI_FLAG, false},
	{"passphrase-file", "FILE", "its first line is the passphrase of the PEM files",
	 AT(passphrase_file), CLI_TEXT, false},
	{"passphrase-env", "NAME", "the environment variable that holds the passphrase",
	 AT(passphrase_variable), CLI_TEXT, false},
	{"pin-file", "FILE", "its first line is the PIN of the token", AT(pin_file), CLI_TEXT,
	 false},
};

const struct cli_command cmd_sign = {
	.name = "sign",
	.arguments = "",
	.summary = "Sign what a build without keys asks for",
	.description =
		"Reads the request of `ingot build --sign-later`, shows what is in it, asks, and writes "
		"the signatures for `ingot attach`. The machine needs neither the image nor a network: "
		"what the signature for Secure Boot covers is in the request, so both signatures are made "
		"in one go although the second covers the first.\n\n"
		"What is shown goes to standard error: name, version, root hash, the kernel's command "
		"line, whose signatures are wanted, and what went into the image as the build says. "
		"docs/air-gap.md says which of it is proven.\n\n"
		"With --image, the machine that signs does not take the build's word for the boot stub, the "
		"kernel, the initrd and the command line: all bytes that are to be signed are read in the "
		"image, and /usr is read as a whole for the root hash. What does not agree is refused, with "
		"exit status 2, and nothing is signed. A vendor's image has a UKI of its own; one that is in "
		"none of the images is shown as not proven.\n\n"
		"Each key signs for the certificate that it belongs to. A key that the request has no "
		"certificate for is refused, and so is a request with a certificate that no key was given "
		"for.",
	.examples =
		"# where the keys are\n"
		"ingot sign --request demo-1.request.json --key root-hash.key --key db.key "
		"--response demo-1.response.json\n"
		"# and look at the image itself\n"
		"ingot sign --request demo-1.request.json --image demo-1.qcow2 --key root-hash.key "
		"--key db.key --response demo-1.response.json\n"
		"# by a token\n"
		"ingot sign --request demo-1.request.json --key 'pkcs11:token=Release;object=usr' "
		"--pin-file pin --response demo-1.response.json",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct request_options),
	.args_min = 0,
	.args_max = 0,
	.run = run,
};
