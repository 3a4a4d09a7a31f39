#include "image/check_xml_internal.h"

#include <string.h>

const char *check_xml_element(const char *at, const char *name, const char **ret_end)
{
	while ((at = strchr(at, '<'))) {
		const char *end, *local;
		size_t n;

		if (strncmp(at, "<!--", 4) == 0) {
			at = strstr(at, "-->");
			if (!at)
				return NULL;
			continue;
		}
		end = strchr(at, '>');
		if (!end)
			return NULL;
		n = strcspn(at + 1, " \t\r\n/>");
		local = memchr(at + 1, ':', n);
		local = local ? local + 1 : at + 1;
		if (at[1] != '/' && (size_t)(at + 1 + n - local) == strlen(name) &&
		    memcmp(local, name, strlen(name)) == 0) {
			*ret_end = end;
			return at + 1 + n;
		}
		at = end;
	}
	return NULL;
}

/* The five entities of XML, in place. */
static void decode(char *text)
{
	static const struct {
		const char *name;
		char c;
	} entities[] = {
		{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

	for (char *p = text; *p; p++)
		for (size_t i = 0; *p == '&' && i < 5; i++) {
			size_t n = strlen(entities[i].name);

			if (strncmp(p, entities[i].name, n) != 0)
				continue;
			*p = entities[i].c;
			memmove(p + 1, p + n, strlen(p + n) + 1);
			break;
		}
}

const char *check_xml_attribute(const char *at, const char *end, const char *name,
				char value[CHECK_XML_VALUE])
{
	value[0] = '\0';
	while (at < end) {
		const char *equals = memchr(at, '=', (size_t)(end - at)), *colon, *close;
		const char *word = at + strspn(at, " \t\r\n");
		char quote;

		if (!equals || equals + 1 >= end)
			return value;
		quote = equals[1];
		close = quote == '"' || quote == '\''
				? memchr(equals + 2, quote, (size_t)(end - equals - 2))
				: NULL;
		if (!close)
			return value;
		colon = memchr(word, ':', word < equals ? (size_t)(equals - word) : 0);
		word = colon ? colon + 1 : word;
		if (word <= equals && (size_t)(equals - word) == strlen(name) &&
		    memcmp(word, name, strlen(name)) == 0 && close - equals - 2 < CHECK_XML_VALUE) {
			memcpy(value, equals + 2, (size_t)(close - equals - 2));
			value[close - equals - 2] = '\0';
			decode(value);
			return value;
		}
		at = close + 1;
	}
	return value;
}
