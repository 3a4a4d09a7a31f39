/* What a vendor takes: its files, and the rules that they keep. */
#include <string.h>

#include "formats/format.h"
#include "image/vendor_internal.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { FORMATS_MAX = 64, OUTPUTS_MAX = 8, RULES_MAX = 32, SUFFIX_MAX = 32 };

static const struct {
	const char *name, *suffix;
} SIDECARS[] = {
	[INGOT_SIDECAR_NONE] = {"none", NULL},
	[INGOT_SIDECAR_AMI_IMPORT] = {"ami-import", ".import.json"},
	[INGOT_SIDECAR_LIBVIRT_XML] = {"libvirt-xml", ".xml"},
	[INGOT_SIDECAR_VMX] = {"vmx", ".vmx"},
	[INGOT_SIDECAR_XL] = {"xl", ".cfg"},
};

const char *ingot_sidecar_name(enum ingot_sidecar sidecar)
{
	return SIDECARS[sidecar].name;
}

const char *ingot_sidecar_suffix(enum ingot_sidecar sidecar)
{
	return SIDECARS[sidecar].suffix;
}

const char *ingot_vendor_format_name(const char *name)
{
	const struct ingot_format *format;

	for (size_t i = 0; (format = ingot_format_at(i)); i++)
		if (strcmp(format->name, name) == 0)
			return format->name;
	return NULL;
}

const char *ingot_vendor_format(struct ingot_yaml_node node)
{
	const char *names[FORMATS_MAX];
	size_t count = 0;
	int i;

	while (count < FORMATS_MAX && ingot_format_at(count)) {
		names[count] = ingot_format_at(count)->name;
		count++;
	}
	i = ingot_yaml_choice(node, names, count);
	return i < 0 ? NULL : names[i];
}

/* --- outputs ----------------------------------------------------------- */

/* It becomes the end of a file's name. */
static const char *read_suffix(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	const char *text = ingot_vendor_word(reader, node);

	if (!text)
		return NULL;
	if (text[0] != '.' && text[0] != '-' && text[0] != '_') {
		ingot_yaml_problem(node, "a suffix begins with one of . - _");
		return NULL;
	}
	if (strchr(text, '/') || strlen(text) > SUFFIX_MAX) {
		ingot_yaml_problem(node, "a suffix has no / in it and at most %d bytes",
				   SUFFIX_MAX);
		return NULL;
	}
	return text;
}

static enum ingot_sidecar read_sidecar(struct ingot_yaml_node node)
{
	const char *names[COUNT(SIDECARS)];
	int i;

	for (size_t k = 0; k < COUNT(SIDECARS); k++)
		names[k] = SIDECARS[k].name;
	i = ingot_yaml_choice(node, names, COUNT(names));
	return i < 0 ? INGOT_SIDECAR_NONE : (enum ingot_sidecar)i;
}

static void find_twin(const struct ingot_vendor *vendor, const struct ingot_vendor_output *output,
		      struct ingot_yaml_node node)
{
	for (size_t i = 0; i < vendor->output_count; i++) {
		if (strcmp(vendor->outputs[i].format, output->format) == 0)
			ingot_yaml_problem(node, "format %s stands twice", output->format);
		if (strcmp(vendor->outputs[i].suffix, output->suffix) == 0)
			ingot_yaml_problem(node, "suffix %s stands twice", output->suffix);
	}
}

static void read_output(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	struct ingot_vendor *vendor = reader->vendor;
	struct ingot_vendor_output output;
	struct ingot_yaml_map map;

	if (!ingot_yaml_open(node, "an output", &map))
		return;
	output.format = ingot_vendor_format(ingot_yaml_get(&map, "format", true /* required */));
	output.suffix = read_suffix(reader, ingot_yaml_get(&map, "suffix", true));
	output.sidecar = read_sidecar(ingot_yaml_get(&map, "sidecar", false));
	ingot_yaml_close(&map);
	if (!output.format || !output.suffix)
		return;
	find_twin(vendor, &output, node);
	vendor->outputs[vendor->output_count++] = output;
}

