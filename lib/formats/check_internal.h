/* What the checkers of containers share. */
#ifndef INGOT_FORMATS_CHECK_INTERNAL_H
#define INGOT_FORMATS_CHECK_INTERNAL_H

#include <stdbool.h>

#include "formats/check.h"
#include "formats/unpack_internal.h"

int ingot_qcow2_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		      struct ingot_error *err);
int ingot_vmdk_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		     struct ingot_error *err);
int ingot_vhd_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		    struct ingot_error *err);

int ingot_vhdx_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		     struct ingot_error *err);
int ingot_vdi_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		    struct ingot_error *err);
int ingot_ova_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		    struct ingot_error *err);
int ingot_gzip_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		     struct ingot_error *err);
int ingot_gce_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		    struct ingot_error *err);
/* Zstandard, xz: all of it is unpacked, and their checksums are looked at. */
int ingot_packed_check(struct ingot_source *file, char finding[INGOT_FORMAT_FINDING],
		       struct ingot_error *err);

/* A compressed cluster of a qcow2 file: where it starts, and the end of its last sector. */
struct qcow2_packed {
	uint64_t start, end;
};

struct qcow2_check_options {
	enum ingot_packing packing;
	size_t cluster; /* bytes */
};

/* The list is sorted, and the ends become those to the byte. */
int ingot_qcow2_check_packed(struct ingot_source *file, const struct qcow2_check_options *o,
			     struct qcow2_packed *list, size_t count, char *finding,
			     struct ingot_error *err);

/* Of one that grows; its footer is good. */
int ingot_vhd_dynamic_check(struct ingot_source *file, const unsigned char *footer, char *finding,
			    struct ingot_error *err);
/* Of an extent without markers. */
int ingot_vmdk_sparse_check(struct ingot_source *file, const unsigned char *header, char *finding,
			    struct ingot_error *err);
/* The lines of a descriptor in that many sectors from sector 1 on. */
int ingot_vmdk_check_descriptor(struct ingot_source *file, uint64_t capacity, uint64_t sectors,
				const char *type, char *finding, struct ingot_error *err);

/* The first finding is kept. */
void ingot_finding(char finding[INGOT_FORMAT_FINDING], const char *format, ...) INGOT_PRINTF(2, 3);

bool ingot_bytes_are_zero(const unsigned char *p, size_t n);

/* A finding if something in [from, to) is not zero. `what` names the stretch. */
INGOT_MUST_USE int ingot_find_nonzero(struct ingot_source *file, uint64_t from, uint64_t to,
				      const char *what, char finding[INGOT_FORMAT_FINDING],
				      struct ingot_error *err);

#endif
