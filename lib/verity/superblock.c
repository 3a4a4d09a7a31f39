#include "verity/superblock.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

static const uint8_t MAGIC[8] = "verity\0";

enum { HASH_NAME_SIZE = 32 };

void ingot_verity_superblock_encode(const struct ingot_verity_superblock *superblock,
				    uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE])
{
	const struct ingot_verity_params *params = &superblock->params;

	memset(raw, 0, INGOT_VERITY_SUPERBLOCK_SIZE);
	memcpy(raw, MAGIC, sizeof(MAGIC));
	ingot_put_le32(raw + 8, 1);
	ingot_put_le32(raw + 12, params->hash_type);
	memcpy(raw + 16, params->uuid.bytes, sizeof(params->uuid.bytes));
	memcpy(raw + 32, params->hash, strlen(params->hash));
	ingot_put_le32(raw + 64, params->data_block_size);
	ingot_put_le32(raw + 68, params->hash_block_size);
	ingot_put_le64(raw + 72, superblock->data_blocks);
	ingot_put_le16(raw + 80, (uint16_t)params->salt_size);
	memcpy(raw + 88, params->salt, params->salt_size);
}

static int decode_hash_name(const uint8_t *raw, const char **ret, struct ingot_error *err)
{
	char name[HASH_NAME_SIZE + 1] = {0}, text[4 * HASH_NAME_SIZE + 1];

	memcpy(name, raw, HASH_NAME_SIZE);
	*ret = ingot_verity_hash_name(name);
	if (!*ret)
		return ingot_raise(err, -EINVAL, "unknown hash '%s'",
				   ingot_printable(name, strlen(name), text, sizeof(text)));
	return 0;
}

static int decode(const uint8_t *raw, struct ingot_verity_superblock *ret, struct ingot_error *err)
{
	struct ingot_verity_params *params = &ret->params;
	uint64_t bytes;
	int rc;

	if (memcmp(raw, MAGIC, sizeof(MAGIC)) != 0)
		return ingot_raise(err, -EINVAL, "not there");
	if (ingot_get_le32(raw + 8) != 1)
		return ingot_raise(err, -EINVAL, "unknown version %u", ingot_get_le32(raw + 8));
	params->hash_type = ingot_get_le32(raw + 12);
	memcpy(params->uuid.bytes, raw + 16, sizeof(params->uuid.bytes));
	rc = decode_hash_name(raw + 32, &params->hash, err);
	if (rc < 0)
		return rc;
	params->data_block_size = ingot_get_le32(raw + 64);
	params->hash_block_size = ingot_get_le32(raw + 68);
	ret->data_blocks = ingot_get_le64(raw + 72);
	params->salt_size = ingot_get_le16(raw + 80);
	rc = ingot_verity_params_check(params, err);
	if (rc < 0)
		return rc;
	memcpy(params->salt, raw + 88, params->salt_size);
	if (ret->data_blocks == 0)
		return ingot_raise(err, -EINVAL, "no data blocks");
	if (!ingot_mul(ret->data_blocks, params->data_block_size, &bytes) || bytes > INT64_MAX)
		return ingot_raise(err, -EINVAL, "%llu data blocks are too many",
				   (unsigned long long)ret->data_blocks);
	return 0;
}

int ingot_verity_superblock_decode(const uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE],
				   struct ingot_verity_superblock *ret, struct ingot_error *err)
{
	struct ingot_verity_superblock superblock = {0};
	int rc = decode(raw, &superblock, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "verity superblock");
	*ret = superblock;
	return 0;
}

int ingot_verity_superblock_read(struct ingot_source *source, uint64_t offset,
				 struct ingot_verity_superblock *ret, struct ingot_error *err)
{
	uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE];
	int rc = ingot_source_read(source, offset, raw, sizeof(raw), err);

	if (rc == 0)
		rc = ingot_verity_superblock_decode(raw, ret, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "'%s' at 0x%llx", source->name,
				  (unsigned long long)offset);
	return 0;
}
