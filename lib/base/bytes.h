/* Integers to and from bytes, one at a time, beside the specification's offset table. */
#ifndef INGOT_BASE_BYTES_H
#define INGOT_BASE_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define INGOT_DEFINE_BYTES(order, bits)                                                            \
	static inline void ingot_put_##order##bits(void *p, uint##bits##_t v)                      \
	{                                                                                          \
		uint##bits##_t raw = hto##order##bits(v);                                          \
		memcpy(p, &raw, sizeof(raw));                                                      \
	}                                                                                          \
	static inline uint##bits##_t ingot_get_##order##bits(const void *p)                        \
	{                                                                                          \
		uint##bits##_t raw;                                                                \
		memcpy(&raw, p, sizeof(raw));                                                      \
		return order##bits##toh(raw);                                                      \
	}

INGOT_DEFINE_BYTES(le, 16)
INGOT_DEFINE_BYTES(le, 32)
INGOT_DEFINE_BYTES(le, 64)
INGOT_DEFINE_BYTES(be, 16)
INGOT_DEFINE_BYTES(be, 32)
INGOT_DEFINE_BYTES(be, 64)

#endif
