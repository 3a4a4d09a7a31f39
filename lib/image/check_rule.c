#include "image/check_rule.h"

#include <string.h>

static const struct ingot_check_kind KINDS[INGOT_CHECK_COUNT] = {
	[INGOT_CHECK_FORMAT_IS] = {"format-is", INGOT_CHECK_PLAIN, NULL, false},
	[INGOT_CHECK_VIRTUAL_SIZE_MULTIPLE] = {"virtual-size-multiple", INGOT_CHECK_WANTS_SIZE,
					       "of", true},
	[INGOT_CHECK_MAX_VIRTUAL_SIZE] = {"max-virtual-size", INGOT_CHECK_WANTS_SIZE, "size", true},
	[INGOT_CHECK_MIN_VIRTUAL_SIZE] = {"min-virtual-size", INGOT_CHECK_WANTS_SIZE, "size", true},
	[INGOT_CHECK_QCOW2_HEADER] = {"qcow2-header", INGOT_CHECK_PLAIN, NULL, true},
	[INGOT_CHECK_VHD_FIXED_FOOTER] = {"vhd-fixed-footer", INGOT_CHECK_PLAIN, NULL, true},
	[INGOT_CHECK_VHD_DYNAMIC] = {"vhd-dynamic", INGOT_CHECK_PLAIN, NULL, true},
	[INGOT_CHECK_VHDX_CHECKSUMS] = {"vhdx-checksums", INGOT_CHECK_PLAIN, NULL, true},
	[INGOT_CHECK_VDI_HEADER] = {"vdi-header", INGOT_CHECK_PLAIN, NULL, true},
	[INGOT_CHECK_VMDK_SPARSE] = {"vmdk-sparse", INGOT_CHECK_PLAIN, NULL, true},
	[INGOT_CHECK_ESXI_STREAM_OPTIMIZED] = {"esxi-stream-optimized", INGOT_CHECK_PLAIN, NULL,
					       true},
	[INGOT_CHECK_GCE_TAR] = {"gce-tar", INGOT_CHECK_PLAIN, NULL, true},
	[INGOT_CHECK_OVF] = {"ovf", INGOT_CHECK_PLAIN, NULL, true},
	[INGOT_CHECK_GPT] = {"gpt", INGOT_CHECK_PLAIN, NULL, true},
	[INGOT_CHECK_BOOT_PATH] = {"boot-path", INGOT_CHECK_WANTS_FIRMWARE, "firmware", true},
	[INGOT_CHECK_CONSOLES] = {"consoles", INGOT_CHECK_PLAIN, NULL, true},
	[INGOT_CHECK_READABLE] = {"readable", INGOT_CHECK_PLAIN, NULL, false},
};

const struct ingot_check_kind *ingot_check_kind(enum ingot_check check)
{
	return &KINDS[check];
}

enum ingot_check ingot_check_find(const char *name)
{
	unsigned i = 0;

	while (i < INGOT_CHECK_COUNT && strcmp(KINDS[i].name, name) != 0)
		i++;
	return (enum ingot_check)i;
}
