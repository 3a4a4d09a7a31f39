#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "boot/pe_sign.h"

/* "The Attribute Certificate Table": length (of all of it), revision, type, then the data */
enum { HEAD = 8, ALIGNMENT = 8 };

int ingot_pe_table_load(struct ingot_source *source, const struct ingot_pe_place *place,
			uint8_t **ret, size_t *ret_n, struct ingot_error *err)
{
	INGOT_FREE uint8_t *table = NULL;
	int rc;

	*ret = NULL;
	*ret_n = 0;
	if (place->table_size == 0)
		return 0;
	table = ingot_alloc(place->table_size, 1, err);
	if (!table)
		return -ENOMEM;
	rc = ingot_source_read(source, place->table_offset, table, place->table_size, err);
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(table);
	*ret_n = place->table_size;
	return 0;
}

int ingot_pe_table_read(const uint8_t *table, size_t n,
			struct ingot_pe_certificate list[INGOT_PE_SIGNATURES_MAX],
			size_t *ret_count, struct ingot_error *err)
{
	size_t at = 0, count = 0;

	while (at < n) {
		uint64_t length, next;

		if (n - at < HEAD)
			return ingot_raise(err, -EINVAL,
					   "certificate table: %zu bytes at its end are too few",
					   n - at);
		length = ingot_get_le32(table + at);
		next = ingot_round_up(length, ALIGNMENT);
		/* Some write a table whose last entry is not padded. */
		if (length < HEAD || length > n - at)
			return ingot_raise(err, -EINVAL,
					   "certificate table: the entry at %zu has %llu bytes of "
					   "the %zu that are left",
					   at, (unsigned long long)length, n - at);
		if (count == INGOT_PE_SIGNATURES_MAX)
			return ingot_raise(err, -EINVAL, "certificate table: more than %d entries",
					   INGOT_PE_SIGNATURES_MAX);
		list[count++] = (struct ingot_pe_certificate){
			.revision = ingot_get_le16(table + at + 4),
			.type = ingot_get_le16(table + at + 6),
			.data = table + at + HEAD,
			.n = (size_t)length - HEAD,
		};
		at += (size_t)ingot_min(next, n - at);
	}
	*ret_count = count;
	return 0;
}

int ingot_pe_table_add(const uint8_t *table, size_t table_n, const uint8_t *pkcs7, size_t pkcs7_n,
		       uint8_t **ret, size_t *ret_n, struct ingot_error *err)
{
	struct ingot_pe_certificate list[INGOT_PE_SIGNATURES_MAX];
	size_t start = (size_t)ingot_round_up(table_n, ALIGNMENT), count, size;
	uint8_t *made;
	int rc = ingot_pe_table_read(table, table_n, list, &count, err);

	if (rc < 0)
		return rc;
	if (count == INGOT_PE_SIGNATURES_MAX)
		return ingot_raise(err, -ENOSPC, "certificate table: there are %zu signatures",
				   count);
	if (pkcs7_n > INGOT_PE_TABLE_MAX || start + HEAD + pkcs7_n > INGOT_PE_TABLE_MAX)
		return ingot_raise(err, -EFBIG, "certificate table: more than %d bytes",
				   INGOT_PE_TABLE_MAX);
	size = start + (size_t)ingot_round_up(HEAD + pkcs7_n, ALIGNMENT);
	made = ingot_alloc(size, 1, err);
	if (!made)
		return -ENOMEM;
	if (table_n)
		memcpy(made, table, table_n);
	ingot_put_le32(made + start, (uint32_t)(HEAD + pkcs7_n));
	ingot_put_le16(made + start + 4, INGOT_PE_CERTIFICATE_REVISION);
	ingot_put_le16(made + start + 6, INGOT_PE_CERTIFICATE_PKCS7);
	memcpy(made + start + HEAD, pkcs7, pkcs7_n);
	*ret = made;
	*ret_n = size;
	return 0;
}
