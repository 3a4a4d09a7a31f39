#include <errno.h>
#include <string.h>

#include "boot/initrd_read.h"
#include "boot/pe.h"
#include "image/inspect_internal.h"

/* EFI programs, and what a unified kernel image is made of. */

enum { TEXT_MAX = 64 * 1024 };

/* The value of KEY=VALUE or KEY="VALUE" in an os-release (os-release(5)). */
static json_t *os_release_value(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *value;
		size_t length;

		if (strncmp(line, key, n) != 0 || line[n] != '=')
			continue;
		value = line + n + 1;
		length = strcspn(value, "\n");
		if (length >= 2 && strchr("\"'", value[0]) && value[length - 1] == value[0])
			return inspect_text(value + 1, length - 2);
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

/* --- what opens /usr --------------------------------------------------- */

/* A file of the initrd's last archive; NULL: not there, or too large to be shown. */
static char *initrd_text(struct ingot_source *initrd, const char *path)
{
	INGOT_FREE char *text = NULL;
	size_t n;

	if (ingot_initrd_find(initrd, path, &text, &n, NULL) < 0 || n > TEXT_MAX)
		return NULL;
	return INGOT_TAKE(text);
}

/* veritytab(5): "VOLUME DATA HASH ROOTHASH OPTIONS", the first line. */
static void add_veritytab(json_t *o, char *line)
{
	static const char *const keys[] = {"volume", "data_device", "hash_device", "root_hash",
					   "options"};
	json_t *table = json_object();
	char *rest = NULL;
	size_t i = 0;

	line[strcspn(line, "\n")] = '\0';
	for (char *word = strtok_r(line, " \t", &rest); word && i < 5;
	     word = strtok_r(NULL, " \t", &rest))
		inspect_set(table, keys[i++], inspect_text(word, strlen(word)));
	inspect_set(o, "root_hash", json_deep_copy(json_object_get(table, "root_hash")));
	inspect_set(o, "veritytab", table);
}

/* The service for an older systemd: "ExecStart=veritysetup open OPTIONS DATA usr HASH ROOTHASH". */
static void add_service(json_t *o, const char *unit)
{
	static const char key[] = "\nExecStart=";
	const char *command = strstr(unit, key), *last;
	size_t n;

	if (!command)
		return;
	command += strlen(key);
	n = strcspn(command, "\n");
	last = command + n;
	while (last > command && last[-1] != ' ')
		last--;
	inspect_set(o, "verity_command", inspect_text(command, n));
	inspect_set(o, "root_hash", inspect_text(last, (size_t)(command + n - last)));
}

static void add_initrd(json_t *o, struct ingot_source *source, const struct ingot_pe *pe)
{
	const struct ingot_pe_section *section = ingot_pe_section_find(pe, ".initrd");
	INGOT_SOURCE struct ingot_source *initrd = NULL;
	INGOT_FREE char *table = NULL, *unit = NULL, *signature = NULL;

	if (!section || ingot_pe_section_source(source, section, &initrd, NULL) < 0)
		return;
	inspect_set(o, "initrd_size", json_integer((json_int_t)initrd->size));
	table = initrd_text(initrd, "etc/veritytab");
	unit = initrd_text(initrd, "etc/systemd/system/ingot-verity-usr.service");
	signature = initrd_text(initrd, "etc/usr.p7s");
	if (table)
		add_veritytab(o, table);
	else if (unit)
		add_service(o, unit);
	inspect_set(o, "root_hash_signature", json_boolean(signature));
}

/* systemd finds /usr by usrhash= where nothing in the initrd says more. */
static void add_usrhash(json_t *o)
{
	static const char key[] = "usrhash=";
	const char *line = json_string_value(json_object_get(o, "cmdline"));

	if (json_object_get(o, "root_hash"))
		return;
	for (const char *at = line ? strstr(line, key) : NULL; at; at = strstr(at + 1, key))
		if (at == line || at[-1] == ' ')
			inspect_set(o, "root_hash",
				    inspect_text(at + strlen(key), strcspn(at + strlen(key), " ")));
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
	add_usrhash(o);
	sections = json_array();
	for (size_t i = 0; i < pe.section_count; i++)
		(void)json_array_append_new(
			sections,
			json_pack("{s:o, s:I}", "name",
				  inspect_text(pe.sections[i].name, strlen(pe.sections[i].name)),
				  "size", (json_int_t)pe.sections[i].virtual_size));
	inspect_set(o, "sections", sections);
	return o;
}
