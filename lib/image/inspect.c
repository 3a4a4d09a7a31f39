#include "image/inspect_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "disk/gpt.h"
#include "disk/type.h"

static json_t *guid(const struct ingot_guid *g)
{
	char text[INGOT_GUID_TEXT];

	return json_string(ingot_guid_text(g, text));
}

static json_t *attributes(uint64_t bits)
{
	char text[19];
	json_t *o = json_object();

	(void)snprintf(text, sizeof(text), "0x%016llx", (unsigned long long)bits);
	inspect_set(o, "raw", json_string(text));
	inspect_set(o, "priority", json_integer((json_int_t)(bits >> 48 & 15)));
	inspect_set(o, "tries", json_integer((json_int_t)(bits >> 52 & 15)));
	inspect_set(o, "successful", json_boolean(bits >> 56 & 1));
	inspect_set(o, "growfs", json_boolean(bits >> 59 & 1));
	inspect_set(o, "read_only", json_boolean(bits >> 60 & 1));
	inspect_set(o, "no_auto", json_boolean(bits >> 63 & 1));
	return o;
}

static json_t *partition(struct ingot_source *image, const struct ingot_gpt_partition *p,
			 struct ingot_problems *problems)
{
	INGOT_SOURCE struct ingot_source *part = NULL;
	const char *type = ingot_partition_type_name(&p->type);
	json_t *o = json_object(), *content = NULL;
	char name[INGOT_GPT_NAME_MAX + 32];

	(void)snprintf(name, sizeof(name), "partition %u '%s'", p->number, p->name);
	inspect_set(o, "number", json_integer(p->number));
	inspect_set(o, "label", inspect_text(p->name, strlen(p->name)));
	inspect_set(o, "type", guid(&p->type));
	if (type)
		inspect_set(o, "type_name", json_string(type));
	inspect_set(o, "uuid", guid(&p->uuid));
	inspect_set(o, "start", json_integer((json_int_t)p->start));
	inspect_set(o, "size", json_integer((json_int_t)p->size));
	inspect_set(o, "attributes", attributes(p->attributes));
	if (ingot_source_part(image, p->start, p->size, &part, NULL) == 0)
		content = inspect_content(part, name, problems);
	inspect_set(o, "content", content ? content : json_null());
	return o;
}

static json_t *disk(struct ingot_source *image, const struct ingot_gpt *gpt,
		    struct ingot_problems *problems)
{
	json_t *o = json_object(), *partitions = json_array();

	inspect_set(o, "kind", json_string("gpt"));
	inspect_set(o, "sector_size", json_integer(gpt->sector_size));
	inspect_set(o, "uuid", guid(&gpt->uuid));
	for (size_t i = 0; i < gpt->count; i++)
		(void)json_array_append_new(partitions,
					    partition(image, &gpt->partitions[i], problems));
	inspect_set(o, "partitions", partitions);
	return o;
}

static json_t *problem_list(const struct ingot_problems *problems)
{
	json_t *list = json_array();

	for (size_t i = 0; i < problems->count; i++) {
		const struct ingot_problem *p = &problems->list[i];
		char text[1024];

		(void)snprintf(text, sizeof(text), "%s%s%s", p->file ? p->file : "",
			       p->file ? ": " : "", p->text);
		(void)json_array_append_new(list, inspect_text(text, strlen(text)));
	}
	return list;
}

int ingot_inspect(struct ingot_source *image, struct ingot_problems *problems, json_t **ret,
		  struct ingot_error *err)
{
	INGOT_FREE struct ingot_gpt *gpt = NULL;
	json_t *o = json_object(), *content;
	int rc = ingot_gpt_read(image, problems, &gpt, err);

	if (!o)
		return ingot_raise_oom(err, 0);
	if (rc < 0 && rc != -ENODATA) {
		json_decref(o);
		return rc;
	}
	inspect_set(o, "size", json_integer((json_int_t)image->size));
	content = gpt ? disk(image, gpt, problems)
		      : inspect_content(image, image->name, problems);
	inspect_set(o, "content", content ? content : json_null());
	inspect_set(o, "problems", problem_list(problems));
	*ret = o;
	return 0;
}
