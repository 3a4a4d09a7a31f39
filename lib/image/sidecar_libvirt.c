/* A libvirt domain (libvirt, "Domain XML format"). */
#include <errno.h>
#include <string.h>

#include "image/sidecar_internal.h"

static const char FOLDER[] = "/var/lib/libvirt/images/";

/* Text inside an element or an attribute in double quotes. */
static void put_xml(FILE *f, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			(void)fputs("&amp;", f);
			break;
		case '<':
			(void)fputs("&lt;", f);
			break;
		case '>':
			(void)fputs("&gt;", f);
			break;
		case '"':
			(void)fputs("&quot;", f);
			break;
		default:
			(void)fputc(*text, f);
		}
	}
}

static void put_os(FILE *f, const struct ingot_vendor_hardware *hardware,
		   enum ingot_vendor_architecture architecture)
{
	bool efi = hardware->firmware == INGOT_FIRMWARE_EFI;
	const char *secure = hardware->secure_boot ? "yes" : "no";

	(void)fprintf(f, "  <os%s>\n", efi ? " firmware=\"efi\"" : "");
	(void)fprintf(f, "    <type arch=\"%s\" machine=\"%s\">hvm</type>\n",
		      architecture == INGOT_VENDOR_ARM64 ? "aarch64" : "x86_64",
		      architecture == INGOT_VENDOR_ARM64 ? "virt" : "q35");
	if (efi && architecture == INGOT_VENDOR_X86_64)
		(void)fprintf(f,
			      "    <firmware>\n"
			      "      <feature enabled=\"%s\" name=\"secure-boot\"/>\n"
			      "      <feature enabled=\"%s\" name=\"enrolled-keys\"/>\n"
			      "    </firmware>\n",
			      secure, secure);
	(void)fprintf(f, "    <boot dev=\"hd\"/>\n  </os>\n");
}

/* The device's name and the bus of each kind of disk; q35 has no IDE, libvirt no NVMe in a file. */
static void put_target(FILE *f, const char *disk)
{
	static const struct {
		const char *disk, *device, *bus, *controller;
	} kinds[] = {
		{"virtio", "vda", "virtio", NULL},
		{"virtio-scsi", "sda", "scsi", "virtio-scsi"},
		{"lsilogic", "sda", "scsi", "lsilogic"},
		{"ahci", "sda", "sata", NULL},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].disk, disk) != 0)
			continue;
		(void)fprintf(f, "      <target dev=\"%s\" bus=\"%s\"/>\n    </disk>\n",
			      kinds[i].device, kinds[i].bus);
		if (kinds[i].controller)
			(void)fprintf(f,
				      "    <controller type=\"scsi\" index=\"0\" model=\"%s\"/>\n",
				      kinds[i].controller);
	}
}

static void put_devices(FILE *f, const struct ingot_vendor_hardware *hardware,
			const struct ingot_sidecar_machine *machine)
{
	bool qcow2 = strncmp(machine->disk_format, "qcow2", 5) == 0;

	(void)fprintf(f,
		      "  <devices>\n"
		      "    <disk type=\"file\" device=\"disk\">\n"
		      "      <driver name=\"qemu\" type=\"%s\"/>\n"
		      "      <source file=\"%s",
		      qcow2 ? "qcow2" : "raw", FOLDER);
	put_xml(f, machine->disk);
	(void)fprintf(f, "\"/>\n");
	put_target(f, hardware->disk);
	(void)fprintf(f,
		      "    <interface type=\"network\">\n"
		      "      <source network=\"default\"/>\n"
		      "      <model type=\"%s\"/>\n"
		      "    </interface>\n"
		      "    <serial type=\"pty\"/>\n"
		      "    <console type=\"pty\"/>\n"
		      "    <graphics type=\"vnc\"/>\n"
		      "    <video>\n"
		      "      <model type=\"virtio\"/>\n"
		      "    </video>\n"
		      "    <rng model=\"virtio\">\n"
		      "      <backend model=\"random\">/dev/urandom</backend>\n"
		      "    </rng>\n"
		      "  </devices>\n",
		      hardware->network);
}

int ingot_sidecar_libvirt(const struct ingot_vendor_hardware *hardware,
			  const struct ingot_sidecar_machine *machine, char **ret,
			  struct ingot_error *err)
{
	char *text = NULL, uuid[INGOT_GUID_TEXT];
	size_t n;
	FILE *f;
	int rc = ingot_sidecar_check(INGOT_SIDECAR_LIBVIRT_XML, hardware, err);

	if (rc == 0)
		rc = ingot_sidecar_check_names(machine, err);
	if (rc < 0)
		return rc;
	/* libvirt takes no '/' in a name: it becomes a file's. */
	if (strchr(machine->name, '/'))
		return ingot_raise(err, -EINVAL, "the machine's name '%.80s' has a / in it",
				   machine->name);
	f = open_memstream(&text, &n);
	if (!f)
		return ingot_raise_oom(err, 0);
	(void)fprintf(f, "<domain type=\"kvm\">\n  <name>");
	put_xml(f, machine->name);
	(void)fprintf(f,
		      "</name>\n"
		      "  <uuid>%s</uuid>\n"
		      "  <memory unit=\"MiB\">%u</memory>\n"
		      "  <vcpu>%u</vcpu>\n",
		      ingot_guid_text(&machine->uuid, uuid), hardware->memory, hardware->cpus);
	put_os(f, hardware, machine->architecture);
	(void)fprintf(f,
		      "  <features>\n    <acpi/>\n%s  </features>\n"
		      "  <cpu mode=\"host-passthrough\"/>\n",
		      hardware->secure_boot && machine->architecture == INGOT_VENDOR_X86_64
			      ? "    <smm state=\"on\"/>\n"
			      : "");
	put_devices(f, hardware, machine);
	(void)fprintf(f, "</domain>\n");
	return ingot_sidecar_close(f, &text, ret, err);
}
