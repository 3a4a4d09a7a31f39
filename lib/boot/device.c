#include "boot/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

struct tag {
	const char *prefix, *folder;
	bool lower; /* udev writes these in lower case */
};

static const struct tag TAGS[] = {
	{"PARTUUID=", "/dev/disk/by-partuuid/", true},
	{"PARTLABEL=", "/dev/disk/by-partlabel/", false},
	{"UUID=", "/dev/disk/by-uuid/", false},
	{"LABEL=", "/dev/disk/by-label/", false},
};

static const struct tag *tag_of(const char *device)
{
	for (size_t i = 0; i < sizeof(TAGS) / sizeof(TAGS[0]); i++)
		if (strncmp(device, TAGS[i].prefix, strlen(TAGS[i].prefix)) == 0)
			return &TAGS[i];
	return NULL;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "/dev/" and then components, none of them empty, "." or "..". */
static bool is_device_path(const char *path)
{
	if (strncmp(path, "/dev/", 5) != 0)
		return false;
	for (const char *p = path; (p = strchr(p, '/')); p++) {
		size_t n = strcspn(p + 1, "/");

		if (n == 0 || strncmp(p, "/.", n + 1) == 0 || strncmp(p, "/..", n + 1) == 0)
			return false;
	}
	return true;
}

int ingot_device_check(const char *device, const char *what, struct ingot_error *err)
{
	const struct tag *tag = tag_of(device);
	char shown[128];

	(void)ingot_printable(device, strlen(device), shown, sizeof(shown));
	for (const char *p = device; *p; p++)
		if (!is_alnum(*p) && !strchr("/._:=+@-", *p))
			return ingot_raise(
				err, -EINVAL,
				"%s '%s': only letters, digits and /._:=+@- are possible", what,
				shown);
	if (strlen(device) > 255)
		return ingot_raise(err, -EINVAL, "%s '%s': longer than 255 bytes", what, shown);
	if (tag ? device[strlen(tag->prefix)] == '\0' || strchr(device, '/')
		: !is_device_path(device))
		return ingot_raise(err, -EINVAL,
				   "%s '%s': neither a path below /dev nor PARTUUID=, PARTLABEL=, "
				   "UUID= or LABEL=",
				   what, shown);
	return 0;
}

char *ingot_device_path(const char *device, struct ingot_error *err)
{
	const struct tag *tag = tag_of(device);
	char *path;

	if (!tag)
		return ingot_strdup(device, err);
	path = ingot_format(err, "%s%s", tag->folder, device + strlen(tag->prefix));
	for (char *p = path ? path + strlen(tag->folder) : NULL; p && tag->lower && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return path;
}

char *ingot_unit_name(const char *path, const char *suffix, struct ingot_error *err)
{
	char *name = ingot_alloc(4, strlen(path) + strlen(suffix) + 1, err);
	char *to = name;

	if (!name)
		return NULL;
	for (const char *p = path + 1; *p; p++) { /* without the first '/' */
		if (*p == '/')
			*to++ = '-';
		else if (is_alnum(*p) || *p == ':' || *p == '_' || (*p == '.' && p != path + 1))
			*to++ = *p;
		else
			to += sprintf(to, "\\x%02x", (unsigned)(unsigned char)*p);
	}
	strcpy(to, suffix);
	return name;
}
