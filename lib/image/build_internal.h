/* What the parts of a build share: everything known about the image being made. */
#ifndef INGOT_IMAGE_BUILD_INTERNAL_H
#define INGOT_IMAGE_BUILD_INTERNAL_H

#include <jansson.h>

#include "boot/initrd.h"
#include "disk/gpt.h"
#include "disk/layout.h"
#include "disk/place.h"
#include "fs/ext2.h"
#include "image/background_internal.h"
#include "image/build.h"
#include "image/digest_internal.h"
#include "image/recipe.h"
#include "image/room_internal.h"
#include "image/tree_digest_internal.h"
#include "io/output.h"
#include "sign/request.h"
#include "tree/tree.h"
#include "verity/build.h"
#include "verity/fec.h"

/* A root hash and what follows from it. For the plan it is a made-up one of the same size. */
struct root_hash {
	uint8_t bytes[INGOT_VERITY_DIGEST_MAX];
	size_t size;
	bool made_up;
	char hex[2 * INGOT_VERITY_DIGEST_MAX + 1];
	uint8_t *signature; /* PKCS#7, DER; NULL: not signed */
	size_t signature_size;
};

struct boot_inputs {
	struct ingot_source *linux_image, *stub, *os_release;
	struct ingot_source *initrds[INGOT_RECIPE_INITRDS_MAX];
	struct ingot_source *esp[INGOT_RECIPE_FILES_MAX];
};

/* The ESP for one root hash: a filesystem and all that it passes through. */
struct esp {
	struct ingot_source *fat;
	struct ingot_source *signed_uki; /* NULL: it is not signed */
	struct ingot_source *uki, *initrd, *segment, *cmdline;
};

struct build {
	const struct ingot_build_options *options;
	struct ingot_recipe *recipe;
	struct ingot_layout *layout;
	struct ingot_placement *placement;
	struct ingot_gpt *gpt;

	struct ingot_tree *tree, *oem;
	struct ingot_node *usr; /* the root of /usr; NULL: the layout has none */
	struct tree_digest tree_digest, oem_digest;
	struct background_digest archive; /* of the tree, if digests are wanted */
	struct boot_inputs inputs;

	const struct ingot_placed *usr_place, *hash_place, *signature_place;
	const struct ingot_placed *fec_place; /* where the parity is, if there is any */
	const struct ingot_placed *esp_place, *root_place, *oem_place;
	struct ingot_source *ext2;
	struct ingot_ext2_stats ext2_stats;
	struct ingot_guid usr_uuid;
	struct ingot_verity_params verity;
	struct ingot_verity_geometry geometry;
	struct ingot_fec_geometry fec;
	uint64_t fec_offset; /* in fec_place */

	struct ingot_key *key;
	struct ingot_certificate *certificate;
	struct ingot_key *co_keys[INGOT_RECIPE_CO_SIGNERS_MAX];
	struct ingot_certificate *co_certificates[INGOT_RECIPE_CO_SIGNERS_MAX];
	struct ingot_key *boot_key; /* of the UKI */
	struct ingot_certificate *boot_certificate;
	struct root_hash root;
	struct ingot_sign_request *request; /* NULL: it is signed at once */
	struct image_room room;		    /* where on the disk signatures stand */

	struct ingot_output *output;
	struct ingot_sink *disk;
	const char *vendor_arguments;  /* of the kernel; NULL: the image is no vendor's */
	struct build_outputs *outputs; /* outputs_internal.h; NULL before they are planned */

	struct ingot_build_summary *summary;
};

/* build_plan.c: recipe and layout, then everything but bytes. */
int build_load(struct build *b, const char *recipe, struct ingot_problems *problems,
	       struct ingot_error *err);
int build_plan(struct build *b, struct ingot_problems *problems, struct ingot_error *err);

/* The partitions of b->placement that mean something. */
void build_find_places(struct build *b);
/* With a root hash of the right size that is none, to find out early what it will take. */
int build_rehearse(struct build *b, struct ingot_error *err);

/* build_outputs.c: what is made of the image once it is there. */
int outputs_plan(struct build *b, struct ingot_problems *problems, struct ingot_error *err);
/* Whole and on the disk, but without names. */
int outputs_write(struct build *b, struct ingot_error *err);
/* output_blocks.c: of every disk; the base's, too, where there is no raw image with digests. */
int outputs_digest_blocks(struct build *b, struct image_digests *base, struct ingot_error *err);
/* Those that get names, sidecars too, or with NULL how many there are; and their names. */
size_t outputs_list_files(const struct build *b, struct ingot_output **list);
int outputs_add_files(struct build *b, struct ingot_error *err);
void outputs_free(struct build_outputs *outputs);
/* The base image itself is one of the outputs. */
bool outputs_want_raw(const struct build *b);
/* Their entries of the manifest; `image` makes the part that tells of a disk. */
void outputs_list(const struct build *b, const struct image_digests *base, json_t *list,
		  json_t *(*image)(const struct build *b, const uint8_t *digest));

