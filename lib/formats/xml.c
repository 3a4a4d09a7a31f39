#include "formats/xml_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void add(struct xml *x, const char *text, size_t n)
{
	void *items = x->text;

	if (x->failed)
		return;
	x->failed = ingot_grow(&items, &x->room, x->used + n + 1, 1, x->err) < 0;
	x->text = items;
	if (x->failed)
		return;
	memcpy(x->text + x->used, text, n);
	x->used += n;
	x->text[x->used] = '\0';
}

void xml_raw(struct xml *x, const char *text)
{
	add(x, text, strlen(text));
}

static void add_escaped(struct xml *x, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			xml_raw(x, "&amp;");
			break;
		case '<':
			xml_raw(x, "&lt;");
			break;
		case '>':
			xml_raw(x, "&gt;");
			break;
		case '"':
			xml_raw(x, "&quot;");
			break;
		default:
			add(x, text, 1);
		}
	}
}

static void begin(struct xml *x, const char *name, const struct xml_attribute *attributes)
{
	for (unsigned i = 0; i < x->depth; i++)
		xml_raw(x, "  ");
	xml_raw(x, "<");
	xml_raw(x, name);
	for (size_t i = 0; attributes && i < XML_ATTRIBUTES && attributes[i].name; i++) {
		if (!attributes[i].value)
			continue;
		xml_raw(x, " ");
		xml_raw(x, attributes[i].name);
		xml_raw(x, "=\"");
		add_escaped(x, attributes[i].value);
		xml_raw(x, "\"");
	}
}

static void end(struct xml *x, const char *name)
{
	xml_raw(x, "</");
	xml_raw(x, name);
	xml_raw(x, ">\n");
}

void xml_open(struct xml *x, const char *name, const struct xml_attribute *attributes)
{
	begin(x, name, attributes);
	xml_raw(x, ">\n");
	x->depth++;
}

void xml_close(struct xml *x, const char *name)
{
	x->depth--;
	for (unsigned i = 0; i < x->depth; i++)
		xml_raw(x, "  ");
	end(x, name);
}

void xml_empty(struct xml *x, const char *name, const struct xml_attribute *attributes)
{
	begin(x, name, attributes);
	xml_raw(x, "/>\n");
}

void xml_text(struct xml *x, const char *name, const char *text)
{
	begin(x, name, NULL);
	xml_raw(x, ">");
	add_escaped(x, text);
	end(x, name);
}

char *xml_take(struct xml *x)
{
	if (x->failed)
		free(INGOT_TAKE(x->text));
	return INGOT_TAKE(x->text);
}
