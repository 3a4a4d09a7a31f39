/*
 * From a recipe to a disk, in one process and one pass over the data.
 *
 *	plan    everything that can be wrong is found: recipe, layout, tree, sizes, keys
 *	write   /usr and its hash tree, then what depends on the root hash, then the table
 *	commit  image and manifest appear under their names, the manifest last
 */
#ifndef INGOT_IMAGE_BUILD_H
#define INGOT_IMAGE_BUILD_H

#include "base/problems.h"
#include "io/copy.h"

#define INGOT_BUILD_STEPS_MAX 16
#define INGOT_BUILD_NOTES_MAX 16

struct ingot_build_options {
	const char *output_directory;  /* made if it is not there */
	unsigned jobs;		       /* at least 1 */
	const char *source_date_epoch; /* $SOURCE_DATE_EPOCH or NULL */
	bool may_ask;		       /* at the terminal, for a key's passphrase or PIN */
	/*
	 * No key is used: where signatures go there are zeros, and beside the manifest a request
	 * (sign/request.h) says what is to be signed. The manifest has no digest of the image.
	 */
	bool sign_later;
	/* Told when a step begins and how far it is; NULL: nobody looks. */
	void (*step)(void *context, const char *name);
	struct ingot_progress progress;
	void *context;
};

struct ingot_build_step {
	const char *name;
	double seconds;
	uint64_t bytes; /* written; 0: not counted */
};

/* For people, after a build. Free it with ingot_build_summary_done. */
struct ingot_build_summary {
	char *image, *manifest; /* paths; the raw image is there only if it was asked for */
	char *request;		/* path, if it is signed later */
	char **files;		/* paths of all images and what stands beside them */
	size_t file_count, file_room;
	char root_hash[129]; /* "" if the layout has no /usr */
	uint64_t image_size, data_blocks, hash_blocks, tree_entries;
	uint64_t usr_size, usr_free; /* bytes of the filesystem */
	struct ingot_build_step steps[INGOT_BUILD_STEPS_MAX];
	size_t step_count;
	char *notes[INGOT_BUILD_NOTES_MAX]; /* things that a person may want to know */
	size_t note_count;
};

/*
 * -EINVAL with a list of problems, or a raised error. On failure nothing under the final
 * names has changed.
 */
INGOT_API INGOT_MUST_USE int ingot_build(const char *recipe,
					 const struct ingot_build_options *options,
					 struct ingot_problems *problems,
					 struct ingot_build_summary *ret, struct ingot_error *err);
INGOT_API void ingot_build_summary_done(struct ingot_build_summary *summary);

#endif
