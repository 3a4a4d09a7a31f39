#include "formats/ovf_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/xml_internal.h"

#define RASD	 "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
#define VSSD	 "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
#define VMDK_URI "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"

enum { NUMBER = 24 }; /* characters of one */

/* CIM_ResourceAllocationSettingData.ResourceType */
enum { IS_CPU = 3, IS_MEMORY = 4, IS_IDE = 5, IS_SCSI = 6, IS_NETWORK = 10, IS_DISK = 17 };
enum { IS_STORAGE = 20 };

/* A device, and what it is called in either dialect; NULL: it has no subtype there. */
struct device {
	const char *name;
	unsigned type;
	const char *vmware, *virtualbox;
	const char *controller; /* of VirtualBox's own configuration */
};

/* The first of each list is taken for what is not in it. */
static const struct device DISKS[] = {
	{"lsilogic", IS_SCSI, "lsilogic", "lsilogic", "LsiLogic"},
	{"pvscsi", IS_SCSI, "VirtualSCSI", "lsilogic", "LsiLogic"},
	{"ahci", IS_STORAGE, "vmware.sata.ahci", "AHCI", "AHCI"},
	{"ide", IS_IDE, NULL, "PIIX4", "PIIX4"},
	{"nvme", IS_STORAGE, "vmware.nvme.controller", "AHCI", "AHCI"},
};
static const struct device NETWORKS[] = {
	{"e1000", IS_NETWORK, "E1000", "E1000", "82540EM"},
	{"vmxnet3", IS_NETWORK, "VmxNet3", "E1000", "82540EM"},
	{"virtio", IS_NETWORK, "VmxNet3", "virtio", "virtio"},
};

#define FIND(list, name) find(list, sizeof(list) / sizeof((list)[0]), name)

static const struct device *find(const struct device *list, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return &list[0];
}

bool ingot_ovf_is_virtualbox(const struct ingot_format_options *machine)
{
	return machine->hardware_version &&
	       strncmp(machine->hardware_version, "virtualbox", 10) == 0;
}

static const char *number(uint64_t value, char text[NUMBER])
{
	(void)snprintf(text, NUMBER, "%llu", (unsigned long long)value);
	return text;
}

/* What a machine is without being told, in either dialect. */
struct machine {
	const struct ingot_format_options *given;
	bool virtualbox;
	const char *name, *version, *os_type;
	unsigned memory, cpus, os_id;
	const struct device *disk, *network;
};

static struct machine machine_of(const struct ingot_format_options *given)
{
	bool virtualbox = ingot_ovf_is_virtualbox(given);
	const char *disk = given->disk ? given->disk : virtualbox ? "ahci" : "pvscsi";
	const char *network = given->network ? given->network : virtualbox ? "e1000" : "vmxnet3";

	return (struct machine){
		.given = given,
		.virtualbox = virtualbox,
		.name = given->name ? given->name : "disk",
		.version = given->hardware_version ? given->hardware_version : "vmx-13",
		.os_type = given->os_type ? given->os_type
			   : virtualbox	  ? "Linux_64"
					  : "other3xLinux64Guest",
		.memory = given->memory ? given->memory : 2048,
		.cpus = given->cpus ? given->cpus : 2,
		.os_id = given->os_id ? given->os_id : 101,
		.disk = FIND(DISKS, disk),
		.network = FIND(NETWORKS, network),
	};
}

/* --- what comes before the machine ------------------------------------- */

static void add_disk_section(struct xml *x, const struct ingot_ovf *ovf, const struct machine *m)
{
	char size[NUMBER], capacity[NUMBER], uuid[INGOT_GUID_TEXT];

	xml_open(x, "References", NULL);
	xml_empty(x, "File",
		  XML_WITH({"ovf:href", ovf->disk_file}, {"ovf:id", "file1"},
			   {"ovf:size", number(ovf->file_size, size)}));
	xml_close(x, "References");
	xml_open(x, "DiskSection", NULL);
	xml_text(x, "Info", "The disk");
	xml_empty(x, "Disk",
		  XML_WITH({"ovf:capacity", number(ovf->capacity, capacity)},
			   {"ovf:capacityAllocationUnits", "byte"}, {"ovf:diskId", "vmdisk1"},
			   {"ovf:fileRef", "file1"}, {"ovf:format", VMDK_URI},
			   {"ovf:populatedSize", number(ovf->file_size, size)},
			   {"vbox:uuid",
			    m->virtualbox ? ingot_guid_text(&ovf->disk_id, uuid) : NULL}));
	xml_close(x, "DiskSection");
}

