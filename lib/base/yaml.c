/* Reading a document: keys, values, and complaints about them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/yaml_internal.h"

static struct ingot_yaml_node absent(struct ingot_yaml *doc)
{
	return (struct ingot_yaml_node){.doc = doc};
}

struct ingot_yaml_node ingot_yaml_root(struct ingot_yaml *doc)
{
	return (struct ingot_yaml_node){.doc = doc,
					.id = yaml_document_get_root_node(&doc->document) ? 1 : 0};
}

size_t ingot_yaml_line(struct ingot_yaml_node node)
{
	yaml_node_t *n = ingot_yaml_raw(node);

	return n ? n->start_mark.line + 1 : 0;
}

size_t ingot_yaml_column(struct ingot_yaml_node node)
{
	yaml_node_t *n = ingot_yaml_raw(node);

	return n ? n->start_mark.column + 1 : 0;
}

void ingot_yaml_problem(struct ingot_yaml_node node, const char *format, ...)
{
	yaml_node_t *n = ingot_yaml_raw(node);
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Words from the file are quoted in complaints, and go to a terminal or into JSON. */
	ingot_utf8_tame(text);
	ingot_problem_add(node.doc->problems, node.doc->file, n ? n->start_mark.line + 1 : 0,
			  n ? n->start_mark.column + 1 : 0, "%s", text);
}

/* --- mappings ---------------------------------------------------------- */

static yaml_node_pair_t *pair_at(const struct ingot_yaml_map *map, size_t i)
{
	return ingot_yaml_raw(map->node)->data.mapping.pairs.start + i;
}

static struct ingot_yaml_node key_at(const struct ingot_yaml_map *map, size_t i)
{
	return (struct ingot_yaml_node){.doc = map->node.doc, .id = pair_at(map, i)->key};
}

/* Keys are checked to be scalars when the mapping is opened. */
static const char *key_text(const struct ingot_yaml_map *map, size_t i)
{
	return (const char *)ingot_yaml_raw(key_at(map, i))->data.scalar.value;
}

static bool keys_ok(const struct ingot_yaml_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		if (!ingot_yaml_text(key_at(map, i)))
			return false;
	return true;
}

/* The first of two counts, so that reading can go on; the second is known, and wrong. */
static void find_twins(struct ingot_yaml_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(key_text(map, i), key_text(map, j)) == 0) {
				ingot_yaml_problem(key_at(map, i), "key '%.80s' stands twice",
						   key_text(map, i));
				map->known[i / 64] |= UINT64_C(1) << (i % 64);
				break;
			}
}

bool ingot_yaml_open(struct ingot_yaml_node node, const char *what, struct ingot_yaml_map *ret)
{
	yaml_node_t *n = ingot_yaml_raw(node);
	struct ingot_yaml_map map = {.node = node};

	if (!n || n->type != YAML_MAPPING_NODE) {
		ingot_yaml_problem(node, "%s is not a mapping (KEY: VALUE)", what);
		return false;
	}
	map.count = (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
	if (map.count > INGOT_YAML_KEYS_MAX) {
		ingot_yaml_problem(node, "%s has more than %d keys", what, INGOT_YAML_KEYS_MAX);
		return false;
	}
	if (!keys_ok(&map))
		return false;
	find_twins(&map);
	*ret = map;
	return true;
}

/* Levenshtein distance of short names; large for long ones. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), row[33];

	if (n > 32 || m > 32)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
		}
	}
	return row[m];
}

static const char *nearest(const struct ingot_yaml_map *map, const char *key)
{
	const char *name = NULL;
	/* At most two letters wrong, and fewer than half of them. */
	size_t best = ingot_min(3, (strlen(key) + 1) / 2);

	for (size_t i = 0; i < map->asked_count; i++) {
		size_t d = distance(key, map->asked[i]);

		if (d < best) {
			best = d;
			name = map->asked[i];
		}
	}
	return name;
}

void ingot_yaml_close(struct ingot_yaml_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const char *near;

		if (map->known[i / 64] >> (i % 64) & 1)
			continue;
		near = nearest(map, key_text(map, i));
		ingot_yaml_problem(key_at(map, i),
				   near ? "unknown key '%.80s', did you mean '%s'?"
					: "unknown key '%.80s'",
				   key_text(map, i), near);
	}
}

