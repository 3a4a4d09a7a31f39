#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "image/sidecar_internal.h"

static int check_name(const char *what, const char *name, struct ingot_error *err)
{
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return ingot_raise(err, -EINVAL, "the %s has a control character in it",
					   what);
	if (!*name)
		return ingot_raise(err, -EINVAL, "the %s is empty", what);
	return 0;
}

int ingot_sidecar_check_names(const struct ingot_sidecar_machine *machine, struct ingot_error *err)
{
	int rc = check_name("machine's name", machine->name, err);

	if (rc == 0)
		rc = check_name("image's file name", machine->disk, err);
	if (rc == 0 && strchr(machine->disk, '/'))
		rc = ingot_raise(err, -EINVAL, "the image's file name '%.80s' has a folder in it",
				 machine->disk);
	return rc;
}

int ingot_sidecar_close(FILE *f, char **text, char **ret, struct ingot_error *err)
{
	bool failed = ferror(f);

	if (fclose(f) != 0 || failed) {
		free(*text);
		return ingot_raise_oom(err, 0);
	}
	*ret = *text;
	return 0;
}

static bool is_one_of(const char *word, const char *const *list)
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list;
}

int ingot_sidecar_check(enum ingot_sidecar sidecar, const struct ingot_vendor_hardware *hardware,
			struct ingot_error *err)
{
	static const struct {
		const char *disks[8], *networks[4];
	} can[] = {
		[INGOT_SIDECAR_LIBVIRT_XML] = {{"virtio", "virtio-scsi", "ahci", "lsilogic", NULL},
					       {"virtio", "e1000", "vmxnet3", NULL}},
		[INGOT_SIDECAR_VMX] = {{"pvscsi", "lsilogic", "nvme", "ahci", "ide", NULL},
				       {"vmxnet3", "e1000", NULL}},
		[INGOT_SIDECAR_XL] = {{"xen", "ahci", "ide", NULL}, {"xen", "e1000", NULL}},
	};

	if (sidecar == INGOT_SIDECAR_NONE || sidecar == INGOT_SIDECAR_AMI_IMPORT)
		return 0;
	if (!is_one_of(hardware->disk, can[sidecar].disks))
		return ingot_raise(err, -EINVAL, "%s has no disk of kind %s",
				   ingot_sidecar_name(sidecar), hardware->disk);
	if (!is_one_of(hardware->network, can[sidecar].networks))
		return ingot_raise(err, -EINVAL, "%s has no network of kind %s",
				   ingot_sidecar_name(sidecar), hardware->network);
	return 0;
}
