/*
 * Compressed files that Ingot wrote, unit by unit: members of gzip, frames of Zstandard. Unlike
 * packed_internal.h it looks at no other unit than the one that is wanted, and at no checksum of
 * one that is stored. For one thread.
 */
#ifndef INGOT_FORMATS_UNITS_INTERNAL_H
#define INGOT_FORMATS_UNITS_INTERNAL_H

#include "formats/edit_internal.h"
#include "formats/unpack_internal.h"

enum { INGOT_UNIT_MAX = 4 << 20 /* bytes, unpacked: the largest that is written */ };

struct ingot_unit {
	uint64_t in, out; /* in the file, and of the unpacked bytes */
	uint32_t packed, size;
};

struct ingot_units;

struct ingot_unit_ops {
	/* All units of the file, by ingot_units_add. */
	int (*list)(struct ingot_units *units, struct ingot_error *err);
	/* Where its first byte is if it is stored, else 0. */
	int (*stored)(struct ingot_units *units, const struct ingot_unit *unit, uint64_t *ret,
		      struct ingot_error *err);
	/* From its packed bytes, with a look at its checksum. */
	int (*unpack)(struct ingot_units *units, const struct ingot_unit *unit,
		      const unsigned char *packed, unsigned char *data, struct ingot_error *err);
	/* A stored byte is that many bytes behind the first one. */
	uint64_t (*place)(uint64_t inside);
	uint64_t block; /* bytes that follow each other */
	/* The checksum of the content, and how far before the unit's end it stands. */
	void (*sum)(const unsigned char *data, size_t n, unsigned char sum[4]);
	unsigned sum_from_end;
};

struct ingot_units {
	struct ingot_source source;
	struct ingot_source *file;
	const struct ingot_unit_ops *ops;
	struct ingot_unit *list; /* by place */
	size_t count, room;
	struct ingot_unpacker unpacker;
	unsigned char *data; /* of the unit `loaded`, or anything if that is the count */
	size_t loaded;
};

/* The next unit; -EOPNOTSUPP: it is too large. */
INGOT_MUST_USE int ingot_units_add(struct ingot_units *units, uint64_t in, uint64_t packed,
				   uint64_t size, struct ingot_error *err);
/* The file is the source's if it succeeds. */
INGOT_MUST_USE int ingot_units_open(struct ingot_source *file, const struct ingot_unit_ops *ops,
				    struct ingot_source **ret, struct ingot_error *err);

#endif
