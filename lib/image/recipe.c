#include "image/recipe_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "io/source.h"
#include "sign/keys.h"
#include "tree/owner.h"
#include "verity/fec.h"

/* --- paths ------------------------------------------------------------- */

static char *resolve(struct reader *r, const char *given)
{
	char *path;

	if (given[0] == '/')
		path = ingot_strdup(given, r->err);
	else
		path = ingot_format(r->err, "%s%s", r->recipe->directory, given);
	if (!path)
		r->rc = -ENOMEM;
	return path;
}

static void check_path(struct reader *r, const struct ingot_recipe_path *p, bool folder_ok)
{
	struct stat st;

	if (!r->options->check_files || !p->path)
		return;
	if (stat(p->path, &st) < 0)
		ingot_yaml_problem(p->node, "'%s': %s", p->given, strerror(errno));
	else if (S_ISDIR(st.st_mode) && !folder_ok)
		ingot_yaml_problem(p->node, "'%s' is a folder", p->given);
	else if (access(p->path, R_OK) < 0)
		ingot_yaml_problem(p->node, "'%s': %s", p->given, strerror(errno));
}

void recipe_read_path(struct reader *r, struct ingot_yaml_node node, enum path_kind kind,
		      struct ingot_recipe_path *ret)
{
	static const char prefix[] = "tree:";
	const char *text = ingot_yaml_text(node);

	*ret = (struct ingot_recipe_path){.node = node, .given = text};
	if (!text)
		return;
	if (!*text) {
		ingot_yaml_problem(node, "the path is empty");
		return;
	}
	if (kind == PATH_FILE_OR_TREE && strncmp(text, prefix, sizeof(prefix) - 1) == 0) {
		ret->in_tree = text + sizeof(prefix) - 1;
		ret->in_tree += strspn(ret->in_tree, "/");
		if (!*ret->in_tree)
			ingot_yaml_problem(node, "the path is empty");
		return;
	}
	if (kind == PATH_KEY && ingot_key_is_uri(text)) {
		ret->path = ingot_strdup(text, r->err);
		if (!ret->path)
			r->rc = -ENOMEM;
		return;
	}
	ret->path = resolve(r, text);
	if (!r->options->sign_later || (kind != PATH_KEY && kind != PATH_SECRET))
		check_path(r, ret, kind == PATH_TREE_ITSELF);
}

/* --- what the image is called ------------------------------------------ */

/* Names become parts of file names and labels. */
#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const char *read_word(struct ingot_yaml_node node)
{
	const char *text = ingot_yaml_text(node);

	if (!text)
		return NULL;
	if (!strspn(text, LETTERS_AND_DIGITS) || strlen(text) > 64 ||
	    text[strspn(text, LETTERS_AND_DIGITS ".-_+~")]) {
		ingot_yaml_problem(node,
				   "'%.80s' is not a name: letters, digits and .-_+~, at most "
				   "64, the first a letter or digit",
				   text);
		return NULL;
	}
	return text;
}

static void read_epoch(struct reader *r, struct ingot_yaml_map *map)
{
	struct ingot_yaml_node node = ingot_yaml_get(map, "epoch", false /* required */);
	const char *env = r->options->source_date_epoch;
	struct ingot_error err;
	uint64_t epoch;

	if (node.id) {
		if (!ingot_yaml_u64(node, &epoch))
			return;
	} else if (!env || !*env) {
		ingot_yaml_problem(map->node,
				   "key 'epoch' is missing, and SOURCE_DATE_EPOCH is not "
				   "set");
		return;
	} else if (ingot_parse_u64(env, &epoch, &err) < 0) {
		ingot_yaml_problem(map->node, "SOURCE_DATE_EPOCH: %s", err.text);
		return;
	}
	if (epoch > UINT32_MAX) /* what ext4 and FAT can tell */
		ingot_yaml_problem(node.id ? node : map->node,
				   "the epoch lies beyond the year 2106");
	else
		r->recipe->epoch = (int64_t)epoch;
}

static void read_seed(struct reader *r, struct ingot_yaml_map *map)
{
	struct ingot_recipe *recipe = r->recipe;
	struct ingot_yaml_node node = ingot_yaml_get(map, "seed", false /* required */);
	const char *text = ingot_yaml_text(node);
	struct ingot_error err;

	if (text && ingot_seed_parse(text, &recipe->seed, &err) < 0)
		ingot_yaml_problem(node, "%s", err.text);
	if (!node.id && recipe->name && recipe->version && recipe->architecture) {
		int rc = ingot_seed_from_name(recipe->name, recipe->version, recipe->architecture,
					      &recipe->seed, r->err);

		if (rc < 0)
			r->rc = rc;
	}
}

