/* xattr(7) of a name in a folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/text.h"
#include "tree/tree_internal.h"

/* linux/limits.h: XATTR_LIST_MAX and XATTR_SIZE_MAX. */
enum { LIST_MAX = 65536, VALUE_MAX = 65536 };

/* One way to the attributes: by path, or by descriptor where fd >= 0. */
struct way {
	int fd;
	char path[sizeof("/proc/self/fd/") + 11 + INGOT_NAME_MAX + 1];
};

static ssize_t list_names(const struct way *way, char *names, size_t size)
{
	return way->fd >= 0 ? flistxattr(way->fd, names, size) : llistxattr(way->path, names, size);
}

static ssize_t get_value(const struct way *way, const char *name, void *value, size_t size)
{
	return way->fd >= 0 ? fgetxattr(way->fd, name, value, size)
			    : lgetxattr(way->path, name, value, size);
}

static int add_value(struct xattr_list *list, const struct way *way, const char *name,
		     struct ingot_error *err)
{
	char small[256], text[INGOT_NAME_MAX + 1];
	INGOT_FREE char *large = NULL;
	char *value = small;
	ssize_t n = get_value(way, name, small, sizeof(small));

	if (n < 0 && errno == ERANGE) {
		value = large = ingot_alloc(1, VALUE_MAX, err);
		if (!large)
			return -ENOMEM;
		n = get_value(way, name, large, VALUE_MAX);
	}
	if (n < 0 && errno == ENODATA) /* listed, but not for this process (trusted.*) */
		return 0;
	if (n < 0)
		return ingot_raise_errno(err, errno, "read the attribute '%s'",
					 ingot_printable(name, strlen(name), text, sizeof(text)));
	return ingot_xattr_list_add(list, name, value, (size_t)n, err);
}

static int read_all(struct xattr_list *list, const struct way *way, struct ingot_error *err)
{
	char small[1024];
	INGOT_FREE char *large = NULL;
	char *names = small;
	ssize_t n = list_names(way, small, sizeof(small));

	if (n < 0 && errno == ERANGE) {
		names = large = ingot_alloc(1, LIST_MAX, err);
		if (!large)
			return -ENOMEM;
		n = list_names(way, large, LIST_MAX);
	}
	if (n < 0 && errno == EOPNOTSUPP)
		return 0;
	if (n < 0)
		return ingot_raise_errno(err, errno, "list the attributes");
	for (const char *p = names; p < names + n; p += strlen(p) + 1) {
		int rc = ingot_xattr_is_wanted(p) ? add_value(list, way, p, err) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_xattr_list_read(struct xattr_list *list, int folder, const char *name, uint32_t mode,
			  bool proc, struct ingot_error *err)
{
	INGOT_CLOSE int fd = -1;
	struct way way = {.fd = -1};

	if (proc) {
		(void)snprintf(way.path, sizeof(way.path), "/proc/self/fd/%d/%s", folder, name);
		return read_all(list, &way, err);
	}
	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return 0;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return ingot_raise_errno(err, errno, "open for its attributes");
	way.fd = fd;
	return read_all(list, &way, err);
}
