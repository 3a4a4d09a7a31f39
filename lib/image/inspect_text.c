#include <string.h>

#include "base/text.h"
#include "image/inspect_internal.h"

json_t *inspect_text(const char *text, size_t n)
{
	INGOT_FREE char *safe = NULL;
	json_t *json;
	size_t room;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\0' || text[n - 1] == ' '))
		n--;
	json = json_stringn(text, n);
	if (json)
		return json;
	room = 4 * n + 16;
	safe = malloc(room);
	return safe ? json_string(ingot_printable(text, n, safe, room)) : NULL;
}

json_t *inspect_guid(const struct ingot_guid *guid)
{
	char text[INGOT_GUID_TEXT];

	return json_string(ingot_guid_text(guid, text));
}