static const char *network_name(const struct machine *m)
{
	return m->virtualbox ? "NAT" : "VM Network";
}

static void add_network_section(struct xml *x, const struct machine *m)
{
	xml_open(x, "NetworkSection", NULL);
	xml_text(x, "Info", "The network");
	xml_open(x, "Network", XML_WITH({"ovf:name", network_name(m)}));
	xml_text(x, "Description", "The machine's network");
	xml_close(x, "Network");
	xml_close(x, "NetworkSection");
}

/* --- the machine ------------------------------------------------------- */

static void add_operating_system(struct xml *x, const struct machine *m)
{
	char id[NUMBER];

	xml_open(x, "OperatingSystemSection",
		 XML_WITH({"ovf:id", number(m->os_id, id)},
			  {"vmw:osType", m->virtualbox ? NULL : m->os_type}));
	xml_text(x, "Info", "The operating system");
	if (m->virtualbox)
		xml_text(x, "vbox:OSType", m->os_type);
	xml_close(x, "OperatingSystemSection");
}

static void add_system(struct xml *x, const struct machine *m)
{
	xml_open(x, "System", NULL);
	xml_text(x, "vssd:ElementName", "Virtual Hardware Family");
	xml_text(x, "vssd:InstanceID", "0");
	xml_text(x, "vssd:VirtualSystemIdentifier", m->name);
	xml_text(x, "vssd:VirtualSystemType", m->version);
	xml_close(x, "System");
}

/* Items have their elements in the order of their names. */
static void add_amount(struct xml *x, unsigned instance, unsigned type, const char *units,
		       const char *name, unsigned quantity)
{
	char text[NUMBER];

	xml_open(x, "Item", NULL);
	xml_text(x, "rasd:AllocationUnits", units);
	xml_text(x, "rasd:ElementName", name);
	xml_text(x, "rasd:InstanceID", number(instance, text));
	xml_text(x, "rasd:ResourceType", number(type, text));
	xml_text(x, "rasd:VirtualQuantity", number(quantity, text));
	xml_close(x, "Item");
}

static void add_subtype(struct xml *x, const struct machine *m, const struct device *device)
{
	const char *subtype = m->virtualbox ? device->virtualbox : device->vmware;

	if (subtype)
		xml_text(x, "rasd:ResourceSubType", subtype);
}

static void add_disk(struct xml *x, const struct machine *m)
{
	char text[NUMBER];

	xml_open(x, "Item", NULL);
	xml_text(x, "rasd:Address", "0");
	xml_text(x, "rasd:ElementName", "Disk controller");
	xml_text(x, "rasd:InstanceID", "3");
	add_subtype(x, m, m->disk);
	xml_text(x, "rasd:ResourceType", number(m->disk->type, text));
	xml_close(x, "Item");
	xml_open(x, "Item", NULL);
	xml_text(x, "rasd:AddressOnParent", "0");
	xml_text(x, "rasd:ElementName", "Disk");
	xml_text(x, "rasd:HostResource", "ovf:/disk/vmdisk1");
	xml_text(x, "rasd:InstanceID", "4");
	xml_text(x, "rasd:Parent", "3");
	xml_text(x, "rasd:ResourceType", number(IS_DISK, text));
	xml_close(x, "Item");
}

static void add_network(struct xml *x, const struct machine *m)
{
	char text[NUMBER];

	xml_open(x, "Item", NULL);
	xml_text(x, "rasd:AddressOnParent", "7");
	xml_text(x, "rasd:AutomaticAllocation", "true");
	xml_text(x, "rasd:Connection", network_name(m));
	xml_text(x, "rasd:ElementName", "Network adapter");
	xml_text(x, "rasd:InstanceID", "5");
	add_subtype(x, m, m->network);
	xml_text(x, "rasd:ResourceType", number(IS_NETWORK, text));
	xml_close(x, "Item");
}

static void add_config(struct xml *x, const char *key, const char *value)
{
	xml_empty(x, "vmw:Config",
		  XML_WITH({"ovf:required", "false"}, {"vmw:key", key}, {"vmw:value", value}));
}

