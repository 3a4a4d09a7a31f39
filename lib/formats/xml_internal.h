/* XML, written from the top to the end. What a person gave is escaped. */
#ifndef INGOT_FORMATS_XML_INTERNAL_H
#define INGOT_FORMATS_XML_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Zeroed but for err is empty. The first failure is kept, what comes after it is nothing. */
struct xml {
	struct ingot_error *err;
	char *text;
	size_t used, room;
	unsigned depth; /* elements that are open: two blanks each */
	bool failed;
};

enum { XML_ATTRIBUTES = 8 };

/* Names and values, up to a NULL name or the end. A NULL value leaves its attribute out. */
struct xml_attribute {
	const char *name, *value;
};

/* <name a="..."> and a new line; what follows is inside until xml_close. */
void xml_open(struct xml *x, const char *name, const struct xml_attribute *attributes);
void xml_close(struct xml *x, const char *name);
/* <name a="..."/>; attributes may be NULL. */
void xml_empty(struct xml *x, const char *name, const struct xml_attribute *attributes);
/* <name>text</name> */
void xml_text(struct xml *x, const char *name, const char *text);
/* As it is. */
void xml_raw(struct xml *x, const char *text);

/* The whole, which the caller frees; NULL: memory ran out, raised. */
char *xml_take(struct xml *x);

#define XML_WITH(...)                                                                              \
	(const struct xml_attribute[XML_ATTRIBUTES])                                               \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

#endif