/* build_boot.c */
int boot_open_inputs(struct build *b, struct ingot_problems *problems, struct ingot_error *err);
void boot_close_inputs(struct boot_inputs *inputs);
int esp_make(struct build *b, const struct root_hash *root, const struct ingot_gpt *gpt,
	     struct esp *ret, struct ingot_error *err);
void esp_done(struct esp *esp);
const char *build_uki_path(const struct build *b); /* on the ESP */

/* build_initrd.c: the recipe's files, and what opens /usr behind them. */
int initrd_make(struct build *b, const struct root_hash *root, const struct ingot_gpt *gpt,
		struct esp *esp, struct ingot_error *err);
/* "PARTUUID=...", which the text has room for. */
#define PARTUUID_TEXT (sizeof("PARTUUID=") + INGOT_GUID_TEXT)
int build_partuuid(const struct ingot_gpt *gpt, const struct ingot_placed *placed, char *text,
		   struct ingot_error *err);
/* Where the initrd finds the parity, if there is any; `device` holds the text. */
int build_add_fec(const struct build *b, const struct ingot_gpt *gpt, char *device,
		  struct ingot_initrd_verity *verity, struct ingot_error *err);

/* build_write.c */
int build_write(struct build *b, struct ingot_error *err);
int build_write_ext4(struct build *b, const struct ingot_placed *placed, const char *what,
		     struct ingot_tree *tree, struct ingot_error *err);

/* build_identity.c: what depends on the root hash or the seed. */
int identity_label(const struct build *b, const char *what, struct ingot_guid *ret,
		   struct ingot_error *err);
int gpt_for(const struct build *b, const struct root_hash *root, struct ingot_gpt **ret,
	    struct ingot_error *err);
const struct ingot_gpt_partition *gpt_partition(const struct ingot_gpt *gpt,
						const struct ingot_placed *placed);

/*
 * build_sign.c. For a made-up root hash, and if it is signed later, signatures of the same size
 * that are none.
 */
int build_load_keys(struct build *b, struct ingot_error *err);
/* The certificates of those who sign the root hash; returns how many there are. */
size_t build_signers(const struct build *b, const struct ingot_certificate *ret[INGOT_SIGNERS_MAX]);
int root_hash_sign(const struct build *b, struct root_hash *root, struct ingot_error *err);
void root_hash_done(struct root_hash *root);
/* The UKI is borrowed. */
int uki_sign(const struct build *b, const struct root_hash *root, struct ingot_source *uki,
	     struct ingot_source **ret, struct ingot_error *err);
/* The manifest's signature, beside it, not committed yet. */
int manifest_sign(const struct build *b, const char *text, size_t n, struct ingot_output **ret,
		  struct ingot_error *err);

/* The content of the partition for the root hash's signature; the caller frees *ret. */
int root_hash_partition(const struct build *b, uint8_t **ret, size_t *ret_n,
			struct ingot_error *err);

/* build_room.c */
/* The signatures in the UKI on this ESP, if they are there. */
int room_add_esp(struct build *b, const struct esp *esp, struct ingot_error *err);

/* Offsets in the UKI: of the last archive of its initrd, and of the root hash's signature there. */
struct uki_signature {
	uint64_t segment, offset;
};
int uki_find_signature(const struct build *b, const struct esp *esp, struct uki_signature *ret,
		       struct ingot_error *err);

/* build_request.c: what is to be signed later. */
/* -EINVAL: this recipe cannot be signed later. */
int request_start(struct build *b, struct ingot_error *err);
/* The ESP that is in the image, while its sources are there. */
int request_add_uki(struct build *b, const struct esp *esp, struct ingot_error *err);
/* A vendor's, afterwards. */
int request_add_vendor(struct build *b, const char *vendor, const struct esp *esp,
		       struct ingot_error *err);
/* Whole and on the disk, but without its name. */
int request_write(struct build *b, const json_t *manifest, struct ingot_output **ret,
		  struct ingot_error *err);

/* manifest.c; the digests of an image that is signed later are null. */
int manifest_make(struct build *b, const struct image_digests *digests, json_t **ret,
		  struct ingot_error *err);
json_t *manifest_blocks(const struct image_digests *digests);

/* build.c: the summary's clock. A step ends where the next begins. */
void build_step(struct build *b, const char *name);
/* A file that has its name now, for the summary. */
int build_add_file(struct build *b, const char *path, struct ingot_error *err);
void build_note(struct build *b, const char *format, ...) INGOT_PRINTF(2, 3);

/* The layout's entry for a placed partition. */
static inline const struct ingot_layout_partition *entry_of(const struct build *b,
							    const struct ingot_placed *placed)
{
	return &b->layout->partitions[placed->index];
}

#endif