void ingot_vendor_read_outputs(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	size_t count = ingot_yaml_count(node);

	if (!ingot_yaml_is_given(node))
		return;
	if (count == 0 || count > OUTPUTS_MAX) {
		ingot_yaml_problem(node, "a vendor has 1 to %d outputs", OUTPUTS_MAX);
		return;
	}
	reader->vendor->outputs =
		ingot_vendor_alloc(reader, count, sizeof(*reader->vendor->outputs));
	for (size_t i = 0; reader->vendor->outputs && i < count; i++)
		read_output(reader, ingot_yaml_item(node, i));
}

/* --- checks ------------------------------------------------------------ */

static enum ingot_check read_check_name(struct ingot_yaml_node node)
{
	const char *names[INGOT_CHECK_COUNT];
	size_t count = 0;
	int i;

	for (unsigned k = 0; k < INGOT_CHECK_COUNT; k++)
		if (ingot_check_kind((enum ingot_check)k)->in_data)
			names[count++] = ingot_check_kind((enum ingot_check)k)->name;
	i = ingot_yaml_choice(node, names, count);
	return i < 0 ? INGOT_CHECK_COUNT : ingot_check_find(names[i]);
}

static void read_parameter(struct ingot_yaml_node node, const struct ingot_check_kind *kind,
			   struct ingot_check_rule *rule)
{
	static const char *const firmwares[] = {"efi", "bios"};

	if (kind->parameter == INGOT_CHECK_WANTS_FIRMWARE)
		rule->bios = ingot_yaml_choice(node, firmwares, 2) == 1;
	else if (ingot_yaml_size(node, &rule->size) && rule->size == 0)
		ingot_yaml_problem(node, "%s is not 0", kind->parameter_key);
}

static void read_format(struct ingot_vendor_reader *reader, struct ingot_yaml_node node,
			struct ingot_check_rule *rule)
{
	if (!ingot_yaml_is_given(node))
		return;
	rule->format = ingot_vendor_format(node);
	if (rule->format && !ingot_vendor_output_find(reader->vendor, rule->format))
		ingot_yaml_problem(node, "no output has format %s", rule->format);
}

static void read_check(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	struct ingot_vendor *vendor = reader->vendor;
	struct ingot_check_rule rule = {0};
	const struct ingot_check_kind *kind;
	struct ingot_yaml_map map;
	bool is_map = ingot_yaml_is_map(node);

	if (is_map && !ingot_yaml_open(node, "a check", &map))
		return;
	rule.check =
		read_check_name(is_map ? ingot_yaml_get(&map, "check", true /* required */) : node);
	if (rule.check == INGOT_CHECK_COUNT)
		return;
	kind = ingot_check_kind(rule.check);
	if (is_map) {
		if (kind->parameter_key)
			read_parameter(ingot_yaml_get(&map, kind->parameter_key, true), kind,
				       &rule);
		read_format(reader, ingot_yaml_get(&map, "format", false), &rule);
		ingot_yaml_close(&map);
	} else if (kind->parameter_key) {
		ingot_yaml_problem(node, "this wants a parameter: {check: %s, %s: ...}", kind->name,
				   kind->parameter_key);
	}
	vendor->rules[vendor->rule_count++] = rule;
}

void ingot_vendor_read_checks(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	size_t count = ingot_yaml_count(node);

	if (count > RULES_MAX) {
		ingot_yaml_problem(node, "more than %d checks", RULES_MAX);
		return;
	}
	reader->vendor->rules = ingot_vendor_alloc(reader, count, sizeof(*reader->vendor->rules));
	for (size_t i = 0; reader->vendor->rules && i < count; i++)
		read_check(reader, ingot_yaml_item(node, i));
}
