/*
 * What stands beside an AMI's image has the SHA-256 of each of its blocks, and the SHA-256 of
 * these. Those of the blocks that signatures are in are made anew; the text is otherwise the same.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "formats/convert.h"
#include "formats/format.h"
#include "image/attach_internal.h"
#include "io/output.h"

enum { SIDECAR_MAX = 64 * 1024 * 1024, BASE64 = 44 };

static void put_base64(const uint8_t digest[INGOT_SHA256_SIZE], char *text)
{
	unsigned char encoded[BASE64 + 1];

	(void)EVP_EncodeBlock(encoded, digest, INGOT_SHA256_SIZE);
	memcpy(text, encoded, BASE64);
}

/* Where the base64 behind a key stands. */
static int find(char *text, const char *key, char **ret, struct ingot_error *err)
{
	*ret = strstr(text, key);
	if (*ret && strlen(*ret += strlen(key)) > BASE64 && (*ret)[BASE64] == '"')
		return 0;
	return ingot_raise(err, -EINVAL, "it has no digest behind '%s'",
			   key[0] == '\n' ? key + 1 : key);
}

static int digest_block(struct ingot_source *disk, uint64_t index, char *text,
			struct ingot_error *err)
{
	uint64_t at = index * INGOT_EBS_BLOCK;
	INGOT_FREE unsigned char *data = ingot_alloc(1, INGOT_EBS_BLOCK, err);
	INGOT_FREE char *key =
		data ? ingot_format(err, "\n    [%llu, \"", (unsigned long long)index) : NULL;
	uint8_t digest[INGOT_SHA256_SIZE];
	char *place;
	int rc = key ? find(text, key, &place, err) : -ENOMEM;

	if (rc == 0)
		rc = ingot_source_read(disk, at, data,
				       (size_t)ingot_min(INGOT_EBS_BLOCK, disk->size - at), err);
	if (rc == 0)
		rc = ingot_sha256(data, INGOT_EBS_BLOCK, digest, err);
	if (rc == 0)
		put_base64(digest, place);
	return rc;
}

static int digest_range(struct ingot_source *disk, const struct ingot_range *range, char *text,
			struct ingot_error *err)
{
	uint64_t last = (range->offset + range->length - 1) / INGOT_EBS_BLOCK;
	int rc = 0;

	for (uint64_t i = range->offset / INGOT_EBS_BLOCK; rc == 0 && i <= last; i++)
		rc = digest_block(disk, i, text, err);
	return rc;
}

/* The digest of all that are listed, in their order. */
static int aggregate(char *text, struct ingot_error *err)
{
	static const char ENTRY[] = "\n    [";
	INGOT_SHA256 struct ingot_sha256 *sha = ingot_sha256_new(err);
	uint8_t digest[INGOT_SHA256_SIZE];
	char *list = strstr(text, "\"blocks\": ["), *place;
	int rc = sha ? find(text, "\"Checksum\": \"", &place, err) : -ENOMEM;

	for (char *p = list ? strstr(list, ENTRY) : NULL; rc == 0 && p; p = strstr(p + 1, ENTRY)) {
		const char *quote = strchr(p, '"');
		unsigned char raw[INGOT_SHA256_SIZE + 1];

		if (!quote || strlen(quote) < BASE64 + 1 ||
		    EVP_DecodeBlock(raw, (const unsigned char *)quote + 1, BASE64) !=
			    (int)sizeof(raw))
			return ingot_raise(err, -EINVAL, "a block has no digest");
		rc = ingot_sha256_update(sha, raw, INGOT_SHA256_SIZE, err);
	}
	if (rc == 0)
		rc = ingot_sha256_final(sha, digest, err);
	if (rc == 0)
		put_base64(digest, place);
	return rc;
}

static int renew(const struct ingot_attach_image *image, char *text, struct ingot_error *err)
{
	INGOT_SOURCE struct ingot_source *disk = NULL;
	int rc = ingot_format_open(image->path, NULL, &disk, err);

	for (size_t i = 0; rc == 0 && i < image->report.range_count; i++)
		rc = digest_range(disk, &image->report.ranges[i], text, err);
	return rc < 0 ? rc : aggregate(text, err);
}

int attach_ami_import(const char *path, const struct ingot_attach_image *image,
		      struct ingot_error *err)
{
	INGOT_OUTPUT struct ingot_output *output = NULL;
	INGOT_FREE char *text = NULL;
	size_t n;
	int rc = ingot_load_file(path, SIDECAR_MAX, &text, &n, err);

	if (rc == 0 && strlen(text) != n)
		rc = ingot_raise(err, -EINVAL, "it is no text");
	if (rc == 0)
		rc = renew(image, text, err);
	if (rc == 0)
		rc = ingot_output_create(path, &output, err);
	if (rc == 0)
		rc = ingot_output_write(output, text, n, err);
	if (rc == 0)
		rc = ingot_output_commit(output, err);
	return rc < 0 ? ingot_wrap(err, rc, "'%s'", path) : 0;
}
