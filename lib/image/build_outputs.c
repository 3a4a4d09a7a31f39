#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "image/digest_internal.h"
#include "image/outputs_internal.h"
#include "image/sidecar.h"
#include "io/pool.h"

/* --- the plan ---------------------------------------------------------- */

static struct output_file *new_file(struct build_outputs *o, const char *format,
				    struct ingot_error *err)
{
	void *items = o->files;
	int rc = ingot_grow(&items, &o->file_room, o->file_count + 1, sizeof(*o->files), err);

	o->files = items;
	if (rc < 0)
		return NULL;
	o->files[o->file_count] = (struct output_file){.format = format};
	return &o->files[o->file_count++];
}

static int plan_format(struct build *b, const char *format, struct ingot_error *err)
{
	struct build_outputs *o = b->outputs;
	const char *suffix = output_suffix(format);
	INGOT_FREE char *dotted = suffix ? NULL : ingot_format(err, ".%s", format);
	struct output_file *file;

	if (strcmp(format, "raw") == 0) {
		o->raw = true;
		return 0;
	}
	if (!suffix && !dotted)
		return -ENOMEM;
	file = new_file(o, format, err);
	if (!file)
		return -ENOMEM;
	file->path = output_path(b, NULL, suffix ? suffix : dotted, err);
	return file->path ? 0 : -ENOMEM;
}

static int plan_vendor_file(struct build *b, const struct vendor_disk *v,
			    const struct ingot_vendor_output *output, struct ingot_error *err)
{
	const struct ingot_vendor *vendor = v->wanted->vendor;
	struct output_file *file;

	if (!ingot_format_is_known(output->format))
		return ingot_raise(err, -EINVAL, "vendor '%s': no format is called '%s'",
				   vendor->name, output->format);
	file = new_file(b->outputs, output->format, err);
	if (!file)
		return -ENOMEM;
	file->disk = b->outputs->vendor_count;
	file->vendor_output = output;
	file->path = output_path(b, vendor->name, output->suffix, err);
	if (!file->path)
		return -ENOMEM;
	if (output->sidecar == INGOT_SIDECAR_NONE)
		return 0;
	file->sidecar_path =
		output_path(b, vendor->name, ingot_sidecar_suffix(output->sidecar), err);
	return file->sidecar_path ? 0 : -ENOMEM;
}

static void note_bios(struct build *b, const struct ingot_vendor *vendor)
{
	for (size_t i = 0; i < vendor->rule_count; i++)
		if (vendor->rules[i].check == INGOT_CHECK_BOOT_PATH && vendor->rules[i].bios)
			build_note(b,
				   "'%s' starts machines with a BIOS, and a build puts no boot "
				   "loader for that on the disk",
				   vendor->name);
}

static int plan_vendor(struct build *b, const struct ingot_recipe_output *wanted,
		       struct ingot_error *err)
{
	struct build_outputs *o = b->outputs;
	struct vendor_disk *v = &o->vendors[o->vendor_count++];
	int rc = vendor_disk_plan(b, wanted, v, err);

	note_bios(b, wanted->vendor);
	for (size_t i = 0; rc == 0 && i < wanted->vendor->output_count; i++)
		rc = plan_vendor_file(b, v, &wanted->vendor->outputs[i], err);
	return rc;
}

/* A vendor that cannot be made is a mistake in the recipe; all of them are told. */
int outputs_plan(struct build *b, struct ingot_problems *problems, struct ingot_error *err)
{
	const struct ingot_recipe *recipe = b->recipe;
	struct build_outputs *o = ingot_alloc(1, sizeof(*o), err);

	b->outputs = o;
	if (!o)
		return -ENOMEM;
	o->vendors = ingot_alloc(recipe->output_count, sizeof(*o->vendors), err);
	if (!o->vendors)
		return -ENOMEM;
	for (size_t i = 0; i < recipe->output_count; i++) {
		const struct ingot_recipe_output *output = &recipe->outputs[i];
		struct ingot_error inner = {0};
		int rc = output->vendor ? plan_vendor(b, output, &inner)
					: plan_format(b, output->name, &inner);

		if (rc == -ENOMEM)
			return ingot_raise(err, rc, "%s", inner.text);
		if (rc < 0)
			ingot_yaml_problem(output->node, "%s", inner.text);
	}
	if (ingot_problems_any(problems))
		return ingot_raise(err, -EINVAL, "the recipe cannot be built as it is");
	return 0;
}

