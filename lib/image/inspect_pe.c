#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "boot/initrd_read.h"
#include "boot/pe.h"
#include "image/inspect_internal.h"

/* EFI programs, and what a unified kernel image is made of. */

enum { TEXT_MAX = 64 * 1024 };

json_t *inspect_text(const char *text, size_t n)
{
	INGOT_FREE char *safe = NULL;
	json_t *json;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\0' || text[n - 1] == ' '))
		n--;
	json = json_stringn(text, n);
	if (json)
		return json;
	safe = malloc(4 * n + 16);
	return safe ? json_string(ingot_printable(text, n, safe, 4 * n + 16)) : NULL;
}

/* The value of KEY="VALUE" in an os-release. */
static json_t *os_release_value(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *value = line + n + 1;
		size_t length;

		if (strncmp(line, key, n) != 0 || line[n] != '=')
			continue;
		value += *value == '"';
		length = strcspn(value, "\n");
		while (length > 0 && value[length - 1] == '"')
			length--;
		return inspect_text(value, length);
	}
	return NULL;
}

/* A section's text; NULL: not there, or not to be read. */
static char *section_text(struct ingot_source *source, const struct ingot_pe *pe, const char *name,
			  size_t *ret_n)
{
	const struct ingot_pe_section *section = ingot_pe_section_find(pe, name);
	INGOT_SOURCE struct ingot_source *content = NULL;
	char *text = NULL;

	if (!section || ingot_pe_section_source(source, section, &content, NULL) < 0 ||
	    ingot_source_load(content, TEXT_MAX, &text, ret_n, NULL) < 0)
		return NULL;
	return text;
}

static void add_text_section(json_t *o, struct ingot_source *source, const struct ingot_pe *pe,
			     const char *name, const char *key)
{
	size_t n;
	INGOT_FREE char *text = section_text(source, pe, name, &n);

	if (text)
		inspect_set(o, key, inspect_text(text, n));
}

static void add_os(json_t *o, struct ingot_source *source, const struct ingot_pe *pe)
{
	size_t n;
	INGOT_FREE char *text = section_text(source, pe, ".osrel", &n);

	if (text)
		inspect_set(o, "os", os_release_value(text, "PRETTY_NAME"));
}

/* The third or fourth word of veritytab, and what follows it: "usr DATA HASH ROOTHASH OPTIONS". */
static void add_veritytab(json_t *o, char *line)
{
	static const char *const keys[] = {"volume", "data_device", "hash_device", "root_hash",
					   "options"};
	json_t *table = json_object();
	char *rest = NULL;
	size_t i = 0;

	for (char *word = strtok_r(line, " \t\n", &rest); word && i < 5;
	     word = strtok_r(NULL, " \t\n", &rest))
		inspect_set(table, keys[i++], inspect_text(word, strlen(word)));
	inspect_set(o, "veritytab", table);
}

static void add_initrd(json_t *o, struct ingot_source *source, const struct ingot_pe *pe)
{
	const struct ingot_pe_section *section = ingot_pe_section_find(pe, ".initrd");
	INGOT_SOURCE struct ingot_source *initrd = NULL;
	INGOT_FREE char *table = NULL, *signature = NULL;
	size_t n;

	if (!section || ingot_pe_section_source(source, section, &initrd, NULL) < 0)
		return;
	inspect_set(o, "initrd_size", json_integer((json_int_t)initrd->size));
	if (ingot_initrd_find(initrd, "etc/veritytab", &table, &n, NULL) == 0)
		add_veritytab(o, table);
	inspect_set(o, "root_hash_signature",
		    json_boolean(ingot_initrd_find(initrd, "etc/usr.p7s", &signature, &n, NULL) ==
				 0));
}

json_t *inspect_pe(struct ingot_source *source)
{
	struct ingot_pe pe;
	json_t *o, *sections;

	if (ingot_pe_read(source, &pe, NULL) < 0)
		return NULL;
	o = json_object();
	inspect_set(o, "kind", json_string(ingot_pe_section_find(&pe, ".linux") ? "uki" : "efi"));
	inspect_set(o, "machine", json_string(ingot_pe_machine_name(pe.machine)));
	inspect_set(o, "signed", json_boolean(pe.certificates_size > 0));
	add_os(o, source, &pe);
	add_text_section(o, source, &pe, ".cmdline", "cmdline");
	add_text_section(o, source, &pe, ".uname", "uname");
	add_initrd(o, source, &pe);
	sections = json_array();
	for (size_t i = 0; i < pe.section_count; i++)
		(void)json_array_append_new(
			sections, json_pack("{s:o, s:I}", "name",
					    inspect_text(pe.sections[i].name,
							 strlen(pe.sections[i].name)),
					    "size", (json_int_t)pe.sections[i].virtual_size));
	inspect_set(o, "sections", sections);
	return o;
}
