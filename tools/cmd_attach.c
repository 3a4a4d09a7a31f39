/* ingot attach: signatures that were made elsewhere, into the image that waits for them. */
#include "cli.h"
#include "commands.h"
#include "image/attach.h"
#include "io/source.h"

struct attach_options {
	const char *response, *request, *manifest;
	bool json;
};

/* The request is needed for nothing; who gives it wants to know that both belong together. */
static int check_request(const char *path, const struct ingot_sign_request *response,
			 struct ingot_error *err)
{
	INGOT_SIGN_REQUEST struct ingot_sign_request *request = NULL;
	INGOT_FREE char *text = NULL;
	size_t n;
	int rc = ingot_load_file(path, INGOT_REQUEST_MAX, &text, &n, err);

	if (rc == 0)
		rc = ingot_sign_request_read(text, n, &request, err);
	if (rc == 0)
		rc = ingot_sign_response_check(response, request, err);
	return rc < 0 ? ingot_wrap(err, rc, "request '%s'", path) : 0;
}

static int load_response(const char *path, struct ingot_sign_request **ret, struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	size_t n;
	int rc = ingot_load_file(path, INGOT_RESPONSE_MAX, &text, &n, err);

	if (rc == 0)
		rc = ingot_sign_response_read(text, n, ret, err);
	return rc < 0 ? ingot_wrap(err, rc, "response '%s'", path) : 0;
}

static int report(const struct cli *cli, const struct ingot_attach_report *report,
		  struct ingot_error *err)
{
	const struct attach_options *o = cli->options;
	json_t *object;
	int rc;

	if (cli->quiet)
		return 0;
	object = json_pack("{s:s, s:s, s:i, s:I}", "image", cli->args[0], "format", report->format,
			   "places", (int)report->places, "bytes_written",
			   (json_int_t)report->bytes_written);
	rc = cli_report(object, o->json, err);
	json_decref(object);
	return rc;
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct attach_options *o = cli->options;
	INGOT_SIGN_REQUEST struct ingot_sign_request *response = NULL;
	struct ingot_attach_report done;
	int rc = load_response(o->response, &response, err);

	if (rc == 0 && o->request)
		rc = check_request(o->request, response, err);
	if (rc == 0)
		rc = ingot_attach(cli->args[0], response, &done, err);
	if (rc == 0 && o->manifest)
		rc = ingot_attach_manifest(o->manifest, cli->args[0], response, cli->jobs, err);
	return rc < 0 ? rc : report(cli, &done, err);
}

#define AT(member) offsetof(struct attach_options, member)
static const struct cli_option OPTIONS[] = {
	{"response", "FILE", "what `ingot sign --request` made", AT(response), CLI_TEXT, true},
	{"request", "FILE", "check that the response answers this request", AT(request), CLI_TEXT,
	 false},
	{"manifest", "FILE",
	 "also finish this manifest of the build: the digest of the image, and what is signed",
	 AT(manifest), CLI_TEXT, false},
	{"json", NULL, "print what was done as JSON", AT(json), CLI_FLAG, false},
};

const struct cli_command cmd_attach = {
	.name = "attach",
	.arguments = "IMAGE",
	.summary = "Put signatures that were made elsewhere into a finished image",
	.description =
		"Takes an image of `ingot build --sign-later` and the answer of `ingot sign --request`, "
		"and writes the signatures into the room that the build left for them: into the initrd "
		"inside the unified kernel image on the ESP, at the end of that image for Secure Boot, and "
		"into the partition for the root hash's signature where the layout has one. Only sectors "
		"that change are written. The image is then, byte for byte, what a build with the keys at "
		"hand makes.\n\n"
		"All signatures are checked against their certificates, and everything in the image is "
		"looked at, before the first byte is written: another image, or room that something else "
		"stands in, is refused. If the power fails meanwhile, run it again.\n\n"
		"With --manifest the image is read once more as a whole for its digest. `ingot verify` "
		"then checks all of it.",
	.examples = "# on the build machine, again\n"
		    "ingot attach out/demo-1.raw --response demo-1.response.json "
		    "--manifest out/demo-1.manifest.json\n"
		    "ingot verify out/demo-1.raw --certificate root-hash.crt "
		    "--manifest out/demo-1.manifest.json",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct attach_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
