/*
 * The end of a UKI's initrd: the archive that says how /usr is opened. What it holds is written
 * again, and the bytes have to be the same: no field of a header says anything else.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/cpio.h"
#include "boot/initrd.h"
#include "boot/initrd_read.h"
#include "boot/verity_unit.h"
#include "image/verify_internal.h"

/* --- the archive ------------------------------------------------------- */

static bool is_known(const struct verify_program *program, const char *path)
{
	static const char *const known[] = {
		"etc/veritytab",
		"etc/usr.p7s",
		"etc/systemd/system/ingot-verity-usr.service",
		"etc/systemd/system/dev-mapper-usr.device.requires/ingot-verity-usr.service",
		"etc/systemd/system/sysinit.target.wants/ingot-verity-usr.service",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], path) == 0)
			return true;
	for (size_t i = 0; i < program->certificate_count; i++) {
		char certificate[INGOT_INITRD_CERTIFICATE_PATH];

		if (strcmp(ingot_initrd_certificate_path(i, certificate), path) == 0)
			return true;
	}
	return false;
}

static int rebuild(const struct ingot_initrd_archive *archive, struct ingot_source **ret,
		   struct ingot_error *err)
{
	struct ingot_cpio_entry entries[INGOT_INITRD_MEMBERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < archive->count; i++) {
		const struct ingot_initrd_member *m = &archive->members[i];

		if (!S_ISDIR(m->mode))
			entries[count++] =
				(struct ingot_cpio_entry){m->path, m->mode, m->data, m->size};
	}
	return ingot_cpio_source(entries, count, archive->count ? archive->members[0].mtime : 0,
				 ret, err);
}

static int compare(struct ingot_verify_row *row, const struct verify_program *program,
		   const struct ingot_initrd_archive *archive, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *again = NULL;
	INGOT_FREE char *bytes = NULL;
	struct ingot_error why = {0};
	size_t n;
	int rc = rebuild(archive, &again, &why);

	if (rc == -ENOMEM)
		return ingot_raise(err, rc, "%s", why.text);
	if (rc < 0)
		return row_bad(row, "'%s': %s", program->path, why.text);
	rc = ingot_source_load(again, INGOT_SEGMENT_MAX, &bytes, &n, err);
	if (rc < 0)
		return rc;
	if (n > archive->size || memcmp(bytes, archive->bytes, n) != 0)
		return row_bad(row, "'%s': its last archive is not written as Ingot writes one",
			       program->path);
	for (; n < archive->size; n++)
		if (archive->bytes[n] != 0)
			return row_bad(row, "'%s': there is something behind its last archive",
				       program->path);
	return 0;
}

/* --- what it says ------------------------------------------------------ */

/* The words of a line, NUL terminated in place; returns how many. */
static size_t split(char *line, char **words, size_t max)
{
	size_t n = 0;
	char *rest = NULL;

	for (char *word = strtok_r(line, " \n", &rest); word && n < max;
	     word = strtok_r(NULL, " \n", &rest))
		words[n++] = word;
	return n;
}

/* The value of an option of the text, up to what separates it; false: it is not there. */
static bool option_value(const char *text, const char *key, char *value, size_t size)
{
	const char *at = strstr(text, key);
	size_t n;

	if (!at)
		return false;
	at += strlen(key);
	n = strcspn(at, ", \n");
	if (n >= size)
		return false;
	memcpy(value, at, n);
	value[n] = '\0';
	return true;
}

enum { DEVICE_MAX = 256 };

/* The values of options that are in a text, whatever separates them. */
static void read_options(const char *text, struct ingot_initrd_verity *verity,
			 char fec_device[DEVICE_MAX])
{
	char number[32];

	static const char offset[] = "hash-offset=";
	const char *at = strstr(text, offset);

	if (at)
		verity->hash_offset = strtoull(at + sizeof(offset) - 1, NULL, 10);
	if (option_value(text, "fec-device=", fec_device, DEVICE_MAX))
		verity->fec_device = fec_device;
	if (option_value(text, "fec-offset=", number, sizeof(number)))
		verity->fec_offset = strtoull(number, NULL, 10);
	if (option_value(text, "fec-roots=", number, sizeof(number)))
		verity->fec_roots = (unsigned)strtoul(number, NULL, 10);
	verity->keep_signature = !strstr(text, "root-hash-signature=");
	verity->signature = "";
}

static char *veritytab_again(const char *text, struct ingot_error *err)
{
	INGOT_FREE char *line = ingot_strdup(text, err);
	struct ingot_initrd_verity verity = {0};
	char fec_device[DEVICE_MAX];
	char *words[6] = {0};
	size_t n = line ? split(line, words, 6) : 0;

	if (!line || n < 4)
		return line ? ingot_strdup("", err) : NULL;
	read_options(text, &verity, fec_device);
	verity.data_device = words[1];
	verity.hash_device = words[2];
	verity.root_hash = words[3];
	return ingot_veritytab_line(&verity, err);
}

/* "ExecStart=veritysetup open OPTIONS DATA usr HASH ROOTHASH" */
static char *unit_again(const char *text, struct ingot_error *err)
{
	const char *command = strstr(text, "\nExecStart=");
	INGOT_FREE char *line = command ? ingot_strdup(command + 1, err) : NULL;
	struct ingot_initrd_verity verity = {0};
	char fec_device[DEVICE_MAX];
	char *words[12] = {0};
	size_t n;

	if (!command)
		return ingot_strdup("", err);
	if (!line)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	read_options(line, &verity, fec_device);
	n = split(line, words, 12);
	if (n < 6)
		return ingot_strdup("", err);
	verity.data_device = words[n - 4];
	verity.hash_device = words[n - 2];
	verity.root_hash = words[n - 1];
	return ingot_verity_unit(&verity, err);
}

