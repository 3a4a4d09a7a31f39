/* What firmware and kernel find on the disk. inspect looks, these judge. */
#include <stdio.h>
#include <string.h>

#include "disk/gpt.h"
#include "image/check_internal.h"
#include "image/inspect.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* The disk's partitions; NULL after a line. */
static const json_t *partitions(struct checker *c, const char *expected)
{
	struct ingot_problems problems = {0};
	struct ingot_error err = {0};
	const json_t *list;

	if (!c->disk) {
		check_add(c, NULL, false, expected, c->why.text);
		return NULL;
	}
	if (!c->inspection && ingot_inspect(c->disk, &problems, &c->inspection, &err) < 0) {
		if (!check_is_oom(c, &err))
			check_add(c, NULL, false, expected, err.text);
		c->inspection = NULL;
	}
	ingot_problems_done(&problems);
	if (!c->inspection)
		return NULL;
	list = json_object_get(json_object_get(c->inspection, "content"), "partitions");
	if (!list)
		check_add(c, NULL, false, expected, "no partition table");
	return list;
}

static const json_t *content_of(const json_t *list, const char *type)
{
	const json_t *partition;
	size_t i;

	json_array_foreach(list, i, partition)
	{
		if (strcmp(text_of(partition, "type_name"), type) == 0)
			return json_object_get(partition, "content");
	}
	return NULL;
}

/* --- the partition table ----------------------------------------------- */

void check_gpt(struct checker *c, const struct ingot_check_rule *rule)
{
	static const char expected[] = "both tables, their CRC-32, the same partitions";
	struct ingot_problems problems = {0};
	INGOT_FREE struct ingot_gpt *gpt = NULL;
	struct ingot_error err = {0};

	(void)rule;
	if (!c->disk) {
		check_add(c, NULL, false, expected, c->why.text);
	} else if (ingot_gpt_read(c->disk, &problems, &gpt, &err) < 0) {
		if (!check_is_oom(c, &err))
			check_add(c, NULL, false, expected, err.text);
	} else if (!ingot_problems_any(&problems)) {
		check_add(c, NULL, true, expected, SAY("%zu partitions", gpt->count));
	}
	for (size_t i = 0; i < problems.count; i++)
		check_add(c, NULL, false, expected, problems.list[i].text);
	c->oom |= problems.oom;
	ingot_problems_done(&problems);
}

/* --- what starts it ---------------------------------------------------- */

/* "EFI/BOOT/BOOTX64.EFI", where firmware looks on a disk that it does not know (UEFI 2.10, 3.5.1).
 */
static const char *default_loader(const json_t *files)
{
	static const struct {
		const char *path, *machine;
	} loaders[] = {{"EFI/BOOT/BOOTX64.EFI", "x86-64"}, {"EFI/BOOT/BOOTAA64.EFI", "arm64"}};
	const json_t *file;
	size_t i;

	json_array_foreach(files, i, file)
	{
		const char *machine = text_of(json_object_get(file, "program"), "machine");

		for (size_t k = 0; k < 2; k++)
			if (strcasecmp(text_of(file, "path"), loaders[k].path) == 0 &&
			    strcmp(machine, loaders[k].machine) == 0)
				return loaders[k].path;
	}
	return NULL;
}

static void check_efi(struct checker *c, const json_t *list, const char *expected)
{
	const json_t *esp = content_of(list, "esp");
	const char *loader = default_loader(json_object_get(esp, "files"));

	if (loader)
		check_add(c, NULL, true, expected, loader);
	else
		check_add(c, NULL, false, expected,
			  !esp				   ? "no ESP"
			  : !json_object_get(esp, "files") ? "an ESP that is no FAT volume"
							   : "an ESP without such a program");
}

