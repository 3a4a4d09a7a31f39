/* What the checks of `ingot verify` share: what was found in the image before they began. */
#ifndef INGOT_IMAGE_VERIFY_INTERNAL_H
#define INGOT_IMAGE_VERIFY_INTERNAL_H

#include "boot/initrd.h"
#include "boot/pe.h"
#include "disk/gpt.h"
#include "disk/layout.h"
#include "fs/ext_info.h"
#include "fs/fat_read.h"
#include "image/digest_internal.h"
#include "image/verify.h"
#include "verity/fec.h"
#include "verity/geometry.h"
#include "verity/signature_partition.h"
#include "verity/superblock.h"

/* No real image comes near; a hostile one shall not cost more. */
#define VERIFY_PROGRAMS_MAX   16
#define VERIFY_FILES_MAX      4096
#define VERIFY_CLUSTERS_MAX   (1024 * 1024)
#define VERIFY_CLAIMS_MAX     (4 * VERIFY_PROGRAMS_MAX + 8)
#define VERIFY_TEXT_MAX	      (64 * 1024)
#define VERIFY_PARTITIONS_MAX 1024

/* Something in the image, or beside it, that says what the root hash is. */
struct verify_claim {
	const char *row; /* whose check it belongs to: "roothash.veritytab" */
	char place[96];
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	size_t size;	/* bytes; as many as the place has room for */
	bool from_end;	/* of two halves the second */
	bool malformed; /* no root hash at all */
	bool trusted;	/* given by the caller, not found in the image */
};

/* Text of a file of the initrd. */
struct verify_text {
	char *data;
	size_t size;
};

/* An EFI program on the ESP. */
struct verify_program {
	char *path;
	struct ingot_source *source;
	bool is_pe; /* pe is filled; else error says why not */
	bool is_uki;
	struct ingot_pe pe;
	struct ingot_source *initrd; /* NULL: no such section */
	char *cmdline, *veritytab, *unit;
	char *signature; /* of the root hash, PKCS#7 */
	size_t signature_size;
	/* PEM, in the order of their names; none is behind one that is not there */
	struct verify_text certificates[INGOT_INITRD_CERTIFICATES_MAX];
	size_t certificate_count;
	char error[256];
};

struct verification {
	const struct ingot_verify_options *options;
	struct ingot_verify_report *report;
	struct ingot_source *file; /* the container, borrowed */
	struct ingot_source *disk; /* what is in it; NULL: it could not be opened */
	struct ingot_error disk_error;
	bool open_box; /* of Vagrant's: texts that nothing in the file can be held against */
	struct ingot_gpt *gpt; /* NULL: there is none */
	struct ingot_error gpt_error;
	struct ingot_layout *layout; /* the one that is claimed; NULL: none */
	char layout_error[512];
	enum ingot_content *content; /* of each partition */

	/* NULL: there is none */
	struct ingot_source *esp, *usr, *hash, *signature_part, *root, *oem, *fec_part;
	const struct ingot_gpt_partition *esp_at, *usr_at, *hash_at, *signature_at, *root_at,
		*oem_at, *fec_at;

	struct ingot_fat_volume volume;
	struct ingot_error esp_error; /* why its files could not be listed */
	bool esp_read;
	size_t program_count, other_files, other_uncovered;
	struct verify_program programs[VERIFY_PROGRAMS_MAX];
	uint64_t clusters_left;

	bool has_superblock;
	uint64_t hash_offset; /* on the hash partition */
	bool offset_claimed;  /* it was read in a veritytab */
	struct ingot_verity_superblock superblock;
	struct ingot_verity_geometry geometry;
	struct ingot_error superblock_error;

	bool has_fec; /* somebody says that there is parity */
	uint32_t fec_roots;
	uint64_t fec_offset;		 /* in its partition */
	struct ingot_source *fec_source; /* that partition, of those above */
	char fec_error[256];		 /* what is said of it cannot be */
	struct ingot_fec_geometry fec;	 /* fec_error is empty */

	bool has_signature; /* the partition's JSON was read */
	struct ingot_verity_signature signature;
	uint8_t *signature_pkcs7;
	struct ingot_error signature_error;

	size_t claim_count;
	struct verify_claim claims[VERIFY_CLAIMS_MAX];
	bool has_root; /* the one that the others are held against */
	uint8_t root_hash[INGOT_VERITY_DIGEST_MAX];
	size_t root_size;
	char root_hex[2 * INGOT_VERITY_DIGEST_MAX + 1];
	const char *root_from; /* a place, for the report */
	bool root_trusted;     /* by a signature or by the caller */
	bool no_memory;	       /* for a look at a signature: nothing that was found counts */
	bool authenticated;    /* UKIs are signed by a given certificate */
	bool digested;	       /* all bytes of the disk match the manifest */
	bool file_digested;    /* ... and those of the file around it */
	bool has_digests;      /* of the disk, made once for two checks */
	struct image_digests digests;
};

/* --- rows -------------------------------------------------------------- */

/*
 * One check. It sets its row by one of the calls below, and returns 0. Negative: it could not be
 * made, and the sentence says why; -ENOMEM ends everything.
 */
typedef int (*verify_check)(struct verification *v, struct ingot_verify_row *row,
			    struct ingot_error *err);

struct verify_entry {
	const char *name, *expected;
	verify_check run;
};

/* All of them, in the order of the report; .name NULL at the end. */
extern const struct verify_entry verify_checks[];

