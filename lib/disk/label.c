#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "disk/layout.h"

struct label {
	const char *text; /* as in the layout */
	const char *name, *version;
};

/* Room for the label, whatever its placeholders are; with the zero at its end. */
static size_t most_bytes(const struct label *label)
{
	size_t name = label->name ? strlen(label->name) : 0;
	size_t version = label->version ? strlen(label->version) : 0;
	size_t n = strlen(label->text) + 1;

	for (const char *p = label->text; *p; p++)
		if (*p == '{')
			n += name > version ? name : version;
	return n;
}

/* Appends the value of the placeholder at *p and steps over it. */
static int put_placeholder(const struct label *label, const char **p, char **to,
			   struct ingot_error *err)
{
	static const char name[] = "{name}", version[] = "{version}";
	bool is_name = strncmp(*p, name, strlen(name)) == 0;
	const char *value = is_name ? label->name : label->version;

	if (!is_name && strncmp(*p, version, strlen(version)) != 0)
		return ingot_raise(err, -EINVAL,
				   "label '%.80s': only {name} and {version} stand in braces",
				   label->text);
	if (!value)
		return ingot_raise(err, -EINVAL, "label '%.80s' wants the image's %s", label->text,
				   is_name ? "name" : "version");
	*to = stpcpy(*to, value);
	*p += is_name ? strlen(name) : strlen(version);
	return 0;
}

/* Into most_bytes of zeros. */
static int expand(const struct label *label, char *to, struct ingot_error *err)
{
	const char *p = label->text;
	int rc = 0;

	while (*p && rc == 0) {
		if (*p == '{')
			rc = put_placeholder(label, &p, &to, err);
		else
			*to++ = *p++;
	}
	return rc;
}

static int check(const char *text, struct ingot_error *err)
{
	size_t units = 0, left = strlen(text), len;

	for (const char *p = text; left > 0; p += len, left -= len) {
		uint32_t point;

		len = ingot_utf8_decode(p, left, &point);
		if (len == 0)
			return ingot_raise(err, -EINVAL, "label '%.120s' is not UTF-8", text);
		if (ingot_is_control(point))
			return ingot_raise(err, -EINVAL,
					   "label '%.120s' has a character that a partition's "
					   "name cannot have, U+%04X",
					   text, (unsigned)point);
		units += point > 0xffff ? 2 : 1;
	}
	if (units > INGOT_LAYOUT_LABEL_UNITS)
		return ingot_raise(err, -EINVAL,
				   "label '%.120s' is %zu UTF-16 units long, a partition's name "
				   "has room for %d",
				   text, units, INGOT_LAYOUT_LABEL_UNITS);
	return 0;
}

int ingot_layout_expand_label(const char *label, const char *name, const char *version, char **ret,
			      struct ingot_error *err)
{
	const struct label parts = {label ? label : "", name, version};
	INGOT_FREE char *text = ingot_alloc(most_bytes(&parts), 1, err);
	int rc;

	if (!text)
		return -ENOMEM;
	rc = expand(&parts, text, err);
	if (rc == 0)
		rc = check(text, err);
	if (rc < 0)
		return rc;
	*ret = INGOT_TAKE(text);
	return 0;
}
