#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "sign/efi.h"
#include "sign/keys_internal.h"
#include "sign/oid_internal.h"
#include "sign/signed_data_internal.h"

enum {
	/* EFI_VARIABLE_AUTHENTICATION_2: a time, then WIN_CERTIFICATE_UEFI_GUID */
	TIME_SIZE = 16,
	CERTIFICATE_HEAD = 24, /* length, revision, type, GUID */
	CERTIFICATE_REVISION = 0x0200,
	CERTIFICATE_EFI_GUID = 0x0ef1, /* type */
};

/* EFI_CERT_TYPE_PKCS7_GUID, 4aafd29d-68df-49ee-8aa9-347d375665a7 */
static const uint8_t PKCS7_TYPE[16] = {0x9d, 0xd2, 0xaf, 0x4a, 0xdf, 0x68, 0xee, 0x49,
				       0x8a, 0xa9, 0x34, 0x7d, 0x37, 0x56, 0x65, 0xa7};

/* --- the variable ------------------------------------------------------ */

/* "Globally Defined Variables": EFI_GLOBAL_VARIABLE, and EFI_IMAGE_SECURITY_DATABASE_GUID */
#define GLOBAL	 "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define DATABASE "d719b2cb-3d3a-4596-a3bc-dad00e67656f"

static int find_vendor(const char *name, struct ingot_guid *ret, struct ingot_error *err)
{
	static const struct {
		const char *name, *vendor;
	} known[] = {
		{"PK", GLOBAL},	   {"KEK", GLOBAL},   {"db", DATABASE},
		{"dbx", DATABASE}, {"dbt", DATABASE},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return ingot_guid_parse(known[i].vendor, ret, err);
	return ingot_raise(err, -EINVAL, "'%.80s' is none of PK, KEK, db, dbx and dbt", name);
}

/* NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS, TIME_BASED_AUTHENTICATED_WRITE_ACCESS */
static uint32_t attributes(const struct ingot_efi_variable *variable)
{
	return 0x01 | 0x02 | 0x04 | 0x20 | (variable->append ? 0x40U /* APPEND_WRITE */ : 0);
}

/* EFI_TIME in UTC; what follows the seconds has to be 0 here. */
static int put_time(int64_t seconds, uint8_t out[TIME_SIZE], struct ingot_error *err)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds < 0 || !gmtime_r(&t, &tm) || tm.tm_year + 1900 > 9999)
		return ingot_raise(err, -EINVAL, "the time %lld is none that firmware knows",
				   (long long)seconds);
	memset(out, 0, TIME_SIZE);
	ingot_put_le16(out, (uint16_t)(tm.tm_year + 1900));
	out[2] = (uint8_t)(tm.tm_mon + 1);
	out[3] = (uint8_t)tm.tm_mday;
	out[4] = (uint8_t)tm.tm_hour;
	out[5] = (uint8_t)tm.tm_min;
	out[6] = (uint8_t)tm.tm_sec;
	return 0;
}

/* --- what is signed ---------------------------------------------------- */

/* The name in UTF-16 without an end, vendor, attributes, time, contents. */
int ingot_efi_variable_digest(const struct ingot_efi_variable *variable,
			      uint8_t digest[INGOT_SHA256_SIZE], struct ingot_error *err)
{
	INGOT_SHA256 struct ingot_sha256 *sha = NULL;
	uint8_t head[2 * sizeof("dbx") + 16 + 4 + TIME_SIZE], *p = head;
	struct ingot_guid vendor;
	int rc = find_vendor(variable->name, &vendor, err);

	if (rc == 0)
		rc = ingot_efi_list_check(variable->list, variable->n, err);
	if (rc < 0)
		return rc;
	for (const char *c = variable->name; *c; c++, p += 2)
		ingot_put_le16(p, (uint8_t)*c);
	ingot_guid_to_gpt(&vendor, p);
	ingot_put_le32(p + 16, attributes(variable));
	rc = put_time(variable->time, p + 20, err);
	if (rc < 0)
		return rc;
	sha = ingot_sha256_new(err);
	if (!sha)
		return -ENOMEM;
	rc = ingot_sha256_update(sha, head, (size_t)(p + 20 + TIME_SIZE - head), err);
	if (rc == 0)
		rc = ingot_sha256_update(sha, variable->list, variable->n, err);
	return rc < 0 ? rc : ingot_sha256_final(sha, digest, err);
}

/* --- the update -------------------------------------------------------- */

/* Firmware of before 2018 knows SignedData only without the ContentInfo around it. */
static int make_signature(const struct ingot_efi_variable *variable,
			  const struct ingot_signer *signer, uint8_t **ret, size_t *ret_n,
			  struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE];
	const struct signed_data data = {
		.type = {(const uint8_t *)OID_DATA, OID_SIZE(OID_DATA)},
		.digest = digest,
		.signers = signer,
		.count = 1,
		.bare = true,
	};
	int rc = ingot_efi_variable_digest(variable, digest, err);

	return rc < 0 ? rc : signed_data_encode(&data, ret, ret_n, err);
}

int ingot_efi_variable_assemble(const struct ingot_efi_variable *variable,
				const struct ingot_signer *signer, uint8_t **ret, size_t *ret_n,
				struct ingot_error *err)
{
	INGOT_FREE uint8_t *der = NULL, *made = NULL;
	size_t der_n, size;
	uint8_t *p;
	int rc = make_signature(variable, signer, &der, &der_n, err);

	if (rc < 0)
		return rc;
	size = TIME_SIZE + CERTIFICATE_HEAD + der_n + variable->n;
	p = made = ingot_alloc(size, 1, err);
	if (!made)
		return -ENOMEM;
	rc = put_time(variable->time, p, err);
	if (rc < 0)
		return rc;
	p += TIME_SIZE;
	ingot_put_le32(p, (uint32_t)(CERTIFICATE_HEAD + der_n));
	ingot_put_le16(p + 4, CERTIFICATE_REVISION);
	ingot_put_le16(p + 6, CERTIFICATE_EFI_GUID);
	memcpy(p + 8, PKCS7_TYPE, sizeof(PKCS7_TYPE));
	memcpy(p + CERTIFICATE_HEAD, der, der_n);
	if (variable->n)
		memcpy(p + CERTIFICATE_HEAD + der_n, variable->list, variable->n);
	*ret = INGOT_TAKE(made);
	*ret_n = size;
	return 0;
}

int ingot_efi_variable_sign(const struct ingot_efi_variable *variable, const struct ingot_key *key,
			    const struct ingot_certificate *certificate, uint8_t **ret,
			    size_t *ret_n, struct ingot_error *err)
{
	uint8_t digest[INGOT_SHA256_SIZE], raw[INGOT_RAW_SIGNATURE_MAX];
	struct ingot_signer signer = {.certificate = certificate, .raw = raw};
	int rc = ingot_key_check(key, certificate, err);

	if (rc == 0)
		rc = ingot_efi_variable_digest(variable, digest, err);
	if (rc == 0)
		rc = ingot_key_sign(key, digest, raw, &signer.raw_n, err);
	return rc < 0 ? rc : ingot_efi_variable_assemble(variable, &signer, ret, ret_n, err);
}
