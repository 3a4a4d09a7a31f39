/*
 * What an uploader of an AMI needs (Amazon EBS direct APIs: StartSnapshot, PutSnapshotBlock,
 * CompleteSnapshot; Amazon EC2 API: RegisterImage).
 */
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/digest.h"
#include "image/sidecar_internal.h"

#define GIB (UINT64_C(1) << 30)

enum { BASE64_SHA256 = 45 };

static const char *base64(const uint8_t digest[INGOT_SHA256_SIZE], char text[BASE64_SHA256])
{
	(void)EVP_EncodeBlock((unsigned char *)text, digest, INGOT_SHA256_SIZE);
	return text;
}

static int check(const struct ingot_ami_import *import, struct ingot_error *err)
{
	const struct ingot_ebs_blocks *blocks = import->blocks;

	if (import->disk_size == 0 || import->disk_size % GIB)
		return ingot_raise(err, -EINVAL,
				   "a volume of EBS has whole GiB, and the disk has %llu bytes",
				   (unsigned long long)import->disk_size);
	for (size_t i = 0; i < blocks->count; i++)
		if (blocks->items[i].index >= import->disk_size / INGOT_EBS_BLOCK ||
		    (i > 0 && blocks->items[i].index <= blocks->items[i - 1].index))
			return ingot_raise(err, -EINVAL,
					   "block %llu is out of order or outside of the disk",
					   (unsigned long long)blocks->items[i].index);
	return 0;
}

/* LINEAR: the digest of the blocks' digests, one after the other by rising index. */
static int aggregate(const struct ingot_ebs_blocks *blocks, uint8_t digest[INGOT_SHA256_SIZE],
		     struct ingot_error *err)
{
	INGOT_SHA256 struct ingot_sha256 *sha = ingot_sha256_new(err);
	int rc = sha ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < blocks->count; i++)
		rc = ingot_sha256_update(sha, blocks->items[i].digest, INGOT_SHA256_SIZE, err);
	return rc < 0 ? rc : ingot_sha256_final(sha, digest, err);
}

/* "KEY": "TEXT",  with the text as JSON wants it; false: not UTF-8, or no memory. */
static bool put_text(FILE *f, const char *key, const char *text)
{
	json_t *value = json_string(text);
	INGOT_FREE char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

	json_decref(value);
	if (quoted)
		(void)fprintf(f, "    \"%s\": %s,\n", key, quoted);
	return quoted;
}

static bool put_register(FILE *f, const struct ingot_ami_import *import)
{
	static const char *const boots[] = {
		[INGOT_AMI_UEFI] = "uefi",
		[INGOT_AMI_LEGACY_BIOS] = "legacy-bios",
		[INGOT_AMI_UEFI_PREFERRED] = "uefi-preferred",
	};
	bool good;

	(void)fputs("  \"register_image\": {\n", f);
	good = put_text(f, "Name", import->name) &&
	       (!import->description || put_text(f, "Description", import->description));
	(void)fprintf(f,
		      "    \"Architecture\": \"%s\",\n"
		      "    \"BootMode\": \"%s\",\n"
		      "    \"VirtualizationType\": \"hvm\",\n"
		      "    \"EnaSupport\": true,\n"
		      "    \"RootDeviceName\": \"/dev/xvda\",\n"
		      "    \"BlockDeviceMappings\": [\n"
		      "      {\n"
		      "        \"DeviceName\": \"/dev/xvda\",\n"
		      "        \"Ebs\": {\n"
		      "          \"VolumeSize\": %llu,\n"
		      "          \"VolumeType\": \"gp3\",\n"
		      "          \"DeleteOnTermination\": true\n"
		      "        }\n"
		      "      }\n"
		      "    ]\n"
		      "  },\n",
		      import->architecture == INGOT_VENDOR_ARM64 ? "arm64" : "x86_64",
		      boots[import->boot], (unsigned long long)(import->disk_size / GIB));
	return good;
}

static void put_blocks(FILE *f, const struct ingot_ebs_blocks *blocks)
{
	char text[BASE64_SHA256];

	(void)fprintf(f, "  \"block_size\": %d,\n  \"blocks\": [", INGOT_EBS_BLOCK);
	for (size_t i = 0; i < blocks->count; i++)
		(void)fprintf(f, "%s\n    [%llu, \"%s\"]", i ? "," : "",
			      (unsigned long long)blocks->items[i].index,
			      base64(blocks->items[i].digest, text));
	(void)fprintf(f, "%s]\n}\n", blocks->count ? "\n  " : "");
}

int ingot_sidecar_ami(const struct ingot_ami_import *import, char **ret, size_t *ret_n,
		      struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE];
	char *text = NULL, checksum[BASE64_SHA256];
	bool good;
	FILE *f;
	int rc = check(import, err);

	if (rc == 0)
		rc = aggregate(import->blocks, digest, err);
	if (rc < 0)
		return rc;
	f = open_memstream(&text, ret_n);
	if (!f)
		return ingot_raise_oom(err, 0);
	(void)fprintf(f, "{\n  \"start_snapshot\": {\"VolumeSize\": %llu},\n",
		      (unsigned long long)(import->disk_size / GIB));
	(void)fprintf(f,
		      "  \"complete_snapshot\": {\n"
		      "    \"ChangedBlocksCount\": %zu,\n"
		      "    \"Checksum\": \"%s\",\n"
		      "    \"ChecksumAlgorithm\": \"SHA256\",\n"
		      "    \"ChecksumAggregationMethod\": \"LINEAR\"\n"
		      "  },\n",
		      import->blocks->count, base64(digest, checksum));
	good = put_register(f, import);
	put_blocks(f, import->blocks);
	rc = ingot_sidecar_close(f, &text, ret, err);
	if (rc == 0 && !good) {
		free(INGOT_TAKE(*ret));
		rc = ingot_raise(err, -EINVAL, "the AMI's name or description is not UTF-8");
	}
	return rc;
}
