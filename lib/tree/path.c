#include <string.h>

#include "base/text.h"
#include "tree/tree_internal.h"

enum { BYTE_TEXT_MAX = 16 };

/* Put one byte in front of what stands at text[at]; the new place, or 0: no room is left. */
static size_t put_before(char *text, size_t at, unsigned char byte)
{
	char one[BYTE_TEXT_MAX];
	size_t n = strlen(ingot_printable(&byte, 1, one, sizeof(one)));

	if (at < n + sizeof("..."))
		return 0;
	memcpy(text + at - n, one, n);
	return at - n;
}

/* From the end to the front, so that a path that is too long loses its beginning. */
const char *ingot_node_path(const struct ingot_node *node, char *text, size_t size)
{
	size_t at = size - 1, next;

	text[at] = '\0';
	for (; node->parent; node = node->parent) {
		for (size_t i = node->name_length; i > 0; i--) {
			next = put_before(text, at, (unsigned char)node->name[i - 1]);
			if (next == 0)
				goto too_long;
			at = next;
		}
		if (!node->parent->parent)
			break;
		next = put_before(text, at, '/');
		if (next == 0)
			goto too_long;
		at = next;
	}
	memmove(text, text + at, size - at);
	return text;
too_long:
	memcpy(text, "...", 3);
	memmove(text + 3, text + at, size - at);
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
