#include "vendors_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Words put one behind the other; what does not fit is cut off. */
struct line {
	char text[512];
	size_t at;
};

static void INGOT_PRINTF(3, 4) put(struct line *line, const char *between, const char *format, ...)
{
	va_list args;
	int n;

	if (line->at && line->at < sizeof(line->text))
		line->at += (size_t)snprintf(line->text + line->at, sizeof(line->text) - line->at,
					     "%s", between);
	if (line->at >= sizeof(line->text))
		return;
	va_start(args, format);
	n = vsnprintf(line->text + line->at, sizeof(line->text) - line->at, format, args);
	va_end(args);
	line->at += n > 0 ? (size_t)n : 0;
}

/* A size in the unit that divides it: "10G", "512". */
static const char *size_word(uint64_t bytes, char text[32])
{
	static const char units[] = {'T', 'G', 'M', 'K'};

	for (unsigned i = 0; i < sizeof(units); i++) {
		unsigned shift = 40 - 10 * i;

		if (bytes >> shift << shift == bytes) {
			(void)snprintf(text, 32, "%llu%c", (unsigned long long)(bytes >> shift),
				       units[i]);
			return text;
		}
	}
	(void)snprintf(text, 32, "%llu", (unsigned long long)bytes);
	return text;
}

static struct line disk_rule(const struct ingot_vendor *vendor)
{
	struct line line = {0};
	char a[32];

	if (vendor->disk_size)
		put(&line, ", ", "at least %s", size_word(vendor->disk_size, a));
	if (vendor->root_size)
		put(&line, ", ", "ROOT at least %s", size_word(vendor->root_size, a));
	if (vendor->round > 512)
		put(&line, ", ", "whole %s", size_word(vendor->round, a));
	if (!line.at)
		put(&line, "", "any");
	return line;
}

static struct line join(const struct ingot_vendor_words *words)
{
	struct line line = {0};

	for (size_t i = 0; i < words->count; i++)
		put(&line, " ", "%s", words->list[i]);
	return line;
}

static struct line architectures(const struct ingot_vendor *vendor)
{
	struct line line = {0};

	for (unsigned i = 0; i < INGOT_VENDOR_ARCHITECTURES; i++)
		if (vendor->architectures[i])
			put(&line, " ", "%s",
			    ingot_vendor_architecture_name((enum ingot_vendor_architecture)i));
	return line;
}

/* Those of one architecture, or of both where they differ. */
static struct line consoles(const struct ingot_vendor *vendor, const char *between)
{
	struct line x86 = join(&vendor->consoles[INGOT_VENDOR_X86_64]);
	struct line arm = join(&vendor->consoles[INGOT_VENDOR_ARM64]);
	struct line line = {0};

	if (vendor->architectures[INGOT_VENDOR_X86_64])
		put(&line, "", "%s", x86.text);
	if (vendor->architectures[INGOT_VENDOR_ARM64] &&
	    (!line.at || strcmp(x86.text, arm.text) != 0))
		put(&line, between, "%s", arm.text);
	return line;
}

/* --- the table --------------------------------------------------------- */

static const char ROW[] = "%-14s %-20s %-28s %-14s %s\n";

void vendors_print_head(void)
{
	printf(ROW, "VENDOR", "FORMATS", "DISK", "ARCHITECTURES", "CONSOLES");
}

void vendors_print_row(const struct ingot_vendor *vendor)
{
	struct line formats = {0};

	for (size_t i = 0; i < vendor->output_count; i++)
		put(&formats, " ", "%s", vendor->outputs[i].format);
	printf(ROW, vendor->name, formats.text, disk_rule(vendor).text, architectures(vendor).text,
	       consoles(vendor, " | ").text);
}

/* --- the documentation's page ------------------------------------------ */

void vendors_print_markdown_head(void)
{
	printf("# Vendors\n\n"
	       "What `ingot` knows of each cloud, hypervisor and host, from the files in "
	       "[oem/](../oem). This page\nis what `ingot vendors --markdown` prints; a test "
	       "compares the two. `ingot vendors NAME` tells\neverything about one, "
	       "[own-vendor.md](own-vendor.md) how to write one of your own.\n\n"
	       "The last console becomes `/dev/console`. Where the machines of the two "
	       "architectures have different\nconsoles, those of arm64 stand behind the bar. The "
	       "checks are what `ingot convert --check NAME FILE`\nlooks at, besides the file's "
	       "format.\n\n"
	       "| vendor | what | file: format | disk | consoles | platform id | architectures | "
	       "checks |\n"
	       "|---|---|---|---|---|---|---|---|\n");
}

static struct line files(const struct ingot_vendor *vendor)
{
	struct line line = {0};

	for (size_t i = 0; i < vendor->output_count; i++) {
		const struct ingot_vendor_output *output = &vendor->outputs[i];

		put(&line, ", ", "`%s`: %s", output->suffix, output->format);
		if (output->sidecar != INGOT_SIDECAR_NONE)
			put(&line, " ", "with `%s`", ingot_sidecar_suffix(output->sidecar));
	}
	return line;
}

/* The ids of Ignition and of Flatcar, once if they are the same. */
static struct line platform(const struct ingot_vendor *vendor)
{
	struct line line = {0};

