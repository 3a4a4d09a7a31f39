#include <errno.h>
#include <string.h>

#include "boot/initrd_read.h"
#include "boot/pe.h"
#include "image/inspect_internal.h"

/* EFI programs, and what a unified kernel image is made of. */

enum { TEXT_MAX = 64 * 1024 };

/* The value of KEY=VALUE or KEY="VALUE" in an os-release (os-release(5)). */
static void add_os_release_value(struct inspection *in, json_t *o, const char *text,
				 const char *key)
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
			inspect_set(in, o, "os", inspect_text(value + 1, length - 2));
		else
			inspect_set(in, o, "os", inspect_text(value, length));
		return;
	}
}

/* A section's text; NULL: not there, or not to be read. */
static char *section_text(struct inspection *in, struct ingot_source *source,
			  const struct ingot_pe *pe, const char *name, size_t *ret_n)
{
	const struct ingot_pe_section *section = ingot_pe_section_find(pe, name);
	INGOT_SOURCE struct ingot_source *content = NULL;
	char *text = NULL;

	if (!section ||
	    inspect_failed(in, ingot_pe_section_source(source, section, &content, NULL)) ||
	    inspect_failed(in, ingot_source_load(content, TEXT_MAX, &text, ret_n, NULL)))
		return NULL;
	return text;
}

static void add_text_section(struct inspection *in, json_t *o, struct ingot_source *source,
			     const struct ingot_pe *pe, const char *name, const char *key)
{
	size_t n;
	INGOT_FREE char *text = section_text(in, source, pe, name, &n);

	if (text)
		inspect_set(in, o, key, inspect_text(text, n));
}

static void add_os(struct inspection *in, json_t *o, struct ingot_source *source,
		   const struct ingot_pe *pe)
{
	size_t n;
	INGOT_FREE char *text = section_text(in, source, pe, ".osrel", &n);

	if (text)
		add_os_release_value(in, o, text, "PRETTY_NAME");
}

/* --- what opens /usr --------------------------------------------------- */

/* A file of the initrd's last archive; NULL: not there, or too large to be shown. */
static char *initrd_text(struct inspection *in, struct ingot_source *initrd, const char *path)
{
	INGOT_FREE char *text = NULL;
	size_t n;

	if (inspect_failed(in, ingot_initrd_find(initrd, path, &text, &n, NULL)) || n > TEXT_MAX)
		return NULL;
	return INGOT_TAKE(text);
}

/* veritytab(5): "VOLUME DATA HASH ROOTHASH OPTIONS", the first line. */
static void add_veritytab(struct inspection *in, json_t *o, char *line)
{
	static const char *const keys[] = {"volume", "data_device", "hash_device", "root_hash",
					   "options"};
	json_t *table = json_object(), *root_hash;
	char *rest = NULL;
	size_t i = 0;

	line[strcspn(line, "\n")] = '\0';
	for (char *word = strtok_r(line, " \t", &rest); word && i < 5;
	     word = strtok_r(NULL, " \t", &rest))
		inspect_set(in, table, keys[i++], inspect_text(word, strlen(word)));
	root_hash = json_object_get(table, "root_hash");
	if (root_hash)
		inspect_set(in, o, "root_hash", json_deep_copy(root_hash));
	inspect_set(in, o, "veritytab", table);
}

/* The service for an older systemd: "ExecStart=veritysetup open OPTIONS DATA usr HASH ROOTHASH". */
static void add_service(struct inspection *in, json_t *o, const char *unit)
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
	inspect_set(in, o, "verity_command", inspect_text(command, n));
	inspect_set(in, o, "root_hash", inspect_text(last, (size_t)(command + n - last)));
}

static void add_initrd(struct inspection *in, json_t *o, struct ingot_source *source,
		       const struct ingot_pe *pe)
{
	const struct ingot_pe_section *section = ingot_pe_section_find(pe, ".initrd");
	INGOT_SOURCE struct ingot_source *initrd = NULL;
	INGOT_FREE char *table = NULL, *unit = NULL, *signature = NULL;

	if (!section || inspect_failed(in, ingot_pe_section_source(source, section, &initrd, NULL)))
		return;
	inspect_set(in, o, "initrd_size", json_integer((json_int_t)initrd->size));
	table = initrd_text(in, initrd, "etc/veritytab");
	unit = initrd_text(in, initrd, "etc/systemd/system/ingot-verity-usr.service");
	signature = initrd_text(in, initrd, "etc/usr.p7s");
	if (table)
		add_veritytab(in, o, table);
	else if (unit)
		add_service(in, o, unit);
	inspect_set(in, o, "root_hash_signature", json_boolean(signature));
}

/* systemd finds /usr by usrhash= where nothing in the initrd says more. */
static void add_usrhash(struct inspection *in, json_t *o)
{
	static const char key[] = "usrhash=";
	const char *line = json_string_value(json_object_get(o, "cmdline"));

	if (json_object_get(o, "root_hash"))
		return;
	for (const char *at = line ? strstr(line, key) : NULL; at; at = strstr(at + 1, key))
		if (at == line || at[-1] == ' ')
			inspect_set(in, o, "root_hash",
				    inspect_text(at + strlen(key), strcspn(at + strlen(key), " ")));
}

json_t *inspect_pe(struct inspection *in, struct ingot_source *source)
{
	struct ingot_pe pe;
	json_t *o, *sections;

	if (inspect_failed(in, ingot_pe_read(source, &pe, NULL)))
		return NULL;
	o = json_object();
	inspect_set(in, o, "kind",
		    json_string(ingot_pe_section_find(&pe, ".linux") ? "uki" : "efi"));
	inspect_set(in, o, "machine", json_string(ingot_pe_machine_name(pe.machine)));
	inspect_set(in, o, "signed", json_boolean(pe.certificates_size > 0));
	add_os(in, o, source, &pe);
	add_text_section(in, o, source, &pe, ".cmdline", "cmdline");
	add_text_section(in, o, source, &pe, ".uname", "uname");
	add_initrd(in, o, source, &pe);
	add_usrhash(in, o);
	sections = json_array();
	for (size_t i = 0; i < pe.section_count; i++)
		inspect_append(
			in, sections,
			json_pack("{s:o, s:I}", "name",
				  inspect_text(pe.sections[i].name, strlen(pe.sections[i].name)),
				  "size", (json_int_t)pe.sections[i].virtual_size));
	inspect_set(in, o, "sections", sections);
	return o;
}
