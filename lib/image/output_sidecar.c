#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "image/outputs_internal.h"
#include "image/sidecar.h"

/*
 * Our boot loader is the UKI on the ESP. Where the recipe leaves booting to others, the partitions
 * tell what they may have meant.
 */
static enum ingot_ami_boot boot_of(const struct build *b)
{
	static const char BIOS_BOOT[] = "21686148-6449-6e6f-744e-656564454649";
	bool bios = false;
	char text[INGOT_GUID_TEXT];

	for (size_t i = 0; i < b->gpt->count; i++)
		bios |= strcmp(ingot_guid_text(&b->gpt->partitions[i].type, text), BIOS_BOOT) == 0;
	if (b->recipe->boot || !bios)
		return INGOT_AMI_UEFI;
	return b->esp_place ? INGOT_AMI_UEFI_PREFERRED : INGOT_AMI_LEGACY_BIOS;
}

static int make_ami(const struct vendor_disk *v, enum ingot_vendor_architecture architecture,
		    char **ret, size_t *n, struct ingot_error *err)
{
	const struct ingot_recipe *r = v->build.recipe;
	INGOT_FREE char *name = ingot_format(err, "%s-%s", r->name, r->version);
	struct ingot_ami_import import = {
		.name = name,
		.architecture = architecture,
		.boot = boot_of(&v->build),
		.disk_size = v->placement->disk_size,
		.blocks = &v->blocks,
	};

	return name ? ingot_sidecar_ami(&import, ret, n, err) : -ENOMEM;
}

static int make_machine(const struct vendor_disk *v, const struct output_file *file,
			struct ingot_sidecar_machine *machine, char **ret, struct ingot_error *err)
{
	const struct ingot_vendor_hardware *hardware = &v->wanted->vendor->hardware;
	INGOT_FREE char *label = ingot_format(err, "machine of vendor %s", v->wanted->vendor->name);
	int rc = label ? identity_label(&v->build, label, &machine->uuid, err) : -ENOMEM;

	if (rc < 0)
		return rc;
	switch (file->vendor_output->sidecar) {
	case INGOT_SIDECAR_LIBVIRT_XML:
		return ingot_sidecar_libvirt(hardware, machine, ret, err);
	case INGOT_SIDECAR_VMX:
		return ingot_sidecar_vmx(hardware, machine, ret, err);
	case INGOT_SIDECAR_XL:
		return ingot_sidecar_xl(hardware, machine, ret, err);
	case INGOT_SIDECAR_NONE:
	case INGOT_SIDECAR_AMI_IMPORT:
		break;
	}
	return ingot_raise(err, -EINVAL, "the sidecar describes no machine");
}

static int make_text(const struct vendor_disk *v, const struct output_file *file, char **ret,
		     size_t *n, struct ingot_error *err)
{
	struct ingot_sidecar_machine machine = {.name = v->build.recipe->name,
						.disk = ingot_base_name(file->path),
						.disk_format = file->format};
	int rc;

	if (!ingot_vendor_architecture_find(v->build.recipe->architecture, &machine.architecture))
		return ingot_raise(err, -EINVAL, "no machine has architecture %s",
				   v->build.recipe->architecture);
	if (file->vendor_output->sidecar == INGOT_SIDECAR_AMI_IMPORT)
		return make_ami(v, machine.architecture, ret, n, err);
	rc = make_machine(v, file, &machine, ret, err);
	if (rc == 0)
		*n = strlen(*ret);
	return rc;
}

int output_sidecar_make(const struct vendor_disk *v, struct output_file *file,
			struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	size_t n = 0;
	int rc = make_text(v, file, &text, &n, err);

	if (rc == 0)
		rc = ingot_output_create(file->sidecar_path, &file->sidecar, err);
	if (rc == 0)
		rc = ingot_output_write(file->sidecar, text, n, err);
	return rc < 0 ? ingot_wrap(err, rc, "'%s'", file->sidecar_path) : 0;
}
