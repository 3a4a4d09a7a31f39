#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "image/build.h"
#include "sign/keys.h"

struct build_options {
	const char *output;
	bool sign_later;
	bool json;
};

/* --- progress, on a terminal only -------------------------------------- */

struct terminal {
	bool shown;
	const char *step;
	int percent;
};

static void on_step(void *context, const char *name)
{
	struct terminal *t = context;

	t->step = name;
	t->percent = -1;
	if (t->shown)
		fprintf(stderr, "\r\033[K%s", name);
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
	struct terminal *t = context;
	int percent = total ? (int)(done * 100 / total) : 100;

	if (!t->shown || percent == t->percent)
		return;
	t->percent = percent;
	fprintf(stderr, "\r\033[K%s %d %%", t->step ? t->step : "", percent);
}

static void clear(const struct terminal *t)
{
	if (t->shown)
		fprintf(stderr, "\r\033[K");
}

/* --- the summary ------------------------------------------------------- */

static bool has_raw(const struct ingot_build_summary *s)
{
	return s->file_count > 0 && strcmp(s->files[0], s->image) == 0;
}

static json_t *summary_json(const struct ingot_build_summary *s)
{
	json_t *object = json_object(), *steps = json_array(), *files = json_array();

	for (size_t i = 0; i < s->file_count; i++)
		(void)json_array_append_new(files, json_string(s->files[i]));
	(void)json_object_set_new(object, "image",
				  has_raw(s) ? json_string(s->image) : json_null());
	(void)json_object_set_new(object, "files", files);
	(void)json_object_set_new(object, "manifest", json_string(s->manifest));
	if (s->request)
		(void)json_object_set_new(object, "request", json_string(s->request));
	(void)json_object_set_new(object, "root_hash", json_string(s->root_hash));
	(void)json_object_set_new(object, "image_size", json_integer((json_int_t)s->image_size));
	(void)json_object_set_new(object, "data_blocks", json_integer((json_int_t)s->data_blocks));
	(void)json_object_set_new(object, "hash_blocks", json_integer((json_int_t)s->hash_blocks));
	for (size_t i = 0; i < s->step_count; i++)
		(void)json_array_append_new(steps, json_pack("{s:s, s:f}", "step", s->steps[i].name,
							     "seconds", s->steps[i].seconds));
	(void)json_object_set_new(object, "steps", steps);
	return object;
}

static void print_summary(const struct ingot_build_summary *s)
{
	char a[INGOT_SIZE_TEXT], b[INGOT_SIZE_TEXT];
	double total = 0;

	for (size_t i = 0; i < s->step_count; i++) {
		printf("%-24s %8.2f s\n", s->steps[i].name, s->steps[i].seconds);
		total += s->steps[i].seconds;
	}
	printf("%-24s %8.2f s\n\n", "total", total);
	printf("Tree:      %llu entries\n", (unsigned long long)s->tree_entries);
	if (*s->root_hash)
		printf("/usr:      %s, %s free\nRoot hash: %s\n", ingot_size_text(s->usr_size, a),
		       ingot_size_text(s->usr_free, b), s->root_hash);
	for (size_t i = 0; i < s->file_count; i++)
		printf("%s %s\n", i ? "          " : "Made:     ", s->files[i]);
	printf("Disk:      %s\nManifest:  %s\n", ingot_size_text(s->image_size, a), s->manifest);
	if (s->request)
		printf("To sign:   %s\n", s->request);
}

static int report(const struct ingot_build_summary *s, const struct cli *cli,
		  struct ingot_error *err)
{
	const struct build_options *o = cli->options;
	json_t *object;
	int rc;

	for (size_t i = 0; i < s->note_count && !cli->quiet; i++)
		fprintf(stderr, "ingot build: note: %s\n", s->notes[i]);
	if (cli->quiet)
		return 0;
	if (!o->json) {
		print_summary(s);
		return 0;
	}
	object = summary_json(s);
	rc = cli_report(object, true /* json */, err);
	json_decref(object);
	return rc;
}

