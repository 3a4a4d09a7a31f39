#include "base/utf8.h"

#include <string.h>

/* The length that a first byte announces, and its payload bits. */
static size_t lead(unsigned char c, uint32_t *ret)
{
	if (c < 0x80) {
		*ret = c;
		return 1;
	}
	if (c >= 0xc2 && c < 0xe0) {
		*ret = c & 0x1f;
		return 2;
	}
	if (c >= 0xe0 && c < 0xf0) {
		*ret = c & 0x0f;
		return 3;
	}
	if (c >= 0xf0 && c < 0xf5) {
		*ret = c & 0x07;
		return 4;
	}
	return 0;
}

static bool is_surrogate(uint32_t point)
{
	return point >= 0xd800 && point < 0xe000;
}

size_t ingot_utf8_decode(const char *text, size_t n, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t point = 0;
	size_t len = lead((unsigned char)text[0], &point);

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (point < least[len] || is_surrogate(point) || point > 0x10ffff)
		return 0;
	*ret = point;
	return len;
}

size_t ingot_utf8_encode(uint32_t point, char text[4])
{
	if (is_surrogate(point) || point > 0x10ffff)
		point = 0xfffd;
	if (point < 0x80) {
		text[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		text[0] = (char)(0xc0 | point >> 6);
		text[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		text[0] = (char)(0xe0 | point >> 12);
		text[1] = (char)(0x80 | (point >> 6 & 0x3f));
		text[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	text[0] = (char)(0xf0 | point >> 18);
	text[1] = (char)(0x80 | (point >> 12 & 0x3f));
	text[2] = (char)(0x80 | (point >> 6 & 0x3f));
	text[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

bool ingot_is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

void ingot_utf8_tame(char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		uint32_t point = 0;
		size_t len = ingot_utf8_decode(text, n, &point);

		if (len == 0) {
			*text = '?';
			len = 1;
		} else if (ingot_is_control(point)) {
			memset(text, '?', len);
		}
		text += len;
		n -= len;
	}
}