bool outputs_want_raw(const struct build *b)
{
	return b->outputs->raw;
}

/* --- writing ----------------------------------------------------------- */

static struct ingot_format_options machine_of(const struct build *b, const struct vendor_disk *v)
{
	const struct ingot_vendor_hardware *h = v ? &v->wanted->vendor->hardware : NULL;
	struct ingot_format_options options = {.name = b->recipe->name};

	if (!h || !v->wanted->vendor->has_hardware)
		return options;
	options.hardware_version = h->version;
	options.memory = h->memory;
	options.cpus = h->cpus;
	options.bios = h->firmware == INGOT_FIRMWARE_BIOS;
	options.secure_boot = h->secure_boot;
	options.os_id = h->os_id;
	options.os_type = h->os_type;
	options.disk = h->disk;
	options.network = h->network;
	return options;
}

static int write_vendor_disks(struct build *b, struct ingot_error *err)
{
	struct build_outputs *o = b->outputs;
	int rc = 0;

	if (o->vendor_count > 0)
		build_step(b, "vendors' partitions");
	for (size_t i = 0; rc == 0 && i < o->vendor_count; i++)
		rc = vendor_disk_write(&o->vendors[i], b, o->base, err);
	return rc;
}

static bool wants_blocks(const struct build_outputs *o, size_t disk)
{
	for (size_t i = 0; i < o->file_count; i++)
		if (o->files[i].disk == disk && o->files[i].vendor_output &&
		    o->files[i].vendor_output->sidecar == INGOT_SIDECAR_AMI_IMPORT)
			return true;
	return false;
}

static int prepare(struct build *b, struct ingot_error *err)
{
	struct build_outputs *o = b->outputs;

	o->disks = ingot_alloc(1 + o->vendor_count, sizeof(*o->disks), err);
	o->targets = o->disks ? ingot_alloc(o->file_count, sizeof(*o->targets), err) : NULL;
	if (!o->targets)
		return -ENOMEM;
	o->disks[0] = (struct ingot_convert_disk){
		.source = o->base, .plain = b->room.list, .plain_count = b->room.count};
	for (size_t i = 0; i < o->vendor_count; i++) {
		struct vendor_disk *v = &o->vendors[i];

		o->disks[1 + i] = (struct ingot_convert_disk){.source = v->disk,
							      .own = v->ranges,
							      .own_count = v->range_count,
							      .plain = v->build.room.list,
							      .plain_count = v->build.room.count};
		if (wants_blocks(o, 1 + i))
			o->disks[1 + i].blocks = &v->blocks;
	}
	for (size_t i = 0; i < o->file_count; i++) {
		const struct output_file *file = &o->files[i];

		o->targets[i] = (struct ingot_convert_output){
			.format = file->format,
			.path = file->path,
			.disk = file->disk,
			.options = machine_of(b, file->disk ? &o->vendors[file->disk - 1] : NULL)};
	}
	return 0;
}

static int make_sidecars(struct build_outputs *o, struct ingot_error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < o->file_count; i++)
		if (o->files[i].sidecar_path)
			rc = output_sidecar_make(&o->vendors[o->files[i].disk - 1], &o->files[i],
						 err);
	return rc;
}

/* --- digests: each file is one stream, several go on side by side ------ */

static int digest_one(void *context, uint64_t index, void *slot, struct ingot_error *err)
{
	struct build_outputs *o = ((struct build *)context)->outputs;
	const struct ingot_output *output = ingot_conversion_output(o->conversion, index);
	INGOT_SOURCE struct ingot_source *file = NULL;
	int rc = image_output_source(output, &file, err);

	(void)slot;
	return rc < 0 ? rc : ingot_source_sha256(file, o->files[index].digest, err);
}