static int check_text(struct ingot_verify_row *row, const struct verify_program *program,
		      const char *what, const char *text, char *again, struct ingot_error *err)
{
	bool same = again && strcmp(text, again) == 0;

	free(again);
	if (!again)
		return ingot_raise_oom(err, 0);
	return same ? 0
		    : row_bad(row, "'%s': its %s has other text than its values give",
			      program->path, what);
}

static bool names(const char *uuid, const struct ingot_gpt_partition *p)
{
	char text[INGOT_GUID_TEXT];

	return strncmp(uuid, ingot_guid_text(&p->uuid, text), INGOT_GUID_TEXT - 1) == 0;
}

/* Whether the word that a place is in begins with fec-device=. */
static bool is_of_fec(const char *text, const char *at)
{
	while (at > text && !strchr(" ,\n", at[-1]))
		at--;
	at += strspn(at, "-");
	return strncmp(at, "fec-device=", 11) == 0;
}

/*
 * The devices are partitions of this disk: first the one that was found to hold /usr, then that of
 * its hash tree. A service has them as paths; their escaped names follow from those.
 */
static int check_devices(struct verification *v, struct ingot_verify_row *row,
			 const struct verify_program *program)
{
	const char *text = program->veritytab ? program->veritytab : program->unit;
	const char *key = program->veritytab ? "PARTUUID=" : "/by-partuuid/";
	const struct ingot_gpt_partition *want[2] = {v->usr_at,
						     v->hash_at ? v->hash_at : v->usr_at};
	size_t count = 0;

	if (!text || !v->usr_at)
		return 0;
	for (const char *at = strstr(text, key); at; at = strstr(at + 1, key)) {
		if (is_of_fec(text, at))
			continue; /* verity.fec looks at it */
		if (count >= 2 || !names(at + strlen(key), want[count++]))
			return row_bad(row, "'%s': it opens another partition than that of /usr",
				       program->path);
	}
	return count == 2 ? 0
			  : row_bad(row, "'%s': it does not open /usr by its partition's UUID",
				    program->path);
}

static int check_member_data(struct ingot_verify_row *row, const struct verify_program *program,
			     const struct ingot_initrd_archive *archive)
{
	for (size_t i = 0; i < archive->count; i++) {
		const struct ingot_initrd_member *m = &archive->members[i];

		if (!S_ISDIR(m->mode) && !is_known(program, m->path))
			return row_bad(row, "'%s': its last archive has '%.80s'", program->path,
				       m->path);
		if (S_ISREG(m->mode) && (m->mode & 07777) != 0644)
			return row_bad(row, "'%s': '%.80s' has the mode 0%o", program->path,
				       m->path, m->mode & 07777);
		if (S_ISLNK(m->mode) &&
		    (m->size != 27 || memcmp(m->data, "../ingot-verity-usr.service", 27) != 0))
			return row_bad(row, "'%s': '%.80s' leads somewhere else", program->path,
				       m->path);
		if (S_ISREG(m->mode) && strcmp(m->path, "etc/usr.p7s") != 0 &&
		    memchr(m->data, 0, m->size))
			return row_bad(row, "'%s': there is a NUL byte in '%.80s'", program->path,
				       m->path);
	}
	return 0;
}

static int check_program(struct verification *v, struct ingot_verify_row *row,
			 const struct verify_program *program, struct ingot_initrd_archive *archive,
			 struct ingot_error *err)
{
	struct ingot_error why = {0};
	int rc;

	if (!program->initrd)
		return row_bad(row, "'%s' has none", program->path);
	if (*program->error)
		return ingot_raise(err, -EINVAL, "'%s': %s", program->path, program->error);
	rc = ingot_initrd_last(program->initrd, archive, &why);
	if (rc == -ENODATA && !v->usr)
		return 0;
	if (rc == -ENODATA || rc == -E2BIG)
		return row_bad(row, "%s", why.text);
	if (rc < 0)
		return ingot_raise(err, rc, "%s", why.text);
	rc = check_member_data(row, program, archive);
	if (rc == 0 && row->verdict != INGOT_VERIFY_BAD)
		rc = compare(row, program, archive, err);
	if (rc == 0 && row->verdict != INGOT_VERIFY_BAD && program->veritytab)
		rc = check_text(row, program, "veritytab", program->veritytab,
				veritytab_again(program->veritytab, err), err);
	if (rc == 0 && row->verdict != INGOT_VERIFY_BAD && program->unit)
		rc = check_text(row, program, "service", program->unit,
				unit_again(program->unit, err), err);
	if (rc == 0 && row->verdict != INGOT_VERIFY_BAD)
		rc = check_devices(v, row, program);
	if (rc == 0 && row->verdict != INGOT_VERIFY_BAD && v->usr && !v->hash &&
	    !program->veritytab && !program->unit)
		return row_bad(row, "'%s': nothing in it opens /usr", program->path);
	return rc;
}

int check_uki_initrd(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err)
{
	size_t count = 0;

	if (v->esp && !v->esp_read)
		return ingot_raise(err, -EINVAL, "the files of the ESP: %s", v->esp_error.text);
	for (size_t i = 0; i < v->program_count; i++) {
		INGOT_FREE struct ingot_initrd_archive *archive = NULL;
		int rc;

		if (!v->programs[i].is_uki)
			continue;
		count++;
		archive = ingot_alloc(1, sizeof(*archive), err);
		if (!archive)
			return -ENOMEM;
		rc = check_program(v, row, &v->programs[i], archive, err);
		ingot_initrd_archive_done(archive);
		if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
			return rc;
	}
	if (count == 0)
		return row_not_applicable(row, "there is no unified kernel image");
	return row_good(row, "as expected");
}
