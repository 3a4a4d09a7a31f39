/* Data, hash device and parity that are there already, as the options of `ingot verity` say. */
#ifndef INGOT_TOOLS_VERITY_DEVICE_H
#define INGOT_TOOLS_VERITY_DEVICE_H

#include "verity/superblock.h"
#include "verity_fec.h"
#include "verity_options.h"

struct verity_device {
	const char *data_path, *hash_path, *fec_path;
	struct ingot_source *data;
	struct ingot_source *hash;   /* data itself where the tree is behind it */
	struct ingot_source *parity; /* the hash device itself where it is there */
	struct ingot_source *own_hash, *own_parity;
	struct ingot_verity_superblock superblock; /* read, or made from the options */
	struct ingot_verity_geometry geometry;
	struct verity_fec fec;
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	size_t root_size;
};

/* For the data that is the first argument. Close it also after a failure. */
INGOT_MUST_USE int verity_device_open(const struct cli *cli, const struct verity_options *options,
				      const char *root_hash, struct verity_device *ret,
				      struct ingot_error *err);
void verity_device_close(struct verity_device *device);

#endif
