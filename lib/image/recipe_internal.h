/* What the readers of a recipe's parts share. */
#ifndef INGOT_IMAGE_RECIPE_INTERNAL_H
#define INGOT_IMAGE_RECIPE_INTERNAL_H

#include "image/recipe.h"

/* Reading one recipe. Complaints go to the list; only want of memory ends the reading. */
struct reader {
	struct ingot_recipe *recipe;
	const struct ingot_recipe_options *options;
	struct ingot_problems *problems;
	struct ingot_error *err;
	int rc; /* the first real failure */
};

enum path_kind {
	PATH_FILE,	   /* a file on the build machine */
	PATH_KEY,	   /* ... or the URI of a token's object */
	PATH_SECRET,	   /* a file that only a key needs */
	PATH_FILE_OR_TREE, /* ... or in the tree */
	PATH_TREE_ITSELF,  /* a folder or an archive */
};

/* A node without a path, or one that is not there, leaves *ret without one. */
void recipe_read_path(struct reader *r, struct ingot_yaml_node node, enum path_kind kind,
		      struct ingot_recipe_path *ret);

/* recipe_signing.c */
void recipe_read_signing(struct reader *r, struct ingot_yaml_node node);
void recipe_signer_done(struct ingot_recipe_signer *signer);

/* recipe_outputs.c: the keys `outputs` and `level`. */
void recipe_read_outputs(struct reader *r, struct ingot_yaml_map *map);
void recipe_free_outputs(struct ingot_recipe *recipe);

#endif
