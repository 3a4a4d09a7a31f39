/* A Xen domain (xl.cfg(5), xl-disk-configuration(5)). */
#include <errno.h>
#include <string.h>

#include "image/sidecar_internal.h"

/* In a string of xl's. */
static void put_text(FILE *f, const char *text)
{
	for (; *text; text++)
		(void)fprintf(f, strchr("\"\\", *text) ? "\\%c" : "%c", *text);
}

int ingot_sidecar_xl(const struct ingot_vendor_hardware *hardware,
		     const struct ingot_sidecar_machine *machine, char **ret,
		     struct ingot_error *err)
{
	bool qcow2 = strncmp(machine->disk_format, "qcow2", 5) == 0;
	char *text = NULL, uuid[INGOT_GUID_TEXT];
	size_t n;
	FILE *f;
	int rc = ingot_sidecar_check(INGOT_SIDECAR_XL, hardware, err);

	if (rc == 0)
		rc = ingot_sidecar_check_names(machine, err);
	if (rc == 0 && machine->architecture != INGOT_VENDOR_X86_64)
		rc = ingot_raise(err, -EINVAL, "an xl domain with firmware is for x86-64");
	if (rc < 0)
		return rc;
	f = open_memstream(&text, &n);
	if (!f)
		return ingot_raise_oom(err, 0);
	(void)fputs("name = \"", f);
	put_text(f, machine->name);
	(void)fprintf(f, "\"\nuuid = \"%s\"\ntype = \"hvm\"\n",
		      ingot_guid_text(&machine->uuid, uuid));
	if (hardware->firmware == INGOT_FIRMWARE_EFI)
		(void)fputs("firmware = \"ovmf\"\n", f);
	(void)fprintf(f, "memory = %u\nvcpus = %u\n", hardware->memory, hardware->cpus);
	/* Everything behind target= is the path. */
	(void)fprintf(f, "disk = [ \"format=%s, vdev=%s, access=rw, target=/var/lib/xen/images/",
		      qcow2 ? "qcow2" : "raw", strcmp(hardware->disk, "xen") == 0 ? "xvda" : "hda");
	put_text(f, machine->disk);
	(void)fprintf(f, "\" ]\nvif = [ \"%s\" ]\n",
		      strcmp(hardware->network, "xen") == 0 ? "type=vif" : "model=e1000");
	(void)fputs("# xl console shows hvc0, a VNC viewer shows tty0.\n"
		    "vnc = 1\n",
		    f);
	return ingot_sidecar_close(f, &text, ret, err);
}
