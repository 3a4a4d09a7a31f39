/* Data for the hash tree tests that a shell can make too: `seq 1 100000000 | head -c SIZE`. */
#ifndef INGOT_TESTS_VERITY_DATA_H
#define INGOT_TESTS_VERITY_DATA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline uint8_t *make_data(size_t size)
{
	uint8_t *data = test_malloc(size);
	size_t at = 0;

	for (unsigned i = 1; at < size; i++) {
		char line[16];
		size_t n = (size_t)snprintf(line, sizeof(line), "%u\n", i);

		n = n < size - at ? n : size - at;
		memcpy(data + at, line, n);
		at += n;
	}
	return data;
}

#endif