struct ingot_yaml_node ingot_yaml_get(struct ingot_yaml_map *map, const char *key, bool required)
{
	if (map->asked_count < sizeof(map->asked) / sizeof(map->asked[0]))
		map->asked[map->asked_count++] = key;
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(key_text(map, i), key) == 0)
			return ingot_yaml_pair(map, i, NULL);
	if (required)
		ingot_yaml_problem(map->node, "key '%s' is missing", key);
	return absent(map->node.doc);
}

struct ingot_yaml_node ingot_yaml_pair(struct ingot_yaml_map *map, size_t i, const char **ret_key)
{
	map->known[i / 64] |= UINT64_C(1) << (i % 64);
	if (ret_key)
		*ret_key = key_text(map, i);
	return (struct ingot_yaml_node){.doc = map->node.doc, .id = pair_at(map, i)->value};
}

/* --- values ------------------------------------------------------------ */

/* YAML's null: nothing after the colon, ~ or null, without quotes. */
static bool is_null(const yaml_node_t *n)
{
	const char *text = (const char *)n->data.scalar.value;

	return n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*text || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0);
}

const char *ingot_yaml_text(struct ingot_yaml_node node)
{
	yaml_node_t *n = ingot_yaml_raw(node);

	if (!n)
		return NULL;
	if (n->type != YAML_SCALAR_NODE) {
		ingot_yaml_problem(node, "a single value is wanted here");
		return NULL;
	}
	if (memchr(n->data.scalar.value, 0, n->data.scalar.length)) {
		ingot_yaml_problem(node, "the value contains a NUL byte");
		return NULL;
	}
	if (is_null(n)) {
		ingot_yaml_problem(node, "a value is missing here");
		return NULL;
	}
	return (const char *)n->data.scalar.value;
}

bool ingot_yaml_u64(struct ingot_yaml_node node, uint64_t *ret)
{
	const char *text = ingot_yaml_text(node);
	struct ingot_error err;

	if (!text)
		return false;
	if (ingot_parse_u64(text, ret, &err) < 0) {
		ingot_yaml_problem(node, "%s", err.text);
		return false;
	}
	return true;
}

bool ingot_yaml_size(struct ingot_yaml_node node, uint64_t *ret)
{
	const char *text = ingot_yaml_text(node);
	struct ingot_error err;

	if (!text)
		return false;
	if (ingot_parse_size(text, ret, &err) < 0) {
		ingot_yaml_problem(node, "%s", err.text);
		return false;
	}
	return true;
}

bool ingot_yaml_bool(struct ingot_yaml_node node, bool *ret)
{
	static const char *const names[] = {"false", "true"};
	int i = ingot_yaml_choice(node, names, 2);

	if (i < 0)
		return false;
	*ret = i == 1;
	return true;
}

bool ingot_yaml_guid(struct ingot_yaml_node node, struct ingot_guid *ret)
{
	const char *text = ingot_yaml_text(node);
	struct ingot_error err;

	if (!text)
		return false;
	if (ingot_guid_parse(text, ret, &err) < 0) {
		ingot_yaml_problem(node, "%s", err.text);
		return false;
	}
	return true;
}

int ingot_yaml_choice(struct ingot_yaml_node node, const char *const *names, size_t count)
{
	const char *text = ingot_yaml_text(node);
	char list[256] = "";
	size_t at = 0;

	if (!text)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	for (size_t i = 0; i < count && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "",
				       names[i]);
	ingot_yaml_problem(node, "'%.80s' is not one of: %s", text, list);
	return -1;
}

/* --- sequences --------------------------------------------------------- */

size_t ingot_yaml_count(struct ingot_yaml_node node)
{
	yaml_node_t *n = ingot_yaml_raw(node);

	if (!n)
		return 0;
	if (n->type != YAML_SEQUENCE_NODE)
		return 1;
	return (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
}

struct ingot_yaml_node ingot_yaml_item(struct ingot_yaml_node node, size_t i)
{
	yaml_node_t *n = ingot_yaml_raw(node);

	if (n->type != YAML_SEQUENCE_NODE)
		return node;
	return (struct ingot_yaml_node){.doc = node.doc, .id = n->data.sequence.items.start[i]};
}

bool ingot_yaml_is_given(struct ingot_yaml_node node)
{
	return node.id > 0;
}

bool ingot_yaml_is_map(struct ingot_yaml_node node)
{
	yaml_node_t *n = ingot_yaml_raw(node);

	return n && n->type == YAML_MAPPING_NODE;
}