	if (vendor->ignition)
		put(&line, "", "%s", vendor->ignition);
	if (vendor->flatcar && (!vendor->ignition || strcmp(vendor->ignition, vendor->flatcar)))
		put(&line, ", ", "Flatcar: %s", vendor->flatcar);
	return line;
}

/* "virtual-size-multiple 1G (vhd)" */
static struct line check(const struct ingot_check_rule *rule)
{
	const struct ingot_check_kind *kind = ingot_check_kind(rule->check);
	struct line line = {0};
	char size[32];

	put(&line, "", "%s", kind->name);
	if (kind->parameter == INGOT_CHECK_WANTS_SIZE)
		put(&line, " ", "%s", size_word(rule->size, size));
	if (kind->parameter == INGOT_CHECK_WANTS_FIRMWARE)
		put(&line, " ", "%s", rule->bios ? "bios" : "efi");
	if (rule->format)
		put(&line, " ", "(%s)", rule->format);
	return line;
}

void vendors_print_markdown_row(const struct ingot_vendor *vendor)
{
	printf("| [%s](../oem/%s.yaml) | %s | %s | %s | `%s` | %s | %s | ", vendor->name,
	       vendor->name, vendor->summary, files(vendor).text, disk_rule(vendor).text,
	       consoles(vendor, "` \\| `").text, platform(vendor).text, architectures(vendor).text);
	for (size_t i = 0; i < vendor->rule_count; i++)
		printf("%s%s", i ? ", " : "", check(&vendor->rules[i]).text);
	printf(" |\n");
}

/* --- everything about one ---------------------------------------------- */

static void field(const char *name, const char *value)
{
	if (value && *value)
		printf("%-18s %s\n", name, value);
}

static void print_outputs(const struct ingot_vendor *vendor)
{
	for (size_t i = 0; i < vendor->output_count; i++) {
		const struct ingot_vendor_output *output = &vendor->outputs[i];
		struct line line = {0};

		put(&line, "", "%s as *%s", output->format, output->suffix);
		if (output->sidecar != INGOT_SIDECAR_NONE)
			put(&line, ", ", "%s beside it as *%s", ingot_sidecar_name(output->sidecar),
			    ingot_sidecar_suffix(output->sidecar));
		field("File:", line.text);
	}
}

static int print_arguments(const struct ingot_vendor *vendor, struct ingot_error *err)
{
	for (unsigned i = 0; i < INGOT_VENDOR_ARCHITECTURES; i++) {
		enum ingot_vendor_architecture a = (enum ingot_vendor_architecture)i;
		INGOT_FREE char *text = NULL;
		char label[32];

		if (!vendor->architectures[i])
			continue;
		text = ingot_vendor_kernel_arguments(vendor, a, err);
		if (!text)
			return -ENOMEM;
		(void)snprintf(label, sizeof(label),
			       "Kernel, %s:", ingot_vendor_architecture_name(a));
		field(label, text);
	}
	return 0;
}

static void print_oem(const struct ingot_vendor *vendor)
{
	const struct ingot_vendor_release *r = &vendor->release;
	char size[INGOT_SIZE_TEXT];

	if (vendor->has_release) {
		struct line line = {0};

		put(&line, "", "oem-release, ID %s", r->id);
		if (r->name)
			put(&line, ", ", "NAME %s", r->name);
		field("OEM:", line.text);
	}
	for (size_t i = 0; i < vendor->file_count; i++)
		printf("%-18s %s (%s)\n", "OEM:", vendor->files[i].path,
		       ingot_size_text(vendor->files[i].size, size));
}

static void print_hardware(const struct ingot_vendor_hardware *h)
{
	struct line line = {0};

	if (h->version)
		put(&line, ", ", "%s", h->version);
	put(&line, ", ", "%u MiB, %u CPUs, %s%s", h->memory, h->cpus,
	    ingot_vendor_firmware_name(h->firmware), h->secure_boot ? " with Secure Boot" : "");
	put(&line, ", ", "disk %s, network %s", h->disk, h->network);
	put(&line, ", ", "OS %u%s%s", h->os_id, h->os_type ? " " : "",
	    h->os_type ? h->os_type : "");
	field("Machine:", line.text);
}

int vendors_print_all(const struct ingot_vendor *vendor, struct ingot_error *err)
{
	int rc;

	field("Vendor:", vendor->name);
	field("What:", vendor->summary);
	field("Ignition platform:", vendor->ignition);
	field("Flatcar OEM:", vendor->flatcar);
	field("Architectures:", architectures(vendor).text);
	print_outputs(vendor);
	field("Disk:", disk_rule(vendor).text);
	field("Consoles:", consoles(vendor, " | ").text);
	rc = print_arguments(vendor, err);
	if (rc < 0)
		return rc;
	print_oem(vendor);
	if (vendor->has_hardware)
		print_hardware(&vendor->hardware);
	for (size_t i = 0; i < vendor->rule_count; i++)
		field("Check:", check(&vendor->rules[i]).text);
	for (size_t i = 0; i < vendor->references.count; i++)
		field("Document:", vendor->references.list[i]);
	return 0;
}