/* --- the command ------------------------------------------------------- */

/* rc stays what it is, unless there is no memory for the list. */
static int print_problems(struct ingot_problems *problems, int rc, struct ingot_error *err)
{
	char *text = ingot_problems_text(problems);

	if (!text)
		return ingot_raise_oom(err, 0);
	fputs(text, stderr);
	free(text);
	return rc;
}

static int run(const struct cli *cli, struct ingot_error *err)
{
	const struct build_options *o = cli->options;
	struct terminal terminal = {.shown = !cli->quiet && isatty(STDERR_FILENO)};
	struct ingot_build_options options = {
		.output_directory = o->output ? o->output : ".",
		.jobs = cli->jobs,
		.may_ask = true,
		.sign_later = o->sign_later,
		.source_date_epoch = getenv("SOURCE_DATE_EPOCH"),
		.step = on_step,
		.progress = {on_progress, &terminal},
		.context = &terminal,
	};
	struct ingot_problems problems = {0};
	struct ingot_build_summary summary;
	int rc;

	ingot_key_protect_process();
	rc = ingot_build(cli->args[0], &options, &problems, &summary, err);

	clear(&terminal);
	if (rc < 0 && ingot_problems_any(&problems))
		rc = print_problems(&problems, rc, err);
	ingot_problems_done(&problems);
	if (rc == 0) {
		rc = report(&summary, cli, err);
		if (rc == 0 && fflush(stdout) != 0)
			rc = ingot_raise_errno(err, errno, "write to standard output");
		if (rc < 0)
			rc = ingot_wrap(err, rc, "'%s' is complete, but its summary is not printed",
					summary.manifest);
	}
	ingot_build_summary_done(&summary);
	return rc;
}

#define AT(member) offsetof(struct build_options, member)
static const struct cli_option OPTIONS[] = {
	{"output", "DIR",
	 "folder for the image and its manifest, made if it is not there; the current one "
	 "without",
	 AT(output), CLI_TEXT, false},
	{"sign-later", NULL,
	 "use no key: leave room for the signatures, and a request for `ingot sign`",
	 AT(sign_later), CLI_FLAG, false},
	{"json", NULL, "print the summary as JSON", AT(json), CLI_FLAG, false},
};

const struct cli_command cmd_build = {
	.name = "build",
	.arguments = "RECIPE",
	.summary = "Build a disk image from a recipe",
	.description =
		"Reads one YAML file and makes NAME-VERSION.raw, a bootable GPT disk whose /usr is on "
		"dm-verity, and NAME-VERSION.manifest.json beside it, with the digests of everything that "
		"went in and came out. One process, no root, no loop device, no mount.\n\n"
		"The recipe's `outputs` may name other formats and vendors: NAME-VERSION.qcow2, "
		"NAME-VERSION-azure.vhd and so on come from the same pass; what the vendors' disks share is "
		"read and compressed once.\n\n"
		"All mistakes in the recipe and its layout are reported at once, each as "
		"FILE:LINE:COLUMN: TEXT. Things that machines must not share (SSH host keys, machine-id, "
		"random seeds, leases, private keys) are refused until the recipe excludes them.\n\n"
		"With --sign-later no key is used. The image has room for the signatures, and "
		"NAME-VERSION.request.json says what `ingot sign` is to sign, on a machine that may be "
		"elsewhere; `ingot attach` puts the signatures into the outputs, whatever their formats. The "
		"recipe's certificates have to be there.\n\n"
		"The same inputs give the same bytes on any machine, for any number of threads, on any "
		"day. On failure nothing has changed under the final names; only if the summary cannot be printed is the image there all the same, and the error says so.",
	.examples = "# without the keys, which are elsewhere\n"
		    "ingot build demo.yaml --output out --sign-later\n"
		    "# what the README shows\ningot build demo.yaml --output out\n"
		    "# the epoch from the source's last commit\n"
		    "SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) ingot build demo.yaml",
	.options = OPTIONS,
	.option_count = CLI_COUNT(OPTIONS),
	.options_size = sizeof(struct build_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
