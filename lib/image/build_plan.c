#include "image/build_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tree/owner.h"
#include "tree/private.h"

/* Planning: everything that can be wrong is found before the first byte is written. */

/* --- recipe and layout ------------------------------------------------- */

static int load_layout(struct build *b, struct ingot_problems *problems, struct ingot_error *err)
{
	struct ingot_recipe *recipe = b->recipe;
	const char *name = recipe->layout_path ? recipe->layout_path : recipe->layout;

	if (!name || !recipe->architecture)
		return -EINVAL; /* the recipe's own problem */
	return ingot_layout_load(name, recipe->architecture, problems, &b->layout, err);
}

/* Recipe and layout are read both, so that all mistakes come at once. */
static int load_texts(struct build *b, const char *path, struct ingot_problems *problems,
		      struct ingot_error *err)
{
	struct ingot_recipe_options options = {.check_files = true,
					       .sign_later = b->options->sign_later,
					       .source_date_epoch = b->options->source_date_epoch};
	struct ingot_error layout_err = {0};
	int rc = ingot_recipe_load(path, &options, problems, &b->recipe, err);
	size_t before = problems->count;
	int layout_rc;

	if (!b->recipe)
		return rc;
	layout_rc = load_layout(b, problems, &layout_err);
	/* The recipe has looked for a layout's file already. */
	if (layout_rc < 0 && layout_err.code && problems->count == before &&
	    (rc == 0 || !b->recipe->layout_path))
		ingot_yaml_problem(b->recipe->layout_node, "%s", layout_err.text);
	if (rc < 0 || layout_rc == 0)
		return rc;
	return ingot_raise(err, layout_rc, "layout '%s' cannot be used", b->recipe->layout);
}

/* --- partitions -------------------------------------------------------- */

#define FIND(content) ingot_placement_find_content(b->placement, b->layout, content)

/* Where the tree is. */
static const struct ingot_placed *tree_place(const struct build *b)
{
	return b->hash_place ? b->hash_place : b->usr_place;
}

/* A partition of its own, or the tree's. */
static const struct ingot_placed *parity_place(const struct build *b)
{
	const struct ingot_placed *own = FIND(INGOT_CONTENT_USR_FEC);

	if (!b->recipe->fec_roots || !b->usr_place)
		return NULL;
	return own ? own : tree_place(b);
}

void build_find_places(struct build *b)
{
	b->usr_place = FIND(INGOT_CONTENT_USR);
	b->hash_place = FIND(INGOT_CONTENT_USR_VERITY);
	b->signature_place = FIND(INGOT_CONTENT_USR_VERITY_SIG);
	b->fec_place = parity_place(b);
	b->esp_place = FIND(INGOT_CONTENT_ESP);
	b->root_place = FIND(INGOT_CONTENT_ROOT);
	b->oem_place = FIND(INGOT_CONTENT_OEM);
}

static int place_partitions(struct build *b, struct ingot_error *err)
{
	struct ingot_place_options options = {b->recipe->size, b->recipe->sector_size};
	int rc = ingot_layout_place(b->layout, &options, &b->placement, err);

	if (rc == 0)
		build_find_places(b);
	return rc;
}

/* --- tree -------------------------------------------------------------- */

static int report_machine_state(void *context, const struct ingot_node *node, const char *kind,
				struct ingot_error *err)
{
	const struct build *b = context;
	char path[1024];

	(void)err;
	ingot_yaml_problem(b->recipe->tree.node,
			   "the tree holds '%s' (%s), which machines must not share: remove it or "
			   "add it to 'exclude:'",
			   ingot_node_path(node, path, sizeof(path)), kind);
	return 0;
}

static void note_unused_excludes(struct build *b, const bool *used)
{
	for (size_t i = 0; i < b->recipe->exclude_count; i++)
		if (!used[i])
			build_note(b, "exclude '%s' (line %zu) matches nothing in the tree",
				   b->recipe->excludes[i],
				   ingot_yaml_line(b->recipe->exclude_nodes[i]));
}

static int open_tree(struct build *b, struct ingot_error *err)
{
	struct ingot_recipe *recipe = b->recipe;
	INGOT_FREE bool *used = ingot_alloc(recipe->exclude_count, sizeof(bool), err);
	INGOT_OWNER_MAP struct ingot_owner_map *map = NULL;
	struct ingot_tree_options options = {
		.epoch = recipe->epoch,
		.owner = recipe->owner,
		.uid = recipe->uid,
		.gid = recipe->gid,
		.excludes = recipe->excludes,
		.exclude_count = recipe->exclude_count,
		.excludes_used = used,
	};
	int rc = used ? 0 : -ENOMEM;

	if (rc == 0 && recipe->owner_map.path)
		rc = ingot_owner_map_load(recipe->owner_map.path, &map, err);
	options.map = map;
	if (rc == 0)
		rc = ingot_tree_open(recipe->tree.path, &options, &b->tree, err);
	if (rc < 0)
		return ingot_wrap(err, rc, "tree '%s'", recipe->tree.given);
	note_unused_excludes(b, used);
	return 0;
}

