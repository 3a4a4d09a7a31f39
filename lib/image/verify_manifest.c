/* The image against its manifest (docs/manifest.md). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "image/verify_internal.h"

/* --- reading it -------------------------------------------------------- */

static bool is_text(const json_t *o, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value && strcmp(value, text) == 0;
}

static const json_t *find_output(const struct verification *v, const char *key, const char *value)
{
	const json_t *outputs = json_object_get(v->options->manifest, "outputs");
	json_t *entry;
	size_t i;

	json_array_foreach(outputs, i, entry) if (is_text(entry, key, value)) return entry;
	return NULL;
}

/* The entry about this file, by its name; without one of that name, the entry of the raw disk. */
static const json_t *output(const struct verification *v)
{
	const json_t *named = find_output(v, "name", ingot_base_name(v->file->name));
	const json_t *raw = find_output(v, "format", "raw");

	if (named)
		return named;
	return raw ? raw : json_array_get(json_object_get(v->options->manifest, "outputs"), 0);
}

/* The entry with the digests of the disk: what is made for a vendor has a disk of its own. */
static const json_t *disk_output(const struct verification *v)
{
	const json_t *own = output(v), *outputs = json_object_get(v->options->manifest, "outputs");
	const char *vendor = json_string_value(json_object_get(own, "vendor"));
	json_t *entry;
	size_t i;

	json_array_foreach(outputs, i, entry)
	{
		const char *other = json_string_value(json_object_get(entry, "vendor"));

		if (json_object_get(entry, "blocks") &&
		    (vendor && other ? strcmp(vendor, other) == 0 : vendor == other))
			return entry;
	}
	return own;
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

static int make_digests(struct verification *v, struct ingot_error *err)
{
	int rc;

	if (v->has_digests)
		return 0;
	rc = image_digests(v->disk, v->options->jobs, /* progress */ NULL, &v->digests, err);
	v->has_digests = rc == 0;
	return rc;
}

/* The partition that holds a byte of the disk, and where in it; else where on the disk. */
static void describe_place(const struct verification *v, uint64_t offset, uint64_t size, char *text,
			   size_t room)
{
	for (size_t i = 0; v->gpt && i < v->gpt->count; i++) {
		const struct ingot_gpt_partition *p = &v->gpt->partitions[i];
		char name[VERIFY_PARTITION_TEXT];

		if (offset + size <= p->start || offset >= p->start + p->size)
			continue;
		(void)snprintf(text, room,
			       "%s, block %llu of 1 MiB of the disk, at byte %llu of it",
			       verify_partition_text(p, name, sizeof(name)),
			       (unsigned long long)(offset / IMAGE_DIGEST_BLOCK),
			       (unsigned long long)(offset > p->start ? offset - p->start : 0));
		return;
	}
	(void)snprintf(text, room, "no partition, block %llu of 1 MiB of the disk",
		       (unsigned long long)(offset / IMAGE_DIGEST_BLOCK));
}

static bool is_same_block(const struct image_block_digest *block, const char *want)
{
	char hex[2 * INGOT_SHA256_SIZE + 1];

	if (block->zero || !want)
		return block->zero && !want;
	ingot_hex(block->sha256, sizeof(block->sha256), hex);
	return strcmp(hex, want) == 0;
}

/* Every listed block is one of the disk's: a number that is none would be skipped in silence. */
static bool is_list_whole(const json_t *list, const struct image_digests *digests)
{
	size_t used = 0;

	for (uint64_t i = 0; i < digests->count; i++)
		used += !digests->blocks[i].zero;
	return json_object_size(list) == used;
}

static int compare_blocks(struct verification *v, struct ingot_verify_row *row, const json_t *list)
{
	size_t different = 0;
	char place[VERIFY_PARTITION_TEXT + 96] = "";

	for (uint64_t i = 0; i < v->digests.count; i++) {
		uint64_t offset = i * IMAGE_DIGEST_BLOCK;
		char key[24];

		(void)snprintf(key, sizeof(key), "%llu", (unsigned long long)i);
		if (is_same_block(&v->digests.blocks[i],
				  json_string_value(json_object_get(list, key))))
			continue;
		if (different++ == 0)
			describe_place(v, offset,
				       ingot_min(IMAGE_DIGEST_BLOCK, v->disk->size - offset), place,
				       sizeof(place));
	}
	if (different > 0)
		return row_bad(row, "%zu differ, the first in %s", different, place);
	if (!is_list_whole(list, &v->digests))
		return row_bad(row, "the manifest lists blocks that the disk does not have");
	return row_good(row, "the same");
}

int check_manifest_blocks(struct verification *v, struct ingot_verify_row *row,
			  struct ingot_error *err)
{
	const json_t *blocks = json_object_get(disk_output(v), "blocks");
	int rc = has_manifest(v, row, err);

	if (rc < 0 || !v->options->manifest)
		return rc;
	if (!blocks)
		return row_not_applicable(row, "the manifest has none");
	if (!is_number(blocks, "size", IMAGE_DIGEST_BLOCK))
		return ingot_raise(err, -EINVAL, "the manifest's blocks have an unknown size");
	rc = make_digests(v, err);
	return rc < 0 ? rc : compare_blocks(v, row, json_object_get(blocks, "sha256"));
}

/* Of the disk where the entry is about a raw one, else of the container. */
static int file_digest(struct verification *v, uint8_t digest[INGOT_SHA256_SIZE], bool *of_disk,
		       struct ingot_error *err)
{
	int rc;

	*of_disk = is_text(output(v), "format", "raw");
	if (!*of_disk)
		return ingot_source_sha256(v->file, digest, err);
	rc = make_digests(v, err);
	if (rc == 0)
		memcpy(digest, v->digests.whole, sizeof(v->digests.whole));
	return rc;
}

int check_manifest_digest(struct verification *v, struct ingot_verify_row *row,
			  struct ingot_error *err)
{
	const char *want = json_string_value(json_object_get(output(v), "sha256"));
	char hex[2 * INGOT_SHA256_SIZE + 1];
	uint8_t digest[INGOT_SHA256_SIZE];
	bool of_disk;
	int rc = has_manifest(v, row, err);

	if (rc < 0 || !v->options->manifest)
		return rc;
	if (!want)
		return row_not_applicable(row, "the manifest has none");
	rc = file_digest(v, digest, &of_disk, err);
	if (rc < 0)
		return rc;
	ingot_hex(digest, sizeof(digest), hex);
	rc = row_expect(row, "%s", want);
	if (rc < 0)
		return rc;
	v->digested = strcmp(hex, want) == 0;
	v->file_digested = v->digested && !of_disk;
	if (!v->digested)
		return row_bad(row, "%s", hex);
	return row_good(row, of_disk ? "the same" : "the same, of the file");
}
