/* What the two halves of the YAML reader share. */
#ifndef INGOT_BASE_YAML_INTERNAL_H
#define INGOT_BASE_YAML_INTERNAL_H

#include <yaml.h>

#include "base/yaml.h"

struct ingot_yaml {
	yaml_document_t document;
	bool loaded; /* document holds something to delete */
	struct ingot_problems *problems;
	char *file;
};

/* libyaml's node, NULL for an absent one. */
static inline yaml_node_t *ingot_yaml_raw(struct ingot_yaml_node node)
{
	return node.id > 0 ? yaml_document_get_node(&node.doc->document, node.id) : NULL;
}

#endif
