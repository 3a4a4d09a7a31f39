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

static json_t *verity_at(struct inspection *in, struct ingot_source *source, uint64_t offset)
{
	struct ingot_verity_superblock sb;
	struct ingot_verity_geometry geometry;
	json_t *o;

	if (offset >= source->size ||
	    inspect_failed(in, ingot_verity_superblock_read(source, offset, &sb, NULL)))
		return NULL;
	o = json_object();
	inspect_set(in, o, "kind", json_string("verity"));
	inspect_set(in, o, "hash", inspect_text(sb.params.hash, strlen(sb.params.hash)));
	inspect_set(in, o, "hash_type", json_integer(sb.params.hash_type));
	inspect_set(in, o, "salt",
		    sb.params.salt_size ? hex(sb.params.salt, sb.params.salt_size)
					: json_string("-"));
	inspect_set(in, o, "uuid", inspect_guid(&sb.params.uuid));
	inspect_set(in, o, "data_block_size", json_integer(sb.params.data_block_size));
	inspect_set(in, o, "hash_block_size", json_integer(sb.params.hash_block_size));
	inspect_set(in, o, "data_blocks", json_integer((json_int_t)sb.data_blocks));
	inspect_set(in, o, "hash_offset", json_integer((json_int_t)offset));
	if (!inspect_failed(
		    in, ingot_verity_geometry(&sb.params, sb.data_blocks, offset, &geometry, NULL)))
		inspect_set(in, o, "hash_blocks", json_integer((json_int_t)geometry.hash_blocks));
	return o;
}

/* A tree behind the filesystem: at its end, or at the next place where a hash block may start. */
static json_t *appended_verity(struct inspection *in, struct ingot_source *source, uint64_t size)
{
	static const uint64_t alignments[] = {512, 4096, 65536, 524288};
	json_t *o = NULL;

	for (size_t i = 0; !o && i < sizeof(alignments) / sizeof(alignments[0]); i++)
		o = verity_at(in, source, ingot_round_up(size, alignments[i]));
	return o;
}

/* Blocks that a filesystem could not use may lie between its end and the tree. */
static json_t *search_verity(struct inspection *in, struct ingot_source *source, uint64_t from)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	json_t *o = appended_verity(in, source, from);
	uint64_t blocks;

	if (!o && ingot_verity_fit(&params, source->size, &blocks, NULL) == 0)
		o = verity_at(in, source, blocks * params.data_block_size);
	return o;
}

/* --- filesystems ------------------------------------------------------- */

static json_t *ext_content(struct inspection *in, struct ingot_source *source, const char *name)
{
	struct ingot_ext_info info;
	struct ingot_error err = {0};
	json_t *o, *verity;
	int rc = ingot_ext_info(source, &info, &err);

	if (inspect_failed(in, rc) && (rc == -ENODATA || rc == -ENOMEM))
		return NULL;
	o = json_object();
	inspect_set(in, o, "kind", json_string(rc < 0 ? "ext" : info.type));
	if (rc < 0) {
		ingot_problem_add(in->problems, name, 0, 0, "%s", err.text);
		return o;
	}
	inspect_set(in, o, "label", inspect_text(info.label, strlen(info.label)));
	inspect_set(in, o, "uuid", inspect_guid(&info.uuid));
	inspect_set(in, o, "size", json_integer((json_int_t)info.size));
	inspect_set(in, o, "free", json_integer((json_int_t)info.free));
	inspect_set(in, o, "inodes", json_integer(info.inodes));
	inspect_set(in, o, "read_only", json_boolean(info.read_only));
	verity = search_verity(in, source, info.size);
	if (verity)
		inspect_set(in, o, "verity", verity);
	return o;
}

/* --- signatures -------------------------------------------------------- */

static json_t *signature_content(struct inspection *in, struct ingot_source *source)
{
	struct ingot_verity_signature signature;
	INGOT_FREE uint8_t *pkcs7 = NULL;
	INGOT_FREE char *data = NULL;
	size_t n;
	json_t *o;

	if (source->size > INGOT_VERITY_SIGNATURE_MAX ||
	    inspect_failed(
		    in, ingot_source_load(source, INGOT_VERITY_SIGNATURE_MAX, &data, &n, NULL)) ||
	    inspect_failed(in, ingot_verity_signature_decode((const uint8_t *)data, n, &signature,
							     &pkcs7, NULL)))
		return NULL;
	o = json_object();
	inspect_set(in, o, "kind", json_string("verity-signature"));
	inspect_set(in, o, "root_hash", hex(signature.root, signature.root_size));
	inspect_set(in, o, "signature_size", json_integer((json_int_t)signature.pkcs7_size));
	if (signature.has_fingerprint)
		inspect_set(in, o, "certificate_fingerprint",
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
static bool is_empty(struct inspection *in, struct ingot_source *source)
{
	enum { STEP = 256 * 1024 };
	INGOT_FREE char *buffer = ingot_alloc_buffer(STEP, NULL);
	struct ingot_extent run;

	if (!buffer)
		return !inspect_failed(in, -ENOMEM);
	for (uint64_t at = 0; at < source->size; at += run.length) {
		if (ingot_source_extent(source, at, &run, NULL) < 0 ||
		    (!run.hole && !is_zero(source, at, run.length, buffer, STEP)))
			return false;
	}
	return true;
}

json_t *inspect_content(struct inspection *in, struct ingot_source *source, const char *name)
{
	json_t *o = ext_content(in, source, name);

	if (!o)
		o = inspect_fat(in, source, name);
	if (!o)
		o = verity_at(in, source, 0);
	if (!o)
		o = signature_content(in, source);
	if (!o)
		o = inspect_pe(in, source);
	if (o || !is_empty(in, source))
		return o;
	o = json_object();
	inspect_set(in, o, "kind", json_string("empty"));
	return o;
}
