/* Checks of the disk inside, of a vendor's rules, and of what a file or a medium may do to them. */
#include <errno.h>
#include <limits.h>

#include "boot/uki.h"
#include "check_support.h"
#include "disk/gpt.h"
#include "disk/type.h"
#include "fs/fat.h"
#include "pe_image.h"

#define MIB (UINT64_C(1) << 20)

enum { DISK = 64 * 1024 * 1024, ESP_AT = 2, ESP_SIZE = 40, BIOS_AT = 50 };

static struct ingot_source *memory(const void *data, size_t n)
{
	struct ingot_source *source;

	if (ingot_source_memory("memory", data, n, &source, NULL) < 0)
		abort();
	return source;
}

/* A UKI for that machine; freed by the caller. */
static struct ingot_source *make_uki(uint16_t machine, const char *cmdline)
{
	static const char os[] = "ID=x\n";
	uint8_t stub_bytes[PE_IMAGE_MAX], kernel_bytes[128] = "MZ";
	INGOT_SOURCE struct ingot_source *stub =
		memory(stub_bytes, pe_image(stub_bytes, machine, 0x400));
	INGOT_SOURCE struct ingot_source *release = memory(os, strlen(os));
	INGOT_SOURCE struct ingot_source *line = memory(cmdline, strlen(cmdline));
	INGOT_SOURCE struct ingot_source *kernel = NULL, *uki = NULL;
	struct ingot_error err = {0};
	char *data;
	size_t n;

	kernel_bytes[60] = 64;
	memcpy(kernel_bytes + 64, "PE\0", 4);
	ingot_put_le16(kernel_bytes + 68, machine);
	kernel = memory(kernel_bytes, sizeof(kernel_bytes));
	const struct ingot_uki_section sections[] = {
		{".osrel", release}, {".cmdline", line}, {".linux", kernel}};

	assert_ok(ingot_uki_source(stub, sections, 3, &uki, &err));
	assert_ok(ingot_source_load(uki, MIB, &data, &n, &err));
	struct ingot_source *copy = memory(data, n);

	free(data);
	return copy;
}

/* A disk with an ESP that has these files, and a BIOS boot partition; the caller frees it. */
static unsigned char *make_disk(const struct ingot_fat_file *files, size_t count)
{
	const struct ingot_fat_options options = {.size = ESP_SIZE * MIB, .sector_size = 512};
	INGOT_FREE struct ingot_gpt *gpt =
		calloc(1, sizeof(*gpt) + 2 * sizeof(struct ingot_gpt_partition));
	INGOT_SOURCE struct ingot_source *esp = NULL;
	INGOT_SINK struct ingot_sink *sink = NULL;
	struct ingot_error err = {0};
	unsigned char *data, *copy = malloc(DISK);

	assert_true(gpt && copy);
	*gpt = (struct ingot_gpt){.disk_size = DISK, .sector_size = 512, .count = 2};
	memset(gpt->uuid.bytes, 0x11, 16);
	gpt->partitions[0] = (struct ingot_gpt_partition){
		.number = 1, .start = ESP_AT * MIB, .size = ESP_SIZE * MIB, .name = "ESP"};
	gpt->partitions[1] = (struct ingot_gpt_partition){
		.number = 2, .start = BIOS_AT * MIB, .size = MIB, .name = "BIOS"};
	assert_true(ingot_partition_type("esp", &gpt->partitions[0].type));
	assert_true(ingot_partition_type("bios-boot", &gpt->partitions[1].type));
	memset(gpt->partitions[0].uuid.bytes, 0x22, 16);
	memset(gpt->partitions[1].uuid.bytes, 0x33, 16);
	assert_ok(ingot_sink_memory(DISK, &sink, &data, &err));
	assert_ok(ingot_gpt_write(gpt, sink, &err));
	assert_ok(ingot_fat_source(&options, files, count, &esp, &err));
	assert_ok(ingot_source_read(esp, 0, data + ESP_AT * MIB, ESP_SIZE * MIB, &err));
	return memcpy(copy, data, DISK);
}

