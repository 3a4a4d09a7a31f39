/* The EFI programs on the ESP, and what a unified kernel image says about /usr. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "boot/initrd_read.h"
#include "image/esp_file_internal.h"
#include "image/verify_internal.h"

/* Keeps the sentence of what went wrong; only -ENOMEM is handed on. */
static int keep_error(struct verify_program *program, int rc, const struct ingot_error *why,
		      struct ingot_error *err)
{
	if (rc == -ENOMEM)
		return ingot_raise(err, rc, "%s", why->text);
	if (rc < 0 && !*program->error)
		(void)snprintf(program->error, sizeof(program->error), "%.250s", why->text);
	return 0;
}

/* --- a program --------------------------------------------------------- */

static int read_cmdline(struct verify_program *program, struct ingot_error *err)
{
	const struct ingot_pe_section *section = ingot_pe_section_find(&program->pe, ".cmdline");
	INGOT_SOURCE struct ingot_source *content = NULL;
	struct ingot_error why = {0};
	size_t n;
	int rc;

	if (!section)
		return 0;
	rc = ingot_pe_section_source(program->source, section, &content, &why);
	if (rc == 0)
		rc = ingot_source_load(content, VERIFY_TEXT_MAX, &program->cmdline, &n, &why);
	return keep_error(program, rc, &why, err);
}

/* A file of the initrd's last archive; not being there is no error. */
static int read_file(struct verify_program *program, const char *path, char **ret, size_t *ret_n,
		     struct ingot_error *err)
{
	struct ingot_error why = {0};
	int rc = ingot_initrd_find(program->initrd, path, ret, ret_n, &why);

	return rc == -ENODATA ? 0 : keep_error(program, rc, &why, err);
}

static int read_certificates(struct verify_program *program, struct ingot_error *err)
{
	for (size_t i = 0; i < INGOT_INITRD_CERTIFICATES_MAX; i++) {
		char path[INGOT_INITRD_CERTIFICATE_PATH];
		struct verify_text *text = &program->certificates[i];
		int rc = read_file(program, ingot_initrd_certificate_path(i, path), &text->data,
				   &text->size, err);

		if (rc < 0 || !text->data)
			return rc;
		program->certificate_count++;
	}
	return 0;
}

static int read_initrd(struct verify_program *program, struct ingot_error *err)
{
	const struct ingot_pe_section *section = ingot_pe_section_find(&program->pe, ".initrd");
	struct ingot_error why = {0};
	size_t n;
	int rc;

	if (!section)
		return 0;
	rc = ingot_pe_section_source(program->source, section, &program->initrd, &why);
	if (rc < 0)
		return keep_error(program, rc, &why, err);
	rc = read_file(program, "etc/veritytab", &program->veritytab, &n, err);
	if (rc == 0)
		rc = read_file(program, "etc/systemd/system/ingot-verity-usr.service",
			       &program->unit, &n, err);
	if (rc == 0)
		rc = read_file(program, "etc/usr.p7s", &program->signature,
			       &program->signature_size, err);
	return rc < 0 ? rc : read_certificates(program, err);
}

/* By any section of one: it shall not get away as something else for the want of another. */
static bool looks_like_uki(const struct ingot_pe *pe)
{
	return ingot_pe_section_find(pe, ".linux") || ingot_pe_section_find(pe, ".initrd") ||
	       ingot_pe_section_find(pe, ".cmdline") || ingot_pe_section_find(pe, ".osrel");
}

static int read_program(struct verify_program *program, struct ingot_error *err)
{
	struct ingot_error why = {0};
	int rc = ingot_pe_read(program->source, &program->pe, &why);

	program->is_pe = rc == 0;
	program->is_uki = rc == 0 && looks_like_uki(&program->pe);
	if (rc < 0)
		return keep_error(program, rc, &why, err);
	if (!program->is_uki)
		return 0;
	rc = read_cmdline(program, err);
	return rc == 0 ? read_initrd(program, err) : rc;
}

/* --- the ESP ----------------------------------------------------------- */

static int add_program(struct verification *v, const struct ingot_fat_entry *entry,
		       struct ingot_error *err)
{
	uint64_t clusters = ingot_div_up(entry->size, v->volume.cluster_size);
	struct verify_program *program = &v->programs[v->program_count];
	struct ingot_error why = {0};
	int rc;

	if (v->program_count == VERIFY_PROGRAMS_MAX || clusters > v->clusters_left)
		return ingot_raise(err, -E2BIG, "more EFI programs than are looked into");
	v->clusters_left -= clusters;
	program->path = ingot_strdup(entry->path, err);
	if (!program->path)
		return -ENOMEM;
	v->program_count++;
	rc = ingot_fat_file_source(&v->volume, entry, &program->source, &why);
	if (rc < 0)
		return keep_error(program, rc, &why, err);
	return read_program(program, err);
}

static int visit(void *context, const struct ingot_fat_entry *entry, struct ingot_error *err)
{
	struct verification *v = context;

	if (entry->folder)
		return 0;
	if (esp_is_program(entry->path))
		return add_program(v, entry, err);
	if (++v->other_files > VERIFY_FILES_MAX)
		return ingot_raise(err, -E2BIG, "more files than are looked at");
	return 0;
}

int verify_find_programs(struct verification *v, struct ingot_error *err)
{
	int rc;

	if (!v->esp)
		return 0;
	rc = ingot_fat_open(v->esp, &v->volume, &v->esp_error);
	if (rc == 0)
		rc = ingot_fat_walk(&v->volume, visit, v, &v->esp_error);
	v->esp_read = rc == 0;
	return rc == -ENOMEM ? ingot_raise(err, rc, "%s", v->esp_error.text) : 0;
}

void verify_programs_done(struct verification *v)
{
	for (size_t i = 0; i < v->program_count; i++) {
		struct verify_program *program = &v->programs[i];

		ingot_source_free(program->initrd);
		ingot_source_free(program->source);
		free(program->path);
		free(program->cmdline);
		free(program->veritytab);
		free(program->unit);
		free(program->signature);
		for (size_t j = 0; j < program->certificate_count; j++)
			free(program->certificates[j].data);
	}
}
