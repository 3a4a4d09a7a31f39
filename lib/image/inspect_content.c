#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "fs/ext_info.h"
#include "image/inspect_internal.h"
#include "verity/geometry.h"
#include "verity/signature_partition.h"
#include "verity/superblock.h"

/* What a partition holds is tried in turn; the first that recognises it tells. */

static json_t *hex(const uint8_t *bytes, size_t n)
{
	char text[2 * INGOT_VERITY_SALT_MAX + 1];

	ingot_hex(bytes, n, text);
	return json_string(text);
}

/* --- hash trees -------------------------------------------------------- */

static json_t *verity_at(struct ingot_source *source, uint64_t offset)
{
	struct ingot_verity_superblock sb;
	struct ingot_verity_geometry geometry;
	json_t *o;

	if (offset >= source->size || ingot_verity_superblock_read(source, offset, &sb, NULL) < 0)
		return NULL;
	o = json_object();
	inspect_set(o, "kind", json_string("verity"));
	inspect_set(o, "hash", json_string(sb.params.hash));
	inspect_set(o, "hash_type", json_integer(sb.params.hash_type));
	inspect_set(o, "salt",
		    sb.params.salt_size ? hex(sb.params.salt, sb.params.salt_size)
					: json_string("-"));
	inspect_set(o, "uuid", inspect_guid(&sb.params.uuid));
	inspect_set(o, "data_block_size", json_integer(sb.params.data_block_size));
	inspect_set(o, "hash_block_size", json_integer(sb.params.hash_block_size));
	inspect_set(o, "data_blocks", json_integer((json_int_t)sb.data_blocks));
	inspect_set(o, "hash_offset", json_integer((json_int_t)offset));
	if (ingot_verity_geometry(&sb.params, sb.data_blocks, offset, &geometry, NULL) == 0)
		inspect_set(o, "hash_blocks", json_integer((json_int_t)geometry.hash_blocks));
	return o;
}

/* A tree behind the filesystem: at its end, or at the next place where a hash block may start. */
static json_t *appended_verity(struct ingot_source *source, uint64_t size)
{
	static const uint64_t alignments[] = {512, 4096, 65536, 524288};
	json_t *o = NULL;

	for (size_t i = 0; !o && i < sizeof(alignments) / sizeof(alignments[0]); i++)
		o = verity_at(source, ingot_round_up(size, alignments[i]));
	return o;
}

/* Blocks that a filesystem could not use may lie between its end and the tree. */
static json_t *search_verity(struct ingot_source *source, uint64_t from)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	json_t *o = appended_verity(source, from);
	uint64_t blocks;

	if (!o && ingot_verity_fit(&params, source->size, &blocks, NULL) == 0)
		o = verity_at(source, blocks * params.data_block_size);
	return o;
}

/* --- filesystems ------------------------------------------------------- */

static json_t *ext_content(struct inspection *inspection, struct ingot_source *source,
			   const char *name)
{
	struct ingot_ext_info info;
	struct ingot_error err = {0};
	json_t *o, *verity;
	int rc = ingot_ext_info(source, &info, &err);

	if (rc == -ENODATA)
		return NULL;
	o = json_object();
	inspect_set(o, "kind", json_string(rc < 0 ? "ext" : info.type));
	if (rc < 0) {
		ingot_problem_add(inspection->problems, name, 0, 0, "%s", err.text);
		return o;
	}
	inspect_set(o, "label", inspect_text(info.label, strlen(info.label)));
	inspect_set(o, "uuid", inspect_guid(&info.uuid));
	inspect_set(o, "size", json_integer((json_int_t)info.size));
	inspect_set(o, "free", json_integer((json_int_t)info.free));
	inspect_set(o, "inodes", json_integer(info.inodes));
	inspect_set(o, "read_only", json_boolean(info.read_only));
	verity = search_verity(source, info.size);
	if (verity)
		inspect_set(o, "verity", verity);
	return o;
}

/* --- signatures -------------------------------------------------------- */

static json_t *signature_content(struct ingot_source *source)
{
	struct ingot_verity_signature signature;
	INGOT_FREE uint8_t *pkcs7 = NULL;
	INGOT_FREE char *data = NULL;
	size_t n;
	json_t *o;

	if (source->size > INGOT_VERITY_SIGNATURE_MAX ||
	    ingot_source_load(source, INGOT_VERITY_SIGNATURE_MAX, &data, &n, NULL) < 0 ||
	    ingot_verity_signature_decode((const uint8_t *)data, n, &signature, &pkcs7, NULL) < 0)
		return NULL;
	o = json_object();
	inspect_set(o, "kind", json_string("verity-signature"));
	inspect_set(o, "root_hash", hex(signature.root, signature.root_size));
	inspect_set(o, "signature_size", json_integer((json_int_t)signature.pkcs7_size));
	if (signature.has_fingerprint)
		inspect_set(o, "certificate_fingerprint",
			    hex(signature.fingerprint, sizeof(signature.fingerprint)));
	return o;
}

/* --- nothing ----------------------------------------------------------- */

static bool is_zero(struct ingot_source *source, uint64_t offset, uint64_t length, char *buffer,
		    size_t step)
{
	for (uint64_t at = 0; at < length; at += step) {
		size_t n = (size_t)ingot_min(step, length - at);

		if (ingot_source_read(source, offset + at, buffer, n, NULL) < 0 || buffer[0] ||
		    memcmp(buffer, buffer + 1, n - 1) != 0)
			return false;
	}
	return true;
}

/* Whether all of it is zero; holes are not read. */
static bool is_empty(struct ingot_source *source)
{
	enum { STEP = 256 * 1024 };
	INGOT_FREE char *buffer = ingot_alloc_buffer(STEP, NULL);
	struct ingot_extent run;

	if (!buffer)
		return false;
	for (uint64_t at = 0; at < source->size; at += run.length) {
		if (ingot_source_extent(source, at, &run, NULL) < 0 ||
		    (!run.hole && !is_zero(source, at, run.length, buffer, STEP)))
			return false;
	}
	return true;
}

json_t *inspect_content(struct inspection *inspection, struct ingot_source *source,
			const char *name)
{
	json_t *o = ext_content(inspection, source, name);

	if (!o)
		o = inspect_fat(inspection, source, name);
	if (!o)
		o = verity_at(source, 0);
	if (!o)
		o = signature_content(source);
	if (!o)
		o = inspect_pe(source);
	if (!o && is_empty(source))
		o = json_pack("{s:s}", "kind", "empty");
	return o;
}
