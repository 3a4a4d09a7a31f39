#include "formats/convert.h"

#include <errno.h>

#include "base/bytes.h"
#include "formats/convert_internal.h"
#include "io/pool.h"

/* --- before the pass --------------------------------------------------- */

static int find_formats(struct ingot_conversion *c, struct ingot_error *err)
{
	const struct ingot_convert_options *options = c->options;

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
		c->targets[i].ops = ops;
		c->converted[options->outputs[i].disk].needs |= ops->needs;
	}
	return 0;
}

/* Two outputs under one name would leave the second only. */
static int check_name(const struct ingot_conversion *c, size_t i, struct ingot_error *err)
{
	const struct ingot_output *output = c->targets[i].output;

	for (size_t other = 0; other < i; other++)
		if (ingot_output_is_same(output, c->targets[other].output))
			return ingot_raise(err, -EINVAL, "'%s' is the output of two formats",
					   ingot_output_name(output));
	return 0;
}

static int start_targets(struct ingot_conversion *c, struct ingot_error *err)
{
	for (size_t i = 0; i < c->options->count; i++) {
		struct target *target = &c->targets[i];
		const struct ingot_convert_output *wanted = &c->options->outputs[i];
		int rc = ingot_output_create(wanted->path, &target->output, err);

		if (rc == 0)
			rc = check_name(c, i, err);
		if (rc == 0)
			rc = target->ops->start(target->ops, target->output,
						c->disks[wanted->disk].source->size,
						&wanted->options, &target->writer, err);
		if (rc < 0)
			return ingot_wrap(err, rc, "%s", target->ops->format.name);
	}
	return 0;
}

static int start_identities(struct ingot_conversion *c, struct ingot_error *err)
{
	for (size_t d = 0; d < c->disk_count; d++) {
		if (c->disks[d].source->size == 0)
			return ingot_raise(err, -EINVAL, "'%s' is empty: it is no disk",
					   c->disks[d].source->name);
		if (c->disks[d].source->size > INT64_MAX)
			return ingot_raise(err, -EFBIG, "'%s' is too large",
					   c->disks[d].source->name);
		if (!(c->converted[d].needs & INGOT_NEED_IDENTITY))
			continue;
		c->converted[d].identity = ingot_sha256_new(err);
		if (!c->converted[d].identity)
			return -ENOMEM;
	}
	return 0;
}

/* --- behind it --------------------------------------------------------- */

/* The seed of every identifier: the disk's identity and size. */
static int make_seed(const struct ingot_conversion *c, size_t disk, struct ingot_seed *seed,
		     struct ingot_error *err)
{
	unsigned char raw[8];
	int rc;

	if (!c->converted[disk].identity)
		return 0;
	ingot_put_le64(raw, c->disks[disk].source->size);
	rc = ingot_sha256_update(c->converted[disk].identity, raw, sizeof(raw), err);
	if (rc < 0)
		return rc;
	seed->size = INGOT_SHA256_SIZE;
	return ingot_sha256_final(c->converted[disk].identity, seed->bytes, err);
}

/* What a full disk or a broken one has to say, it says here, while no output has its name. */
static int finish_target(const struct target *target, const struct ingot_seed *seed,
			 struct ingot_error *err)
{
	int rc = 0;

	if (target->ops->finish)
		rc = target->ops->finish(target->writer, seed, err);
	if (rc == 0 && fsync(ingot_output_fd(target->output)) < 0)
		rc = ingot_raise_errno(err, errno, "write '%s' to the disk",
				       ingot_output_name(target->output));
	return rc < 0 ? ingot_wrap(err, rc, "%s", target->ops->format.name) : 0;
}

static int finish_one(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	const struct ingot_conversion *c = context;

	(void)slot;
	return finish_target(&c->targets[index],
			     &c->converted[c->options->outputs[index].disk].seed, err);
}

/* Side by side: some read their file once more, and all wait for the disk. */
static int finish_targets(struct ingot_conversion *c, struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = 1, .work = finish_one};

	for (size_t d = 0; d < c->disk_count; d++) {
		int rc = make_seed(c, d, &c->converted[d].seed, err);

		if (rc < 0)
			return rc;
	}
	return ingot_pool_run(c->options->jobs, c->options->count, &ops, c, err);
}

/* --- the whole --------------------------------------------------------- */

static int run(struct ingot_conversion *c, struct ingot_error *err)
{
	int rc = find_formats(c, err);

	if (rc == 0)
		rc = start_identities(c, err);
	if (rc == 0)
		rc = start_targets(c, err);
	if (rc == 0)
		rc = conversion_pass(c, err);
	if (rc == 0)
		rc = finish_targets(c, err);
	return rc;
}

int ingot_conversion_run(const struct ingot_convert_disk *disks, size_t disk_count,
			 const struct ingot_convert_options *options, struct ingot_conversion **ret,
			 struct ingot_error *err)
{
	INGOT_CONVERSION struct ingot_conversion *c = ingot_alloc(1, sizeof(*c), err);
	int rc;

	if (!c)
		return -ENOMEM;
	c->disks = disks;
	c->disk_count = disk_count;
	c->options = options;
	c->targets = ingot_alloc(options->count, sizeof(*c->targets), err);
	c->converted = c->targets ? ingot_alloc(disk_count, sizeof(*c->converted), err) : NULL;
	if (!c->converted)
		return -ENOMEM;
	rc = run(c, err);
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(c);
	return 0;
}

struct ingot_output *ingot_conversion_output(const struct ingot_conversion *c, size_t i)
{
	return c->targets[i].output;
}

int ingot_conversion_commit(struct ingot_conversion *c, struct ingot_error *err)
{
	size_t count = c->options->count;
	INGOT_FREE struct ingot_output **outputs = ingot_alloc(count, sizeof(*outputs), err);

	if (!outputs)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		outputs[i] = c->targets[i].output;
	return ingot_outputs_commit(outputs, count, err);
}

void ingot_conversion_free(struct ingot_conversion *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->targets && i < c->options->count; i++) {
		ingot_writer_free(c->targets[i].writer);
		ingot_output_free(c->targets[i].output);
	}
	for (size_t d = 0; c->converted && d < c->disk_count; d++)
		ingot_sha256_free(c->converted[d].identity);
	free(c->targets);
	free(c->converted);
	free(c);
}

int ingot_convert(struct ingot_source *source, const struct ingot_convert_options *options,
		  struct ingot_error *err)
{
	INGOT_CONVERSION struct ingot_conversion *c = NULL;
	struct ingot_convert_disk disk = {.source = source};
	int rc = ingot_conversion_run(&disk, 1, options, &c, err);

	return rc < 0 ? rc : ingot_conversion_commit(c, err);
}
