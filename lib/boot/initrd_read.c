#include "boot/initrd_read.h"

#include <errno.h>
#include <string.h>

/*
 * newc (kernel, Documentation/driver-api/early-userspace/buffer-format.rst): a header of 110
 * characters, "070701" and thirteen numbers of eight hex digits, then name and data, each
 * padded to 4. The archive is found from its end: its members are the places from which one
 * leads to the next and the last to a trailer with nothing but zeros behind it.
 */

enum { HEAD = 110, FIELD_SIZE = 6, FIELD_NAME = 11 };

struct member {
	const char *name;
	const char *data;
	size_t size;
	size_t next; /* where the next one starts */
};

static bool field(const char *head, int index, uint32_t *ret)
{
	const char *p = head + 6 + 8 * index;
	uint32_t v = 0;

	for (int i = 0; i < 8; i++) {
		char c = p[i];
		unsigned digit = c >= '0' && c <= '9'	? (unsigned)(c - '0')
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

/* The member at `at`, and what is behind it; false: there is none. */
static bool read_member(const char *data, size_t size, size_t at, struct member *ret)
{
	uint32_t name_size, data_size;
	size_t name = at + HEAD, content;

	if (!ingot_in_range(at, HEAD, size) || memcmp(data + at, "070701", 6) != 0 ||
	    !field(data + at, FIELD_SIZE, &data_size) || !field(data + at, FIELD_NAME, &name_size))
		return false;
	if (name_size == 0 || name_size > size - name || data[name + name_size - 1] != '\0')
		return false;
	content = pad4(name + name_size);
	if (content > size || data_size > size - content)
		return false;
	*ret = (struct member){data + name, data + content, data_size, pad4(content + data_size)};
	return true;
}

static bool is_trailer(const struct member *m)
{
	return strcmp(m->name, "TRAILER!!!") == 0;
}

/* Where the bytes that are not zero end. */
static size_t text_end(const char *data, size_t size)
{
	while (size > 0 && data[size - 1] == '\0')
		size--;
	return size;
}

/* The last member with that path. From the end backwards, so that each place is looked at once. */
static bool search(const char *data, size_t size, const char *path, bool *leads_to_end,
		   struct member *ret)
{
	size_t end = text_end(data, size);

	for (size_t i = size / 4 + 1; i-- > 0;) {
		if (!read_member(data, size, 4 * i, ret))
			continue;
		if (is_trailer(ret))
			leads_to_end[i] = ret->next >= end;
		else if (ret->next < size)
			leads_to_end[i] = leads_to_end[ret->next / 4];
		if (leads_to_end[i] && strcmp(ret->name, path) == 0)
			return true;
	}
	return false;
}

int ingot_initrd_find(struct ingot_source *initrd, const char *path, char **ret, size_t *ret_size,
		      struct ingot_error *err)
{
	/* Members start at multiples of 4, counted from the start of the whole. */
	uint64_t from = initrd->size > INGOT_SEGMENT_MAX
				? ingot_round_up(initrd->size - INGOT_SEGMENT_MAX, 4)
				: 0;
	size_t n = (size_t)(initrd->size - from);
	INGOT_FREE char *data = ingot_alloc(1, n + 1, err);
	INGOT_FREE bool *leads_to_end = ingot_alloc(n / 4 + 1, sizeof(bool), err);
	struct member found;
	char *copy;
	int rc;

	if (!data || !leads_to_end)
		return -ENOMEM;
	rc = ingot_source_read(initrd, from, data, n, err);
	if (rc < 0)
		return rc;
	if (!search(data, n, path, leads_to_end, &found))
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
