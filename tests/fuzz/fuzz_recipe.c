/* Any bytes as a recipe: complaints, or a recipe whose fields keep their promises. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "image/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A path that was given is either on the machine or in the tree. */
static void check_path(const struct ingot_recipe_path *p)
{
	assert(!p->given || !p->path != !p->in_tree);
}

static void check_word(const char *word)
{
	assert(word && *word && *word != '.' && strlen(word) <= 64 && !strchr(word, '/'));
}

static void check_recipe(const struct ingot_recipe *r)
{
	check_word(r->name);
	check_word(r->version);
	assert(r->architecture && r->layout && r->tree.path && r->epoch >= 0);
	assert(r->seed.size >= 16 && r->seed.size <= 64);
	assert(r->salt_size <= sizeof(r->salt));
	assert(r->data_block_size >= 512 && r->data_block_size <= 4096);
	assert(r->hash_block_size >= 512 && r->hash_block_size <= 512 * 1024);
	assert(r->initrd_count <= INGOT_RECIPE_INITRDS_MAX);
	assert(r->esp_count <= INGOT_RECIPE_FILES_MAX);
	for (size_t i = 0; i < r->exclude_count; i++)
		assert(*r->excludes[i] && *r->excludes[i] != '/');
	for (size_t i = 0; i < r->initrd_count; i++)
		check_path(&r->initrds[i]);
	for (size_t i = 0; i < r->esp_count; i++)
		check_path(&r->esp[i].source);
	if (r->boot) {
		assert(r->linux_image.given && r->stub.given && r->initrd_count > 0 && r->cmdline);
		check_path(&r->linux_image);
		check_path(&r->stub);
	}
	if (r->sign)
		assert(r->signer.key.path && r->signer.certificate.path);
	if (r->secure_boot)
		assert(r->boot && r->boot_signer.key.path && r->boot_signer.certificate.path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingot_recipe_options options = {.check_files = false};
	struct ingot_problems problems = {0};
	struct ingot_recipe *recipe = NULL;
	struct ingot_error err;
	int rc = ingot_recipe_parse("fuzz.yaml", (const char *)data, size, &options, &problems,
				    &recipe, &err);

	/* A refusal has a reason, and nothing else has. */
	assert((rc < 0) == ingot_problems_any(&problems));
	if (rc == 0)
		check_recipe(recipe);
	free(ingot_problems_text(&problems));
	ingot_recipe_free(recipe);
	ingot_problems_done(&problems);
	return 0;
}
