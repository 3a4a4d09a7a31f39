/* The files beside an image, whole, and what they cannot say. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "image/sidecar.h"
#include "unit.h"

static const struct ingot_guid UUID = {{0x71, 0x30, 0xc9, 0x4a, 0x21, 0x3a, 0x4e, 0x5a, 0x8e, 0x26,
					0x6c, 0xce, 0x96, 0x62, 0xf1, 0x32}};

static struct ingot_sidecar_machine machine(void)
{
	return (struct ingot_sidecar_machine){
		.name = "demo", .disk = "demo.img", .disk_format = "qcow2", .uuid = UUID};
}

static struct ingot_vendor_hardware hardware(const char *disk, const char *network)
{
	return (struct ingot_vendor_hardware){
		.memory = 2048, .cpus = 2, .os_id = 101, .disk = disk, .network = network};
}

static void assert_contains(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' not in:\n%s", words, text);
}

/* --- libvirt ----------------------------------------------------------- */

static void libvirt(void **state)
{
	struct ingot_vendor_hardware h = hardware("virtio", "virtio");
	struct ingot_sidecar_machine m = machine();
	INGOT_FREE char *text = NULL;
	struct ingot_error err = {0};

	(void)state;
	m.name = "a<b>&\"c\"";
	assert_ok(ingot_sidecar_libvirt(&h, &m, &text, &err));
	assert_string_equal(text, "<domain type=\"kvm\">\n"
				  "  <name>a&lt;b&gt;&amp;&quot;c&quot;</name>\n"
				  "  <uuid>7130c94a-213a-4e5a-8e26-6cce9662f132</uuid>\n"
				  "  <memory unit=\"MiB\">2048</memory>\n"
				  "  <vcpu>2</vcpu>\n"
				  "  <os firmware=\"efi\">\n"
				  "    <type arch=\"x86_64\" machine=\"q35\">hvm</type>\n"
				  "    <firmware>\n"
				  "      <feature enabled=\"no\" name=\"secure-boot\"/>\n"
				  "      <feature enabled=\"no\" name=\"enrolled-keys\"/>\n"
				  "    </firmware>\n"
				  "    <boot dev=\"hd\"/>\n"
				  "  </os>\n"
				  "  <features>\n    <acpi/>\n  </features>\n"
				  "  <cpu mode=\"host-passthrough\"/>\n"
				  "  <devices>\n"
				  "    <disk type=\"file\" device=\"disk\">\n"
				  "      <driver name=\"qemu\" type=\"qcow2\"/>\n"
				  "      <source file=\"/var/lib/libvirt/images/demo.img\"/>\n"
				  "      <target dev=\"vda\" bus=\"virtio\"/>\n"
				  "    </disk>\n"
				  "    <interface type=\"network\">\n"
				  "      <source network=\"default\"/>\n"
				  "      <model type=\"virtio\"/>\n"
				  "    </interface>\n"
				  "    <serial type=\"pty\"/>\n"
				  "    <console type=\"pty\"/>\n"
				  "    <graphics type=\"vnc\"/>\n"
				  "    <video>\n      <model type=\"virtio\"/>\n    </video>\n"
				  "    <rng model=\"virtio\">\n"
				  "      <backend model=\"random\">/dev/urandom</backend>\n"
				  "    </rng>\n"
				  "  </devices>\n"
				  "</domain>\n");
}

static void libvirt_of_other_machines(void **state)
{
	struct ingot_vendor_hardware h = hardware("virtio-scsi", "e1000");
	struct ingot_sidecar_machine m = machine();
	char *text = NULL;
	struct ingot_error err = {0};

	(void)state;
	h.secure_boot = true;
	m.disk_format = "raw";
	assert_ok(ingot_sidecar_libvirt(&h, &m, &text, &err));
	assert_contains(text, "<feature enabled=\"yes\" name=\"secure-boot\"/>");
	assert_contains(text, "<smm state=\"on\"/>");
	assert_contains(text, "type=\"raw\"/>");
	assert_contains(text, "<target dev=\"sda\" bus=\"scsi\"/>\n    </disk>\n"
			      "    <controller type=\"scsi\" index=\"0\" model=\"virtio-scsi\"/>");
	free(text);
	h = hardware("ahci", "virtio");
	h.firmware = INGOT_FIRMWARE_BIOS;
	m.architecture = INGOT_VENDOR_ARM64;
	assert_ok(ingot_sidecar_libvirt(&h, &m, &text, &err));
	assert_contains(text, "  <os>\n    <type arch=\"aarch64\" machine=\"virt\">hvm</type>\n"
			      "    <boot dev=\"hd\"/>\n");
	free(text);
	m.name = "a/b";
	assert_fails(ingot_sidecar_libvirt(&h, &m, &text, &err), -EINVAL, "'a/b' has a / in it");
}

/* --- VMware ------------------------------------------------------------ */

