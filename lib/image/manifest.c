#include "image/build_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/version.h"

/*
 * manifest.json: what went in, what came out. docs/manifest.md describes it. Nothing of
 * the machine is in it: no path but file names, no time, no user.
 */

/* jansson hands NULL on, so a failed allocation is seen once, at the end. */
static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *hex(const uint8_t *bytes, size_t n)
{
	char text[2 * 256 + 1];

	ingot_hex(bytes, n < 256 ? n : 256, text);
	return json_string(text);
}

static json_t *uuid(const struct ingot_guid *guid)
{
	char text[INGOT_GUID_TEXT];

	return json_string(ingot_guid_text(guid, text));
}

/* File names may be any bytes; JSON is UTF-8. */
static json_t *name_of(const char *path)
{
	const char *base = ingot_base_name(path);
	json_t *text = json_string(base);
	char safe[1024];

	return text ? text : json_string(ingot_printable(base, strlen(base), safe, sizeof(safe)));
}

/* --- inputs ------------------------------------------------------------ */

static int add_source(json_t *inputs, const char *role, const char *name,
		      struct ingot_source *source, struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE];
	json_t *input = json_object();
	int rc = ingot_source_sha256(source, digest, err);

	if (rc < 0) {
		json_decref(input);
		return rc;
	}
	set(input, "role", json_string(role));
	set(input, "name", name_of(name));
	set(input, "size", number(source->size));
	set(input, "sha256", hex(digest, sizeof(digest)));
	(void)json_array_append_new(inputs, input);
	return 0;
}

static int add_file(json_t *inputs, const char *role, const char *path, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *source = NULL;
	int rc = 0;

	if (!path)
		return 0;
	rc = ingot_source_open(path, &source, err);
	return rc < 0 ? rc : add_source(inputs, role, path, source, err);
}

static int add_opened(json_t *inputs, const char *role, struct ingot_source *source,
		      struct ingot_error *err)
{
	return source ? add_source(inputs, role, source->name, source, err) : 0;
}

/* A tree counts by what is in it, however it is packed. */
static void add_tree(json_t *inputs, const char *role, const char *path,
		     const struct tree_digest *digest, const struct background_digest *archive)
{
	json_t *input = json_object();

	set(input, "role", json_string(role));
	set(input, "name", name_of(path));
	if (archive) {
		set(input, "size", number(archive->size));
		set(input, "sha256", hex(archive->digest, sizeof(archive->digest)));
	}
	set(input, "entries", number(digest->entries));
	set(input, "listing_sha256", hex(digest->listing, sizeof(digest->listing)));
	(void)json_array_append_new(inputs, input);
}

static int add_boot_inputs(const struct build *b, json_t *inputs, struct ingot_error *err)
{
	const struct boot_inputs *in = &b->inputs;
	int rc = add_opened(inputs, "linux", in->linux_image, err);

	for (size_t i = 0; i < b->recipe->initrd_count && rc == 0; i++)
		rc = add_opened(inputs, "initrd", in->initrds[i], err);
	if (rc == 0)
		rc = add_opened(inputs, "stub", in->stub, err);
	if (rc == 0)
		rc = add_opened(inputs, "os-release", in->os_release, err);
	for (size_t i = 0; i < b->recipe->esp_count && rc == 0; i++)
		rc = add_opened(inputs, "esp", in->esp[i], err);
	return rc;
}

static int make_inputs(struct build *b, json_t *inputs, struct ingot_error *err)
{
	const struct ingot_recipe *r = b->recipe;
	int rc = add_file(inputs, "recipe", r->file, err);

	if (rc == 0)
		rc = add_file(inputs, "layout", r->layout_path, err);
	if (rc == 0 && b->archive.path)
		rc = background_digest_wait(&b->archive, err);
	if (rc < 0)
		return rc;
	add_tree(inputs, "tree", r->tree.given, &b->tree_digest,
		 b->archive.path ? &b->archive : NULL);
	if (b->oem)
		add_tree(inputs, "oem", r->oem.given, &b->oem_digest, NULL);
	rc = add_file(inputs, "owner-map", r->owner_map.path, err);
	if (rc == 0)
		rc = add_boot_inputs(b, inputs, err);
	if (rc == 0)
		rc = add_file(inputs, "certificate", r->signer.certificate.path, err);
	for (size_t i = 0; rc == 0 && i < r->co_signer_count; i++)
		rc = add_file(inputs, "certificate", r->co_signers[i].certificate.path, err);
	if (rc == 0)
		rc = add_file(inputs, "secure-boot-certificate", r->boot_signer.certificate.path,
			      err);
	return rc;
}

/* --- outputs ----------------------------------------------------------- */

/* Parity: where it is, and how much. */
static void add_fec(const struct build *b, json_t *usr)
{
	if (!b->fec_place)
		return;
	set(usr, "fec_roots", number(b->fec.roots));
	set(usr, "fec_blocks", number(b->fec.blocks));
	set(usr, "fec_partition", number(b->fec_place->number));
	set(usr, "fec_offset", number(b->fec_offset));
	set(usr, "fec_size", number(b->fec.parity_size));
}

