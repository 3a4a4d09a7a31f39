#include "io/unnamed_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/tempname_internal.h"

bool ingot_unnamed_unknown(int errnum)
{
	return errnum == EOPNOTSUPP || errnum == EISDIR || errnum == EINVAL;
}

/* A file whose name is gone before anyone can see it, signals included. */
static int open_unlinked(const char *folder, int *ret_fd, struct ingot_error *err)
{
	INGOT_FREE char *name = ingot_format(err, "%s/ingot.XXXXXX", folder);
	sigset_t old;
	int rc;

	if (!name)
		return -ENOMEM;
	ingot_tempnames_lock(&old);
	*ret_fd = mkostemp(name, O_CLOEXEC);
	rc = *ret_fd < 0 || unlink(name) < 0 ? -errno : 0;
	ingot_tempnames_unlock(&old);
	if (rc < 0)
		return ingot_raise_errno(err, -rc, "create a temporary file in '%s'", folder);
	return 0;
}

int ingot_unnamed_open(const char *folder, int *ret_fd, struct ingot_error *err)
{
	*ret_fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (*ret_fd >= 0)
		return 0;
	if (ingot_unnamed_unknown(errno))
		return open_unlinked(folder, ret_fd, err);
	return ingot_raise_errno(err, errno, "create a temporary file in '%s'", folder);
}
