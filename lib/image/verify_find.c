/* The partitions by what they are for, and the layout that they claim to be of. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/verify_internal.h"

/* --- the layout -------------------------------------------------------- */

static const char *manifest_text(const struct verification *v, const char *key)
{
	return json_string_value(json_object_get(v->options->manifest, key));
}

/* Partitions of the table that the layout has under the same number with the same type. */
static size_t likeness(const struct ingot_gpt *gpt, const struct ingot_layout *layout)
{
	size_t same = 0;

	for (size_t i = 0; i < gpt->count; i++)
		for (size_t j = 0; j < layout->count; j++)
			same += gpt->partitions[i].number == layout->partitions[j].number &&
				!layout->partitions[j].reserved &&
				ingot_guid_equal(&gpt->partitions[i].type,
						 &layout->partitions[j].type);
	return same;
}

static int load_layout(const char *name, const char *architecture, struct ingot_layout **ret,
		       struct ingot_error *err)
{
	struct ingot_problems problems = {0};
	int rc = ingot_layout_load(name, architecture, &problems, ret, err);

	ingot_problems_done(&problems);
	return rc;
}

/* Of the two architectures the one with more of the table's types. */
static int load_fitting(const struct verification *v, const char *name, struct ingot_layout **ret,
			struct ingot_error *err)
{
	INGOT_LAYOUT struct ingot_layout *x86 = NULL, *arm = NULL;
	int rc = load_layout(name, "x86-64", &x86, err);

	if (rc == 0)
		rc = load_layout(name, "arm64", &arm, err);
	if (rc < 0)
		return rc;
	*ret = likeness(v->gpt, arm) > likeness(v->gpt, x86) ? INGOT_TAKE(arm) : INGOT_TAKE(x86);
	return 0;
}

/* The built-in layout that most of the table is like; it has to be more than half. */
static int find_builtin(struct verification *v, struct ingot_error *err)
{
	size_t best = v->gpt->count / 2;
	const char *name;

	for (size_t i = 0; (name = ingot_layout_builtin_name(i)); i++) {
		INGOT_LAYOUT struct ingot_layout *layout = NULL;
		int rc = load_fitting(v, name, &layout, err);

		if (rc < 0)
			return rc;
		if (likeness(v->gpt, layout) <= best)
			continue;
		best = likeness(v->gpt, layout);
		ingot_layout_free(v->layout);
		v->layout = INGOT_TAKE(layout);
	}
	return 0;
}

static bool is_builtin(const char *name)
{
	const char *builtin;

	for (size_t i = 0; (builtin = ingot_layout_builtin_name(i)); i++)
		if (strcmp(builtin, name) == 0)
			return true;
	return false;
}

static int find_layout(struct verification *v, struct ingot_error *err)
{
	const char *named = manifest_text(v, "layout");
	struct ingot_error why = {0};
	int rc;

	if (v->options->layout) {
		rc = load_fitting(v, v->options->layout, &v->layout, err);
		return rc < 0 ? ingot_wrap(err, rc, "layout '%s'", v->options->layout) : 0;
	}
	if (named && is_builtin(named))
		rc = load_fitting(v, named, &v->layout, &why);
	else
		rc = find_builtin(v, &why);
	(void)snprintf(v->layout_error, sizeof(v->layout_error), "%.500s", why.text);
	return rc == -ENOMEM ? ingot_raise(err, rc, "%s", why.text) : 0;
}

/* --- what the partitions are for --------------------------------------- */

static enum ingot_content content_by_type(const struct ingot_guid *type)
{
	/* Discoverable Partitions Specification, by architecture, and UEFI's. */
	static const struct {
		const char *guid;
		enum ingot_content content;
	} types[] = {
		{"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", INGOT_CONTENT_ESP},
		{"8484680c-9521-48c6-9c11-b0720656f69e", INGOT_CONTENT_USR},
		{"77ff5f63-e7b6-4633-acf4-1565b864c0e6", INGOT_CONTENT_USR_VERITY},
		{"e7bb33fb-06cf-4e81-8273-e543b413e2e2", INGOT_CONTENT_USR_VERITY_SIG},
		{"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", INGOT_CONTENT_ROOT},
		{"b0e01050-ee5f-4390-949a-9101b17104e9", INGOT_CONTENT_USR},
		{"6e11a4e7-fbca-4ded-b9e9-e1a512bb664e", INGOT_CONTENT_USR_VERITY},
		{"c23ce4ff-44bd-4b00-b2d4-b41b3419e02a", INGOT_CONTENT_USR_VERITY_SIG},
		{"b921b045-1df0-41c3-af44-4c6f280d3fae", INGOT_CONTENT_ROOT},
	};
	char text[INGOT_GUID_TEXT];

	ingot_guid_text(type, text);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].guid, text) == 0)
			return types[i].content;
	return INGOT_CONTENT_NONE;
}

static enum ingot_content content_by_layout(const struct ingot_layout *layout, unsigned number)
{
	for (size_t i = 0; i < layout->count; i++)
		if (layout->partitions[i].number == number)
			return layout->partitions[i].content;
	return INGOT_CONTENT_NONE;
}