static int digest_all(struct build *b, struct ingot_error *err)
{
	static const struct ingot_pool_ops ops = {.slot_size = 1, .work = digest_one};

	if (!b->recipe->digests || b->request)
		return 0;
	build_step(b, "digests of the outputs");
	return ingot_pool_run(b->options->jobs, b->outputs->file_count, &ops, b, err);
}

int outputs_write(struct build *b, struct ingot_error *err)
{
	struct build_outputs *o = b->outputs;
	int rc;

	if (o->file_count == 0)
		return 0;
	rc = ingot_sink_source(b->disk, &o->base, err);
	if (rc == 0)
		rc = write_vendor_disks(b, err);
	if (rc == 0)
		rc = prepare(b, err);
	if (rc < 0)
		return rc;
	build_step(b, "formats");
	o->options = (struct ingot_convert_options){.outputs = o->targets,
						    .count = o->file_count,
						    .level = b->recipe->level,
						    .jobs = b->options->jobs,
						    .progress = &b->options->progress};
	rc = ingot_conversion_run(o->disks, 1 + o->vendor_count, &o->options, &o->conversion, err);
	if (rc == 0)
		rc = make_sidecars(o, err);
	if (rc == 0)
		rc = digest_all(b, err);
	return rc;
}

/* --- names ------------------------------------------------------------- */

size_t outputs_list_files(const struct build *b, struct ingot_output **list)
{
	const struct build_outputs *o = b->outputs;
	size_t n = 0;

	for (size_t i = 0; i < o->file_count; i++) {
		if (list)
			list[n] = ingot_conversion_output(o->conversion, i);
		n++;
		if (list && o->files[i].sidecar)
			list[n] = o->files[i].sidecar;
		n += o->files[i].sidecar != NULL;
	}
	return n;
}

int outputs_add_files(struct build *b, struct ingot_error *err)
{
	const struct build_outputs *o = b->outputs;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < o->file_count; i++) {
		rc = build_add_file(b, o->files[i].path, err);
		if (rc == 0 && o->files[i].sidecar)
			rc = build_add_file(b, o->files[i].sidecar_path, err);
	}
	return rc;
}

static void list_one(const struct build *b, const struct output_file *file,
		     const struct image_digests *base, json_t *list,
		     json_t *(*image)(const struct build *b, const uint8_t *digest))
{
	const struct vendor_disk *v = file->disk ? &b->outputs->vendors[file->disk - 1] : NULL;
	json_t *blocks = outputs_blocks(b, file, base);
	json_t *entry = image(v ? &v->build : b, b->recipe->digests ? file->digest : NULL);

	(void)json_object_set_new(entry, "format", json_string(file->format));
	(void)json_object_set_new(entry, "name", json_string(ingot_base_name(file->path)));
	(void)json_object_set_new(entry, "level", json_integer(b->recipe->level));
	if (v)
		(void)json_object_set_new(entry, "vendor", json_string(v->wanted->vendor->name));
	if (file->sidecar_path)
		(void)json_object_set_new(entry, "sidecar",
					  json_string(ingot_base_name(file->sidecar_path)));
	if (blocks)
		(void)json_object_set_new(entry, "blocks", blocks);
	(void)json_array_append_new(list, entry);
}

void outputs_list(const struct build *b, const struct image_digests *base, json_t *list,
		  json_t *(*image)(const struct build *b, const uint8_t *digest))
{
	for (size_t i = 0; i < b->outputs->file_count; i++)
		list_one(b, &b->outputs->files[i], base, list, image);
}

void outputs_free(struct build_outputs *o)
{
	if (!o)
		return;
	ingot_conversion_free(o->conversion);
	for (size_t i = 0; i < o->file_count; i++) {
		ingot_output_free(o->files[i].sidecar);
		free(o->files[i].path);
		free(o->files[i].sidecar_path);
	}
	for (size_t i = 0; i < o->vendor_count; i++)
		vendor_disk_done(&o->vendors[i]);
	ingot_source_free(o->base);
	free(o->targets);
	free(o->disks);
	free(o->files);
	free(o->vendors);
	free(o);
}
