#include <errno.h>
#include <fcntl.h>

#include "tree/folders_internal.h"
#include "tree/tree_internal.h"

int ingot_open_quietly(int folder, const char *name, int flags)
{
	int fd;

	flags |= O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	fd = openat(folder, name, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM) /* somebody else's file */
		fd = openat(folder, name, flags);
	return fd;
}

void ingot_folders_done(struct open_folders *folders)
{
	for (size_t i = 0; i < FOLDERS_KEPT; i++)
		if (folders->kept[i].node)
			(void)close(folders->kept[i].fd);
	free(folders->way);
	*folders = (struct open_folders){.root = -1};
}

static size_t depth_of(const struct ingot_node *folder)
{
	size_t depth = 0;

	for (; folder->parent; folder = folder->parent)
		depth++;
	return depth;
}

static void keep(struct kept_folder *place, const struct ingot_node *node, int fd)
{
	if (place->node)
		(void)close(place->fd);
	*place = (struct kept_folder){node, fd};
}

int ingot_folders_open(struct open_folders *folders, const struct ingot_node *folder, int *ret,
		       struct ingot_error *err)
{
	size_t depth = depth_of(folder), count = 0;
	char text[TREE_PATH_TEXT];
	int fd, rc;

	rc = ingot_grow((void **)&folders->way, &folders->way_room, depth + 1,
			sizeof(*folders->way), err);
	if (rc < 0)
		return rc;
	for (; folder->parent; folder = folder->parent, depth--) {
		if (folders->kept[depth % FOLDERS_KEPT].node == folder)
			break;
		folders->way[count++] = folder;
	}
	fd = folder->parent ? folders->kept[depth % FOLDERS_KEPT].fd : folders->root;
	while (count > 0) {
		folder = folders->way[--count];
		fd = ingot_open_quietly(fd, folder->name, O_DIRECTORY);
		if (fd < 0)
			return ingot_raise_errno(err, errno, "open '%s'",
						 ingot_node_path(folder, text, sizeof(text)));
		keep(&folders->kept[++depth % FOLDERS_KEPT], folder, fd);
	}
	*ret = fd;
	return 0;
}
