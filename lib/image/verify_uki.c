/* The EFI programs of the ESP, all but the end of their initrd. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/pe_signature.h"
#include "image/verify_internal.h"
#include "sign/exact.h"

/* Programs that cannot be looked at are no reason to look at none. */
static int programs(struct verification *v, struct ingot_verify_row *row, bool ukis, size_t *count,
		    struct ingot_error *err)
{
	*count = 0;
	if (!v->esp)
		return row_not_applicable(row, "there is no ESP");
	if (!v->esp_read)
		return ingot_raise(err, -EINVAL, "the files of the ESP: %s", v->esp_error.text);
	for (size_t i = 0; i < v->program_count; i++)
		*count += !ukis || v->programs[i].is_uki;
	if (*count == 0 && !ukis && v->other_files > 0)
		return row_bad(row, "there are files on the ESP, but no EFI program");
	if (*count == 0)
		return row_not_applicable(row, ukis ? "there is no unified kernel image"
						    : "there is no EFI program");
	return 0;
}

/* --- structure --------------------------------------------------------- */

/* What lies behind the last section: nothing, or signatures up to the end. */
static int check_end(struct ingot_verify_row *row, const struct verify_program *program)
{
	const struct ingot_pe *pe = &program->pe;
	uint64_t end = pe->headers_size, size = program->source->size;

	for (size_t i = 0; i < pe->section_count; i++)
		end = ingot_max(end,
				(uint64_t)pe->sections[i].raw_offset + pe->sections[i].raw_size);
	if (pe->certificates_size == 0)
		return end == size ? 0
				   : row_bad(row, "'%s' has %llu bytes behind its last section",
					     program->path, (unsigned long long)(size - end));
	if (pe->certificates_offset < end || pe->certificates_offset - end >= 8 ||
	    (uint64_t)pe->certificates_offset + pe->certificates_size != size)
		return row_bad(row, "'%s': its signatures are not what it ends in", program->path);
	return 0;
}

/* Where firmware looks on a disk that it was told nothing about (UEFI 2.10, 3.5.1.1). */
static const char *removable_path(uint16_t machine)
{
	switch (machine) {
	case INGOT_PE_X86_64:
		return "EFI/BOOT/BOOTX64.EFI";
	case INGOT_PE_ARM64:
		return "EFI/BOOT/BOOTAA64.EFI";
	case INGOT_PE_I386:
		return "EFI/BOOT/BOOTIA32.EFI";
	case INGOT_PE_RISCV64:
		return "EFI/BOOT/BOOTRISCV64.EFI";
	case INGOT_PE_LOONGARCH64:
		return "EFI/BOOT/BOOTLOONGARCH64.EFI";
	default:
		return NULL;
	}
}

static int check_path(struct verification *v, struct ingot_verify_row *row)
{
	uint16_t machine = v->programs[0].pe.machine;
	const char *want = removable_path(machine);

	if (!want)
		return row_bad(row, "'%s' is for the unknown machine 0x%04x", v->programs[0].path,
			       machine);
	for (size_t i = 0; i < v->program_count; i++)
		if (strcasecmp(v->programs[i].path, want) == 0)
			return 0;
	return row_bad(row, "there is no '%s', which firmware starts", want);
}

int check_uki_structure(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err)
{
	const struct verify_program *first = &v->programs[0];
	size_t count;
	int rc = programs(v, row, false, &count, err);

	for (size_t i = 0; rc == 0 && count && i < v->program_count; i++) {
		const struct verify_program *program = &v->programs[i];

		if (!program->is_pe)
			return row_bad(row, "'%s': %s", program->path, program->error);
		if (program->pe.subsystem != INGOT_PE_EFI_APPLICATION)
			return row_bad(row, "'%s' is for subsystem %u, not an EFI application",
				       program->path, program->pe.subsystem);
		if (first->is_pe && program->pe.machine != first->pe.machine)
			return row_bad(row, "'%s' is for %s, others are for %s", program->path,
				       ingot_pe_machine_name(program->pe.machine),
				       ingot_pe_machine_name(first->pe.machine));
		rc = check_end(row, program);
		if (row->verdict == INGOT_VERIFY_BAD)
			return rc;
	}
	if (rc == 0 && count > 0)
		rc = check_path(v, row);
	if (rc < 0 || count == 0 || row->verdict == INGOT_VERIFY_BAD)
		return rc;
	return row_good(row, count == 1 ? "one, for %s" : "all for %s, %zu of them",
			ingot_pe_machine_name(first->pe.machine), count);
}