/* One UKI where firmware looks for it. */
static unsigned char *make_bootable(uint16_t machine, const char *path, const char *cmdline)
{
	INGOT_SOURCE struct ingot_source *uki = make_uki(machine, cmdline);

	return make_disk(&(struct ingot_fat_file){path, uki}, 1);
}

#define VENDOR_HEAD                                                                                \
	"name: v\nsummary: V\narchitectures: [x86-64, arm64]\n"                                    \
	"outputs: [{format: raw, suffix: .raw}]\n"                                                 \
	"consoles: {x86-64: [tty0, 'ttyS0,115200n8'], arm64: [ttyAMA0]}\n"

/* The disk under a vendor with these checks. */
static void check_disk(const unsigned char *disk, const char *checks, const char *want,
		       const char *found)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), VENDOR_HEAD "checks: %s\n", checks);
	file_put("v.yaml", text, strlen(text));
	check_bytes("v.yaml", disk, DISK, want, found);
}

/* --- partition table --------------------------------------------------- */

static void gpt(void **state)
{
	INGOT_FREE unsigned char *d = make_disk(NULL, 0);

	(void)state;
	check_disk(d, "[gpt]", "", NULL);
	d[512 + 56] ^= 1; /* the disk's GUID */
	check_disk(d, "[gpt]", "gpt", "checksum");
	d[512 + 56] ^= 1;
	d[DISK - 512 + 56] ^= 1;
	check_disk(d, "[gpt]", "gpt", "checksum");
	d[DISK - 512 + 56] ^= 1;
	d[1024 + 100] ^= 1; /* an entry */
	check_disk(d, "[gpt]", "gpt", NULL);
	memset(d, 0, 2 * MIB);
	memset(d + DISK - MIB, 0, MIB);
	check_disk(d, "[gpt, {check: boot-path, firmware: efi}, consoles]",
		   "gpt|boot-path|consoles", "no partition table");
}

/* --- what starts it ---------------------------------------------------- */

#define EFI  "[{check: boot-path, firmware: efi}]"
#define BIOS "[{check: boot-path, firmware: bios}]"