static void vmx(void **state)
{
	struct ingot_vendor_hardware h = hardware("pvscsi", "vmxnet3");
	struct ingot_sidecar_machine m = machine();
	INGOT_FREE char *text = NULL;
	struct ingot_error err = {0};

	(void)state;
	h.version = "vmx-17";
	h.guest_os = "other5xlinux-64";
	m.name = "a\"b|c";
	assert_ok(ingot_sidecar_vmx(&h, &m, &text, &err));
	assert_contains(text, ".encoding = \"UTF-8\"\n"
			      "config.version = \"8\"\n"
			      "virtualHW.version = \"17\"\n"
			      "displayName = \"a|22b|7Cc\"\n"
			      "guestOS = \"other5xlinux-64\"\n"
			      "memsize = \"2048\"\n"
			      "numvcpus = \"2\"\n"
			      "firmware = \"efi\"\n"
			      "uefi.secureBoot.enabled = \"FALSE\"\n"
			      "pciBridge0.present = \"TRUE\"\n");
	assert_contains(text, "scsi0.present = \"TRUE\"\n"
			      "scsi0.virtualDev = \"pvscsi\"\n"
			      "scsi0:0.present = \"TRUE\"\n"
			      "scsi0:0.fileName = \"demo.img\"\n"
			      "ethernet0.present = \"TRUE\"\n"
			      "ethernet0.virtualDev = \"vmxnet3\"\n");
}

static void vmx_of_other_machines(void **state)
{
	static const struct {
		const char *disk, *want;
	} cases[] = {
		{"nvme", "\"8\"\nnvme0.present = \"TRUE\"\nnvme0:0.present = \"TRUE\"\n"},
		{"ahci", "\"8\"\nsata0.present = \"TRUE\"\nsata0:0.present = \"TRUE\"\n"},
		{"ide", "\"8\"\nide0:0.present = \"TRUE\"\nide0:0.fileName = \"demo.img\"\n"},
		{"lsilogic", "scsi0.virtualDev = \"lsilogic\"\n"},
	};
	static const char *const versions[] = {
		"virtualbox-2.2", "vmx-", "vmx-x", "vmx-3", "vmx-1000", "vmx-99999999999999999999"};
	struct ingot_sidecar_machine m = machine();
	char *text = NULL;
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ingot_vendor_hardware h = hardware(cases[i].disk, "e1000");

		assert_ok(ingot_sidecar_vmx(&h, &m, &text, &err));
		assert_contains(text, cases[i].want);
		free(text);
	}
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct ingot_vendor_hardware h = hardware("nvme", "e1000");

		h.version = versions[i];
		assert_int_equal(ingot_sidecar_vmx(&h, &m, &text, &err) < 0, true);
	}
}

/* --- Xen --------------------------------------------------------------- */

static void xl(void **state)
{
	struct ingot_vendor_hardware h = hardware("xen", "xen");
	struct ingot_sidecar_machine m = machine();
	char *text = NULL;
	struct ingot_error err = {0};

	(void)state;
	m.disk_format = "raw";
	m.name = "a\"b\\c";
	assert_ok(ingot_sidecar_xl(&h, &m, &text, &err));
	assert_string_equal(text, "name = \"a\\\"b\\\\c\"\n"
				  "uuid = \"7130c94a-213a-4e5a-8e26-6cce9662f132\"\n"
				  "type = \"hvm\"\n"
				  "firmware = \"ovmf\"\n"
				  "memory = 2048\n"
				  "vcpus = 2\n"
				  "disk = [ \"format=raw, vdev=xvda, access=rw, "
				  "target=/var/lib/xen/images/demo.img\" ]\n"
				  "vif = [ \"type=vif\" ]\n"
				  "# xl console shows hvc0, a VNC viewer shows tty0.\n"
				  "vnc = 1\n");
	free(text);
	h.firmware = INGOT_FIRMWARE_BIOS;
	assert_ok(ingot_sidecar_xl(&h, &m, &text, &err));
	assert_null(strstr(text, "ovmf"));
	free(text);
	m.architecture = INGOT_VENDOR_ARM64;
	assert_fails(ingot_sidecar_xl(&h, &m, &text, &err), -EINVAL, "for x86-64");
}

/* --- what they cannot say ---------------------------------------------- */

typedef int (*make)(const struct ingot_vendor_hardware *, const struct ingot_sidecar_machine *,
		    char **, struct ingot_error *);

