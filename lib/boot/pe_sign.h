/*
 * Where a PE file's signatures are, what they are about, and a copy of the file with other ones
 * (Microsoft, Windows Authenticode Portable Executable Signature Format; PE Format, "The Attribute
 * Certificate Table"). What a signature itself looks like is the business of sign/authenticode.h.
 *
 * Only what Authenticode needs is read, so kernels pass too. The sections must follow the headers
 * and each other without gaps or overlaps, and the table must be the end of the file: of other
 * files, different firmware computes different digests.
 */
#ifndef INGOT_BOOT_PE_SIGN_H
#define INGOT_BOOT_PE_SIGN_H

#include "base/digest.h"
#include "io/source.h"

#define INGOT_PE_TABLE_MAX	(1024 * 1024) /* bytes of all signatures */
#define INGOT_PE_SIGNATURES_MAX 16

enum {
	INGOT_PE_CERTIFICATE_REVISION = 0x0200,
	INGOT_PE_CERTIFICATE_PKCS7 = 0x0002, /* type: PKCS#7 SignedData */
};

/* Offsets in the file, in bytes. */
struct ingot_pe_place {
	uint64_t checksum_offset; /* 4 bytes that no signature covers */
	uint64_t entry_offset;	  /* of the table in the data directory: 8 such bytes */
	uint64_t content_size;	  /* of the file without its table */
	uint64_t table_offset;	  /* content_size rounded up to 8: where the table is or would be */
	uint32_t table_size;	  /* 0: not signed */
};

INGOT_API INGOT_MUST_USE int ingot_pe_place_read(struct ingot_source *source,
						 struct ingot_pe_place *ret,
						 struct ingot_error *err);

/* The Authenticode digest: SHA-256, the zeros up to table_offset included. */
INGOT_API INGOT_MUST_USE int ingot_pe_digest(struct ingot_source *source,
					     const struct ingot_pe_place *place,
					     uint8_t digest[INGOT_SHA256_SIZE],
					     struct ingot_error *err);

/* --- the table --------------------------------------------------------- */

/* WIN_CERTIFICATE; data is inside the table. */
struct ingot_pe_certificate {
	uint16_t revision, type;
	const uint8_t *data;
	size_t n;
};

/* The table's bytes; the caller frees *ret, which is NULL for a file without signatures. */
INGOT_API INGOT_MUST_USE int ingot_pe_table_load(struct ingot_source *source,
						 const struct ingot_pe_place *place, uint8_t **ret,
						 size_t *ret_n, struct ingot_error *err);

/* All of them; -EINVAL: the lengths do not add up, or there are more than the most. */
INGOT_API INGOT_MUST_USE int ingot_pe_table_read(
	const uint8_t *table, size_t n, struct ingot_pe_certificate list[INGOT_PE_SIGNATURES_MAX],
	size_t *ret_count, struct ingot_error *err);

/* A new table: what was in the old one, then this PKCS#7. The caller frees *ret. */
INGOT_API INGOT_MUST_USE int ingot_pe_table_add(const uint8_t *table, size_t table_n,
						const uint8_t *pkcs7, size_t pkcs7_n, uint8_t **ret,
						size_t *ret_n, struct ingot_error *err);

/* --- the file ---------------------------------------------------------- */

/*
 * The file with this table instead of its own; without one (n 0), with no signature. The checksum
 * is the right one. The source is borrowed and is read once for the checksum.
 */
INGOT_API INGOT_MUST_USE int ingot_pe_attach(struct ingot_source *source,
					     const struct ingot_pe_place *place,
					     const uint8_t *table, size_t n,
					     struct ingot_source **ret, struct ingot_error *err);

/*
 * The sum behind the checksum of PE files: 16-bit words, little-endian, carries added in again.
 * `sum` is what the bytes in front gave, 0 for none; the data stands at an even offset.
 * The checksum is the sum of all bytes (its own field zero) plus the size of the file.
 */
INGOT_API uint16_t ingot_pe_sum(uint16_t sum, const void *data, size_t n);

#endif