static void efi(void **state)
{
	static const struct {
		uint16_t machine;
		const char *path, *want, *found;
	} cases[] = {
		{INGOT_PE_X86_64, "EFI/BOOT/BOOTX64.EFI", "", NULL},
		{INGOT_PE_ARM64, "efi/boot/bootaa64.efi", "", NULL},
		{INGOT_PE_ARM64, "EFI/BOOT/BOOTX64.EFI", "boot-path", "without such a program"},
		{INGOT_PE_X86_64, "EFI/Linux/x.efi", "boot-path", "without such a program"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		INGOT_FREE unsigned char *d = make_bootable(cases[i].machine, cases[i].path, "x");

		check_disk(d, EFI, cases[i].want, cases[i].found);
	}
}

static void efi_without_its_partition(void **state)
{
	INGOT_FREE unsigned char *d = make_bootable(INGOT_PE_X86_64, "EFI/BOOT/BOOTX64.EFI", "x");

	(void)state;
	memset(d + ESP_AT * MIB, 0, MIB);
	check_disk(d, EFI, "boot-path", "no FAT volume");
}

static void bios(void **state)
{
	INGOT_FREE unsigned char *d = make_disk(NULL, 0);

	(void)state;
	check_disk(d, BIOS, "boot-path", "an empty BIOS boot partition");
	d[BIOS_AT * MIB + 5] = 1;
	check_disk(d, BIOS, "boot-path", "no boot code");
	d[0] = 0xeb;
	check_disk(d, BIOS, "", NULL);
}

/* --- consoles ---------------------------------------------------------- */

static void consoles(void **state)
{
	static const struct {
		uint16_t machine;
		const char *line, *want, *found;
	} cases[] = {
		{INGOT_PE_X86_64, "quiet console=tty0 ro console=ttyS0,115200n8", "", NULL},
		{INGOT_PE_X86_64, "console=tty0 console=ttyS0", "", NULL},
		{INGOT_PE_X86_64, "console=hvc0 console=tty0 console=ttyS0,9600", "", NULL},
		{INGOT_PE_X86_64, "console=ttyS0,115200n8 console=tty0", "consoles",
		 "ttyS0,115200n8 tty0"},
		{INGOT_PE_X86_64, "console=tty0 console=ttyS0 console=hvc0", "consoles", "hvc0"},
		{INGOT_PE_X86_64, "console=tty0 console=ttyS1", "consoles", "tty0 ttyS1"},
		{INGOT_PE_X86_64, "console=ttyS0", "consoles", "ttyS0"},
		{INGOT_PE_X86_64, "xconsole=tty0 quiet", "consoles", "no console="},
		{INGOT_PE_ARM64, "console=ttyAMA0", "", NULL},
		{INGOT_PE_ARM64, "console=tty0 console=ttyS0", "consoles", "tty0 ttyS0"},
		{INGOT_PE_RISCV64, "console=ttyAMA0", "consoles", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		INGOT_FREE unsigned char *d =
			make_bootable(cases[i].machine, "EFI/Linux/x.efi", cases[i].line);

		check_disk(d, "[consoles]", cases[i].want, cases[i].found);
	}
}

static void every_kernel_has_to_say_it(void **state)
{
	INGOT_SOURCE struct ingot_source *good =
		make_uki(INGOT_PE_X86_64, "console=tty0 console=ttyS0");
	INGOT_SOURCE struct ingot_source *bad = make_uki(INGOT_PE_X86_64, "console=tty0");
	const struct ingot_fat_file files[] = {{"EFI/BOOT/BOOTX64.EFI", good},
					       {"EFI/Linux/b.efi", bad}};
	INGOT_FREE unsigned char *d = make_disk(files, 2);
	INGOT_FREE unsigned char *empty = make_disk(NULL, 0);

	(void)state;
	check_disk(d, "[consoles]", "consoles", "tty0");
	check_disk(empty, "[consoles]", "consoles", "none");
}

/* --- sizes ------------------------------------------------------------- */

static void sizes(void **state)
{
	INGOT_FREE unsigned char *d = make_disk(NULL, 0);

	(void)state;
	check_disk(d, "[{check: virtual-size-multiple, of: 32M}]", "", NULL);
	check_disk(d, "[{check: virtual-size-multiple, of: 1G}]", "virtual-size-multiple",
		   "67108864 bytes");
	check_disk(d, "[{check: max-virtual-size, size: 64M}]", "", NULL);
	check_disk(d, "[{check: max-virtual-size, size: 63M}]", "max-virtual-size", NULL);
	check_disk(d, "[{check: min-virtual-size, size: 64M}]", "", NULL);
	check_disk(d, "[{check: min-virtual-size, size: 65M}]", "min-virtual-size", NULL);
}

/* --- targets ----------------------------------------------------------- */

static void targets(void **state)
{
	struct ingot_problems problems = {0};
	struct ingot_check_target target;
	struct ingot_error err = {0};

	(void)state;
	target = check_target("gce");
	assert_string_equal(target.format, "gce");
	ingot_check_target_done(&target);
	target = check_target("vendor:gce");
	assert_null(target.format);
	assert_string_equal(target.vendor->name, "gce");
	ingot_check_target_done(&target);
	target = check_target("azure");
	assert_string_equal(target.vendor->name, "azure");
	ingot_check_target_done(&target);
	assert_fails(ingot_check_target_find("azur", &problems, &target, &err), -ENOENT,
		     "'azur' is neither a format nor a vendor");
	assert_fails(ingot_check_target_find("vendor:raw", &problems, &target, &err), -ENOENT,
		     "no vendor 'raw'");
	file_put("bad.yaml", "x: y\n", 5);
	assert_int_equal(ingot_check_target_find("bad.yaml", &problems, &target, &err), -EINVAL);
	assert_true(ingot_problems_any(&problems));
	ingot_problems_done(&problems);
}

/* Rules for one of several files are for that one. */
static void several_outputs(void **state)
{
	static const char text[] =
		"name: v\nsummary: V\narchitectures: x86-64\n"
		"outputs: [{format: vhdx, suffix: .a}, {format: raw, suffix: .b}]\n"
		"checks: [{check: min-virtual-size, size: 1G, format: vhdx},\n"
		"  {check: max-virtual-size, size: 1M, format: raw}]\n";
	INGOT_FREE unsigned char *vhdx = NULL;
	size_t n;

	(void)state;
	file_put("w.yaml", text, strlen(text));
	formats_disk("disk", 2 << 20);
	formats_convert("disk", "vhdx", "file", 1);
	vhdx = formats_load("file", &n);
	check_bytes("w.yaml", vhdx, n, "min-virtual-size", NULL);
	vhdx[0x10000] = 'X';
	check_bytes("w.yaml", vhdx, n, "min-virtual-size|vhdx-checksums: first header", NULL);
	free(INGOT_TAKE(vhdx));
	vhdx = formats_load("disk", &n);
	check_bytes("w.yaml", vhdx, n, "max-virtual-size", NULL);
	free(INGOT_TAKE(vhdx));
	formats_convert("disk", "vdi", "file", 1);
	vhdx = formats_load("file", &n);
	check_bytes("w.yaml", vhdx, n, "format-is", "vdi");
}

/* --- reads that fail --------------------------------------------------- */

struct failing {
	struct ingot_source source;
	struct ingot_source *whole;
	unsigned left;
};

static int failing_read(struct ingot_source *source, uint64_t offset, void *data, size_t n,
			struct ingot_error *err)
{
	struct failing *failing = (struct failing *)source;

	if (failing->left == 0)
		return ingot_raise(err, -EIO, "the medium is broken");
	failing->left--;
	return ingot_source_read(failing->whole, offset, data, n, err);
}

static const struct ingot_source_ops FAILING_OPS = {failing_read, NULL, NULL};

static int check_failing(struct ingot_source *whole, const struct ingot_check_target *target,
			 unsigned *left, struct ingot_error *err)
{
	struct failing failing = {{&FAILING_OPS, "failing", whole->size}, whole, *left};
	struct ingot_check_report report = {0};
	int rc = ingot_check_source(&failing.source, target, &report, err);

	ingot_check_report_done(&report);
	*left = failing.left;
	return rc;
}

/* Whichever read it is: an error, never a verdict. */
static void broken_media(void **state)
{
	static const char *const formats[] = {"vmdk", "vhd", "vhd-dynamic", "vhdx",
					      "vdi",  "ova", "qcow2",	    "vmdk-sparse"};

	(void)state;
	formats_disk("disk", 4 << 20);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct ingot_check_target target = check_target(formats[i]);
		INGOT_SOURCE struct ingot_source *file = NULL;
		unsigned left = UINT_MAX, reads;
		struct ingot_error err = {0};

		formats_convert("disk", formats[i], "file", 1);
		assert_ok(ingot_source_open("file", &file, &err));
		assert_ok(check_failing(file, &target, &left, &err));
		reads = UINT_MAX - left;
		for (unsigned k = 0; k < reads; k++) {
			left = k;
			assert_fails(check_failing(file, &target, &left, &err), -EIO,
				     "the medium is broken");
		}
		ingot_check_target_done(&target);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)
	const struct CMUnitTest tests[] = {
		TEST(gpt),	    TEST(efi),	    TEST(efi_without_its_partition),
		TEST(bios),	    TEST(consoles), TEST(every_kernel_has_to_say_it),
		TEST(sizes),	    TEST(targets),  TEST(several_outputs),
		TEST(broken_media),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