static void refusals(void **state)
{
	static const struct {
		make make;
		enum ingot_sidecar sidecar;
		const char *disk, *network, *bad_disk, *bad_network;
	} makers[] = {
		{ingot_sidecar_libvirt, INGOT_SIDECAR_LIBVIRT_XML, "virtio", "virtio", "xen",
		 "xen"},
		{ingot_sidecar_vmx, INGOT_SIDECAR_VMX, "pvscsi", "vmxnet3", "virtio", "virtio"},
		{ingot_sidecar_xl, INGOT_SIDECAR_XL, "xen", "xen", "pvscsi", "vmxnet3"},
	};
	struct ingot_error err = {0};
	char *text = NULL, words[80];

	(void)state;
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		struct ingot_vendor_hardware good = hardware(makers[i].disk, makers[i].network);
		struct ingot_vendor_hardware bad = good;
		struct ingot_sidecar_machine m = machine();
		const char *name = ingot_sidecar_name(makers[i].sidecar);

		bad.disk = makers[i].bad_disk;
		(void)snprintf(words, sizeof(words), "%s has no disk of kind %s", name, bad.disk);
		assert_fails(makers[i].make(&bad, &m, &text, &err), -EINVAL, words);
		bad = good;
		bad.network = makers[i].bad_network;
		(void)snprintf(words, sizeof(words), "%s has no network of kind %s", name,
			       bad.network);
		assert_fails(makers[i].make(&bad, &m, &text, &err), -EINVAL, words);
		m.name = "a\nb";
		assert_fails(makers[i].make(&good, &m, &text, &err), -EINVAL,
			     "the machine's name has a control character in it");
		m = machine();
		m.disk = "";
		assert_fails(makers[i].make(&good, &m, &text, &err), -EINVAL,
			     "the image's file name is empty");
		m.disk = "../x";
		assert_fails(makers[i].make(&good, &m, &text, &err), -EINVAL,
			     "'../x' has a folder in it");
	}
}

/* --- AMI --------------------------------------------------------------- */

static struct ingot_ami_import import(struct ingot_ebs_blocks *blocks)
{
	return (struct ingot_ami_import){.name = "demo-1",
					 .architecture = INGOT_VENDOR_ARM64,
					 .boot = INGOT_AMI_UEFI_PREFERRED,
					 .disk_size = UINT64_C(4) << 30,
					 .blocks = blocks};
}

/* The sums are those of other programs: of nothing, and of the digests one after the other. */
static void ami(void **state)
{
	struct ingot_ebs_block items[2] = {{.index = 0}, {.index = 8191}};
	struct ingot_ebs_blocks blocks = {items, 2, 2};
	struct ingot_ami_import i = import(&blocks);
	INGOT_FREE char *text = NULL;
	struct ingot_error err = {0};
	json_t *o;
	size_t n;

	(void)state;
	assert_ok(ingot_sha256("", 0, items[0].digest, &err));
	memset(items[1].digest, 0xff, sizeof(items[1].digest));
	i.description = "a \"quoted\" text";
	assert_ok(ingot_sidecar_ami(&i, &text, &n, &err));
	assert_int_equal(n, strlen(text));
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	assert_contains(text, "  \"block_size\": 524288,\n"
			      "  \"blocks\": [\n"
			      "    [0, \"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"],\n"
			      "    [8191, \"//////////////////////////////////////////8=\"]\n"
			      "  ]\n}\n");
	assert_contains(text, "\"start_snapshot\": {\"VolumeSize\": 4}");
	assert_contains(text, "\"ChangedBlocksCount\": 2,\n    \"Checksum\": "
			      "\"Rpte9c2K3ONMoHWk5xffFffVd4JRBrEkYNlogCRwALw=\"");
	assert_contains(text, "\"Name\": \"demo-1\",\n"
			      "    \"Description\": \"a \\\"quoted\\\" text\",\n"
			      "    \"Architecture\": \"arm64\",\n"
			      "    \"BootMode\": \"uefi-preferred\",\n");
	assert_contains(text, "\"VolumeSize\": 4,\n");
	json_decref(o);
}

static void ami_without_blocks(void **state)
{
	struct ingot_ebs_blocks blocks = {0};
	struct ingot_ami_import i = import(&blocks);
	INGOT_FREE char *text = NULL;
	struct ingot_error err = {0};
	json_t *o;
	size_t n;

	(void)state;
	assert_ok(ingot_sidecar_ami(&i, &text, &n, &err));
	o = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(o, "blocks")), 0);
	json_decref(o);
}

static void ami_refusals(void **state)
{
	struct ingot_ebs_block items[2] = {{.index = 5}, {.index = 5}};
	struct ingot_ebs_blocks blocks = {items, 2, 2};
	struct ingot_ami_import i = import(&blocks);
	struct ingot_error err = {0};
	char *text = NULL;
	size_t n;

	(void)state;
	assert_fails(ingot_sidecar_ami(&i, &text, &n, &err), -EINVAL, "block 5 is out of order");
	items[1].index = 8192;
	assert_fails(ingot_sidecar_ami(&i, &text, &n, &err), -EINVAL, "block 8192");
	items[1].index = 6;
	i.disk_size += 512;
	assert_fails(ingot_sidecar_ami(&i, &text, &n, &err), -EINVAL, "4294967808 bytes");
	i.disk_size = 0;
	assert_fails(ingot_sidecar_ami(&i, &text, &n, &err), -EINVAL, "whole GiB");
	i.disk_size = UINT64_C(4) << 30;
	i.name = "\xff";
	assert_fails(ingot_sidecar_ami(&i, &text, &n, &err), -EINVAL, "not UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libvirt),	cmocka_unit_test(libvirt_of_other_machines),
		cmocka_unit_test(vmx),		cmocka_unit_test(vmx_of_other_machines),
		cmocka_unit_test(xl),		cmocka_unit_test(refusals),
		cmocka_unit_test(ami),		cmocka_unit_test(ami_without_blocks),
		cmocka_unit_test(ami_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