static void read_identity(struct reader *r, struct ingot_yaml_map *map)
{
	static const char *const architectures[] = {"x86-64", "arm64"};
	struct ingot_recipe *recipe = r->recipe;
	int i;

	recipe->name = read_word(ingot_yaml_get(map, "name", true /* required */));
	recipe->version = read_word(ingot_yaml_get(map, "version", true));
	i = ingot_yaml_choice(ingot_yaml_get(map, "architecture", true), architectures, 2);
	if (i >= 0)
		recipe->architecture = architectures[i];
	read_epoch(r, map);
	read_seed(r, map);
}

/* --- disk -------------------------------------------------------------- */

static void read_layout(struct reader *r, struct ingot_yaml_map *map)
{
	struct ingot_recipe *recipe = r->recipe;
	struct ingot_yaml_node node = ingot_yaml_get(map, "layout", true /* required */);
	const char *text = ingot_yaml_text(node);
	size_t n = text ? strlen(text) : 0;
	uint64_t sector = 0;

	recipe->layout = text;
	recipe->layout_node = node;
	if (text && !*text)
		ingot_yaml_problem(node, "the name is empty");
	if (text && (strchr(text, '/') || (n > 5 && strcmp(text + n - 5, ".yaml") == 0))) {
		struct ingot_recipe_path path = {.node = node, .given = text};

		recipe->layout_path = resolve(r, text);
		path.path = recipe->layout_path;
		check_path(r, &path, false /* folder_ok */);
	}
	node = ingot_yaml_get(map, "size", false);
	if (ingot_yaml_size(node, &recipe->size) && recipe->size == 0)
		ingot_yaml_problem(node, "a disk of no bytes");
	node = ingot_yaml_get(map, "sector-size", false);
	if (ingot_yaml_u64(node, &sector)) {
		if (sector != 512 && sector != 4096)
			ingot_yaml_problem(node, "a sector has 512 or 4096 bytes");
		recipe->sector_size = (unsigned)sector;
	}
}

/* --- tree -------------------------------------------------------------- */

static void read_excludes(struct reader *r, struct ingot_yaml_node node)
{
	struct ingot_recipe *recipe = r->recipe;
	size_t count = ingot_yaml_count(node);

	if (count == 0)
		return;
	recipe->excludes = ingot_alloc(count, sizeof(*recipe->excludes), r->err);
	recipe->exclude_nodes = ingot_alloc(count, sizeof(*recipe->exclude_nodes), r->err);
	if (!recipe->excludes || !recipe->exclude_nodes) {
		r->rc = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct ingot_yaml_node item = ingot_yaml_item(node, i);
		const char *text = ingot_yaml_text(item);

		if (!text)
			continue;
		text += strspn(text, "/");
		if (!*text) {
			ingot_yaml_problem(item, "the pattern is empty");
			continue;
		}
		recipe->exclude_nodes[recipe->exclude_count] = item;
		recipe->excludes[recipe->exclude_count++] = text;
	}
}

/* "UID:GID" */
static void read_owner(struct reader *r, struct ingot_yaml_node node)
{
	struct ingot_recipe *recipe = r->recipe;
	const char *text = ingot_yaml_text(node);
	struct ingot_error err;

	if (!text)
		return;
	recipe->owner = ingot_owner_parse(text, &recipe->uid, &recipe->gid, &err) == 0;
	if (!recipe->owner)
		ingot_yaml_problem(node, "%s", err.text);
}

static void read_tree(struct reader *r, struct ingot_yaml_map *map)
{
	struct ingot_recipe *recipe = r->recipe;

	recipe_read_path(r, ingot_yaml_get(map, "tree", true /* required */), PATH_TREE_ITSELF,
			 &recipe->tree);
	read_excludes(r, ingot_yaml_get(map, "exclude", false));
	read_owner(r, ingot_yaml_get(map, "owner", false));
	recipe_read_path(r, ingot_yaml_get(map, "owner-map", false), PATH_FILE, &recipe->owner_map);
	recipe_read_path(r, ingot_yaml_get(map, "oem", false), PATH_TREE_ITSELF, &recipe->oem);
}

/* --- usr --------------------------------------------------------------- */

static void read_block_size(struct ingot_yaml_node node, uint32_t max, uint32_t *size)
{
	uint64_t value;

	if (!ingot_yaml_size(node, &value))
		return;
	if (!ingot_is_power_of_two(value) || value < 512 || value > max)
		ingot_yaml_problem(node, "a block size is a power of two from 512 to %u", max);
	else
		*size = (uint32_t)value;
}

