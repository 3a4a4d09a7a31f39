/* Signature lists from anywhere: what passes is whole lists, end to end. */
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "sign/efi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingot_efi_variable variable = {.name = "db", .list = data, .n = size};
	uint8_t digest[INGOT_SHA256_SIZE];
	struct ingot_error err = {0};
	bool good = ingot_efi_list_check(data, size, &err) == 0;
	size_t at = 0;

	if (good != (ingot_efi_variable_digest(&variable, digest, &err) == 0))
		abort();
	while (good && at < size)
		at += ingot_get_le32(data + at + 16);
	if (good && at != size)
		abort();
	return 0;
}