static int open_oem(struct build *b, struct ingot_error *err)
{
	struct ingot_tree_options options = {.epoch = b->recipe->epoch, .owner = true};
	int rc;

	if (!b->recipe->oem.path)
		return 0;
	if (!b->oem_place)
		return ingot_raise(err, -EINVAL,
				   "the recipe has 'oem:', but the layout '%s' has no "
				   "OEM partition",
				   b->layout->name);
	rc = ingot_tree_open(b->recipe->oem.path, &options, &b->oem, err);
	return rc < 0 ? ingot_wrap(err, rc, "oem '%s'", b->recipe->oem.given) : 0;
}

/* --- usr --------------------------------------------------------------- */

static int plan_salt(struct build *b, struct ingot_error *err)
{
	b->verity.salt_size = b->recipe->salt_size;
	memcpy(b->verity.salt, b->recipe->salt, b->recipe->salt_size);
	if (b->recipe->salt_given)
		return 0;
	b->verity.salt_size = 32;
	return ingot_derive(&b->recipe->seed, "verity salt usr", b->verity.salt, 32, err);
}

static int plan_verity(struct build *b, struct ingot_error *err)
{
	int rc;

	b->verity = ingot_verity_defaults();
	b->verity.hash = b->recipe->hash;
	b->verity.data_block_size = b->recipe->data_block_size;
	b->verity.hash_block_size = b->recipe->hash_block_size;
	rc = plan_salt(b, err);
	if (rc == 0)
		rc = identity_label(b, "verity uuid usr", &b->verity.uuid, err);
	if (rc == 0)
		rc = ingot_verity_params_check(&b->verity, err);
	return rc < 0 ? ingot_wrap(err, rc, "usr") : 0;
}

/* Bytes for the filesystem: the partition, or what an appended tree and parity leave of it. */
static int room_for_data(const struct build *b, uint64_t *ret, struct ingot_error *err)
{
	uint64_t blocks;
	int rc;

	*ret = b->usr_place->size / INGOT_EXT2_BLOCK * INGOT_EXT2_BLOCK;
	if (b->hash_place)
		return 0;
	if (b->fec_place == b->usr_place)
		rc = ingot_fec_fit(&b->verity, b->recipe->fec_roots, b->usr_place->size, &blocks,
				   err);
	else
		rc = ingot_verity_fit(&b->verity, b->usr_place->size, &blocks, err);
	if (rc < 0)
		return rc;
	*ret = blocks * b->verity.data_block_size / INGOT_EXT2_BLOCK * INGOT_EXT2_BLOCK;
	return 0;
}

static int plan_ext2(struct build *b, struct ingot_error *err)
{
	struct ingot_ext2_options options = {.label = entry_of(b, b->usr_place)->filesystem_label,
					     .epoch = b->recipe->epoch};
	uint64_t room = 0;
	int rc = room_for_data(b, &room, err);

	if (rc == 0)
		rc = identity_label(b, "usr filesystem uuid", &options.uuid, err);
	if (rc == 0)
		rc = identity_label(b, "usr filesystem hash seed", &options.hash_seed, err);
	if (rc < 0)
		return rc;
	b->usr_uuid = options.uuid;
	options.size = room;
	rc = ingot_ext2_source(b->tree, b->usr, &options, &b->ext2, &b->ext2_stats, err);
	if (rc < 0 || !b->recipe->fit_content)
		return rc;
	/* It fits; now as small as it gets. */
	ingot_source_free(INGOT_TAKE(b->ext2));
	options.size = 0;
	return ingot_ext2_source(b->tree, b->usr, &options, &b->ext2, &b->ext2_stats, err);
}

static int plan_geometry(struct build *b, struct ingot_error *err)
{
	const struct ingot_placed *place = tree_place(b);
	uint64_t blocks = b->ext2->size / b->verity.data_block_size, offset = 0;
	int rc = 0;

	if (!b->hash_place)
		rc = ingot_verity_append_offset(&b->verity, blocks, &offset, err);
	if (rc == 0)
		rc = ingot_verity_geometry(&b->verity, blocks, offset, &b->geometry, err);
	if (rc == 0 && b->geometry.end > place->size)
		rc = ingot_raise(err, -ENOSPC, "the hash tree needs %llu bytes, there are %llu",
				 (unsigned long long)(b->geometry.end - offset),
				 (unsigned long long)(place->size - offset));
	return rc;
}

/*
 * The parity has its own partition, or stands behind the hash tree. What it protects ends with the
 * partition that holds the tree, or with the tree.
 */