static void read_salt(struct ingot_recipe *recipe, struct ingot_yaml_node node)
{
	const char *text = ingot_yaml_text(node);
	struct ingot_error err;

	if (!text)
		return;
	recipe->salt_given = true;
	if (strcmp(text, "-") == 0)
		return;
	if (!*text)
		ingot_yaml_problem(node, "the salt is empty; '-' is none");
	if (ingot_unhex(text, recipe->salt, sizeof(recipe->salt), &recipe->salt_size, &err) < 0)
		ingot_yaml_problem(node, "%s", err.text);
}

static void read_fec_roots(struct ingot_yaml_node node, unsigned *ret)
{
	uint64_t roots;

	if (!ingot_yaml_u64(node, &roots))
		return;
	if (roots != 0 && (roots < INGOT_FEC_ROOTS_MIN || roots > INGOT_FEC_ROOTS_MAX))
		ingot_yaml_problem(node, "FEC roots are %d to %d, or 0 for no parity",
				   INGOT_FEC_ROOTS_MIN, INGOT_FEC_ROOTS_MAX);
	else
		*ret = (unsigned)roots;
}

static void read_usr(struct reader *r, struct ingot_yaml_node node)
{
	static const char *const fits[] = {"partition", "content"};
	static const char *const hashes[] = {"sha256", "sha512", "sha384", "sha224"};
	struct ingot_recipe *recipe = r->recipe;
	struct ingot_yaml_map map;
	int i;

	recipe->hash = hashes[0];
	recipe->data_block_size = recipe->hash_block_size = 4096;
	if (!node.id || !ingot_yaml_open(node, "usr", &map))
		return;
	i = ingot_yaml_choice(ingot_yaml_get(&map, "fit", false), fits, 2);
	recipe->fit_content = i == 1;
	i = ingot_yaml_choice(ingot_yaml_get(&map, "hash", false), hashes, 4);
	if (i >= 0)
		recipe->hash = hashes[i];
	read_block_size(ingot_yaml_get(&map, "data-block-size", false), 4096,
			&recipe->data_block_size);
	read_block_size(ingot_yaml_get(&map, "hash-block-size", false), 512 * 1024,
			&recipe->hash_block_size);
	read_salt(recipe, ingot_yaml_get(&map, "salt", false));
	read_fec_roots(ingot_yaml_get(&map, "fec-roots", false), &recipe->fec_roots);
	ingot_yaml_close(&map);
}

/* --- boot -------------------------------------------------------------- */

static void read_initrds(struct reader *r, struct ingot_yaml_node node)
{
	struct ingot_recipe *recipe = r->recipe;
	size_t count = ingot_yaml_count(node);

	if (node.id && count == 0)
		ingot_yaml_problem(node, "the list is empty");
	if (count > INGOT_RECIPE_INITRDS_MAX) {
		ingot_yaml_problem(node, "more than %d initrds", INGOT_RECIPE_INITRDS_MAX);
		return;
	}
	for (size_t i = 0; i < count; i++)
		recipe_read_path(r, ingot_yaml_item(node, i), PATH_FILE_OR_TREE,
				 &recipe->initrds[recipe->initrd_count++]);
}

static void read_esp_files(struct reader *r, struct ingot_yaml_node node)
{
	struct ingot_recipe *recipe = r->recipe;
	struct ingot_yaml_map map;

	if (!node.id || !ingot_yaml_open(node, "esp", &map))
		return;
	if (map.count > INGOT_RECIPE_FILES_MAX) {
		ingot_yaml_problem(node, "more than %d files", INGOT_RECIPE_FILES_MAX);
		return;
	}
	for (size_t i = 0; i < map.count; i++) {
		struct ingot_recipe_file *file = &recipe->esp[recipe->esp_count++];
		struct ingot_yaml_node value = ingot_yaml_pair(&map, i, &file->target);

		recipe_read_path(r, value, PATH_FILE_OR_TREE, &file->source);
	}
}

static void read_cmdline(struct ingot_recipe *recipe, struct ingot_yaml_node node)
{
	const char *text = ingot_yaml_text(node);

	recipe->cmdline = text ? text : "";
	for (const char *p = recipe->cmdline; *p; p++)
		if ((unsigned char)*p < 0x20) {
			ingot_yaml_problem(node, "the command line has a control character in it");
			return;
		}
}