/* --- sections ---------------------------------------------------------- */

/* Zero between the end of the content and that of the section. */
static int check_padding(struct verification *v, struct ingot_verify_row *row,
			 const struct verify_program *program, size_t index,
			 struct ingot_error *err)
{
	const struct ingot_pe_section *s = &program->pe.sections[index];
	uint64_t from = (uint64_t)s->raw_offset + ingot_min(s->virtual_size, s->raw_size);
	uint64_t to = (uint64_t)s->raw_offset + s->raw_size, at;
	int rc;

	if (s->raw_size == 0)
		return 0;
	rc = verify_first_nonzero(program->source, from, to, v->options->jobs, &at, err);
	if (rc < 0 || at == to)
		return rc;
	return row_bad(row, "'%s': byte %llu, behind section '%s', is not zero", program->path,
		       (unsigned long long)at, s->name);
}

/* In the order in which the boot stub's own tool writes them; each has to be there once. */
static int check_names(struct ingot_verify_row *row, const struct verify_program *program)
{
	static const char *const names[] = {".osrel", ".cmdline", ".initrd", ".linux"};
	const struct ingot_pe_section *before = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct ingot_pe_section *s = ingot_pe_section_find(&program->pe, names[i]);

		if (!s)
			return row_bad(row, "'%s' has no section '%s'", program->path, names[i]);
		if (before && s < before)
			return row_bad(row, "'%s': section '%s' comes too early", program->path,
				       names[i]);
		for (size_t j = 0; j < program->pe.section_count; j++)
			if (&program->pe.sections[j] != s &&
			    strcmp(program->pe.sections[j].name, names[i]) == 0)
				return row_bad(row, "'%s' has section '%s' twice", program->path,
					       names[i]);
		before = s;
	}
	return 0;
}

/* os-release(5): KEY=VALUE, comments, empty lines. */
static bool is_os_release(const char *text, size_t n)
{
	for (const char *line = text; line < text + n;) {
		const char *end = memchr(line, '\n', (size_t)(text + n - line));
		size_t length = (size_t)((end ? end : text + n) - line);
		size_t key = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

		if (length > 0 && line[0] != '#' && (key == 0 || key >= length || line[key] != '='))
			return false;
		line += length + 1;
	}
	return n > 0 && strlen(text) == n;
}

static int check_osrel(struct ingot_verify_row *row, const struct verify_program *program,
		       struct ingot_error *err)
{
	const struct ingot_pe_section *s = ingot_pe_section_find(&program->pe, ".osrel");
	INGOT_SOURCE struct ingot_source *content = NULL;
	INGOT_FREE char *text = NULL;
	size_t n;
	int rc = ingot_pe_section_source(program->source, s, &content, err);

	if (rc == 0)
		rc = ingot_source_load(content, VERIFY_TEXT_MAX, &text, &n, err);
	if (rc < 0)
		return rc;
	return is_os_release(text, n)
		       ? 0
		       : row_bad(row, "'%s': section '.osrel' is no os-release", program->path);
}

int check_uki_sections(struct verification *v, struct ingot_verify_row *row,
		       struct ingot_error *err)
{
	size_t count;
	int rc = programs(v, row, true, &count, err);

	for (size_t i = 0; rc == 0 && count && i < v->program_count; i++) {
		const struct verify_program *program = &v->programs[i];

		if (!program->is_uki)
			continue;
		rc = check_names(row, program);
		if (rc == 0 && row->verdict != INGOT_VERIFY_BAD)
			rc = check_osrel(row, program, err);
		for (size_t j = 0; rc == 0 && j < program->pe.section_count; j++)
			if (row->verdict != INGOT_VERIFY_BAD)
				rc = check_padding(v, row, program, j, err);
		if (row->verdict == INGOT_VERIFY_BAD)
			return rc;
	}
	if (rc < 0 || count == 0)
		return rc;
	return row_good(row, "as expected");
}

/* --- command line ------------------------------------------------------ */

