#include "image/vendor_report.h"

#include <string.h>

/* jansson hands NULL on; `failed` remembers that one was. */
static void set(json_t *object, const char *key, json_t *value, bool *failed)
{
	if (json_object_set_new(object, key, value) < 0)
		*failed = true;
}

static void set_text(json_t *object, const char *key, const char *text, bool *failed)
{
	if (text)
		set(object, key, json_string(text), failed);
}

static void set_number(json_t *object, const char *key, uint64_t number, bool *failed)
{
	set(object, key, json_integer((json_int_t)number), failed);
}

static void push(json_t *array, json_t *value, bool *failed)
{
	if (json_array_append_new(array, value) < 0)
		*failed = true;
}

static json_t *words(const struct ingot_vendor_words *words, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < words->count; i++)
		push(list, json_string(words->list[i]), failed);
	return list;
}

static json_t *words_by_architecture(const struct ingot_vendor *vendor,
				     const struct ingot_vendor_words *lists, bool *failed)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < INGOT_VENDOR_ARCHITECTURES; i++)
		if (vendor->architectures[i])
			set(o, ingot_vendor_architecture_name((enum ingot_vendor_architecture)i),
			    words(&lists[i], failed), failed);
	return o;
}

static json_t *kernel_arguments(const struct ingot_vendor *vendor, bool *failed)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < INGOT_VENDOR_ARCHITECTURES; i++) {
		enum ingot_vendor_architecture a = (enum ingot_vendor_architecture)i;
		INGOT_FREE char *text = NULL;

		if (!vendor->architectures[i])
			continue;
		text = ingot_vendor_kernel_arguments(vendor, a, NULL);
		set(o, ingot_vendor_architecture_name(a), json_string(text), failed);
	}
	return o;
}

static json_t *architectures(const struct ingot_vendor *vendor, bool *failed)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < INGOT_VENDOR_ARCHITECTURES; i++)
		if (vendor->architectures[i])
			push(list,
			     json_string(ingot_vendor_architecture_name(
				     (enum ingot_vendor_architecture)i)),
			     failed);
	return list;
}

static json_t *outputs(const struct ingot_vendor *vendor, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < vendor->output_count; i++) {
		const struct ingot_vendor_output *output = &vendor->outputs[i];
		json_t *o = json_object();

		set_text(o, "format", output->format, failed);
		set_text(o, "suffix", output->suffix, failed);
		set_text(o, "sidecar", ingot_sidecar_name(output->sidecar), failed);
		push(list, o, failed);
	}
	return list;
}

static json_t *disk(const struct ingot_vendor *vendor, bool *failed)
{
	json_t *o = json_object();

	if (vendor->disk_size)
		set_number(o, "size", vendor->disk_size, failed);
	if (vendor->root_size)
		set_number(o, "root_size", vendor->root_size, failed);
	set_number(o, "round", vendor->round, failed);
	return o;
}

static json_t *oem(const struct ingot_vendor *vendor, bool *failed)
{
	const struct ingot_vendor_release *r = &vendor->release;
	json_t *o = json_object(), *files = json_array();

	if (vendor->has_release) {
		json_t *release = json_object();

		set_text(release, "id", r->id, failed);
		set_text(release, "name", r->name, failed);
		set_text(release, "version_id", r->version_id, failed);
		set_text(release, "home_url", r->home_url, failed);
		set_text(release, "bug_report_url", r->bug_report_url, failed);
		set(o, "release", release, failed);
	}
	for (size_t i = 0; i < vendor->file_count; i++) {
		json_t *file = json_object();

		set_text(file, "path", vendor->files[i].path, failed);
		set_number(file, "size", vendor->files[i].size, failed);
		set(file, "executable", json_boolean(vendor->files[i].executable), failed);
		push(files, file, failed);
	}
	set(o, "files", files, failed);
	return o;
}

static json_t *hardware(const struct ingot_vendor_hardware *h, bool *failed)
{
	json_t *o = json_object();

	set_text(o, "version", h->version, failed);
	set_number(o, "memory", h->memory, failed);
	set_number(o, "cpus", h->cpus, failed);
	set_text(o, "firmware", ingot_vendor_firmware_name(h->firmware), failed);
	set(o, "secure_boot", json_boolean(h->secure_boot), failed);
	set_number(o, "os_id", h->os_id, failed);
	set_text(o, "os_type", h->os_type, failed);
	set_text(o, "guest_os", h->guest_os, failed);
	set_text(o, "disk", h->disk, failed);
	set_text(o, "network", h->network, failed);
	return o;
}

static json_t *checks(const struct ingot_vendor *vendor, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < vendor->rule_count; i++) {
		const struct ingot_check_rule *rule = &vendor->rules[i];
		const struct ingot_check_kind *kind = ingot_check_kind(rule->check);
		json_t *o = json_object();

		set_text(o, "check", kind->name, failed);
		if (kind->parameter == INGOT_CHECK_WANTS_SIZE)
			set_number(o, kind->parameter_key, rule->size, failed);
		if (kind->parameter == INGOT_CHECK_WANTS_FIRMWARE)
			set_text(o, kind->parameter_key, rule->bios ? "bios" : "efi", failed);
		set_text(o, "format", rule->format, failed);
		push(list, o, failed);
	}
	return list;
}

json_t *ingot_vendor_report(const struct ingot_vendor *vendor)
{
	json_t *o = json_object(), *platform = json_object();
	bool failed = false;

	set_text(o, "name", vendor->name, &failed);
	set_text(o, "summary", vendor->summary, &failed);
	set_text(platform, "ignition", vendor->ignition, &failed);
	set_text(platform, "flatcar", vendor->flatcar, &failed);
	set(o, "platform", platform, &failed);
	set(o, "architectures", architectures(vendor, &failed), &failed);
	set(o, "outputs", outputs(vendor, &failed), &failed);
	set(o, "disk", disk(vendor, &failed), &failed);
	set(o, "consoles", words_by_architecture(vendor, vendor->consoles, &failed), &failed);
	set(o, "arguments", words_by_architecture(vendor, vendor->arguments, &failed), &failed);
	set(o, "kernel_arguments", kernel_arguments(vendor, &failed), &failed);
	set(o, "oem", oem(vendor, &failed), &failed);
	if (vendor->has_hardware)
		set(o, "hardware", hardware(&vendor->hardware, &failed), &failed);
	set(o, "checks", checks(vendor, &failed), &failed);
	set(o, "references", words(&vendor->references, &failed), &failed);
	if (!failed)
		return o;
	json_decref(o);
	return NULL;
}
