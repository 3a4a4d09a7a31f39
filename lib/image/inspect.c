#include "image/inspect_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "disk/gpt.h"
#include "disk/type.h"
#include "io/source_watched.h"

static json_t *attributes(struct inspection *in, uint64_t bits)
{
	char text[19];
	json_t *o = json_object();

	(void)snprintf(text, sizeof(text), "0x%016llx", (unsigned long long)bits);
	inspect_set(in, o, "raw", json_string(text));
	inspect_set(in, o, "priority", json_integer((json_int_t)(bits >> 48 & 15)));
	inspect_set(in, o, "tries", json_integer((json_int_t)(bits >> 52 & 15)));
	inspect_set(in, o, "successful", json_boolean(bits >> 56 & 1));
	inspect_set(in, o, "growfs", json_boolean(bits >> 59 & 1));
	inspect_set(in, o, "read_only", json_boolean(bits >> 60 & 1));
	inspect_set(in, o, "no_auto", json_boolean(bits >> 63 & 1));
	return o;
}

/* --- partitions -------------------------------------------------------- */

/*
 * Whether a partition before it has some of its bytes: a thousand that share one filesystem are not
 * worth a thousand looks. The reader of the table has complained.
 */
static bool is_shared(const struct ingot_gpt *gpt, size_t index)
{
	const struct ingot_gpt_partition *p = &gpt->partitions[index];

	for (size_t i = 0; i < index; i++) {
		const struct ingot_gpt_partition *other = &gpt->partitions[i];

		if (p->start < other->start + other->size && other->start < p->start + p->size)
			return true;
	}
	return false;
}

static json_t *partition_content(struct inspection *in, struct ingot_source *image,
				 const struct ingot_gpt_partition *p)
{
	INGOT_SOURCE struct ingot_source *part = NULL;
	char name[INGOT_GPT_NAME_MAX + 32];

	(void)snprintf(name, sizeof(name), "partition %u '%s'", p->number, p->name);
	if (inspect_failed(in, ingot_source_part(image, p->start, p->size, &part, NULL)))
		return NULL;
	return inspect_content(in, part, name);
}

static json_t *partition(struct inspection *in, const struct ingot_gpt_partition *p)
{
	const char *type = ingot_partition_type_name(&p->type);
	json_t *o = json_object();

	inspect_set(in, o, "number", json_integer(p->number));
	inspect_set(in, o, "label", inspect_text(p->name, strlen(p->name)));
	inspect_set(in, o, "type", inspect_guid(&p->type));
	if (type)
		inspect_set(in, o, "type_name", json_string(type));
	inspect_set(in, o, "uuid", inspect_guid(&p->uuid));
	inspect_set(in, o, "start", json_integer((json_int_t)p->start));
	inspect_set(in, o, "size", json_integer((json_int_t)p->size));
	inspect_set(in, o, "attributes", attributes(in, p->attributes));
	return o;
}

static json_t *disk(struct inspection *in, struct ingot_source *image, const struct ingot_gpt *gpt)
{
	json_t *o = json_object(), *partitions = json_array();

	inspect_set(in, o, "kind", json_string("gpt"));
	inspect_set(in, o, "sector_size", json_integer(gpt->sector_size));
	inspect_set(in, o, "uuid", inspect_guid(&gpt->uuid));
	for (size_t i = 0; i < gpt->count; i++) {
		const struct ingot_gpt_partition *p = &gpt->partitions[i];
		json_t *content = NULL, *entry = partition(in, p);

		if (!is_shared(gpt, i))
			content = partition_content(in, image, p);
		inspect_set(in, entry, "content", content ? content : json_null());
		inspect_append(in, partitions, entry);
	}
	inspect_set(in, o, "partitions", partitions);
	return o;
}

/* --- the whole --------------------------------------------------------- */

/* Whether there was a partition table once. */
static bool has_gpt_signature(struct ingot_source *image)
{
	const uint64_t at[] = {512, 4096, image->size - 512, image->size - 4096};
	char found[8];

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		if (ingot_source_read(image, at[i], found, sizeof(found), NULL) == 0 &&
		    memcmp(found, "EFI PART", sizeof(found)) == 0)
			return true;
	return false;
}

static void add_problem(struct inspection *in, json_t *list, const char *file, const char *text)
{
	INGOT_FREE char *sentence =
		ingot_format(NULL, "%s%s%s", file ? file : "", file ? ": " : "", text);

	inspect_append(in, list, sentence ? inspect_text(sentence, strlen(sentence)) : NULL);
}

static json_t *problem_list(struct inspection *in)
{
	const struct ingot_problems *problems = in->problems;
	json_t *list = json_array();
	char more[64];

	for (size_t i = 0; i < problems->count; i++)
		add_problem(in, list, problems->list[i].file, problems->list[i].text);
	(void)snprintf(more, sizeof(more), "and %zu more", problems->more);
	if (problems->more)
		add_problem(in, list, NULL, more);
	return list;
}

static json_t *look(struct inspection *in, struct ingot_source *image)
{
	INGOT_FREE struct ingot_gpt *gpt = NULL;
	struct ingot_error err = {0};
	int rc = ingot_gpt_read(image, in->problems, &gpt, &err);

	if (!inspect_failed(in, rc))
		return disk(in, image, gpt);
	if (has_gpt_signature(image))
		ingot_problem_add(in->problems, NULL, 0, 0, "%s", err.text);
	return inspect_content(in, image, image->name);
}

int ingot_inspect(struct ingot_source *image, struct ingot_problems *problems, json_t **ret,
		  struct ingot_error *err)
{
	struct ingot_watched_source watched;
	struct inspection inspection = {.problems = problems,
					.paths_left = INSPECT_PATHS_MAX,
					.clusters_left = INSPECT_CLUSTERS_MAX,
					.programs_left = INSPECT_PROGRAMS_MAX},
			  *in = &inspection;
	json_t *content, *o = json_object();

	ingot_watched_source(&watched, image);
	content = look(in, &watched.source);
	inspect_set(in, o, "size", json_integer((json_int_t)image->size));
	inspect_set(in, o, "content", content ? content : json_null());
	inspect_set(in, o, "problems", problem_list(in));
	if (watched.err.code == 0 && !in->no_memory) {
		*ret = o;
		return 0;
	}
	json_decref(o);
	return watched.err.code < 0 ? ingot_raise(err, watched.err.code, "%s", watched.err.text)
				    : ingot_raise_oom(err, 0);
}
