/*
 * For fuzz targets: a small input for a file that is large and mostly empty: "runs", then place and
 * length (le32 each) and the bytes of each run. The checksums of headers are set right, because the
 * fuzzer cannot guess them.
 */
#ifndef INGOT_TESTS_RUNS_H
#define INGOT_TESTS_RUNS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/crc32.h"
#include "formats/vhd_internal.h"

enum { RUNS_MAX = 6 << 20, RUNS_PACKED_MAX = 256 << 10, RUNS_KIB = 1024, RUNS_TAR = 512 };

static inline bool runs_are(const uint8_t *data, size_t size)
{
	return size >= 4 && memcmp(data, "runs", 4) == 0;
}

/* Returns the file's size. */
static inline size_t runs_expand(const uint8_t *data, size_t size, unsigned char *file)
{
	size_t end = 0;

	for (size_t at = 4; size - at >= 8;) {
		size_t place = ingot_get_le32(data + at) % RUNS_MAX;
		size_t n = ingot_get_le32(data + at + 4);

		at += 8;
		n = (size_t)ingot_min(ingot_min(n, size - at), RUNS_MAX - place);
		memcpy(file + place, data + at, n);
		at += n;
		end = (size_t)ingot_max(end, place + n);
	}
	return end;
}

/* --- checksums --------------------------------------------------------- */

static inline void runs_seal_crc32c(unsigned char *p, size_t n)
{
	ingot_put_le32(p + 4, 0);
	ingot_put_le32(p + 4, ingot_crc32c(0, p, n));
}

/* The entries of a VHDX's log, wherever it is; one that goes around its end stays as it is. */
static inline void runs_seal_log(unsigned char *file, size_t n)
{
	enum { SECTOR = 4096, ENTRY_MAX = 16 * SECTOR };

	for (size_t at = RUNS_KIB * RUNS_KIB; at + SECTOR <= n; at += SECTOR) {
		size_t length = ingot_get_le32(file + at + 8);

		if (memcmp(file + at, "loge", 4) == 0 && length >= 8 && length <= ENTRY_MAX &&
		    length <= n - at)
			runs_seal_crc32c(file + at, length);
	}
}

static inline void runs_seal_vhdx(unsigned char *file, size_t n)
{
	if (n < RUNS_KIB * RUNS_KIB || memcmp(file, "vhdxfile", 8) != 0)
		return;
	for (size_t i = 1; i <= 2; i++) {
		runs_seal_crc32c(file + i * 64 * RUNS_KIB, 4 * RUNS_KIB);
		runs_seal_crc32c(file + (i + 2) * 64 * RUNS_KIB, 64 * RUNS_KIB);
	}
	runs_seal_log(file, n);
}

static inline void runs_seal_vhd(unsigned char *file, size_t n)
{
	unsigned char *footer = n < VHD_FOOTER ? NULL : file + n - VHD_FOOTER;
	uint64_t header;

	if (!footer || memcmp(footer, "conectix", 8) != 0)
		return;
	ingot_put_be32(footer + VHD_FOOTER_SUM,
		       ingot_vhd_checksum(footer, VHD_FOOTER, VHD_FOOTER_SUM));
	header = ingot_get_be64(footer + 16);
	if (ingot_in_range(header, VHD_HEADER, n))
		ingot_put_be32(file + header + VHD_HEADER_SUM,
			       ingot_vhd_checksum(file + header, VHD_HEADER, VHD_HEADER_SUM));
}

/* Eight bytes at 148: the sum of all bytes, with blanks in these eight. */
static inline void runs_seal_tar(unsigned char *file, size_t n)
{
	enum { MAGIC = 257, SUM = 148, SUM_SIZE = 8 };

	for (size_t at = 0; n - at >= RUNS_TAR; at += RUNS_TAR) {
		unsigned char *header = file + at;
		unsigned sum = 0;
		char text[16];

		if (memcmp(header + MAGIC, "ustar", 5) != 0)
			continue;
		memset(header + SUM, ' ', SUM_SIZE);
		for (size_t i = 0; i < RUNS_TAR; i++)
			sum += header[i];
		(void)snprintf(text, sizeof(text), "%06o", sum);
		memcpy(header + SUM, text, 7);
	}
}

/*
 * The zeros between two runs are code as well to a stream of deflate, and each byte of them may
 * give 1032: six gigabytes from RUNS_MAX, which nobody unpacks in a test's time.
 */
static inline size_t runs_size(const unsigned char *file, size_t n)
{
	return file[0] == 0x1f && file[1] == 0x8b ? (size_t)ingot_min(n, RUNS_PACKED_MAX) : n;
}

/* *ret is a file of *ret_n bytes, to be freed; NULL: no memory. */
static inline void runs_make(const uint8_t *data, size_t size, unsigned char **ret, size_t *ret_n)
{
	*ret = calloc(1, RUNS_MAX);
	*ret_n = *ret ? runs_expand(data, size, *ret) : 0;
	if (!*ret)
		return;
	*ret_n = runs_size(*ret, *ret_n);
	runs_seal_vhdx(*ret, *ret_n);
	runs_seal_vhd(*ret, *ret_n);
	runs_seal_tar(*ret, *ret_n);
}

#endif