static void add_hardware(struct xml *x, const struct machine *m)
{
	xml_open(x, "VirtualHardwareSection",
		 m->virtualbox ? NULL : XML_WITH({"ovf:transport", "com.vmware.guestInfo"}));
	xml_text(x, "Info", "The hardware");
	add_system(x, m);
	add_amount(x, 1, IS_CPU, "hertz * 10^6", "Processors", m->cpus);
	add_amount(x, 2, IS_MEMORY, "byte * 2^20", "Memory", m->memory);
	add_disk(x, m);
	add_network(x, m);
	if (!m->virtualbox) {
		add_config(x, "firmware", m->given->bios ? "bios" : "efi");
		if (m->given->secure_boot)
			add_config(x, "bootOptions.efiSecureBootEnabled", "true");
	}
	xml_close(x, "VirtualHardwareSection");
}

/* The firmware has no word in OVF: VirtualBox reads it, and all else again, from its own. */
static void add_virtualbox(struct xml *x, const struct ingot_ovf *ovf, const struct machine *m)
{
	char text[NUMBER], uuid[INGOT_GUID_TEXT], braced[INGOT_GUID_TEXT + 2];

	(void)snprintf(braced, sizeof(braced), "{%s}", ingot_guid_text(&ovf->machine_id, uuid));
	xml_open(x, "vbox:Machine",
		 XML_WITH({"ovf:required", "false"}, {"version", "1.16-linux"}, {"uuid", braced},
			  {"name", m->name}, {"OSType", m->os_type}));
	xml_text(x, "ovf:Info", "The machine in VirtualBox's words");
	xml_open(x, "Hardware", NULL);
	xml_open(x, "CPU", XML_WITH({"count", number(m->cpus, text)}));
	xml_empty(x, "PAE", XML_WITH({"enabled", "true"}));
	xml_empty(x, "LongMode", XML_WITH({"enabled", "true"}));
	xml_close(x, "CPU");
	xml_empty(x, "Memory", XML_WITH({"RAMSize", number(m->memory, text)}));
	xml_empty(x, "Firmware", XML_WITH({"type", m->given->bios ? "BIOS" : "EFI"}));
	xml_open(x, "BIOS", NULL);
	xml_empty(x, "IOAPIC", XML_WITH({"enabled", "true"}));
	xml_close(x, "BIOS");
	xml_open(x, "Network", NULL);
	xml_open(x, "Adapter",
		 XML_WITH({"slot", "0"}, {"enabled", "true"}, {"type", m->network->controller}));
	xml_empty(x, "NAT", NULL);
	xml_close(x, "Adapter");
	xml_close(x, "Network");
	xml_close(x, "Hardware");
	xml_open(x, "StorageControllers", NULL);
	xml_open(x, "StorageController",
		 XML_WITH({"name", m->disk->controller}, {"type", m->disk->controller},
			  {"PortCount", "1"}, {"useHostIOCache", "false"}, {"Bootable", "true"}));
	xml_open(x, "AttachedDevice",
		 XML_WITH({"type", "HardDisk"}, {"hotpluggable", "false"}, {"port", "0"},
			  {"device", "0"}));
	(void)snprintf(braced, sizeof(braced), "{%s}", ingot_guid_text(&ovf->disk_id, uuid));
	xml_empty(x, "Image", XML_WITH({"uuid", braced}));
	xml_close(x, "AttachedDevice");
	xml_close(x, "StorageController");
	xml_close(x, "StorageControllers");
	xml_close(x, "vbox:Machine");
}

char *ingot_ovf_text(const struct ingot_ovf *ovf, struct ingot_error *err)
{
	struct machine m = machine_of(ovf->machine);
	struct xml x = {.err = err};

	xml_raw(&x, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	xml_open(&x, "Envelope",
		 XML_WITH({"xmlns", "http://schemas.dmtf.org/ovf/envelope/1"},
			  {"xmlns:ovf", "http://schemas.dmtf.org/ovf/envelope/1"},
			  {"xmlns:rasd", RASD}, {"xmlns:vssd", VSSD},
			  {m.virtualbox ? "xmlns:vbox" : "xmlns:vmw",
			   m.virtualbox ? "http://www.virtualbox.org/ovf/machine"
					: "http://www.vmware.com/schema/ovf"}));
	add_disk_section(&x, ovf, &m);
	add_network_section(&x, &m);
	xml_open(&x, "VirtualSystem", XML_WITH({"ovf:id", m.name}));
	xml_text(&x, "Info", "A virtual machine");
	xml_text(&x, "Name", m.name);
	add_operating_system(&x, &m);
	add_hardware(&x, &m);
	if (m.virtualbox)
		add_virtualbox(&x, ovf, &m);
	xml_close(&x, "VirtualSystem");
	xml_close(&x, "Envelope");
	return xml_take(&x);
}