static bool is_partuuid(const struct verification *v, const char *text, size_t n)
{
	for (size_t i = 0; i < v->gpt->count; i++) {
		char uuid[INGOT_GUID_TEXT];

		ingot_guid_text(&v->gpt->partitions[i].uuid, uuid);
		if (n == strlen(uuid) && strncmp(text, uuid, n) == 0)
			return true;
	}
	return false;
}

static bool has_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(line, word); at; at = strstr(at + 1, word))
		if ((at == line || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static int check_words(struct verification *v, struct ingot_verify_row *row,
		       const struct verify_program *program)
{
	static const char *const wanted[] = {"mount.usr=/dev/mapper/usr", "mount.usrfstype=ext2",
					     "mount.usrflags=ro"};
	static const char partuuid[] = "PARTUUID=";
	const char *line = program->cmdline;

	for (size_t i = 0; v->usr && i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!has_word(line, wanted[i]))
			return row_bad(row, "'%s': '%s' is missing", program->path, wanted[i]);
	for (const char *at = strstr(line, partuuid); at; at = strstr(at + 1, partuuid)) {
		const char *uuid = at + sizeof(partuuid) - 1;

		if (!is_partuuid(v, uuid, strcspn(uuid, " ,")))
			return row_bad(row, "'%s': no partition has %.60s", program->path, at);
	}
	if (v->root_at) {
		char text[INGOT_GUID_TEXT], word[INGOT_GUID_TEXT + 16];

		(void)snprintf(word, sizeof(word), "root=PARTUUID=%s",
			       ingot_guid_text(&v->root_at->uuid, text));
		if (!has_word(line, word))
			return row_bad(row, "'%s': '%s' is missing", program->path, word);
	}
	if (v->hash && !strstr(line, "usrhash="))
		return row_bad(row, "'%s': there is no usrhash= to find /usr by", program->path);
	return 0;
}

static int check_line(struct verification *v, struct ingot_verify_row *row,
		      const struct verify_program *program, struct ingot_error *err)
{
	const struct ingot_pe_section *s = ingot_pe_section_find(&program->pe, ".cmdline");

	if (!s)
		return row_bad(row, "'%s' has none", program->path);
	if (!program->cmdline)
		return ingot_raise(err, -EINVAL, "'%s': %s", program->path, program->error);
	if (strlen(program->cmdline) != ingot_min(s->virtual_size, s->raw_size))
		return row_bad(row, "'%s': there is a NUL byte in it", program->path);
	for (const char *p = program->cmdline; *p; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
			return row_bad(row, "'%s': there is a control character in it",
				       program->path);
	return check_words(v, row, program);
}

int check_uki_cmdline(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err)
{
	size_t count;
	int rc = programs(v, row, true, &count, err);

	for (size_t i = 0; rc == 0 && count && i < v->program_count; i++) {
		if (!v->programs[i].is_uki)
			continue;
		rc = check_line(v, row, &v->programs[i], err);
		if (row->verdict == INGOT_VERIFY_BAD)
			return rc;
	}
	return rc < 0 || count == 0 ? rc : row_good(row, "as expected");
}

/* --- Authenticode ------------------------------------------------------ */

/* The table made again of what is in it; *ret stays NULL if that is not exact. */
static int table_again(const struct ingot_pe_certificate *entries, size_t n,
		       const uint8_t digest[INGOT_SHA256_SIZE],
		       const struct ingot_certificate *const *certificates, size_t count,
		       uint8_t **ret, size_t *ret_n, struct ingot_error *err)
{
	INGOT_FREE uint8_t *table = NULL;
	size_t table_n = 0;

	*ret = NULL;
	for (size_t i = 0; i < n; i++) {
		uint8_t *longer;
		bool exact;
		int rc = ingot_authenticode_is_exact(entries[i].data, entries[i].n, digest,
						     certificates, count, &exact, err);

		if (rc < 0 || !exact)
			return rc;
		rc = ingot_pe_table_add(table, table_n, entries[i].data, entries[i].n, &longer,
					&table_n, err);
		if (rc < 0)
			return rc;
		free(table);
		table = longer;
	}
	*ret = INGOT_TAKE(table);
	*ret_n = table_n;
	return 0;
}

/* Checksum, place and size of the table are in no digest: the headers made again are the same. */
static int same_headers(struct ingot_source *program, struct ingot_source *again, bool *ret,
			struct ingot_error *err)
{
	size_t n = (size_t)ingot_min(program->size, INGOT_PE_HEADERS_MAX);
	INGOT_FREE unsigned char *a = ingot_alloc(2, n + 1, err);
	unsigned char *b = a ? a + n : NULL;
	int rc = a ? ingot_source_read(program, 0, a, n, err) : -ENOMEM;

	*ret = false;
	if (rc < 0 || again->size != program->size)
		return rc;
	rc = ingot_source_read(again, 0, b, n, err);
	*ret = rc == 0 && memcmp(a, b, n) == 0;
	return rc;
}

static int is_exact(struct ingot_source *program,
		    const struct ingot_certificate *const *certificates, size_t count, bool *ret,
		    struct ingot_error *err)
{
	struct ingot_pe_certificate entries[INGOT_PE_SIGNATURES_MAX];
	INGOT_SOURCE struct ingot_source *again = NULL;
	INGOT_FREE uint8_t *table = NULL, *other = NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	size_t table_n, other_n = 0, n;
	struct ingot_pe_place place;
	int rc = ingot_pe_place_read(program, &place, err);

	*ret = false;
	if (rc == 0)
		rc = ingot_pe_digest(program, &place, digest, err);
	if (rc == 0)
		rc = ingot_pe_table_load(program, &place, &table, &table_n, err);
	if (rc == 0)
		rc = ingot_pe_table_read(table, table_n, entries, &n, err);
	if (rc == 0)
		rc = table_again(entries, n, digest, certificates, count, &other, &other_n, err);
	if (rc < 0 || !other || other_n != table_n || memcmp(table, other, table_n) != 0)
		return rc;
	rc = ingot_pe_attach(program, &place, other, other_n, &again, err);
	return rc < 0 ? rc : same_headers(program, again, ret, err);
}

static int check_signature(struct ingot_verify_row *row, const struct verify_program *program,
			   const struct ingot_certificate *const *list, size_t count,
			   struct ingot_error *err)
{
	struct ingot_error why = {0};
	bool exact = true;
	int rc = ingot_authenticode_verify(program->source, list, count, NULL, &why);

	if (rc == -ENOMEM || rc == -EIO)
		return ingot_raise(err, rc, "%s", why.text);
	if (rc < 0)
		return row_bad(row, "'%s': %s", program->path, why.text);
	/* Programs of others come with signatures of others, which may be of another form. */
	if (program->is_uki)
		rc = is_exact(program->source, list, count, &exact, err);
	if (rc < 0 || exact)
		return rc;
	return row_bad(row, "'%s': the signature is good, but not the bytes around it",
		       program->path);
}

static int check_signatures(struct verification *v, struct ingot_verify_row *row,
			    struct ingot_error *err)
{
	const struct ingot_verify_options *o = v->options;
	bool apart = o->secure_boot_count > 0;
	const struct ingot_certificate *const *list =
		apart ? o->secure_boot_certificates : o->certificates;
	size_t count = apart ? o->secure_boot_count : o->certificate_count;

	if (count == 0)
		return ingot_raise(err, -ENOKEY,
				   "the EFI programs are signed, but no certificate was given");
	for (size_t i = 0; i < v->program_count; i++) {
		int rc = check_signature(row, &v->programs[i], list, count, err);

		if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
			return rc;
	}
	return 0;
}

int check_uki_signature(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err)
{
	size_t count, is_signed = 0;
	bool promised;
	int rc = programs(v, row, false, &count, err);

	if (rc < 0 || count == 0)
		return rc;
	for (size_t i = 0; i < v->program_count; i++)
		is_signed += v->programs[i].is_pe && v->programs[i].pe.certificates_size > 0;
	promised = json_is_true(
		json_object_get(json_object_get(v->options->manifest, "uki"), "signed"));
	if (is_signed == 0 && v->options->secure_boot_count == 0 && !promised)
		return row_not_applicable(row, "no EFI program is signed");
	if (is_signed < count)
		return row_bad(row, "%zu of %zu EFI programs are not signed", count - is_signed,
			       count);
	rc = check_signatures(v, row, err);
	if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
		return rc;
	v->authenticated = true;
	return row_good(row, count == 1 ? "signed" : "signed, all %zu", count);
}
