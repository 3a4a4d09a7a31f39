/* Looking through XML for elements and attributes: no validation, nothing is kept. */
#ifndef INGOT_IMAGE_CHECK_XML_INTERNAL_H
#define INGOT_IMAGE_CHECK_XML_INTERNAL_H

enum { CHECK_XML_VALUE = 256 }; /* bytes of a value, with the NUL */

/*
 * The next start tag of an element of that local name, from `at` on: what is between its name and
 * the '>', which is *ret_end. NULL: no more.
 */
const char *check_xml_element(const char *at, const char *name, const char **ret_end);

/* The value of the attribute of that local name; "" if there is none or it is too long. */
const char *check_xml_attribute(const char *at, const char *end, const char *name,
				char value[CHECK_XML_VALUE]);

#endif
