/* Any bytes, compressed with the fast deflate, come out of libdeflate again. */
#include <libdeflate.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/fast_deflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Fuzzers make short inputs: each byte pair above 0xf0 in the first half repeats what came before,
 * so that far and long matches come about.
 */
static size_t expand(const uint8_t *data, size_t size, unsigned char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < size && n < INGOT_FAST_DEFLATE_DATA; i++) {
		size_t length, distance;

		if (data[i] < 0xf0 || size - i < 4 || n == 0) {
			out[n++] = data[i];
			continue;
		}
		length = (size_t)(data[i] - 0xf0) << 8 | data[i + 1];
		distance = 1 + ((size_t)data[i + 2] << 8 | data[i + 3]) % n;
		for (; length > 0 && n < INGOT_FAST_DEFLATE_DATA; length--, n++)
			out[n] = out[n - distance];
		i += 3;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char plain[INGOT_FAST_DEFLATE_DATA];
	static unsigned char packed[INGOT_FAST_DEFLATE_ROOM], back[INGOT_FAST_DEFLATE_DATA];
	struct ingot_fast_deflate *deflate = ingot_fast_deflate_new(NULL);
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	size_t n = expand(data, size, plain), got, used, packed_size;

	if (!deflate || !d)
		abort();
	packed_size = ingot_fast_deflate(deflate, plain, n, packed);
	if (packed_size > n + 10)
		abort();
	if (libdeflate_deflate_decompress_ex(d, packed, packed_size, back, n, &used, &got) !=
		    LIBDEFLATE_SUCCESS ||
	    used != packed_size || got != n || memcmp(plain, back, n) != 0)
		abort();
	libdeflate_free_decompressor(d);
	ingot_fast_deflate_free(deflate);
	return 0;
}
