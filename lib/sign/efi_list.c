#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/derive.h"
#include "sign/efi.h"

enum {
	/* EFI_SIGNATURE_LIST: type, sizes of the list, of its header (none) and of each entry */
	LIST_TYPE = 0,
	LIST_SIZE = 16,
	LIST_HEADER_SIZE = 20,
	LIST_ENTRY_SIZE = 24,
	LIST_HEAD = 28,
	/* EFI_SIGNATURE_DATA: owner, then the certificate */
	ENTRY_HEAD = 16,
};

/* EFI_CERT_X509_GUID, a5c059a1-94e4-4aa7-87b5-ab155c2bf072 */
static const uint8_t X509_TYPE[16] = {0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
				      0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72};

static uint8_t *put_certificate(uint8_t *p, const uint8_t *der, size_t n,
				const struct ingot_guid *owner)
{
	memcpy(p + LIST_TYPE, X509_TYPE, sizeof(X509_TYPE));
	ingot_put_le32(p + LIST_SIZE, (uint32_t)(LIST_HEAD + ENTRY_HEAD + n));
	ingot_put_le32(p + LIST_HEADER_SIZE, 0);
	ingot_put_le32(p + LIST_ENTRY_SIZE, (uint32_t)(ENTRY_HEAD + n));
	ingot_guid_to_gpt(owner, p + LIST_HEAD);
	memcpy(p + LIST_HEAD + ENTRY_HEAD, der, n);
	return p + LIST_HEAD + ENTRY_HEAD + n;
}

int ingot_efi_list(const struct ingot_certificate *const *certificates, size_t count,
		   const struct ingot_guid *owner, uint8_t **ret, size_t *ret_n,
		   struct ingot_error *err)
{
	size_t size = 0, n;
	uint8_t *list, *p;

	for (size_t i = 0; i < count && size <= INGOT_EFI_LIST_MAX; i++) {
		(void)ingot_certificate_der(certificates[i], &n);
		size += LIST_HEAD + ENTRY_HEAD + n;
	}
	if (size > INGOT_EFI_LIST_MAX)
		return ingot_raise(err, -EFBIG, "the certificates' list has more than %d bytes",
				   INGOT_EFI_LIST_MAX);
	p = list = ingot_alloc(size + 1, 1, err);
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *der = ingot_certificate_der(certificates[i], &n);

		p = put_certificate(p, der, n, owner);
	}
	*ret = list;
	*ret_n = size;
	return 0;
}

int ingot_efi_owner(const struct ingot_certificate *certificate, struct ingot_guid *ret,
		    struct ingot_error *err)
{
	struct ingot_seed seed = {.size = INGOT_SHA256_SIZE};
	int rc = ingot_certificate_fingerprint(certificate, seed.bytes, err);

	return rc < 0 ? rc : ingot_derive_guid(&seed, "efi signature owner", ret, err);
}

int ingot_efi_list_check(const uint8_t *list, size_t n, struct ingot_error *err)
{
	for (size_t at = 0; at < n;) {
		uint32_t size, header, entry;

		if (n - at < LIST_HEAD)
			return ingot_raise(err, -EINVAL, "signature list: %zu bytes are left over",
					   n - at);
		size = ingot_get_le32(list + at + LIST_SIZE);
		header = ingot_get_le32(list + at + LIST_HEADER_SIZE);
		entry = ingot_get_le32(list + at + LIST_ENTRY_SIZE);
		if (size > n - at || size < LIST_HEAD || header > size - LIST_HEAD ||
		    entry <= ENTRY_HEAD || (size - LIST_HEAD - header) % entry ||
		    size - LIST_HEAD == header)
			return ingot_raise(err, -EINVAL,
					   "signature list: the sizes at byte %zu do not fit", at);
		at += size;
	}
	return 0;
}