/* The manifest says it of every partition; where there is none, the layout or the type does. */
static enum ingot_content content_by_manifest(const struct verification *v, unsigned number,
					      bool *known)
{
	const json_t *output = json_array_get(json_object_get(v->options->manifest, "outputs"), 0);
	json_t *partition;
	size_t i;

	*known = false;
	json_array_foreach(json_object_get(output, "partitions"), i, partition)
	{
		const char *text = json_string_value(json_object_get(partition, "content"));

		if (!text ||
		    json_integer_value(json_object_get(partition, "number")) != (json_int_t)number)
			continue;
		for (int c = INGOT_CONTENT_NONE; c <= INGOT_CONTENT_OEM; c++)
			if (strcmp(ingot_content_name((enum ingot_content)c), text) == 0) {
				*known = true;
				return (enum ingot_content)c;
			}
	}
	return INGOT_CONTENT_NONE;
}

static enum ingot_content content_of(const struct verification *v,
				     const struct ingot_gpt_partition *p)
{
	bool known;
	enum ingot_content content = content_by_manifest(v, p->number, &known);

	if (known)
		return content;
	return v->layout ? content_by_layout(v->layout, p->number) : content_by_type(&p->type);
}

/* The first partition of each kind. */
static int open_part(struct verification *v, const struct ingot_gpt_partition *p,
		     struct ingot_source **part, const struct ingot_gpt_partition **at,
		     struct ingot_error *err)
{
	if (*part)
		return 0;
	*at = p;
	return ingot_source_part(v->disk, p->start, p->size, part, err);
}

static int take_partition(struct verification *v, size_t index, struct ingot_error *err)
{
	const struct ingot_gpt_partition *p = &v->gpt->partitions[index];

	switch (v->content[index]) {
	case INGOT_CONTENT_ESP:
		return open_part(v, p, &v->esp, &v->esp_at, err);
	case INGOT_CONTENT_USR:
		return open_part(v, p, &v->usr, &v->usr_at, err);
	case INGOT_CONTENT_USR_VERITY:
		return open_part(v, p, &v->hash, &v->hash_at, err);
	case INGOT_CONTENT_USR_VERITY_SIG:
		return open_part(v, p, &v->signature_part, &v->signature_at, err);
	case INGOT_CONTENT_USR_FEC:
		return open_part(v, p, &v->fec_part, &v->fec_at, err);
	case INGOT_CONTENT_ROOT:
		return open_part(v, p, &v->root, &v->root_at, err);
	case INGOT_CONTENT_OEM:
		return open_part(v, p, &v->oem, &v->oem_at, err);
	case INGOT_CONTENT_NONE:
		break;
	}
	return 0;
}

/* No layout and no type of a partition says it: the first whose filesystem has a hash tree. */
static bool has_tree(struct verification *v, const struct ingot_gpt_partition *p)
{
	struct ingot_verity_params params = ingot_verity_defaults();
	INGOT_SOURCE struct ingot_source *part = NULL;
	struct ingot_verity_superblock superblock;
	struct ingot_ext_info info;
	uint64_t blocks;

	if (ingot_source_part(v->disk, p->start, p->size, &part, NULL) < 0 ||
	    ingot_ext_info(part, &info, NULL) < 0)
		return false;
	if (ingot_verity_superblock_read(part, ingot_round_up(info.size, 4096), &superblock,
					 NULL) == 0)
		return true;
	return ingot_verity_fit(&params, part->size, &blocks, NULL) == 0 &&
	       ingot_verity_superblock_read(part, blocks * params.data_block_size, &superblock,
					    NULL) == 0;
}

static int find_usr_by_content(struct verification *v, struct ingot_error *err)
{
	for (size_t i = 0; !v->usr && i < v->gpt->count && i < INGOT_LAYOUT_NUMBER_MAX; i++)
		if (v->content[i] == INGOT_CONTENT_NONE && has_tree(v, &v->gpt->partitions[i])) {
			v->content[i] = INGOT_CONTENT_USR;
			return take_partition(v, i, err);
		}
	return 0;
}

int verify_find_partitions(struct verification *v, struct ingot_error *err)
{
	struct ingot_problems complaints = {0};
	int rc = ingot_gpt_read(v->disk, &complaints, &v->gpt, &v->gpt_error);

	ingot_problems_done(&complaints);
	if (rc == -ENOMEM)
		return ingot_raise(err, rc, "%s", v->gpt_error.text);
	if (rc < 0)
		return 0;
	v->content = ingot_alloc(v->gpt->count + 1, sizeof(*v->content), err);
	if (!v->content)
		return -ENOMEM;
	rc = find_layout(v, err);
	for (size_t i = 0; rc == 0 && i < v->gpt->count; i++) {
		v->content[i] = content_of(v, &v->gpt->partitions[i]);
		rc = take_partition(v, i, err);
	}
	return rc == 0 ? find_usr_by_content(v, err) : rc;
}

void verify_partitions_done(struct verification *v)
{
	ingot_source_free(v->esp);
	ingot_source_free(v->usr);
	ingot_source_free(v->hash);
	ingot_source_free(v->signature_part);
	ingot_source_free(v->root);
	ingot_source_free(v->oem);
	ingot_source_free(v->fec_part);
}
