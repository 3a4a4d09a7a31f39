/* From bytes to a document: syntax, and what a document may look like. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml_internal.h"

/* --- the document ------------------------------------------------------ */

/* Byte `at` of the text as a line and a column, both from 1; a column is a character. */
static void place_of(const char *text, size_t at, size_t *line, size_t *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}

static int invalid(const struct ingot_yaml *doc, struct ingot_error *err)
{
	return ingot_raise(err, -EINVAL, "'%s' is not valid YAML", doc->file);
}

static int syntax_problem(struct ingot_yaml *doc, const yaml_parser_t *parser, const char *text,
			  size_t size, struct ingot_error *err)
{
	size_t line = parser->problem_mark.line + 1, column = parser->problem_mark.column + 1;

	/* libyaml gives no reason where its first events find no memory. */
	if (parser->error == YAML_MEMORY_ERROR || parser->error == YAML_NO_ERROR)
		return ingot_raise_oom(err, 0);
	if (parser->error == YAML_READER_ERROR)
		place_of(text, ingot_min(parser->problem_offset, size), &line, &column);
	ingot_problem_add(doc->problems, doc->file, line, column, "%s%s%s",
			  parser->problem ? parser->problem : "not YAML",
			  parser->context ? " " : "", parser->context ? parser->context : "");
	return invalid(doc, err);
}

/* Nothing may follow the document: a second one would be ignored in silence. */
static int expect_end(struct ingot_yaml *doc, yaml_parser_t *parser, const char *text, size_t size,
		      struct ingot_error *err)
{
	yaml_document_t next;
	yaml_node_t *root;

	if (!yaml_parser_load(parser, &next))
		return syntax_problem(doc, parser, text, size, err);
	root = yaml_document_get_root_node(&next);
	if (root)
		ingot_problem_add(doc->problems, doc->file, root->start_mark.line + 1,
				  root->start_mark.column + 1, "a second document begins here");
	yaml_document_delete(&next);
	return root ? invalid(doc, err) : 0;
}

/*
 * The byte order mark that some editors put in front. libyaml skips it only where it guesses the
 * encoding itself; as text it would move the first key a column to the right.
 */
static size_t mark_length(const char *text, size_t size)
{
	return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static int load(struct ingot_yaml *doc, const char *text, size_t size, struct ingot_error *err)
{
	size_t mark = mark_length(text, size);
	yaml_parser_t parser;
	int rc;

	text += mark;
	size -= mark;
	if (!yaml_parser_initialize(&parser))
		return ingot_raise_oom(err, sizeof(parser));
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (yaml_parser_load(&parser, &doc->document)) {
		doc->loaded = true;
		rc = yaml_document_get_root_node(&doc->document)
			     ? expect_end(doc, &parser, text, size, err)
			     : 0;
	} else {
		rc = syntax_problem(doc, &parser, text, size, err);
	}
	yaml_parser_delete(&parser);
	return rc;
}

/* --- the shape: no cycle, no depth, no blow-up by aliases -------------- */

/* Nodes as a reader meets them, an alias counted as a copy of its target. */
enum { DEPTH_MAX = 32, COPIES_MAX = 100000 };

struct shape {
	struct ingot_yaml *doc;
	bool *open;	/* by node number: under way, so that meeting it again is a cycle */
	size_t *copies; /* by node number: how many nodes it stands for; 0: not seen */
};

static bool node_ok(struct shape *shape, int id, unsigned depth);

static bool child_ok(struct shape *shape, int parent, int child, unsigned depth)
{
	size_t *copies = shape->copies;

	if (!node_ok(shape, child, depth + 1))
		return false;
	copies[parent] += copies[child];
	if (copies[parent] <= COPIES_MAX)
		return true;
	ingot_yaml_problem((struct ingot_yaml_node){.doc = shape->doc, .id = parent},
			   "aliases make this larger than %d values", COPIES_MAX);
	return false;
}

static bool children_ok(struct shape *shape, int id, const yaml_node_t *n, unsigned depth)
{
	if (n->type == YAML_SEQUENCE_NODE) {
		for (const int *item = n->data.sequence.items.start;
		     item < n->data.sequence.items.top; item++)
			if (!child_ok(shape, id, *item, depth))
				return false;
	} else if (n->type == YAML_MAPPING_NODE) {
		for (const yaml_node_pair_t *pair = n->data.mapping.pairs.start;
		     pair < n->data.mapping.pairs.top; pair++)
			if (!child_ok(shape, id, pair->key, depth) ||
			    !child_ok(shape, id, pair->value, depth))
				return false;
	}
	return true;
}

/* libyaml puts these where a file has no tag. */
static bool tag_ok(const yaml_node_t *n)
{
	const char *tag = (const char *)n->tag;

	return !tag || strcmp(tag, YAML_STR_TAG) == 0 || strcmp(tag, YAML_SEQ_TAG) == 0 ||
	       strcmp(tag, YAML_MAP_TAG) == 0;
}

static bool node_ok(struct shape *shape, int id, unsigned depth)
{
	struct ingot_yaml_node node = {.doc = shape->doc, .id = id};
	const char *wrong = NULL;

	if (depth > DEPTH_MAX)
		wrong = "nested too deeply";
	else if (shape->open[id])
		wrong = "this contains itself, through an alias";
	else if (!tag_ok(ingot_yaml_raw(node)))
		wrong = "tags (!...) are not used here";
	if (wrong) {
		ingot_yaml_problem(node, "%s", wrong);
		return false;
	}
	if (shape->copies[id])
		return true;
	shape->copies[id] = 1;
	shape->open[id] = true;
	if (!children_ok(shape, id, ingot_yaml_raw(node), depth))
		return false;
	shape->open[id] = false;
	return true;
}

static int check_shape(struct ingot_yaml *doc, struct ingot_error *err)
{
	size_t nodes = (size_t)(doc->document.nodes.top - doc->document.nodes.start);
	INGOT_FREE bool *open = ingot_alloc(nodes + 1, sizeof(*open), err);
	INGOT_FREE size_t *copies = open ? ingot_alloc(nodes + 1, sizeof(*copies), err) : NULL;
	struct shape shape = {doc, open, copies};

	if (!copies)
		return -ENOMEM;
	return nodes == 0 || node_ok(&shape, 1, 0) ? 0 : invalid(doc, err);
}

/* --- parsing ----------------------------------------------------------- */

int ingot_yaml_parse(const char *file, const char *text, size_t size,
		     struct ingot_problems *problems, struct ingot_yaml **ret,
		     struct ingot_error *err)
{
	struct ingot_yaml *doc = ingot_alloc(1, sizeof(*doc), err);
	int rc;

	if (!doc)
		return -ENOMEM;
	doc->problems = problems;
	doc->file = ingot_strdup(file, err);
	rc = doc->file ? load(doc, text, size, err) : -ENOMEM;
	if (rc == 0)
		rc = check_shape(doc, err);
	if (rc < 0) {
		ingot_yaml_free(doc);
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
		if (n < 0 && errno != EINTR)
			return ingot_raise_errno(err, errno, "read '%s'", path);
		size += n > 0 ? (size_t)n : 0;
	} while (n != 0);
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
	if (doc->loaded)
		yaml_document_delete(&doc->document);
	free(doc->file);
	free(doc);
}
