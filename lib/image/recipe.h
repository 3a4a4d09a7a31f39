/*
 * Recipes: what `ingot build` is told, one YAML file. docs/recipe.md describes every key.
 *
 * A recipe is read as a whole: every mistake in it, and every file that it names and that
 * is not there, is one problem in the list, with its line and column.
 */
#ifndef INGOT_IMAGE_RECIPE_H
#define INGOT_IMAGE_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/derive.h"
#include "base/problems.h"
#include "base/yaml.h"
#include "image/vendor.h"

#define INGOT_RECIPE_CO_SIGNERS_MAX 7 /* the first one is not among them */
#define INGOT_RECIPE_INITRDS_MAX    16
#define INGOT_RECIPE_FILES_MAX	    64
#define INGOT_RECIPE_OUTPUTS_MAX    64

/* A file of the recipe's: on the build machine, or ("tree:boot/vmlinuz-*") in the tree. */
struct ingot_recipe_path {
	struct ingot_yaml_node node; /* for problems found later */
	const char *given;	     /* as in the recipe; NULL: not given */
	char *path;	     /* relative to the recipe's folder, resolved; NULL: in the tree */
	const char *in_tree; /* the pattern; NULL: not in the tree */
};

/* Something put on the ESP besides the UKI. */
struct ingot_recipe_file {
	const char *target; /* "loader/loader.conf" */
	struct ingot_recipe_path source;
};

/* A key, what opens it, and its certificate. */
struct ingot_recipe_signer {
	struct ingot_recipe_path key; /* a file, or a pkcs11: URI, as it stands in `path` */
	struct ingot_recipe_path certificate;
	struct ingot_recipe_path secret_file; /* passphrase or PIN; not given: none */
	const char *secret_variable;	      /* that holds the passphrase; or NULL */
};

/* One entry of `outputs`: a format of formats/format.h, or a vendor with all its files. */
struct ingot_recipe_output {
	struct ingot_yaml_node node;
	const char *name;
	struct ingot_vendor *vendor; /* NULL: a format */
};

struct ingot_recipe {
	struct ingot_yaml *doc; /* owns the texts */
	char *file, *directory; /* of the recipe */

	const char *name, *version, *architecture;
	int64_t epoch;
	struct ingot_seed seed;

	const char *layout;		    /* a built-in name, or */
	char *layout_path;		    /* a file */
	struct ingot_yaml_node layout_node; /* for problems found later */
	uint64_t size;			    /* of the disk; 0: the layout's */
	unsigned sector_size;		    /* 0: the layout's */

	struct ingot_recipe_path tree;
	const char **excludes;
	struct ingot_yaml_node *exclude_nodes;
	size_t exclude_count;
	bool owner;
	uint32_t uid, gid;
	struct ingot_recipe_path owner_map;
	struct ingot_recipe_path oem; /* folder or archive for the OEM partition */

	bool fit_content; /* /usr as small as its files, not as large as its partition */
	const char *hash; /* of the hash tree */
	uint32_t data_block_size, hash_block_size;
	unsigned fec_roots; /* 0: no parity */
	bool salt_given;
	uint8_t salt[256];
	size_t salt_size;

	bool boot; /* false: no boot section, the ESP stays empty */
	struct ingot_recipe_path linux_image, stub, os_release;
	struct ingot_recipe_path initrds[INGOT_RECIPE_INITRDS_MAX];
	size_t initrd_count;
	const char *cmdline; /* "": nothing besides what Ingot adds */
	unsigned systemd_version;
	struct ingot_recipe_file esp[INGOT_RECIPE_FILES_MAX];
	size_t esp_count;

	bool sign;
	struct ingot_recipe_signer signer;				    /* of the root hash */
	struct ingot_recipe_signer co_signers[INGOT_RECIPE_CO_SIGNERS_MAX]; /* and these */
	size_t co_signer_count;
	bool enforce;	    /* the guest's kernel has to check the signature */
	bool sign_manifest; /* by the same key */
	bool secure_boot;   /* the UKI is signed as well */
	struct ingot_recipe_signer boot_signer;

	struct ingot_recipe_output outputs[INGOT_RECIPE_OUTPUTS_MAX]; /* without a key: raw */
	size_t output_count;
	unsigned level; /* of compression; INGOT_LEVEL_DEFAULT without a key */

	bool digests; /* SHA-256 of the outputs in the manifest */
};

struct ingot_recipe_options {
	bool check_files;	       /* complain about files that cannot be read */
	bool sign_later;	       /* keys are not looked at and need not be named */
	const char *source_date_epoch; /* $SOURCE_DATE_EPOCH, or NULL */
};

/*
 * -EINVAL where the list of problems is not empty; *ret is set all the same, so that
 * the layout can be looked at as well. Other failures only raise. The
 * problems must outlive the recipe.
 */
INGOT_API INGOT_MUST_USE int ingot_recipe_load(const char *path,
					       const struct ingot_recipe_options *options,
					       struct ingot_problems *problems,
					       struct ingot_recipe **ret, struct ingot_error *err);

/* The same from memory; `file` is its name in complaints and gives the folder. */
INGOT_API INGOT_MUST_USE int ingot_recipe_parse(const char *file, const char *text, size_t size,
						const struct ingot_recipe_options *options,
						struct ingot_problems *problems,
						struct ingot_recipe **ret, struct ingot_error *err);

INGOT_API void ingot_recipe_free(struct ingot_recipe *recipe); /* NULL is allowed */
INGOT_DEFINE_CLEANUP(struct ingot_recipe, ingot_recipe, ingot_recipe_free)
#define INGOT_RECIPE INGOT_CLEANUP(ingot_recipe_cleanup)

#endif
