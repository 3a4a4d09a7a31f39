/* A VMware machine: lines of KEY = "VALUE". */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "image/sidecar_internal.h"

/* A quote and a bar are written as | and their code. */
static void put_text(FILE *f, const char *key, const char *value)
{
	(void)fprintf(f, "%s = \"", key);
	for (; *value; value++)
		(void)fprintf(f, strchr("\"|", *value) ? "|%02X" : "%c", *value);
	(void)fputs("\"\n", f);
}

static void put_number(FILE *f, const char *key, unsigned value)
{
	(void)fprintf(f, "%s = \"%u\"\n", key, value);
}

/* "vmx-17" is version 17. */
static int version_number(const char *version, unsigned *ret, struct ingot_error *err)
{
	uint64_t number = 13;
	int rc = 0;

	if (version && strncmp(version, "vmx-", 4) != 0)
		return ingot_raise(err, -EINVAL, "hardware version '%.40s' is not vmx-NUMBER",
				   version);
	if (version)
		rc = ingot_parse_u64(version + 4, &number, err);
	if (rc == 0 && (number < 4 || number > 999))
		rc = ingot_raise(err, -EINVAL, "there is no hardware version '%.40s'", version);
	if (rc == 0)
		*ret = (unsigned)number;
	return rc;
}

static void put_disk(FILE *f, const char *kind, const char *file)
{
	static const struct {
		const char *kind, *bus, *device;
	} kinds[] = {
		{"pvscsi", "scsi0", "pvscsi"}, {"lsilogic", "scsi0", "lsilogic"},
		{"nvme", "nvme0", NULL},       {"ahci", "sata0", NULL},
		{"ide", "ide0", NULL},
	};
	size_t i = 0;
	char key[32];

	while (strcmp(kinds[i].kind, kind) != 0) /* ingot_sidecar_check has seen that it ends */
		i++;
	if (strcmp(kinds[i].bus, "ide0") != 0) { /* that one is always there */
		(void)snprintf(key, sizeof(key), "%s.present", kinds[i].bus);
		put_text(f, key, "TRUE");
	}
	if (kinds[i].device) {
		(void)snprintf(key, sizeof(key), "%s.virtualDev", kinds[i].bus);
		put_text(f, key, kinds[i].device);
	}
	(void)snprintf(key, sizeof(key), "%s:0.present", kinds[i].bus);
	put_text(f, key, "TRUE");
	(void)snprintf(key, sizeof(key), "%s:0.fileName", kinds[i].bus);
	put_text(f, key, file);
}

/* Newer devices sit behind these. */
static void put_bridges(FILE *f)
{
	put_text(f, "pciBridge0.present", "TRUE");
	for (unsigned i = 4; i < 8; i++) {
		char key[32];

		(void)snprintf(key, sizeof(key), "pciBridge%u.present", i);
		put_text(f, key, "TRUE");
		(void)snprintf(key, sizeof(key), "pciBridge%u.virtualDev", i);
		put_text(f, key, "pcieRootPort");
		(void)snprintf(key, sizeof(key), "pciBridge%u.functions", i);
		put_text(f, key, "8");
	}
}

int ingot_sidecar_vmx(const struct ingot_vendor_hardware *hardware,
		      const struct ingot_sidecar_machine *machine, char **ret,
		      struct ingot_error *err)
{
	unsigned version = 0;
	char *text = NULL;
	size_t n;
	FILE *f;
	int rc = ingot_sidecar_check(INGOT_SIDECAR_VMX, hardware, err);

	if (rc == 0)
		rc = ingot_sidecar_check_names(machine, err);
	if (rc == 0)
		rc = version_number(hardware->version, &version, err);
	if (rc < 0)
		return rc;
	f = open_memstream(&text, &n);
	if (!f)
		return ingot_raise_oom(err, 0);
	put_text(f, ".encoding", "UTF-8");
	put_text(f, "config.version", "8");
	put_number(f, "virtualHW.version", version);
	put_text(f, "displayName", machine->name);
	put_text(f, "guestOS",
		 hardware->guest_os			       ? hardware->guest_os
		 : machine->architecture == INGOT_VENDOR_ARM64 ? "arm-other5xlinux-64"
							       : "other3xlinux-64");
	put_number(f, "memsize", hardware->memory);
	put_number(f, "numvcpus", hardware->cpus);
	put_text(f, "firmware", ingot_vendor_firmware_name(hardware->firmware));
	if (hardware->firmware == INGOT_FIRMWARE_EFI)
		put_text(f, "uefi.secureBoot.enabled", hardware->secure_boot ? "TRUE" : "FALSE");
	put_bridges(f);
	put_disk(f, hardware->disk, machine->disk);
	put_text(f, "ethernet0.present", "TRUE");
	put_text(f, "ethernet0.virtualDev", hardware->network);
	put_text(f, "ethernet0.connectionType", "nat");
	put_text(f, "ethernet0.addressType", "generated");
	/* Each copy of the machine gets an identity of its own, and nobody is asked. */
	put_text(f, "uuid.action", "create");
	return ingot_sidecar_close(f, &text, ret, err);
}
