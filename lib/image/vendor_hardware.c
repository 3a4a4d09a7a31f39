/* The machine that a vendor's files describe. */
#include "image/sidecar.h"
#include "image/vendor_internal.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void read_number(struct ingot_yaml_node node, unsigned max, unsigned *ret)
{
	uint64_t value;

	if (!ingot_yaml_u64(node, &value))
		return;
	if (value < 1 || value > max)
		ingot_yaml_problem(node, "this is 1 to %u", max);
	else
		*ret = (unsigned)value;
}

static void read_choice(struct ingot_yaml_node node, const char *const *names, size_t count,
			const char **ret)
{
	int i = ingot_yaml_choice(node, names, count);

	if (i >= 0)
		*ret = names[i];
}

/* What is written beside a file must be able to say it. */
static void check_sidecars(const struct ingot_vendor *vendor, struct ingot_yaml_node node)
{
	struct ingot_error why;

	for (size_t i = 0; i < vendor->output_count; i++)
		if (ingot_sidecar_check(vendor->outputs[i].sidecar, &vendor->hardware, &why) < 0)
			ingot_yaml_problem(node, "%s", why.text);
}

void ingot_vendor_read_hardware(struct ingot_vendor_reader *reader, struct ingot_yaml_node root,
				struct ingot_yaml_node node)
{
	static const char *const firmwares[] = {"efi", "bios"};
	static const char *const disks[] = {"virtio", "virtio-scsi", "nvme",   "ahci",
					    "ide",    "lsilogic",    "pvscsi", "xen"};
	static const char *const networks[] = {"virtio", "e1000", "vmxnet3", "xen"};
	struct ingot_vendor_hardware *h = &reader->vendor->hardware;
	struct ingot_yaml_node secure;
	struct ingot_yaml_map map;

	*h = (struct ingot_vendor_hardware){
		.memory = 2048, .cpus = 2, .os_id = 101, .disk = disks[0], .network = networks[0]};
	if (!ingot_yaml_is_given(node)) {
		check_sidecars(reader->vendor, root);
		return;
	}
	if (!ingot_yaml_open(node, "hardware", &map))
		return;
	reader->vendor->has_hardware = true;
	h->version = ingot_vendor_word(reader, ingot_yaml_get(&map, "version", false));
	read_number(ingot_yaml_get(&map, "memory", false), 1 << 24, &h->memory);
	read_number(ingot_yaml_get(&map, "cpus", false), 1024, &h->cpus);
	if (ingot_yaml_choice(ingot_yaml_get(&map, "firmware", false), firmwares, 2) == 1)
		h->firmware = INGOT_FIRMWARE_BIOS;
	secure = ingot_yaml_get(&map, "secure-boot", false);
	(void)ingot_yaml_bool(secure, &h->secure_boot);
	if (h->secure_boot && h->firmware == INGOT_FIRMWARE_BIOS)
		ingot_yaml_problem(secure, "secure-boot needs firmware: efi");
	read_number(ingot_yaml_get(&map, "os-id", false), 65535, &h->os_id);
	h->os_type = ingot_vendor_word(reader, ingot_yaml_get(&map, "os-type", false));
	h->guest_os = ingot_vendor_word(reader, ingot_yaml_get(&map, "guest-os", false));
	read_choice(ingot_yaml_get(&map, "disk", false), disks, COUNT(disks), &h->disk);
	read_choice(ingot_yaml_get(&map, "network", false), networks, COUNT(networks), &h->network);
	ingot_yaml_close(&map);
	check_sidecars(reader->vendor, node);
}
