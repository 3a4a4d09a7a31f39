#include "image/build_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/text.h"
#include "image/digest_internal.h"

/* --- the summary ------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Until a step has ended, its `seconds` hold when it began. */
static void end_step(struct ingot_build_summary *summary)
{
	struct ingot_build_step *step;

	if (summary->step_count == 0)
		return;
	step = &summary->steps[summary->step_count - 1];
	step->seconds = now() - step->seconds;
}

void build_step(struct build *b, const char *name)
{
	struct ingot_build_summary *summary = b->summary;

	if (summary->step_count == INGOT_BUILD_STEPS_MAX)
		return;
	end_step(summary);
	summary->steps[summary->step_count++] =
		(struct ingot_build_step){.name = name, .seconds = now()};
	if (b->options->step)
		b->options->step(b->options->context, name);
}

void build_note(struct build *b, const char *format, ...)
{
	struct ingot_build_summary *summary = b->summary;
	char *text = NULL;
	va_list args;
	int n;

	if (summary->note_count == INGOT_BUILD_NOTES_MAX)
		return;
	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n >= 0)
		summary->notes[summary->note_count++] = text;
}

int build_add_file(struct build *b, const char *path, struct ingot_error *err)
{
	struct ingot_build_summary *s = b->summary;
	void *items = s->files;
	int rc = ingot_grow(&items, &s->file_room, s->file_count + 1, sizeof(*s->files), err);

	s->files = items;
	if (rc < 0)
		return rc;
	s->files[s->file_count] = ingot_strdup(path, err);
	return s->files[s->file_count++] ? 0 : -ENOMEM;
}

void ingot_build_summary_done(struct ingot_build_summary *summary)
{
	for (size_t i = 0; i < summary->file_count; i++)
		free(summary->files[i]);
	free(summary->files);
	free(summary->image);
	free(summary->manifest);
	free(summary->request);
	for (size_t i = 0; i < summary->note_count; i++)
		free(summary->notes[i]);
	*summary = (struct ingot_build_summary){0};
}

static void fill_summary(struct build *b)
{
	struct ingot_build_summary *s = b->summary;

	s->image_size = b->placement->disk_size;
	s->tree_entries = b->tree_digest.entries;
	if (!b->usr)
		return;
	(void)snprintf(s->root_hash, sizeof(s->root_hash), "%s", b->root.hex);
	s->data_blocks = b->geometry.data_blocks;
	s->hash_blocks = b->geometry.hash_blocks;
	s->usr_size = b->ext2->size;
	s->usr_free = b->ext2_stats.free_blocks * INGOT_EXT2_BLOCK;
}

/* --- outputs ----------------------------------------------------------- */

static int name_outputs(struct build *b, struct ingot_error *err)
{
	const char *folder = b->options->output_directory;
	const struct ingot_recipe *r = b->recipe;

	b->summary->image = ingot_format(err, "%s/%s-%s.raw", folder, r->name, r->version);
	b->summary->manifest =
		ingot_format(err, "%s/%s-%s.manifest.json", folder, r->name, r->version);
	b->summary->request =
		b->request ? ingot_format(err, "%s/%s-%s.request.json", folder, r->name, r->version)
			   : NULL;
	if (!b->summary->image || !b->summary->manifest || (b->request && !b->summary->request))
		return -ENOMEM;
	if (mkdir(folder, 0777) < 0 && errno != EEXIST)
		return ingot_raise_errno(err, errno, "make the folder '%s'", folder);
	return 0;
}

static int open_disk(struct build *b, struct ingot_error *err)
{
	int rc = name_outputs(b, err);

	if (rc == 0)
		rc = ingot_output_create(b->summary->image, &b->output, err);
	if (rc == 0)
		rc = ingot_output_sink(b->output, b->placement->disk_size, &b->disk, err);
	return rc;
}

/* Writes what the kernel holds back to the disk while the digest is computed from it. */
static void *flush(void *arg)
{
	const struct ingot_output *output = arg;

	/* The commit syncs again and reports; this one only saves time. */
	(void)fdatasync(ingot_output_fd(output));
	return NULL;
}

static int digest_disk(struct build *b, struct image_digests *digests, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *disk = NULL;
	pthread_t flusher;
	bool started;
	int rc;

	if (!b->recipe->digests || !outputs_want_raw(b) || b->request)
		return 0;
	build_step(b, "digest of the image");
	rc = image_output_source(b->output, &disk, err);
	if (rc < 0)
		return rc;
	started = pthread_create(&flusher, NULL, flush, b->output) == 0;
	rc = image_digests(disk, b->options->jobs, &b->options->progress, digests, err);
	if (started)
		(void)pthread_join(flusher, NULL);
	return rc;
}

/* What tells of the image; NULL: not wanted. */
struct outcome {
	struct ingot_output *manifest, *signature, *request;
};

static void outcome_done(struct outcome *outcome)
{
	ingot_output_free(outcome->manifest);
	ingot_output_free(outcome->signature);
	ingot_output_free(outcome->request);
}

static int write_manifest(struct build *b, const json_t *manifest, struct outcome *ret,
			  struct ingot_error *err)
{
	INGOT_FREE char *text = json_dumps(manifest, JSON_INDENT(2)), *line = NULL;
	int rc;