static void read_boot(struct reader *r, struct ingot_yaml_node node)
{
	struct ingot_recipe *recipe = r->recipe;
	struct ingot_yaml_map map;
	uint64_t version = 0;

	if (!node.id || !ingot_yaml_open(node, "boot", &map))
		return;
	recipe->boot = true;
	recipe_read_path(r, ingot_yaml_get(&map, "linux", true /* required */), PATH_FILE_OR_TREE,
			 &recipe->linux_image);
	read_initrds(r, ingot_yaml_get(&map, "initrd", true));
	recipe_read_path(r, ingot_yaml_get(&map, "stub", true), PATH_FILE_OR_TREE, &recipe->stub);
	recipe_read_path(r, ingot_yaml_get(&map, "os-release", false), PATH_FILE_OR_TREE,
			 &recipe->os_release);
	read_cmdline(recipe, ingot_yaml_get(&map, "cmdline", false));
	if (ingot_yaml_u64(ingot_yaml_get(&map, "systemd-version", false), &version))
		recipe->systemd_version = (unsigned)ingot_min(version, 10000);
	read_esp_files(r, ingot_yaml_get(&map, "esp", false));
	ingot_yaml_close(&map);
}

/* --- the rest ---------------------------------------------------------- */

static void read_manifest(struct reader *r, struct ingot_yaml_node node)
{
	struct ingot_yaml_map map;

	r->recipe->digests = true;
	if (!node.id || !ingot_yaml_open(node, "manifest", &map))
		return;
	(void)ingot_yaml_bool(ingot_yaml_get(&map, "digests", false), &r->recipe->digests);
	ingot_yaml_close(&map);
}

static void read_all(struct reader *r)
{
	struct ingot_yaml_map map;

	if (!ingot_yaml_open(ingot_yaml_root(r->recipe->doc), "the recipe", &map))
		return;
	read_identity(r, &map);
	read_layout(r, &map);
	read_tree(r, &map);
	read_usr(r, ingot_yaml_get(&map, "usr", false /* required */));
	read_boot(r, ingot_yaml_get(&map, "boot", false));
	recipe_read_signing(r, ingot_yaml_get(&map, "signing", false));
	read_manifest(r, ingot_yaml_get(&map, "manifest", false));
	recipe_read_outputs(r, &map);
	ingot_yaml_close(&map);
}

/* The folder of a path with its slash, "" for none. */
static char *directory_of(const char *path, struct ingot_error *err)
{
	return ingot_format(err, "%.*s", (int)(ingot_base_name(path) - path), path);
}

int ingot_recipe_parse(const char *file, const char *text, size_t size,
		       const struct ingot_recipe_options *options, struct ingot_problems *problems,
		       struct ingot_recipe **ret, struct ingot_error *err)
{
	INGOT_RECIPE struct ingot_recipe *recipe = ingot_alloc(1, sizeof(*recipe), err);
	struct reader r = {.recipe = recipe, .options = options, .problems = problems, .err = err};
	int rc;

	if (!recipe)
		return -ENOMEM;
	recipe->file = ingot_strdup(file, err);
	recipe->directory = directory_of(file, err);
	if (!recipe->file || !recipe->directory)
		return -ENOMEM;
	rc = ingot_yaml_parse(file, text, size, problems, &recipe->doc, err);
	if (rc < 0)
		return rc;
	read_all(&r);
	if (r.rc < 0)
		return r.rc;
	*ret = INGOT_TAKE(recipe);
	if (ingot_problems_any(problems))
		return ingot_raise(err, -EINVAL, "the recipe '%s' has mistakes", file);
	return 0;
}

int ingot_recipe_load(const char *path, const struct ingot_recipe_options *options,
		      struct ingot_problems *problems, struct ingot_recipe **ret,
		      struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	size_t size;
	int rc = ingot_load_file(path, INGOT_YAML_MAX, &text, &size, err);

	if (rc < 0)
		return rc;
	return ingot_recipe_parse(path, text, size, options, problems, ret, err);
}

void ingot_recipe_free(struct ingot_recipe *recipe)
{
	if (!recipe)
		return;
	for (size_t i = 0; i < recipe->initrd_count; i++)
		free(recipe->initrds[i].path);
	for (size_t i = 0; i < recipe->esp_count; i++)
		free(recipe->esp[i].source.path);
	free(recipe->tree.path);
	free(recipe->owner_map.path);
	free(recipe->oem.path);
	free(recipe->linux_image.path);
	free(recipe->stub.path);
	free(recipe->os_release.path);
	recipe_signer_done(&recipe->signer);
	recipe_signer_done(&recipe->boot_signer);
	for (size_t i = 0; i < recipe->co_signer_count; i++)
		recipe_signer_done(&recipe->co_signers[i]);
	free(recipe->layout_path);
	recipe_free_outputs(recipe);
	free(recipe->excludes);
	free(recipe->exclude_nodes);
	ingot_yaml_free(recipe->doc);
	free(recipe->file);
	free(recipe->directory);
	free(recipe);
}
