/* The parity of /usr: who says where it is, and whether it is right. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/verify_internal.h"
#include "verity/fec.h"

/* --- finding it -------------------------------------------------------- */

static bool number_behind(const char *text, const char *key, uint64_t *ret)
{
	const char *at = text ? strstr(text, key) : NULL;

	if (!at || at[strlen(key)] < '0' || at[strlen(key)] > '9')
		return false;
	*ret = strtoull(at + strlen(key), NULL, 10);
	return true;
}

/* A veritytab, a service or a command line with both numbers. */
static bool read_text(struct verification *v, const char *text)
{
	uint64_t roots;

	if (!number_behind(text, "fec-roots=", &roots) ||
	    !number_behind(text, "fec-offset=", &v->fec_offset))
		return false;
	v->fec_roots = (uint32_t)ingot_min(roots, UINT32_MAX);
	return true;
}

static bool read_manifest(struct verification *v)
{
	const json_t *usr = json_object_get(v->options->manifest, "usr");
	const json_t *roots = json_object_get(usr, "fec_roots");

	if (!json_is_integer(roots))
		return false;
	v->fec_roots = (uint32_t)json_integer_value(roots);
	v->fec_offset = (uint64_t)json_integer_value(json_object_get(usr, "fec_offset"));
	return true;
}

static bool find_claim(struct verification *v)
{
	for (size_t i = 0; i < v->program_count; i++) {
		const struct verify_program *p = &v->programs[i];

		if (read_text(v, p->veritytab) || read_text(v, p->unit) || read_text(v, p->cmdline))
			return true;
	}
	return read_manifest(v);
}

void verify_find_fec(struct verification *v)
{
	struct ingot_source *hash = v->hash ? v->hash : v->usr;
	struct ingot_error why = {0};
	uint64_t end;
	int rc;

	if (!v->has_superblock)
		return;
	v->has_fec = find_claim(v);
	if (!v->has_fec && !v->fec_part)
		return;
	v->has_fec = true;
	v->fec_source = v->fec_part ? v->fec_part : hash;
	/* On the hash device the message ends where the parity starts. */
	end = v->fec_part ? hash->size : v->fec_offset;
	rc = ingot_fec_geometry(&v->superblock.params, &v->geometry, v->fec_roots, end, &v->fec,
				&why);
	if (rc == 0 && !ingot_in_range(v->fec_offset, v->fec.parity_size, v->fec_source->size))
		rc = ingot_raise(&why, -EINVAL, "it ends behind its partition");
	if (rc < 0)
		(void)snprintf(v->fec_error, sizeof(v->fec_error), "%.250s", why.text);
}

/* --- checks ------------------------------------------------------------ */

/* Every text about it says the same, and names the partition where it is. */
static bool is_told(const struct verification *v, const char *text)
{
	const struct ingot_gpt_partition *at = v->fec_part ? v->fec_at
					       : v->hash   ? v->hash_at
							   : v->usr_at;
	const char *device = text ? strstr(text, "fec-device=") : NULL;
	char uuid[INGOT_GUID_TEXT];
	uint64_t roots = 0, offset = 0;

	if (!text || (!device && !strstr(text, "fec-")))
		return true;
	if (!device || !number_behind(text, "fec-roots=", &roots) ||
	    !number_behind(text, "fec-offset=", &offset) || roots != v->fec_roots ||
	    offset != v->fec_offset)
		return false;
	device += strlen("fec-device=");
	device += strcspn(device, "0123456789abcdef, \n");
	(void)ingot_guid_text(&at->uuid, uuid);
	device = strstr(device - 1, uuid);
	return device != NULL;
}

static int check_told(struct verification *v, struct ingot_verify_row *row)
{
	const json_t *usr = json_object_get(v->options->manifest, "usr");

	for (size_t i = 0; i < v->program_count; i++) {
		const struct verify_program *p = &v->programs[i];

		if (!is_told(v, p->veritytab) || !is_told(v, p->unit) || !is_told(v, p->cmdline))
			return row_bad(row, "'%s' says something else about it", p->path);
	}
	if (usr &&
	    ((uint64_t)json_integer_value(json_object_get(usr, "fec_roots")) != v->fec_roots ||
	     (uint64_t)json_integer_value(json_object_get(usr, "fec_offset")) != v->fec_offset))
		return row_bad(row, "the manifest says something else about it");
	return 0;
}

int check_verity_fec(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err)
{
	struct ingot_fec_result result;
	struct ingot_fec_job job = {.data = v->usr,
				    .hash = v->hash ? v->hash : v->usr,
				    .parity_offset = v->fec_offset,
				    .jobs = v->options->jobs};
	int rc;

	if (!v->has_fec)
		return row_not_applicable(row, "there is no parity");
	if (*v->fec_error)
		return row_bad(row, "%s", v->fec_error);
	rc = check_told(v, row);
	if (rc < 0 || row->verdict == INGOT_VERIFY_BAD)
		return rc;
	rc = ingot_fec_check(&v->fec, &job, v->fec_source, &result, err);
	if (rc < 0)
		return rc;
	if (result.verdict == INGOT_VERITY_GOOD)
		return row_good(row, "%u roots, %llu bytes", v->fec_roots,
				(unsigned long long)v->fec.parity_size);
	return row_bad(row, "codeword %llu has other parity, at byte %llu",
		       (unsigned long long)result.codeword, (unsigned long long)result.offset);
}
