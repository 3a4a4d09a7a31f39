/* The image against its manifest (docs/manifest.md). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "image/verify_internal.h"

/* --- reading it -------------------------------------------------------- */

static const json_t *output(const struct verification *v)
{
	return json_array_get(json_object_get(v->options->manifest, "outputs"), 0);
}

/* Whether there is a manifest that this program understands. */
static int has_manifest(const struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err)
{
	const json_t *manifest = v->options->manifest;

	if (!manifest)
		return row_not_applicable(row, "no manifest was given");
	if (json_integer_value(json_object_get(manifest, "manifest")) != 1)
		return ingot_raise(err, -EINVAL, "the manifest has an unknown version");
	if (!output(v))
		return ingot_raise(err, -EINVAL, "the manifest lists no output");
	return 0;
}

/* A number, text or hex of the manifest that has to be this one. What is missing is not. */
static bool is_number(const json_t *o, const char *key, uint64_t n)
{
	const json_t *value = json_object_get(o, key);

	return json_is_integer(value) && (uint64_t)json_integer_value(value) == n;
}

static bool is_text(const json_t *o, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value && strcmp(value, text) == 0;
}

static bool is_guid(const json_t *o, const char *key, const struct ingot_guid *guid)
{
	char text[INGOT_GUID_TEXT];

	return is_text(o, key, ingot_guid_text(guid, text));
}

/* --- the disk ---------------------------------------------------------- */

int check_manifest_disk(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err)
{
	int rc = has_manifest(v, row, err);

	if (rc < 0 || !v->options->manifest)
		return rc;
	if (!v->gpt)
		return ingot_raise(err, v->gpt_error.code, "%s", v->gpt_error.text);
	if (!is_number(output(v), "size", v->disk->size))
		return row_bad(row, "the disk has %llu bytes", (unsigned long long)v->disk->size);
	if (!is_number(output(v), "sector_size", v->gpt->sector_size))
		return row_bad(row, "the disk has sectors of %u bytes", v->gpt->sector_size);
	if (!is_guid(output(v), "disk_uuid", &v->gpt->uuid))
		return row_bad(row, "the disk has another UUID");
	return row_good(row, "the same");
}

static const char *different_field(const json_t *want, const struct ingot_gpt_partition *p)
{
	char attributes[19];

	(void)snprintf(attributes, sizeof(attributes), "0x%016llx",
		       (unsigned long long)p->attributes);
	if (!is_number(want, "number", p->number))
		return "number";
	if (!is_text(want, "label", p->name))
		return "label";
	if (!is_guid(want, "type", &p->type))
		return "type";
	if (!is_guid(want, "uuid", &p->uuid))
		return "UUID";
	if (!is_number(want, "start", p->start))
		return "start";
	if (!is_number(want, "size", p->size))
		return "size";
	return is_text(want, "attributes", attributes) ? NULL : "attributes";
}

int check_manifest_partitions(struct verification *v, struct ingot_verify_row *row,
			      struct ingot_error *err)
{
	const json_t *list;
	int rc = has_manifest(v, row, err);

	if (rc < 0 || !v->options->manifest)
		return rc;
	if (!v->gpt)
		return ingot_raise(err, v->gpt_error.code, "%s", v->gpt_error.text);
	list = json_object_get(output(v), "partitions");
	for (size_t i = 0; i < v->gpt->count && i < json_array_size(list); i++) {
		const struct ingot_gpt_partition *p = &v->gpt->partitions[i];
		const char *field = different_field(json_array_get(list, i), p);
		char name[VERIFY_PARTITION_TEXT];

		if (field)
			return row_bad(row, "%s has another %s",
				       verify_partition_text(p, name, sizeof(name)), field);
	}
	if (json_array_size(list) != v->gpt->count)
		return row_bad(row, "%zu partitions instead of %zu", v->gpt->count,
			       json_array_size(list));
	return row_good(row, "the same %zu", v->gpt->count);
}

/* --- /usr -------------------------------------------------------------- */

static const char *different_parameter(const struct verification *v, const json_t *usr)
{
	const struct ingot_verity_params *p = &v->superblock.params;
	char salt[2 * INGOT_VERITY_SALT_MAX + 1] = "-";

	if (p->salt_size)
		ingot_hex(p->salt, p->salt_size, salt);
	if (!is_text(usr, "hash", p->hash))
		return "hash";
	if (!is_number(usr, "hash_type", p->hash_type))
		return "hash type";
	if (!is_text(usr, "salt", salt))
		return "salt";
	if (!is_guid(usr, "uuid", &p->uuid))
		return "UUID";
	if (!is_number(usr, "data_block_size", p->data_block_size) ||
	    !is_number(usr, "hash_block_size", p->hash_block_size))
		return "block size";
	if (!is_number(usr, "data_blocks", v->superblock.data_blocks))
		return "number of data blocks";
	if (!is_number(usr, "hash_blocks", v->geometry.hash_blocks))
		return "number of hash blocks";
	return is_number(usr, "hash_offset", v->hash_offset) ? NULL : "offset of the tree";
}

int check_manifest_usr(struct verification *v, struct ingot_verify_row *row,
		       struct ingot_error *err)
{
	const json_t *usr = json_object_get(v->options->manifest, "usr");
	struct ingot_ext_info info;
	const char *field;
	int rc = has_manifest(v, row, err);

	if (rc < 0 || !v->options->manifest)
		return rc;
	if (!usr)
		return v->usr ? row_bad(row, "there is a /usr that the manifest does not know")
			      : row_not_applicable(row, "there is no /usr");
	if (!v->has_superblock)
		return ingot_raise(err, -ENODATA, "there is no superblock of a hash tree");
	field = different_parameter(v, usr);
	if (field)
		return row_bad(row, "another %s", field);
	rc = ingot_ext_info(v->usr, &info, err);
	if (rc < 0)
		return rc;
	if (!is_guid(usr, "filesystem_uuid", &info.uuid) ||
	    !is_number(usr, "filesystem_size", info.size) ||
	    !is_number(usr, "filesystem_free", info.free))
		return row_bad(row, "another filesystem");
	return row_good(row, "the same");
}

/* --- digests ----------------------------------------------------------- */

int check_manifest_blocks(struct verification *v, struct ingot_verify_row *row,
			  struct ingot_error *err)
{
	int rc = has_manifest(v, row, err);

	if (rc < 0 || !v->options->manifest)
		return rc;
	return row_not_applicable(row, "the manifest has none");
}

int check_manifest_digest(struct verification *v, struct ingot_verify_row *row,
			  struct ingot_error *err)
{
	const char *want = json_string_value(json_object_get(output(v), "sha256"));
	char hex[2 * INGOT_SHA256_SIZE + 1];
	uint8_t digest[INGOT_SHA256_SIZE];
	int rc = has_manifest(v, row, err);

	if (rc < 0 || !v->options->manifest)
		return rc;
	if (!want)
		return row_not_applicable(row, "the manifest has none");
	rc = ingot_source_sha256(v->disk, digest, err);
	if (rc < 0)
		return rc;
	ingot_hex(digest, sizeof(digest), hex);
	rc = row_expect(row, "%s", want);
	if (rc < 0)
		return rc;
	v->digested = strcmp(hex, want) == 0;
	return v->digested ? row_good(row, "the same") : row_bad(row, "%s", hex);
}
