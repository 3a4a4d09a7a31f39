#include <errno.h>
#include "tree/tree_internal.h"
int ingot_tree_from_archive(int fd, const char *name, const struct ingot_tree_options *options,
			    struct ingot_tree **ret, struct ingot_error *err)
{
	INGOT_CLOSE int own = fd;

	(void)options;
	(void)ret;
	(void)own;
	return ingot_raise(err, -ENOTSUP, "'%s' is no directory", name);
}