static json_t *make_usr(const struct build *b)
{
	const struct ingot_verity_params *p = &b->verity;
	json_t *usr = json_object();

	set(usr, "root_hash", json_string(b->root.hex));
	set(usr, "hash", json_string(p->hash));
	set(usr, "hash_type", number(p->hash_type));
	set(usr, "salt", p->salt_size ? hex(p->salt, p->salt_size) : json_string("-"));
	set(usr, "uuid", uuid(&p->uuid));
	set(usr, "data_block_size", number(p->data_block_size));
	set(usr, "hash_block_size", number(p->hash_block_size));
	set(usr, "data_blocks", number(b->geometry.data_blocks));
	set(usr, "hash_blocks", number(b->geometry.hash_blocks));
	set(usr, "hash_offset", number(b->geometry.hash_offset));
	add_fec(b, usr);
	set(usr, "filesystem", json_string("ext2"));
	set(usr, "filesystem_uuid", uuid(&b->usr_uuid));
	set(usr, "filesystem_size", number(b->ext2->size));
	set(usr, "filesystem_free", number(b->ext2_stats.free_blocks * INGOT_EXT2_BLOCK));
	set(usr, "signed", json_boolean(b->root.signature != NULL && b->key != NULL));
	return usr;
}

static json_t *make_partition(const struct build *b, const struct ingot_gpt_partition *p,
			      size_t index)
{
	const struct ingot_layout_partition *entry = &b->layout->partitions[index];
	char attributes[19];
	json_t *o = json_object();

	(void)snprintf(attributes, sizeof(attributes), "0x%016llx",
		       (unsigned long long)p->attributes);
	set(o, "number", number(p->number));
	set(o, "label", json_string(p->name));
	set(o, "type", uuid(&p->type));
	set(o, "uuid", uuid(&p->uuid));
	set(o, "start", number(p->start));
	set(o, "size", number(p->size));
	set(o, "attributes", json_string(attributes));
	set(o, "content", json_string(ingot_content_name(entry->content)));
	return o;
}

/* By number, without those that are zero. */
json_t *manifest_blocks(const struct image_digests *digests)
{
	json_t *blocks = json_object(), *list = json_object();

	for (uint64_t i = 0; i < digests->count; i++) {
		char index[24];

		(void)snprintf(index, sizeof(index), "%llu", (unsigned long long)i);
		if (!digests->blocks[i].zero)
			set(list, index, hex(digests->blocks[i].sha256, INGOT_SHA256_SIZE));
	}
	set(blocks, "size", number(IMAGE_DIGEST_BLOCK));
	set(blocks, "sha256", list);
	return blocks;
}

static json_t *make_image(const struct build *b, const uint8_t *digest)
{
	json_t *image = json_object(), *partitions = json_array();

	set(image, "size", number(b->placement->disk_size));
	set(image, "sector_size", number(b->placement->sector_size));
	if (digest)
		set(image, "sha256", b->request ? json_null() : hex(digest, INGOT_SHA256_SIZE));
	set(image, "disk_uuid", uuid(&b->gpt->uuid));
	for (size_t i = 0; i < b->gpt->count; i++)
		(void)json_array_append_new(partitions,
					    make_partition(b, &b->gpt->partitions[i],
							   b->placement->partitions[i].index));
	set(image, "partitions", partitions);
	return image;
}

static json_t *make_raw(const struct build *b, const struct image_digests *digests)
{
	json_t *image = make_image(b, digests ? digests->whole : NULL);

	set(image, "format", json_string("raw"));
	set(image, "name", name_of(b->summary->image));
	if (digests)
		set(image, "blocks", b->request ? json_null() : manifest_blocks(digests));
	return image;
}

int manifest_make(struct build *b, const struct image_digests *digests, json_t **ret,
		  struct ingot_error *err)
{
	const struct ingot_recipe *r = b->recipe;
	json_t *manifest = json_object(), *inputs = json_array(), *outputs = json_array();
	int rc = make_inputs(b, inputs, err);

	if (rc < 0) {
		json_decref(manifest);
		json_decref(inputs);
		json_decref(outputs);
		return rc;
	}
	if (outputs_want_raw(b))
		(void)json_array_append_new(outputs, make_raw(b, digests));
	outputs_list(b, digests, outputs, make_image);
	set(manifest, "manifest", number(1));
	set(manifest, "tool", json_pack("{s:s, s:s}", "name", "ingot", "version", ingot_version()));
	set(manifest, "name", json_string(r->name));
	set(manifest, "version", json_string(r->version));
	set(manifest, "architecture", json_string(r->architecture));
	set(manifest, "epoch", json_integer(r->epoch));
	set(manifest, "seed", hex(r->seed.bytes, r->seed.size));
	set(manifest, "layout", json_string(b->layout->name));
	if (b->usr)
		set(manifest, "usr", make_usr(b));
	if (r->boot)
		set(manifest, "uki",
		    json_pack("{s:s, s:b}", "path", build_uki_path(b), "signed",
			      b->boot_key != NULL));
	set(manifest, "inputs", inputs);
	set(manifest, "outputs", outputs);
	if (!manifest)
		return ingot_raise_oom(err, 0);
	*ret = manifest;
	return 0;
}
