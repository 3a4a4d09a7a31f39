/* Reading a vendor's file: what all of its sections use, and its top. */
#include <errno.h>
#include <string.h>

#include "image/vendor_internal.h"

#define LOWER_AND_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"

enum { WORDS_MAX = 64, LINE_MAX_BYTES = 1024 };

void *ingot_vendor_alloc(struct ingot_vendor_reader *reader, size_t count, size_t size)
{
	void *p = NULL;
	uint64_t bytes;

	if (ingot_mul(count, size, &bytes) && bytes <= SIZE_MAX)
		p = ingot_arena_alloc(&reader->vendor->arena, (size_t)bytes, 16, reader->err);
	if (!p && reader->rc == 0)
		reader->rc = -ENOMEM;
	return p;
}

/* --- texts ------------------------------------------------------------- */

const char *ingot_vendor_line(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	const char *text = ingot_yaml_text(node);
	char *copy;
	size_t n;

	if (!text)
		return NULL;
	n = strlen(text);
	if (n == 0 || n > LINE_MAX_BYTES) {
		ingot_yaml_problem(node,
				   n ? "the text is longer than 1024 bytes" : "the text is empty");
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
			ingot_yaml_problem(node, "the text has a control character in it");
			return NULL;
		}
	copy = ingot_vendor_alloc(reader, n + 1, 1);
	if (copy)
		memcpy(copy, text, n + 1);
	return copy;
}

const char *ingot_vendor_word(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	const char *text = ingot_vendor_line(reader, node);

	if (text && strpbrk(text, " \"'\\")) {
		ingot_yaml_problem(node, "'%.80s' is not one word without blanks and quotes", text);
		return NULL;
	}
	return text;
}

struct ingot_vendor_words ingot_vendor_words(struct ingot_vendor_reader *reader,
					     struct ingot_yaml_node node, bool lines)
{
	struct ingot_vendor_words words = {0};
	size_t count = ingot_yaml_count(node);
	const char **list;

	if (count > WORDS_MAX) {
		ingot_yaml_problem(node, "more than %d values", WORDS_MAX);
		return words;
	}
	list = ingot_vendor_alloc(reader, count, sizeof(*list));
	for (size_t i = 0; list && i < count; i++) {
		struct ingot_yaml_node item = ingot_yaml_item(node, i);
		const char *text =
			lines ? ingot_vendor_line(reader, item) : ingot_vendor_word(reader, item);

		if (text)
			list[words.count++] = text;
	}
	words.list = list;
	return words;
}

void ingot_vendor_words_by_architecture(struct ingot_vendor_reader *reader,
					struct ingot_yaml_node node, const char *what,
					struct ingot_vendor_words ret[INGOT_VENDOR_ARCHITECTURES])
{
	struct ingot_yaml_map map;

	if (!ingot_yaml_is_map(node)) {
		ret[0] = ret[1] = ingot_vendor_words(reader, node, false /* lines */);
		return;
	}
	if (!ingot_yaml_open(node, what, &map))
		return;
	for (unsigned i = 0; i < INGOT_VENDOR_ARCHITECTURES; i++) {
		const char *name =
			ingot_vendor_architecture_name((enum ingot_vendor_architecture)i);
		struct ingot_yaml_node list = ingot_yaml_get(&map, name, false /* required */);

		if (ingot_yaml_is_given(list) && !reader->vendor->architectures[i])
			ingot_yaml_problem(list, "%s is not among the architectures", name);
		ret[i] = ingot_vendor_words(reader, list, false /* lines */);
	}
	ingot_yaml_close(&map);
}

/* --- the top ----------------------------------------------------------- */

static void read_name(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	const char *text = ingot_vendor_line(reader, node);

	if (text && (!strspn(text, LOWER_AND_DIGITS) || strlen(text) > 64 ||
		     text[strspn(text, LOWER_AND_DIGITS "-")]))
		ingot_yaml_problem(node,
				   "'%.80s' is not a name: lower-case letters, digits and -, at "
				   "most 64, the first no -",
				   text);
	else
		reader->vendor->name = text;
}

static void read_platform(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	struct ingot_yaml_map map;

	if (!ingot_yaml_is_given(node) || !ingot_yaml_open(node, "platform", &map))
		return;
	reader->vendor->ignition =
		ingot_vendor_word(reader, ingot_yaml_get(&map, "ignition", false));
	reader->vendor->flatcar = ingot_vendor_word(reader, ingot_yaml_get(&map, "flatcar", false));
	ingot_yaml_close(&map);
}

