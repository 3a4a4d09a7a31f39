#include <errno.h>
#include <string.h>

#include "formats/convert.h"
#include "image/recipe_internal.h"

/* What is wrong inside the vendor's file is in the list already; the rest is said here. */
static void load_vendor(struct reader *r, struct ingot_recipe_output *output,
			const char *name_or_path)
{
	struct ingot_error inner = {0};
	size_t before = r->problems->count;
	int rc = ingot_vendor_load(name_or_path, r->problems, &output->vendor, &inner);

	if (rc == -ENOMEM)
		r->rc = ingot_raise(r->err, rc, "%s", inner.text);
	else if (rc < 0 && r->problems->count == before)
		ingot_yaml_problem(output->node, "%s", inner.text);
}

/* Built-in vendors always; a file only if files are to be looked at. */
static void load_vendor_file(struct reader *r, struct ingot_recipe_output *output)
{
	INGOT_FREE char *path = NULL;

	if (!r->options->check_files)
		return;
	if (output->name[0] == '/')
		path = ingot_strdup(output->name, r->err);
	else
		path = ingot_format(r->err, "%s%s", r->recipe->directory, output->name);
	if (path)
		load_vendor(r, output, path);
	else
		r->rc = -ENOMEM;
}

/* A vendor may be called as a format is: then it is the vendor that is meant. */
static void find_output(struct reader *r, struct ingot_recipe_output *output)
{
	if (ingot_vendor_is_builtin(output->name))
		load_vendor(r, output, output->name);
	else if (ingot_vendor_is_path(output->name))
		load_vendor_file(r, output);
	else if (!ingot_format_is_known(output->name))
		ingot_yaml_problem(output->node,
				   "'%s' is neither a format (ingot convert --help) nor a vendor "
				   "(ingot vendors)",
				   output->name);
}

static const char *called(const struct ingot_recipe_output *output)
{
	return output->vendor ? output->vendor->name : output->name;
}

/* Files are called after the vendor or format: two of the same would be one. */
static void check_once(const struct ingot_recipe *recipe, const struct ingot_recipe_output *output)
{
	for (const struct ingot_recipe_output *other = recipe->outputs; other < output; other++)
		if (!other->vendor == !output->vendor &&
		    strcmp(called(other), called(output)) == 0) {
			ingot_yaml_problem(output->node, "'%s' is in the list twice",
					   called(output));
			return;
		}
}

static void read_list(struct reader *r, struct ingot_yaml_node list)
{
	struct ingot_recipe *recipe = r->recipe;
	size_t count = ingot_yaml_count(list);

	if (count > INGOT_RECIPE_OUTPUTS_MAX) {
		ingot_yaml_problem(list, "there are more than %d outputs",
				   INGOT_RECIPE_OUTPUTS_MAX);
		return;
	}
	if (ingot_yaml_is_given(list) && count == 0)
		ingot_yaml_problem(list, "the list is empty: what should be made?");
	for (size_t i = 0; i < count && r->rc == 0; i++) {
		struct ingot_recipe_output *output = &recipe->outputs[recipe->output_count];

		output->node = ingot_yaml_item(list, i);
		output->name = ingot_yaml_text(output->node);
		if (!output->name)
			continue;
		recipe->output_count++;
		find_output(r, output);
		check_once(recipe, output);
	}
}

void recipe_read_outputs(struct reader *r, struct ingot_yaml_map *map)
{
	struct ingot_yaml_node list = ingot_yaml_get(map, "outputs", false /* required */);
	struct ingot_yaml_node node = ingot_yaml_get(map, "level", false);
	uint64_t level = INGOT_LEVEL_DEFAULT;

	if (ingot_yaml_u64(node, &level) && (level < 1 || level > INGOT_LEVEL_MAX)) {
		ingot_yaml_problem(node, "levels are 1 (fast) to %d (small)", INGOT_LEVEL_MAX);
		level = INGOT_LEVEL_DEFAULT;
	}
	r->recipe->level = (unsigned)level;
	if (ingot_yaml_is_given(list)) {
		read_list(r, list);
		return;
	}
	r->recipe->outputs[0].name = "raw";
	r->recipe->output_count = 1;
}

void recipe_free_outputs(struct ingot_recipe *recipe)
{
	for (size_t i = 0; i < recipe->output_count; i++)
		ingot_vendor_free(recipe->outputs[i].vendor);
}
