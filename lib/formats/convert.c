#include "formats/convert.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "formats/format_internal.h"
#include "io/pool.h"

struct target {
	const struct ingot_writer_ops *ops;
	struct ingot_output *output;
	struct ingot_writer *writer;
};

struct convert {
	struct ingot_source *source;
	const struct ingot_convert_options *options;
	struct target *targets;
	unsigned needs;
	struct ingot_sha256 *identity;
};

/* --- the pass ---------------------------------------------------------- */

static int slot_init(void *context, void *slot, struct ingot_error *err)
{
	const struct convert *convert = context;
	unsigned level = convert->options->level;

	return ingot_packer_init(slot, convert->needs, level ? level : INGOT_LEVEL_DEFAULT, err);
}

static void slot_done(void *context, void *slot)
{
	(void)context;
	ingot_packer_done(slot);
}

static int work(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	const struct convert *convert = context;

	return ingot_packer_fill(slot, convert->source, index, err);
}

/*
 * The identity of a disk: SHA-256 over the place and the checksums of each 64 KiB that are not
 * zero. It tells images apart, whatever made them and in which format they were; against someone
 * who wants two to look the same it is no protection, nor is any identifier made from it.
 */
static int identify(struct convert *convert, const struct ingot_chunk *chunk,
		    struct ingot_error *err)
{
	for (size_t i = 0; i < chunk->piece_count; i++) {
		unsigned char raw[16];
		int rc;

		if (chunk->pieces[i].zero)
			continue;
		ingot_put_le64(raw, chunk->offset + i * INGOT_PIECE);
		ingot_put_le32(raw + 8, chunk->pieces[i].crc32);
		ingot_put_le32(raw + 12, chunk->pieces[i].adler32);
		rc = ingot_sha256_update(convert->identity, raw, sizeof(raw), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int commit(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	struct convert *convert = context;
	const struct ingot_chunk *chunk = &((struct ingot_packer *)slot)->chunk;
	int rc = 0;

	(void)index;
	if (convert->needs & INGOT_NEED_IDENTITY)
		rc = identify(convert, chunk, err);
	for (size_t i = 0; rc == 0 && i < convert->options->count; i++) {
		const struct target *target = &convert->targets[i];

		if (target->ops->append)
			rc = target->ops->append(target->writer, chunk, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "%s", target->ops->format.name);
	}
	if (rc == 0)
		ingot_progress_report(convert->options->progress, chunk->offset + chunk->length,
				      convert->source->size);
	return rc;
}

static int place(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	const struct convert *convert = context;
	const struct ingot_chunk *chunk = &((struct ingot_packer *)slot)->chunk;

	(void)index;
	for (size_t i = 0; i < convert->options->count; i++) {
		const struct target *target = &convert->targets[i];
		int rc = 0;

		if (target->ops->place)
			rc = target->ops->place(target->writer, chunk, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "%s", target->ops->format.name);
	}
	return 0;
}

static int run_pass(struct convert *convert, struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = sizeof(struct ingot_packer),
						  .slot_init = slot_init,
						  .slot_done = slot_done,
						  .work = work,
						  .commit = commit,
						  .after = place};

	return ingot_pool_run(convert->options->jobs,
			      ingot_div_up(convert->source->size, INGOT_CHUNK), &ops, convert, err);
}

/* --- before and after -------------------------------------------------- */

static int find_formats(struct convert *convert, struct ingot_error *err)
{
	const struct ingot_convert_options *options = convert->options;

	if (options->level > INGOT_LEVEL_MAX)
		return ingot_raise(err, -EINVAL, "level %u: levels are 1 (fast) to %d (small)",
				   options->level, INGOT_LEVEL_MAX);
	for (size_t i = 0; i < options->count; i++) {
		const struct ingot_writer_ops *ops = ingot_writer_find(options->outputs[i].format);
		char names[256];

		if (!ops) {
			ingot_writer_names(names, sizeof(names));
			return ingot_raise(err, -EINVAL,
					   "no format is called '%s'; the formats are %s",
					   options->outputs[i].format, names);
		}
		convert->targets[i].ops = ops;
		convert->needs |= ops->needs;
	}
	return 0;
}

/* Two outputs under one name would leave the second only. */
static int check_name(const struct convert *convert, size_t i, struct ingot_error *err)
{
	const char *name = ingot_output_name(convert->targets[i].output);

	for (size_t other = 0; other < i; other++)
		if (strcmp(name, ingot_output_name(convert->targets[other].output)) == 0)
			return ingot_raise(err, -EINVAL, "'%s' is the output of two formats", name);
	return 0;
}

static int start_targets(struct convert *convert, struct ingot_error *err)
{
	for (size_t i = 0; i < convert->options->count; i++) {
		struct target *target = &convert->targets[i];
		int rc = ingot_output_create(convert->options->outputs[i].path, &target->output,
					     err);

		if (rc == 0)
			rc = check_name(convert, i, err);
		if (rc == 0)
			rc = target->ops->start(target->ops, target->output, convert->source->size,
						&convert->options->outputs[i].options,
						&target->writer, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "%s", target->ops->format.name);
	}
	return 0;
}

/* The seed of every identifier: the disk's identity and size. */
static int make_seed(struct convert *convert, struct ingot_seed *seed, struct ingot_error *err)
{
	unsigned char raw[8];
	int rc;

	ingot_put_le64(raw, convert->source->size);
	rc = ingot_sha256_update(convert->identity, raw, sizeof(raw), err);
	if (rc < 0)
		return rc;
	seed->size = INGOT_SHA256_SIZE;
	return ingot_sha256_final(convert->identity, seed->bytes, err);
}

/* What a full disk or a broken one has to say, it says here, while no output has its name. */
static int finish_targets(struct convert *convert, struct ingot_error *err)
{
	struct ingot_seed seed = {0};
	int rc = make_seed(convert, &seed, err);

	for (size_t i = 0; rc == 0 && i < convert->options->count; i++) {
		const struct target *target = &convert->targets[i];

		if (target->ops->finish)
			rc = target->ops->finish(target->writer, &seed, err);
		if (rc == 0 && fsync(ingot_output_fd(target->output)) < 0)
			rc = ingot_raise_errno(err, errno, "write '%s' to the disk",
					       ingot_output_name(target->output));
		if (rc < 0)
			return ingot_wrap(err, rc, "%s", target->ops->format.name);
	}
	return rc;
}

static int commit_targets(struct convert *convert, struct ingot_error *err)
{
	for (size_t i = 0; i < convert->options->count; i++) {
		int rc = ingot_output_commit(convert->targets[i].output, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static void free_targets(struct convert *convert)
{
	for (size_t i = 0; i < convert->options->count; i++) {
		ingot_writer_free(convert->targets[i].writer);
		ingot_output_free(convert->targets[i].output);
	}
	free(convert->targets);
}

static int run(struct convert *convert, struct ingot_error *err)
{
	int rc = find_formats(convert, err);

	if (rc == 0)
		rc = start_targets(convert, err);
	if (rc == 0)
		rc = run_pass(convert, err);
	if (rc == 0)
		rc = finish_targets(convert, err);
	if (rc == 0)
		rc = commit_targets(convert, err);
	return rc;
}

int ingot_convert(struct ingot_source *source, const struct ingot_convert_options *options,
		  struct ingot_error *err)
{
	INGOT_SHA256 struct ingot_sha256 *identity = ingot_sha256_new(err);
	struct convert convert = {.source = source, .options = options, .identity = identity};
	int rc;

	if (!identity)
		return -ENOMEM;
	if (source->size > INT64_MAX)
		return ingot_raise(err, -EFBIG, "'%s' is too large", source->name);
	convert.targets = ingot_alloc(options->count, sizeof(*convert.targets), err);
	if (!convert.targets)
		return -ENOMEM;
	rc = run(&convert, err);
	free_targets(&convert);
	return rc;
}