	if (!text)
		return ingot_raise_oom(err, 0);
	line = ingot_format(err, "%s\n", text);
	if (!line)
		return -ENOMEM;
	rc = ingot_output_create(b->summary->manifest, &ret->manifest, err);
	if (rc == 0)
		rc = ingot_output_write(ret->manifest, line, strlen(line), err);
	if (rc == 0 && b->recipe->sign_manifest && !b->request)
		rc = manifest_sign(b, line, strlen(line), &ret->signature, err);
	if (rc == 0 && b->request)
		rc = request_write(b, manifest, &ret->request, err);
	return rc;
}

static int write_papers(struct build *b, const struct image_digests *digests, struct outcome *ret,
			struct ingot_error *err)
{
	json_t *manifest = NULL;
	int rc = manifest_make(b, digests, &manifest, err);

	if (rc < 0)
		return rc;
	rc = write_manifest(b, manifest, ret, err);
	json_decref(manifest);
	return rc;
}

/* What gets a name, or with NULL how many there are. The manifest is the last: it speaks of all. */
static size_t list_outputs(const struct build *b, const struct outcome *outcome,
			   struct ingot_output **list)
{
	struct ingot_output *const own[] = {outputs_want_raw(b) ? b->output : NULL,
					    outcome->signature, outcome->request,
					    outcome->manifest};
	size_t n = outputs_list_files(b, list);

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (own[i] && list)
			list[n] = own[i];
		n += own[i] != NULL;
	}
	return n;
}

static int commit(struct build *b, const struct outcome *outcome, struct ingot_error *err)
{
	size_t count = list_outputs(b, outcome, NULL);
	INGOT_FREE struct ingot_output **list = ingot_alloc(count, sizeof(*list), err);
	int rc = list ? 0 : -ENOMEM;

	if (rc == 0 && outputs_want_raw(b))
		rc = build_add_file(b, b->summary->image, err);
	if (rc == 0)
		rc = outputs_add_files(b, err);
	if (rc < 0)
		return rc;
	(void)list_outputs(b, outcome, list);
	return ingot_outputs_commit(list, count, err);
}

static int make_papers(struct build *b, struct outcome *ret, struct ingot_error *err)
{
	struct image_digests digests = {0};
	int rc = digest_disk(b, &digests, err);

	if (rc == 0)
		rc = outputs_digest_blocks(b, &digests, err);
	if (rc == 0)
		rc = write_papers(b, b->recipe->digests ? &digests : NULL, ret, err);
	image_digests_done(&digests);
	return rc;
}

/* All files are whole before any gets its name. */
static int finish(struct build *b, struct ingot_error *err)
{
	struct outcome outcome = {0};
	int rc = outputs_write(b, err);

	if (rc == 0)
		rc = make_papers(b, &outcome, err);
	if (rc == 0) {
		build_step(b, "write to the disk");
		rc = commit(b, &outcome, err);
	}
	outcome_done(&outcome);
	return rc;
}

/* --- the whole --------------------------------------------------------- */

static void build_done(struct build *b)
{
	background_digest_done(&b->archive);
	outputs_free(b->outputs);
	ingot_sink_free(b->disk);
	ingot_output_free(b->output);
	root_hash_done(&b->root);
	ingot_sign_request_free(b->request);
	free(b->room.list);
	ingot_key_free(b->key);
	ingot_certificate_free(b->certificate);
	for (size_t i = 0; i < INGOT_RECIPE_CO_SIGNERS_MAX; i++) {
		ingot_key_free(b->co_keys[i]);
		ingot_certificate_free(b->co_certificates[i]);
	}
	ingot_key_free(b->boot_key);
	ingot_certificate_free(b->boot_certificate);
	ingot_source_free(b->ext2);
	boot_close_inputs(&b->inputs);
	ingot_tree_free(b->oem);
	ingot_tree_free(b->tree);
	free(b->gpt);
	free(b->placement);
	ingot_layout_free(b->layout);
	ingot_recipe_free(b->recipe);
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int run(struct build *b, const char *recipe, struct ingot_problems *problems,
	       struct ingot_error *err)
{
	int rc = build_load(b, recipe, problems, err);

	if (rc == 0)
		rc = build_plan(b, problems, err);
	if (rc == 0)
		rc = open_disk(b, err);
	if (rc == 0 && b->recipe->digests && is_file(b->recipe->tree.path))
		background_digest_start(&b->archive, b->recipe->tree.path);
	if (rc == 0)
		rc = build_write(b, err);
	if (rc == 0)
		rc = finish(b, err);
	end_step(b->summary);
	if (rc == 0)
		fill_summary(b);
	return rc;
}

int ingot_build(const char *recipe, const struct ingot_build_options *options,
		struct ingot_problems *problems, struct ingot_build_summary *ret,
		struct ingot_error *err)
{
	struct build b = {.options = options, .summary = ret};
	int rc;

	*ret = (struct ingot_build_summary){0};
	rc = run(&b, recipe, problems, err);
	build_done(&b);
	return rc;
}
