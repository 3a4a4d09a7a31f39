/* Vendors for people: a table on the terminal, one in the documentation, everything about one. */
#ifndef INGOT_TOOLS_VENDORS_TEXT_H
#define INGOT_TOOLS_VENDORS_TEXT_H

#include "image/vendor.h"

void vendors_print_head(void);
void vendors_print_row(const struct ingot_vendor *vendor);

/* The page's beginning, up to the table's head. */
void vendors_print_markdown_head(void);
void vendors_print_markdown_row(const struct ingot_vendor *vendor);

INGOT_MUST_USE int vendors_print_all(const struct ingot_vendor *vendor, struct ingot_error *err);

#endif
