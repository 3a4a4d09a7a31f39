#include "boot/initrd_read.h"

#include <errno.h>
#include <string.h>

/*
 * newc (kernel, Documentation/driver-api/early-userspace/buffer-format.rst): a header of 110
 * characters, "070701" and thirteen numbers of eight hex digits, then name and data, each
 * padded to 4. The archive is found from its end: the last place at a multiple of 4 from which
 * a whole archive can be read.
 */

enum { HEAD = 110, FIELD_SIZE = 6, FIELD_NAME = 11 };

struct member {
	const char *name;
	const char *data;
	size_t size;
};

static bool field(const char *head, int index, uint32_t *ret)
{
	const char *p = head + 6 + 8 * index;
	uint32_t v = 0;

	for (int i = 0; i < 8; i++) {
		char c = p[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
							: 16;

		if (digit > 15)
			return false;
		v = v << 4 | digit;
	}
	*ret = v;
	return true;
}

static size_t pad4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* The member at `at`, which moves behind it; false: there is none. */
static bool next_member(const char *data, size_t size, size_t *at, struct member *ret)
{
	uint32_t name_size, data_size;
	size_t name = *at + HEAD, content;

	if (size < HEAD || *at > size - HEAD || memcmp(data + *at, "070701", 6) != 0 ||
	    !field(data + *at, FIELD_SIZE, &data_size) ||
	    !field(data + *at, FIELD_NAME, &name_size))
		return false;
	if (name_size == 0 || name_size > size - name || data[name + name_size - 1] != '\0')
		return false;
	content = pad4(name + name_size);
	if (content > size || data_size > size - content)
		return false;
	*ret = (struct member){data + name, data + content, data_size};
	*at = pad4(content + data_size);
	return true;
}

static bool is_trailer(const struct member *m)
{
	return strcmp(m->name, "TRAILER!!!") == 0;
}

/* Whether a whole archive starts here; *found: the file, if it is in it. */
static bool read_archive(const char *data, size_t size, size_t at, const char *path,
			 struct member *found)
{
	struct member m;

	*found = (struct member){0};
	while (next_member(data, size, &at, &m)) {
		if (is_trailer(&m))
			return true;
		if (strcmp(m.name, path) == 0)
			*found = m;
	}
	return false;
}

/* From the end backwards, as long as each place starts a whole archive: an archive's members
 * all do, so its first one is the place before which the chain breaks or the file was found. */
static bool search(const char *data, size_t size, size_t phase, const char *path,
		   struct member *found)
{
	for (size_t at = size; at-- > 0;)
		if ((at + phase) % 4 == 0 && size - at >= HEAD && data[at] == '0' &&
		    memcmp(data + at, "070701", 6) == 0 &&
		    read_archive(data + at, size - at, 0, path, found) && found->name)
			return true;
	return false;
}

int ingot_initrd_find(struct ingot_source *initrd, const char *path, char **ret, size_t *ret_size,
		      struct ingot_error *err)
{
	size_t n = (size_t)ingot_min(initrd->size, INGOT_SEGMENT_MAX);
	INGOT_FREE char *data = ingot_alloc(1, n + 1, err);
	struct member found;
	char *copy;
	int rc;

	if (!data)
		return -ENOMEM;
	rc = ingot_source_read(initrd, initrd->size - n, data, n, err);
	if (rc < 0)
		return rc;
	if (!search(data, n, (size_t)(initrd->size - n) % 4, path, &found))
		return ingot_raise(err, -ENODATA, "'%s' has no '%s' in its last archive",
				   initrd->name, path);
	copy = ingot_alloc(1, found.size + 1, err);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, found.data, found.size);
	*ret = copy;
	*ret_size = found.size;
	return 0;
}
