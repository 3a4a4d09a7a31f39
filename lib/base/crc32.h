/* CRC-32 (ISO 3309, polynomial 0x04c11db7, reflected): GPT, gzip, zip. */
#ifndef INGOT_BASE_CRC32_H
#define INGOT_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

#include "base/api.h"

/* The CRC of n more bytes after those that gave `crc`; 0 to start. Meant for small tables. */
INGOT_API uint32_t ingot_crc32(uint32_t crc, const void *data, size_t n);

/* The same with Castagnoli's polynomial 0x1edc6f41: iSCSI, VHDX. */
INGOT_API uint32_t ingot_crc32c(uint32_t crc, const void *data, size_t n);

#endif
