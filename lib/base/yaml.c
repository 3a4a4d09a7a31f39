#include "base/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/text.h"

struct ingot_yaml {
	yaml_document_t document;
	struct ingot_problems *problems;
	char *file;
};

static yaml_node_t *raw(struct ingot_yaml_node node)
{
	return node.id > 0 ? yaml_document_get_node(&node.doc->document, node.id) : NULL;
}

static struct ingot_yaml_node absent(struct ingot_yaml *doc)
{
	return (struct ingot_yaml_node){.doc = doc};
}

/* --- the document -------------------------------------------------------------------------------- */

static int syntax_problem(struct ingot_yaml *doc, const yaml_parser_t *parser,
			  struct ingot_error *err)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return ingot_raise_oom(err, 0);
	if (parser->error == YAML_READER_ERROR)
		ingot_problem_add(doc->problems, doc->file, 0, 0, "%s at byte %zu",
				  parser->problem ? parser->problem : "unreadable",
				  parser->problem_offset);
	else
		ingot_problem_add(doc->problems, doc->file, parser->problem_mark.line + 1,
				  parser->problem_mark.column + 1, "%s%s%s",
				  parser->problem ? parser->problem : "not YAML",
				  parser->context ? " " : "",
				  parser->context ? parser->context : "");
	return ingot_raise(err, -EINVAL, "%s is not valid YAML", doc->file);
}

static int load(struct ingot_yaml *doc, const char *text, size_t size, bool *loaded,
		struct ingot_error *err)
{
	yaml_parser_t parser;
	int rc = 0;

	if (!yaml_parser_initialize(&parser))
		return ingot_raise_oom(err, sizeof(parser));
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (yaml_parser_load(&parser, &doc->document))
		*loaded = true;
	else
		rc = syntax_problem(doc, &parser, err);
	yaml_parser_delete(&parser);
	return rc;
}

int ingot_yaml_parse(const char *file, const char *text, size_t size,
		     struct ingot_problems *problems, struct ingot_yaml **ret,
		     struct ingot_error *err)
{
	struct ingot_yaml *doc = ingot_alloc(1, sizeof(*doc), err);
	bool loaded = false;
	int rc;

	if (!doc)
		return -ENOMEM;
	doc->problems = problems;
	doc->file = ingot_strdup(file, err);
	rc = doc->file ? load(doc, text, size, &loaded, err) : -ENOMEM;
	if (rc < 0) {
		free(doc->file);
		free(doc);
		return rc;
	}
	*ret = doc;
	return 0;
}

/* The whole file, or an error; a file may grow while it is read. */
static int slurp(const char *path, char **ret, size_t *ret_size, struct ingot_error *err)
{
	INGOT_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	INGOT_FREE char *text = NULL;
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		return ingot_raise_errno(err, errno, "open '%s'", path);
	text = ingot_alloc(INGOT_YAML_MAX + 1, 1, err);
	if (!text)
		return -ENOMEM;
	do {
		n = read(fd, text + size, INGOT_YAML_MAX + 1 - size);
		if (n < 0)
			return ingot_raise_errno(err, errno, "read '%s'", path);
		size += (size_t)n;
	} while (n > 0);
	if (size > INGOT_YAML_MAX)
		return ingot_raise(err, -EFBIG, "'%s' is larger than %d bytes", path,
				   INGOT_YAML_MAX);
	*ret = INGOT_TAKE(text);
	*ret_size = size;
	return 0;
}

int ingot_yaml_load(const char *path, struct ingot_problems *problems, struct ingot_yaml **ret,
		    struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	size_t size;
	int rc = slurp(path, &text, &size, err);

	if (rc < 0)
		return rc;
	return ingot_yaml_parse(path, text, size, problems, ret, err);
}

void ingot_yaml_free(struct ingot_yaml *doc)
{
	if (!doc)
		return;
	yaml_document_delete(&doc->document);
	free(doc->file);
	free(doc);
}

struct ingot_yaml_node ingot_yaml_root(struct ingot_yaml *doc)
{
	return (struct ingot_yaml_node){
		.doc = doc, .id = yaml_document_get_root_node(&doc->document) ? 1 : 0};
}

size_t ingot_yaml_line(struct ingot_yaml_node node)
{
	yaml_node_t *n = raw(node);

	return n ? n->start_mark.line + 1 : 0;
}

void ingot_yaml_problem(struct ingot_yaml_node node, const char *format, ...)
{
	yaml_node_t *n = raw(node);
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ingot_problem_add(node.doc->problems, node.doc->file, n ? n->start_mark.line + 1 : 0,
			  n ? n->start_mark.column + 1 : 0, "%s", text);
}

/* --- mappings -------------------------------------------------------------------------------------- */

static yaml_node_pair_t *pair_at(const struct ingot_yaml_map *map, size_t i)
{
	return raw(map->node)->data.mapping.pairs.start + i;
}

static struct ingot_yaml_node key_at(const struct ingot_yaml_map *map, size_t i)
{
	return (struct ingot_yaml_node){.doc = map->node.doc, .id = pair_at(map, i)->key};
}

/* Keys are checked to be scalars when the mapping is opened. */
static const char *key_text(const struct ingot_yaml_map *map, size_t i)
{
	return (const char *)raw(key_at(map, i))->data.scalar.value;
}

static bool keys_ok(const struct ingot_yaml_map *map)
{
	bool ok = true;

	for (size_t i = 0; i < map->count; i++)
		if (!ingot_yaml_text(key_at(map, i)))
			return false;
	for (size_t i = 0; i < map->count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(key_text(map, i), key_text(map, j)) == 0) {
				ingot_yaml_problem(key_at(map, i), "key '%.80s' stands twice",
						   key_text(map, i));
				ok = false;
				break;
			}
	return ok;
}

bool ingot_yaml_open(struct ingot_yaml_node node, const char *what, struct ingot_yaml_map *ret)
{
	yaml_node_t *n = raw(node);
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
	size_t best = 3;

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
		ingot_yaml_problem(key_at(map, i), near ? "unknown key '%.80s', did you mean '%s'?"
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

/* --- values ---------------------------------------------------------------------------------------- */

const char *ingot_yaml_text(struct ingot_yaml_node node)
{
	yaml_node_t *n = raw(node);

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

/* --- sequences ------------------------------------------------------------------------------------- */

size_t ingot_yaml_count(struct ingot_yaml_node node)
{
	yaml_node_t *n = raw(node);

	if (!n)
		return 0;
	if (n->type != YAML_SEQUENCE_NODE)
		return 1;
	return (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
}

struct ingot_yaml_node ingot_yaml_item(struct ingot_yaml_node node, size_t i)
{
	yaml_node_t *n = raw(node);

	if (n->type != YAML_SEQUENCE_NODE)
		return node;
	return (struct ingot_yaml_node){.doc = node.doc, .id = n->data.sequence.items.start[i]};
}

bool ingot_yaml_is_map(struct ingot_yaml_node node)
{
	yaml_node_t *n = raw(node);

	return n && n->type == YAML_MAPPING_NODE;
}