static void check_bios(struct checker *c, const json_t *list, const char *expected)
{
	static const unsigned char zero[440];
	unsigned char code[440];
	const json_t *partition;
	bool found = false, filled = false;
	size_t i;

	json_array_foreach(list, i, partition)
	{
		const char *kind = text_of(json_object_get(partition, "content"), "kind");

		if (strcmp(text_of(partition, "type_name"), "bios-boot") != 0)
			continue;
		found = true;
		filled |= strcmp(kind, "empty") != 0;
	}
	if (!check_read(c, c->disk, 0, code, sizeof(code), "boot code"))
		return;
	if (!found || !filled)
		check_add(c, NULL, false, expected,
			  found ? "an empty BIOS boot partition" : "no BIOS boot partition");
	else if (memcmp(code, zero, sizeof(zero)) == 0)
		check_add(c, NULL, false, expected, "no boot code in the first sector");
	else
		check_add(c, NULL, true, expected, "both");
}

void check_boot_path(struct checker *c, const struct ingot_check_rule *rule)
{
	const char *expected = rule->bios ? "boot code and a BIOS boot partition with a boot loader"
					  : "EFI/BOOT/BOOTX64.EFI or BOOTAA64.EFI in an ESP";
	const json_t *list = partitions(c, expected);

	if (list && rule->bios)
		check_bios(c, list, expected);
	else if (list)
		check_efi(c, list, expected);
}

/* --- consoles ---------------------------------------------------------- */

/* Whether the two are the same device: what stands before the comma. */
static bool same_device(const char *a, size_t a_size, const char *b)
{
	const char *comma = memchr(a, ',', a_size);
	size_t n = comma ? (size_t)(comma - a) : a_size;

	return strcspn(b, ",") == n && memcmp(a, b, n) == 0;
}

/* The consoles of the command line as text; whether those wanted are there in their order, and the
 * last of the line is the last of them. */
static bool compare(const char *line, const struct ingot_vendor_words *wanted,
		    char found[CHECK_TEXT])
{
	static const char key[] = "console=";
	size_t next = 0, at = 0;
	bool last = false;

	found[0] = '\0';
	for (const char *p = line; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		const char *value = p + sizeof(key) - 1;
		size_t n;

		if (strncmp(p, key, sizeof(key) - 1) != 0)
			continue;
		n = strcspn(value, " ");
		if (at < CHECK_TEXT)
			at += (size_t)snprintf(found + at, CHECK_TEXT - at, "%s%.*s", at ? " " : "",
					       (int)ingot_min(n, 80), value);
		last = false;
		if (next < wanted->count && same_device(value, n, wanted->list[next])) {
			next++;
			last = next == wanted->count;
		}
	}
	if (!at)
		(void)snprintf(found, CHECK_TEXT, "no console=");
	return last;
}

static void check_program(struct checker *c, const json_t *program)
{
	const struct ingot_vendor *vendor = c->target->vendor;
	enum ingot_vendor_architecture machine;
	char expected[CHECK_TEXT] = "", found[CHECK_TEXT];
	size_t at = 0;
	bool ok;

	if (!ingot_vendor_architecture_find(text_of(program, "machine"), &machine) ||
	    !vendor->architectures[machine]) {
		check_add(c, NULL, false, "a machine of the vendor's", text_of(program, "machine"));
		return;
	}
	for (size_t i = 0; i < vendor->consoles[machine].count && at < sizeof(expected); i++)
		at += (size_t)snprintf(expected + at, sizeof(expected) - at, "%s%s", i ? " " : "",
				       vendor->consoles[machine].list[i]);
	ok = compare(text_of(program, "cmdline"), &vendor->consoles[machine], found);
	check_add(c, NULL, ok || vendor->consoles[machine].count == 0, expected, found);
}

void check_consoles(struct checker *c, const struct ingot_check_rule *rule)
{
	static const char expected[] = "a unified kernel image in the ESP";
	const json_t *list, *file;
	unsigned count = 0;
	size_t i;

	(void)rule;
	list = partitions(c, expected);
	if (!list)
		return;
	json_array_foreach(json_object_get(content_of(list, "esp"), "files"), i, file)
	{
		const json_t *program = json_object_get(file, "program");

		if (strcmp(text_of(program, "kind"), "uki") != 0)
			continue;
		check_program(c, program);
		count++;
	}
	if (!count)
		check_add(c, NULL, false, expected, "none");
}