/* Each returns 0, or -ENOMEM. */
int row_good(struct ingot_verify_row *row, const char *format, ...) INGOT_PRINTF(2, 3);
int row_bad(struct ingot_verify_row *row, const char *format, ...) INGOT_PRINTF(2, 3);
int row_not_applicable(struct ingot_verify_row *row, const char *format, ...) INGOT_PRINTF(2, 3);
/* Better words than the table's. */
int row_expect(struct ingot_verify_row *row, const char *format, ...) INGOT_PRINTF(2, 3);

/* Something that nothing in the image vouches for. */
int verify_add_open(struct verification *v, const char *format, ...) INGOT_PRINTF(2, 3);

/* Opens the disk and finds all that is below; done is for a failed one too. */
int verification_init(struct verification *v, struct ingot_source *file,
		      const struct ingot_verify_options *options, struct ingot_error *err);
void verification_done(struct verification *v);

/* Makes the check of that name, or all of them; its row says what came of it. */
int verification_run(struct verification *v, const char *name, struct ingot_error *err);

/* The report's list of them, once all checks are done. */
int verify_note_open(struct verification *v, struct ingot_error *err);

/* --- finding what there is; negative is -ENOMEM only ------------------- */

int verify_find_partitions(struct verification *v, struct ingot_error *err);
void verify_partitions_done(struct verification *v);
int verify_find_programs(struct verification *v, struct ingot_error *err);
void verify_programs_done(struct verification *v);
int verify_find_verity(struct verification *v, struct ingot_error *err);
int verify_find_root_hash(struct verification *v, struct ingot_error *err);

/* Where the parity is, once the tree is known. */
void verify_find_fec(struct verification *v);

/* Whether a signature of this root hash is one by a given certificate. */
bool verify_is_signed(struct verification *v, const void *pkcs7, size_t n, const char *hex);

/* The partition's number and name, for sentences. */
const char *verify_partition_text(const struct ingot_gpt_partition *p, char *text, size_t size);
#define VERIFY_PARTITION_TEXT (INGOT_GPT_NAME_MAX + 32)

/* The first byte from offset on that is not zero, or the end; holes are not read. */
INGOT_MUST_USE int verify_first_nonzero(struct ingot_source *source, uint64_t offset, uint64_t end,
					unsigned jobs, uint64_t *ret, struct ingot_error *err);

/* --- the checks, a file per group -------------------------------------- */

int check_container_format(struct verification *v, struct ingot_verify_row *row,
			   struct ingot_error *err);
int check_container_structure(struct verification *v, struct ingot_verify_row *row,
			      struct ingot_error *err);
int check_gpt_mbr(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err);
int check_gpt_primary(struct verification *v, struct ingot_verify_row *row,
		      struct ingot_error *err);
int check_gpt_backup(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err);
int check_gpt_agreement(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err);
int check_gpt_partitions(struct verification *v, struct ingot_verify_row *row,
			 struct ingot_error *err);
int check_layout(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err);
int check_unused_gaps(struct verification *v, struct ingot_verify_row *row,
		      struct ingot_error *err);
int check_unused_partitions(struct verification *v, struct ingot_verify_row *row,
			    struct ingot_error *err);
int check_esp(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err);
int check_uki_structure(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err);
int check_uki_sections(struct verification *v, struct ingot_verify_row *row,
		       struct ingot_error *err);
int check_uki_cmdline(struct verification *v, struct ingot_verify_row *row,
		      struct ingot_error *err);
int check_uki_initrd(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err);
int check_uki_signature(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err);
int check_roothash(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err);
int check_roothash_trust(struct verification *v, struct ingot_verify_row *row,
			 struct ingot_error *err);
int check_verity_superblock(struct verification *v, struct ingot_verify_row *row,
			    struct ingot_error *err);
int check_verity_tree(struct verification *v, struct ingot_verify_row *row,
		      struct ingot_error *err);
int check_verity_cryptsetup(struct verification *v, struct ingot_verify_row *row,
			    struct ingot_error *err);
int check_verity_fec(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err);
int check_verity_unused(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err);
int check_signature_initrd(struct verification *v, struct ingot_verify_row *row,
			   struct ingot_error *err);
int check_signature_partition(struct verification *v, struct ingot_verify_row *row,
			      struct ingot_error *err);
int check_signature_certificates(struct verification *v, struct ingot_verify_row *row,
				 struct ingot_error *err);
int check_signature_test_keys(struct verification *v, struct ingot_verify_row *row,
			      struct ingot_error *err);
int check_usr_filesystem(struct verification *v, struct ingot_verify_row *row,
			 struct ingot_error *err);
int check_usr_read_only(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err);
int check_root_filesystem(struct verification *v, struct ingot_verify_row *row,
			  struct ingot_error *err);
int check_oem_filesystem(struct verification *v, struct ingot_verify_row *row,
			 struct ingot_error *err);
int check_manifest_signature(struct verification *v, struct ingot_verify_row *row,
			     struct ingot_error *err);
int check_manifest_disk(struct verification *v, struct ingot_verify_row *row,
			struct ingot_error *err);
int check_manifest_partitions(struct verification *v, struct ingot_verify_row *row,
			      struct ingot_error *err);
int check_manifest_usr(struct verification *v, struct ingot_verify_row *row,
		       struct ingot_error *err);
int check_manifest_blocks(struct verification *v, struct ingot_verify_row *row,
			  struct ingot_error *err);
int check_manifest_digest(struct verification *v, struct ingot_verify_row *row,
			  struct ingot_error *err);

#endif
