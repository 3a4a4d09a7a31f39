/* Parity beside a hash tree, as the options of `ingot verity` say. */
#ifndef INGOT_TOOLS_VERITY_FEC_H
#define INGOT_TOOLS_VERITY_FEC_H

#include <jansson.h>

#include "io/output.h"
#include "verity/fec.h"
#include "verity_options.h"

struct verity_fec {
	bool wanted; /* nothing else is set without */
	struct ingot_fec_geometry geometry;
	uint64_t offset;	     /* of the parity, in bytes, */
	struct ingot_output *output; /* in a file of its own; NULL: on the hash device */
};

void verity_fec_done(struct verity_fec *fec);

/*
 * Where the parity is and how large, beside a hash device that is hash_size bytes long
 * without it. -EINVAL: what FEC cannot have.
 */
INGOT_MUST_USE int verity_fec_init(const struct verity_options *options,
				   const struct ingot_verity_params *params,
				   const struct ingot_verity_geometry *geometry, uint64_t hash_size,
				   struct verity_fec *ret, struct ingot_error *err);

/* How long the hash device must be with the parity on it. */
uint64_t verity_fec_end(const struct verity_fec *fec);

/* Create --fec-file. It must be neither of the other two files (hash_path may be NULL). */
INGOT_MUST_USE int verity_fec_create(const char *path, const char *data_path, const char *hash_path,
				     struct verity_fec *fec, struct ingot_error *err);

/* The parity of the data and of what is in the sink of the hash device. */
INGOT_MUST_USE int verity_fec_write(const struct verity_fec *fec, struct ingot_source *data,
				    struct ingot_sink *hash, unsigned jobs,
				    struct ingot_error *err);

INGOT_MUST_USE int verity_fec_commit(struct verity_fec *fec, struct ingot_error *err);

/* Add the fields of a report. */
INGOT_MUST_USE int verity_fec_report(const struct verity_fec *fec, json_t *object,
				     struct ingot_error *err);

#endif
