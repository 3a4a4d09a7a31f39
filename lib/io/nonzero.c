#include "io/nonzero.h"

#include <string.h>

enum { STEP = 16384 };

size_t ingot_first_nonzero(const void *data, size_t n)
{
	const unsigned char *p = data;
	size_t i = 0;

	if (n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0))
		return n;
	while (p[i] == 0)
		i++;
	return i;
}

int ingot_source_first_nonzero(struct ingot_source *source, uint64_t offset, uint64_t n,
			       uint64_t *ret, struct ingot_error *err)
{
	unsigned char data[STEP];
	uint64_t end = offset + n;

	while (offset < end) {
		struct ingot_extent extent;
		uint64_t stop;
		int rc = ingot_source_extent(source, offset, &extent, err);

		if (rc < 0)
			return rc;
		stop = offset + ingot_min(extent.length, end - offset);
		for (; !extent.hole && offset < stop;) {
			size_t part = (size_t)ingot_min(stop - offset, STEP), at;

			rc = ingot_source_read(source, offset, data, part, err);
			if (rc < 0)
				return rc;
			at = ingot_first_nonzero(data, part);
			offset += at;
			if (at == part)
				continue;
			*ret = offset;
			return 0;
		}
		offset = stop;
	}
	*ret = end;
	return 0;
}

int ingot_source_check_zero(struct ingot_source *source, uint64_t offset, uint64_t n,
			    const char *what, struct ingot_problems *problems,
			    struct ingot_error *err)
{
	uint64_t at;
	int rc = ingot_source_first_nonzero(source, offset, n, &at, err);

	if (rc == 0 && at < offset + n)
		ingot_problem_say(problems, "%s: the byte at %llu is not zero", what,
				  (unsigned long long)at);
	return rc;
}