static void read_architectures(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	static const char *const names[] = {"x86-64", "arm64"};
	size_t count = ingot_yaml_count(node);

	if (ingot_yaml_is_given(node) && count == 0)
		ingot_yaml_problem(node, "the list is empty");
	for (size_t i = 0; i < count; i++) {
		struct ingot_yaml_node item = ingot_yaml_item(node, i);
		int k = ingot_yaml_choice(item, names, INGOT_VENDOR_ARCHITECTURES);

		if (k >= 0 && reader->vendor->architectures[k])
			ingot_yaml_problem(item, "%s stands twice", names[k]);
		if (k >= 0)
			reader->vendor->architectures[k] = true;
	}
}

static void read_size(struct ingot_yaml_node node, uint64_t unit, uint64_t *ret)
{
	uint64_t size;

	if (!ingot_yaml_size(node, &size))
		return;
	if (size == 0 || size % unit || size > INT64_MAX)
		ingot_yaml_problem(node, "this is a multiple of %llu bytes, not 0 and below 2^63",
				   (unsigned long long)unit);
	else
		*ret = size;
}

static void read_disk(struct ingot_vendor_reader *reader, struct ingot_yaml_node node)
{
	struct ingot_vendor *vendor = reader->vendor;
	struct ingot_yaml_map map;

	vendor->round = 512;
	if (!ingot_yaml_is_given(node) || !ingot_yaml_open(node, "disk", &map))
		return;
	read_size(ingot_yaml_get(&map, "size", false), 4096, &vendor->disk_size);
	read_size(ingot_yaml_get(&map, "root-size", false), 4096, &vendor->root_size);
	read_size(ingot_yaml_get(&map, "round", false), 512, &vendor->round);
	ingot_yaml_close(&map);
}

static void read_vendor(struct ingot_vendor_reader *reader, struct ingot_yaml_node root)
{
	struct ingot_vendor *vendor = reader->vendor;
	struct ingot_yaml_map map;

	if (!ingot_yaml_open(root, "a vendor", &map))
		return;
	read_name(reader, ingot_yaml_get(&map, "name", true /* required */));
	vendor->summary = ingot_vendor_line(reader, ingot_yaml_get(&map, "summary", true));
	read_platform(reader, ingot_yaml_get(&map, "platform", false));
	read_architectures(reader, ingot_yaml_get(&map, "architectures", true));
	ingot_vendor_read_outputs(reader, ingot_yaml_get(&map, "outputs", true));
	read_disk(reader, ingot_yaml_get(&map, "disk", false));
	ingot_vendor_words_by_architecture(reader, ingot_yaml_get(&map, "consoles", false),
					   "consoles", vendor->consoles);
	ingot_vendor_words_by_architecture(reader, ingot_yaml_get(&map, "arguments", false),
					   "arguments", vendor->arguments);
	ingot_vendor_read_oem(reader, ingot_yaml_get(&map, "oem", false));
	ingot_vendor_read_hardware(reader, root, ingot_yaml_get(&map, "hardware", false));
	ingot_vendor_read_checks(reader, ingot_yaml_get(&map, "checks", false));
	vendor->references =
		ingot_vendor_words(reader, ingot_yaml_get(&map, "references", false), true);
	ingot_yaml_close(&map);
}

int ingot_vendor_parse(const char *file, const char *directory, const char *text, size_t size,
		       struct ingot_problems *problems, struct ingot_vendor **ret,
		       struct ingot_error *err)
{
	INGOT_VENDOR struct ingot_vendor *vendor = ingot_alloc(1, sizeof(*vendor), err);
	struct ingot_vendor_reader reader = {.vendor = vendor, .directory = directory, .err = err};
	size_t before = problems->count + problems->more;
	struct ingot_yaml *doc;
	int rc;

	if (!vendor)
		return -ENOMEM;
	rc = ingot_yaml_parse(file, text, size, problems, &doc, err);
	if (rc < 0)
		return rc;
	read_vendor(&reader, ingot_yaml_root(doc));
	ingot_yaml_free(doc);
	if (reader.rc < 0)
		return reader.rc;
	if (problems->oom)
		return ingot_raise_oom(err, 0);
	if (problems->count + problems->more > before)
		return ingot_raise(err, -EINVAL, "'%s' is not a usable vendor", file);
	*ret = INGOT_TAKE(vendor);
	return 0;
}
