#include <string.h>

#include "base/text.h"
#include "tree/tree_internal.h"

/* A name of INGOT_NAME_MAX bytes, each of them written as \xNN. */
enum { NAME_TEXT = 4 * INGOT_NAME_MAX + 16 };

/*
 * Put text in front of what stands at whole[*at]. Where there is no room, its end, with "..." at
 * the very front. Returns whether all of it went in.
 */
static bool put_before(char *whole, size_t *at, const char *text, size_t n)
{
	size_t room = *at - strlen("...");
	size_t part = n < room ? n : room;

	*at -= part;
	memcpy(whole + *at, text + (n - part), part);
	if (part == n)
		return true;
	*at -= strlen("...");
	memcpy(whole + *at, "...", strlen("..."));
	return false;
}

/* From the end to the front, so that a path that is too long loses its beginning. */
const char *ingot_node_path(const struct ingot_node *node, char *text, size_t size)
{
	char name[NAME_TEXT];
	size_t at = size - 1;
	bool fits = true;

	text[at] = '\0';
	for (; node->parent && fits; node = node->parent) {
		(void)ingot_printable(node->name, node->name_length, name, sizeof(name));
		fits = (text[at] == '\0' || put_before(text, &at, "/", 1)) &&
		       put_before(text, &at, name, strlen(name));
	}
	memmove(text, text + at, size - at);
	return text;
}

int ingot_node_raw_path(const struct ingot_node *node, struct path_text *path, size_t *ret_length,
			struct ingot_error *err)
{
	const struct ingot_node *up;
	size_t length = 0, at;
	int rc;

	for (up = node; up->parent; up = up->parent)
		length += up->name_length + 1u;
	rc = ingot_grow((void **)&path->text, &path->room, length + 1, 1, err);
	if (rc < 0)
		return rc;
	at = length;
	path->text[at ? at - 1 : 0] = '\0';
	for (up = node; up->parent; up = up->parent) {
		at -= up->name_length + 1u;
		memcpy(path->text + at, up->name, up->name_length);
		if (at > 0)
			path->text[at - 1] = '/';
	}
	*ret_length = length ? length - 1 : 0;
	return 0;
}
