/* Superblocks and signature partitions from anywhere. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verity/geometry.h"
#include "verity/signature_partition.h"
#include "verity/superblock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was accepted is written back and read again the same. */
static void superblock(const uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE])
{
	uint8_t once[INGOT_VERITY_SUPERBLOCK_SIZE], twice[INGOT_VERITY_SUPERBLOCK_SIZE];
	struct ingot_verity_superblock first, second;
	struct ingot_verity_geometry g;
	struct ingot_error err = {0};

	if (ingot_verity_superblock_decode(raw, &first, &err) < 0)
		return;
	ingot_verity_superblock_encode(&first, once);
	if (ingot_verity_superblock_decode(once, &second, &err) < 0)
		abort();
	ingot_verity_superblock_encode(&second, twice);
	if (memcmp(once, twice, sizeof(once)) != 0)
		abort();
	if (ingot_verity_geometry(&first.params, first.data_blocks, 0, &g, &err) < 0)
		return;
	if (g.level_count > 0 && g.levels[g.level_count - 1].blocks != 1)
		abort();
	if (g.end != g.tree_offset + g.hash_blocks * first.params.hash_block_size)
		abort();
}

static void signature(const uint8_t *data, size_t size)
{
	struct ingot_verity_signature first, second;
	uint8_t *der = NULL, *der_again = NULL, *raw = NULL;
	struct ingot_error err = {0};
	size_t raw_size;

	if (ingot_verity_signature_decode(data, size, &first, &der, &err) < 0)
		return;
	if (ingot_verity_signature_encode(&first, &raw, &raw_size, &err) < 0)
		abort();
	if (ingot_verity_signature_decode(raw, raw_size, &second, &der_again, &err) < 0)
		abort();
	if (first.root_size != second.root_size || first.pkcs7_size != second.pkcs7_size ||
	    memcmp(first.root, second.root, first.root_size) != 0 ||
	    memcmp(der, der_again, first.pkcs7_size) != 0)
		abort();
	free(der);
	free(der_again);
	free(raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t raw[INGOT_VERITY_SUPERBLOCK_SIZE] = {0};

	memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));
	superblock(raw);
	signature(data, size);
	return 0;
}