static int plan_fec(struct build *b, struct ingot_error *err)
{
	const struct ingot_placed *empty = FIND(INGOT_CONTENT_USR_FEC), *tree = tree_place(b);
	bool own = b->fec_place != tree;
	int rc;

	if (!b->fec_place) {
		if (empty)
			build_note(b,
				   "partition '%s' is for parity and stays empty: the recipe "
				   "has no 'usr.fec-roots'",
				   entry_of(b, empty)->label);
		return 0;
	}
	rc = ingot_fec_geometry(&b->verity, &b->geometry, b->recipe->fec_roots,
				own ? tree->size : b->geometry.end, &b->fec, err);
	if (rc < 0)
		return rc;
	b->fec_offset = own ? 0 : b->geometry.end;
	if (!ingot_in_range(b->fec_offset, b->fec.parity_size, b->fec_place->size))
		return ingot_raise(err, -ENOSPC,
				   "the parity needs %llu bytes, there are %llu in partition '%s'",
				   (unsigned long long)b->fec.parity_size,
				   (unsigned long long)(b->fec_place->size - b->fec_offset),
				   entry_of(b, b->fec_place)->label);
	return 0;
}

static int plan_usr(struct build *b, struct ingot_error *err)
{
	int rc = ingot_tree_split(b->tree, "usr", &b->usr, err);

	if (rc == 0)
		rc = plan_verity(b, err);
	if (rc == 0)
		rc = plan_ext2(b, err);
	if (rc == 0)
		rc = plan_geometry(b, err);
	if (rc == 0)
		rc = plan_fec(b, err);
	return rc < 0 ? ingot_wrap(err, rc, "partition '%s'", entry_of(b, b->usr_place)->label) : 0;
}

/* --- signing and boot -------------------------------------------------- */

int build_rehearse(struct build *b, struct ingot_error *err)
{
	struct root_hash made_up = {.made_up = true, .size = b->usr ? b->geometry.digest_size : 0};
	struct ingot_gpt *gpt = NULL;
	struct esp esp = {0};
	int rc;

	for (size_t i = 0; i < made_up.size; i++)
		made_up.bytes[i] = (uint8_t)i;
	rc = b->usr ? root_hash_sign(b, &made_up, err) : 0;
	if (rc == 0)
		rc = gpt_for(b, &made_up, &gpt, err);
	if (rc == 0 && b->esp_place)
		rc = esp_make(b, &made_up, gpt, &esp, err);
	esp_done(&esp);
	free(gpt);
	root_hash_done(&made_up);
	return rc;
}

/* --- all of it --------------------------------------------------------- */

static int plan_tree(struct build *b, struct ingot_problems *problems, struct ingot_error *err)
{
	int rc;

	build_step(b, "read the tree");
	rc = open_tree(b, err);
	if (rc == 0)
		rc = open_oem(b, err);
	if (rc == 0)
		rc = ingot_tree_find_machine_state(b->tree, report_machine_state, b, err);
	rc = rc > 0 ? 0 : rc; /* how many were found is in the problems */
	if (rc == 0 && b->recipe->boot)
		rc = boot_open_inputs(b, problems, err);
	if (rc == 0 && ingot_problems_any(problems))
		rc = ingot_raise(err, -EINVAL, "the recipe cannot be built as it is");
	if (rc == 0)
		rc = tree_digest(b->tree, &b->tree_digest, err);
	if (rc == 0 && b->oem)
		rc = tree_digest(b->oem, &b->oem_digest, err);
	return rc;
}

/* A tree that finds no place in the layout is dropped, which should be meant. */
static void note_what_is_left_out(struct build *b)
{
	const struct ingot_node *child = ingot_tree_root(b->tree)->children;
	size_t others = 0;

	for (; child; child = child->next)
		others += !b->usr_place || strcmp(child->name, "usr") != 0;
	if (!b->root_place && others > 0)
		build_note(b,
			   "the layout '%s' has no root partition: only the tree's usr/ is in the "
			   "image, and %zu other entries at its top are not",
			   b->layout->name, others);
}

static int check_purpose(const struct build *b, struct ingot_error *err)
{
	if (b->recipe->boot && !b->esp_place)
		return ingot_raise(err, -EINVAL,
				   "the recipe has 'boot:', but the layout '%s' has no ESP",
				   b->layout->name);
	if (b->signature_place && !b->recipe->sign)
		return ingot_raise(err, -EINVAL,
				   "the layout '%s' has a partition for the signature, "
				   "but the recipe has no 'signing:'",
				   b->layout->name);
	return 0;
}

int build_plan(struct build *b, struct ingot_problems *problems, struct ingot_error *err)
{
	int rc = place_partitions(b, err);

	if (rc == 0)
		rc = check_purpose(b, err);
	if (rc == 0)
		rc = build_load_keys(b, err);
	if (rc == 0 && b->options->sign_later)
		rc = request_start(b, err);
	if (rc == 0)
		rc = plan_tree(b, problems, err);
	if (rc < 0)
		return rc;
	build_step(b, "plan");
	note_what_is_left_out(b);
	if (b->usr_place)
		rc = plan_usr(b, err);
	if (rc == 0)
		rc = build_rehearse(b, err);
	if (rc == 0)
		rc = outputs_plan(b, problems, err);
	return rc;
}

int build_load(struct build *b, const char *recipe, struct ingot_problems *problems,
	       struct ingot_error *err)
{
	build_step(b, "read the recipe");
	return load_texts(b, recipe, problems, err);
}
