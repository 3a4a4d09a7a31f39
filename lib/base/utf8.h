/* UTF-8, strictly (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF. */
#ifndef INGOT_BASE_UTF8_H
#define INGOT_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/api.h"

/* Bytes of the character at the front of text[0 .. n), n > 0; 0: not UTF-8. */
INGOT_API size_t ingot_utf8_decode(const char *text, size_t n, uint32_t *ret);

/* Appends a code point (a surrogate or one too large: U+FFFD). Returns its bytes, 1 to 4. */
INGOT_API size_t ingot_utf8_encode(uint32_t point, char text[4]);

/* C0, DEL and C1: what a terminal might obey. */
INGOT_API bool ingot_is_control(uint32_t point);

/* Control characters and what is not UTF-8 become '?', in place: safe for a terminal and JSON. */
INGOT_API void ingot_utf8_tame(char *text);

#endif
