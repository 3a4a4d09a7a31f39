#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

void ingot_hex(const void *data, size_t n, char *text)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[p[i] >> 4];
		text[2 * i + 1] = digits[p[i] & 15];
	}
	text[2 * n] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int ingot_unhex(const char *text, void *data, size_t max, size_t *ret_n, struct ingot_error *err)
{
	size_t len = strlen(text);
	unsigned char *p = data;

	if (len % 2)
		return ingot_raise(err, -EINVAL, "'%.80s' has an odd number of hex digits", text);
	if (len / 2 > max)
		return ingot_raise(err, -EINVAL, "'%.80s' is longer than %zu bytes", text, max);
	for (size_t i = 0; i < len / 2; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return ingot_raise(err, -EINVAL, "'%.80s' is not hexadecimal", text);
		p[i] = (unsigned char)(high << 4 | low);
	}
	*ret_n = len / 2;
	return 0;
}

/* Digits at the front of text; *end is left behind them. */
static int digits(const char *text, const char **end, uint64_t *ret, struct ingot_error *err)
{
	uint64_t v = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++)
		if (!ingot_mul(v, 10, &v) || !ingot_add(v, (uint64_t)(*p - '0'), &v))
			return ingot_raise(err, -ERANGE, "'%.80s' is too large", text);
	if (p == text)
		return ingot_raise(err, -EINVAL, "'%.80s' is not a number", text);
	*end = p;
	*ret = v;
	return 0;
}

int ingot_parse_u64(const char *text, uint64_t *ret, struct ingot_error *err)
{
	const char *end;
	uint64_t v;
	int rc = digits(text, &end, &v, err);

	if (rc < 0)
		return rc;
	if (*end)
		return ingot_raise(err, -EINVAL, "'%.80s' is not a number", text);
	*ret = v;
	return 0;
}

int ingot_parse_size(const char *text, uint64_t *ret, struct ingot_error *err)
{
	static const char units[] = "KMGT";
	const char *end, *unit;
	uint64_t v;
	int rc = digits(text, &end, &v, err);

	if (rc < 0)
		return rc;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1])
			return ingot_raise(err, -EINVAL,
					   "'%.80s' is not a size (digits, then K, M, G or T)",
					   text);
		if (!ingot_mul(v, UINT64_C(1024) << (10 * (unit - units)), &v))
			return ingot_raise(err, -ERANGE, "'%.80s' is too large", text);
	}
	*ret = v;
	return 0;
}

const char *ingot_size_text(uint64_t bytes, char text[INGOT_SIZE_TEXT])
{
	static const char units[] = "KMGTPE";
	uint64_t whole = bytes, rest = 0;
	int u = -1;

	while (whole >= 1024 && u < 5) {
		rest = whole % 1024;
		whole /= 1024;
		u++;
	}
	if (u < 0)
		(void)snprintf(text, INGOT_SIZE_TEXT, "%u bytes", (unsigned)whole);
	else if (rest == 0 || whole >= 100)
		(void)snprintf(text, INGOT_SIZE_TEXT, "%u %ciB", (unsigned)whole, units[u]);
	else
		(void)snprintf(text, INGOT_SIZE_TEXT, "%u.%u %ciB", (unsigned)whole,
			       (unsigned)(rest * 10 / 1024), units[u]);
	return text;
}

/*
 * The length of the UTF-8 sequence of a character that may be printed, at p of n bytes; 0: it has
 * to be escaped. RFC 3629, section 4: no overlong form, no surrogate, nothing above U+10FFFF.
 */
static size_t printable_length(const unsigned char *p, size_t n)
{
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	static const uint32_t lowest[] = {0, 0, 0xa0 /* not U+0080..9F */, 0x800, 0x10000};
	uint32_t c = p[0] & (0x7fU >> length);

	if (length == 1)
		return p[0] >= 0x20 && p[0] != 0x7f && p[0] != '\'' && p[0] != '\\';
	if (p[0] < 0xc2 || p[0] > 0xf4 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fU);
	}
	return c >= lowest[length] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? length : 0;
}

const char *ingot_printable(const void *name, size_t n, char *text, size_t size)
{
	const unsigned char *p = name;
	size_t at = 0;

	assert(size >= 16);
	for (size_t i = 0, length; i < n; i += length) {
		if (at + 8 > size) {
			memcpy(text + at, "...", 4);
			return text;
		}
		length = printable_length(p + i, n - i);
		if (length == 0) {
			at += (size_t)snprintf(text + at, size - at, "\\x%02x", p[i]);
			length = 1;
		} else {
			memcpy(text + at, p + i, length);
			at += length;
		}
	}
	text[at] = '\0';
	return text;
}

void ingot_print_sentence(const char *text, size_t n, FILE *stream)
{
	const unsigned char *p = (const unsigned char *)text;

	for (size_t i = 0, length; i < n; i += length) {
		length = printable_length(p + i, n - i);
		if (length == 0 && p[i] != '\'' && p[i] != '\\')
			fprintf(stream, "\\x%02x", p[i]);
		else
			fwrite(p + i, 1, ingot_max(length, 1), stream);
		length = ingot_max(length, 1);
	}
}

/* The length of the first component. */
static size_t component(const char *path)
{
	return strcspn(path, "/");
}

static bool is_literal(const char *pattern, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr("*?[\\", pattern[i]))
			return false;
	return true;
}

static bool match_component(const char *pattern, size_t pn, const char *path, size_t n)
{
	char a[256 * 4], b[256];

	if (is_literal(pattern, pn)) /* nearly all of them */
		return pn == n && memcmp(pattern, path, n) == 0;
	if (pn >= sizeof(a) || n >= sizeof(b))
		return false;
	memcpy(a, pattern, pn);
	a[pn] = '\0';
	memcpy(b, path, n);
	b[n] = '\0';
	return fnmatch(a, b, 0) == 0;
}

/* What comes behind the first component and its '/'. */
static const char *behind(const char *path)
{
	size_t n = component(path);

	return path + n + (path[n] == '/');
}

const char *ingot_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Only the last `**` that was met ever needs to take more, so the time is bounded by the product
 * of the lengths. */
bool ingot_path_match(const char *pattern, const char *path)
{
	const char *after_stars = NULL, *tried = NULL;

	pattern += strspn(pattern, "/");
	while (*path) {
		size_t pn = component(pattern);

		if (pn == 2 && memcmp(pattern, "**", 2) == 0) {
			pattern = behind(pattern);
			if (!*pattern)
				return true;
			after_stars = pattern;
			tried = path;
		} else if (pn > 0 && match_component(pattern, pn, path, component(path))) {
			pattern = behind(pattern);
			path = behind(path);
		} else if (after_stars) {
			pattern = after_stars;
			path = tried = behind(tried);
		} else {
			return false;
		}
	}
	return !*pattern;
}
