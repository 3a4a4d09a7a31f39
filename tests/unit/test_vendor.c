/* Vendors: every built-in one can be used, every mistake in a file has its line and column. */
#include <errno.h>

#include "folder.h"
#include "image/vendor.h"

/* The complaints about the text are exactly these lines. */
static void expect(const char *text, const char *want)
{
	struct ingot_problems problems = {0};
	INGOT_VENDOR struct ingot_vendor *vendor = NULL;
	struct ingot_error err = {0};
	int rc = ingot_vendor_parse("v", NULL, text, strlen(text), &problems, &vendor, &err);
	char *found = ingot_problems_text(&problems);

	assert_string_equal(found, want);
	assert_int_equal(rc, *want ? -EINVAL : 0);
	free(found);
	ingot_problems_done(&problems);
}

/* More lines behind a good head, which ends with line 4. */
static void expect_tail(const char *tail, const char *want)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
		       "name: x\nsummary: X\narchitectures: x86-64\n"
		       "outputs: [{format: raw, suffix: .raw}]\n%s",
		       tail);
	expect(text, want);
}

static struct ingot_vendor *parse(const char *directory, const char *tail)
{
	struct ingot_problems problems = {0};
	struct ingot_vendor *vendor = NULL;
	struct ingot_error err = {0};
	char text[4096];
	char *found;

	(void)snprintf(text, sizeof(text),
		       "name: x\nsummary: X\narchitectures: [x86-64, arm64]\n"
		       "outputs: [{format: raw, suffix: .raw}]\n%s",
		       tail);
	if (ingot_vendor_parse("v", directory, text, strlen(text), &problems, &vendor, &err) < 0) {
		found = ingot_problems_text(&problems);
		fail_msg("%s\n%s", err.text, found);
	}
	ingot_problems_done(&problems);
	return vendor;
}

static struct ingot_vendor *builtin(const char *name)
{
	struct ingot_problems problems = {0};
	struct ingot_vendor *vendor = NULL;
	struct ingot_error err = {0};

	if (ingot_vendor_load(name, &problems, &vendor, &err) < 0)
		fail_msg("%s\n%s", err.text, ingot_problems_text(&problems));
	return vendor;
}

/* --- the built-in ones ------------------------------------------------- */

static void every_builtin_one(void **state)
{
	const char *before = "";
	size_t count = 0;

	(void)state;
	for (const char *name; (name = ingot_vendor_builtin_name(count)); count++) {
		INGOT_VENDOR struct ingot_vendor *vendor = builtin(name);
		struct ingot_vendor_file *files;
		struct ingot_error err = {0};
		size_t file_count;

		assert_true(strcmp(before, name) < 0);
		before = name;
		assert_string_equal(vendor->name, name);
		assert_true(ingot_vendor_is_builtin(name));
		assert_true(vendor->output_count > 0 && vendor->rule_count > 0);
		assert_true(vendor->references.count > 0);
		for (unsigned i = 0; i < INGOT_VENDOR_ARCHITECTURES; i++)
			assert_true((vendor->consoles[i].count > 0) >= vendor->architectures[i]);
		assert_ok(ingot_vendor_oem_files(vendor, "1", &files, &file_count, &err));
		assert_int_equal(file_count, vendor->file_count + 1);
		free(files);
	}
	assert_int_equal(count, 27);
	assert_null(ingot_vendor_builtin_name(count + 1));
}

static void unknown_names(void **state)
{
	struct ingot_problems problems = {0};
	struct ingot_vendor *vendor = NULL;
	struct ingot_error err = {0};

	(void)state;
	assert_false(ingot_vendor_is_builtin("am"));
	assert_fails(ingot_vendor_load("am", &problems, &vendor, &err), -ENOENT,
		     "no vendor 'am' is built in");
	assert_fails(ingot_vendor_load("./ami", &problems, &vendor, &err), -ENOENT, "./ami");
	assert_fails(ingot_vendor_load("ami.yaml", &problems, &vendor, &err), -ENOENT, "ami.yaml");
	assert_false(ingot_problems_any(&problems));
}

/* --- what is made of the data ------------------------------------------ */

static void kernel_arguments(void **state)
{
	static const struct {
		const char *vendor;
		enum ingot_vendor_architecture architecture;
		const char *want;
	} cases[] = {
		{"azure", INGOT_VENDOR_X86_64,
		 "ignition.platform.id=azure flatcar.oem.id=azure earlyprintk=ttyS0,115200 "
		 "net.ifnames=0 console=tty1 console=ttyS0,115200n8"},
		{"azure", INGOT_VENDOR_ARM64,
		 "ignition.platform.id=azure flatcar.oem.id=azure earlycon=pl011,0xeffec000 "
		 "net.ifnames=0 console=tty1 console=ttyAMA0,115200n8"},
		{"parallels", INGOT_VENDOR_ARM64, "ignition.platform.id=metal console=tty0"},
	};
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		INGOT_VENDOR struct ingot_vendor *vendor = builtin(cases[i].vendor);
		INGOT_FREE char *text =
			ingot_vendor_kernel_arguments(vendor, cases[i].architecture, &err);

		assert_string_equal(text, cases[i].want);
	}
}

static void sizes(void **state)
{
	static const struct {
		const char *disk;
		uint64_t base, root, want;
	} cases[] = {
		{"", 12345, 0, 12800},
		{"disk: {round: 1G}", UINT64_C(1) << 30, 0, UINT64_C(1) << 30},
		{"disk: {round: 1G}", (UINT64_C(1) << 30) + 512, 0, UINT64_C(2) << 30},
		{"disk: {size: 10G}", UINT64_C(1) << 30, 0, UINT64_C(10) << 30},
		{"disk: {size: 1G}", UINT64_C(3) << 30, 0, UINT64_C(3) << 30},
		{"disk: {root-size: 3G, round: 1M}", UINT64_C(4) << 30, UINT64_C(1) << 30,
		 UINT64_C(6) << 30},
		{"disk: {root-size: 3G}", UINT64_C(4) << 30, UINT64_C(3) << 30, UINT64_C(4) << 30},
		{"disk: {root-size: 3G}", UINT64_C(4) << 30, 0, UINT64_C(4) << 30},
	};
	struct ingot_error err = {0};
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		INGOT_VENDOR struct ingot_vendor *vendor = parse(NULL, cases[i].disk);

		assert_ok(
			ingot_vendor_size_disk(vendor, cases[i].base, cases[i].root, &size, &err));
		assert_int_equal(size, cases[i].want);
	}
}

static void sizes_that_no_disk_has(void **state)
{
	INGOT_VENDOR struct ingot_vendor *vendor = parse(NULL, "disk: {round: 4194304T}");
	INGOT_VENDOR struct ingot_vendor *large = parse(NULL, "disk: {root-size: 8388607T}");
	struct ingot_error err = {0};
	uint64_t size;

	(void)state;
	assert_ok(ingot_vendor_size_disk(vendor, 1, 0, &size, &err));
	assert_int_equal(size, UINT64_C(1) << 62);
	assert_fails(ingot_vendor_size_disk(vendor, size + 1, 0, &size, &err), -EOVERFLOW,
		     "vendor 'x': the disk is too large");
	assert_fails(ingot_vendor_size_disk(vendor, UINT64_MAX, 0, &size, &err), -EOVERFLOW,
		     "too large");
	assert_fails(ingot_vendor_size_disk(large, UINT64_C(1) << 62, 1, &size, &err), -EOVERFLOW,
		     "too large");
}

/* --- the OEM partition ------------------------------------------------- */

static void assert_file(const struct ingot_vendor_file *file, const char *path, const char *text)
{
	assert_string_equal(file->path, path);
	assert_int_equal(file->size, strlen(text));
	assert_memory_equal(file->data, text, file->size);
}

static void oem_files(void **state)
{
	INGOT_VENDOR struct ingot_vendor *vendor =
		parse(NULL, "platform: {flatcar: fx}\n"
			    "oem:\n"
			    "  release: {name: 'a \"b\" $c', home-url: 'https://example.com'}\n"
			    "  files: {z/a: last, a: \"first\\n\", oem-releas: ''}\n");
	INGOT_FREE struct ingot_vendor_file *files = NULL;
	struct ingot_error err = {0};
	size_t count;

	(void)state;
	assert_ok(ingot_vendor_oem_files(vendor, "1.2", &files, &count, &err));
	assert_int_equal(count, 4);
	assert_file(&files[0], "a", "first\n");
	assert_file(&files[1], "oem-releas", "");
	assert_file(&files[2], "oem-release",
		    "ID=\"fx\"\nNAME=\"a \\\"b\\\" \\$c\"\nVERSION_ID=\"1.2\"\n"
		    "HOME_URL=\"https://example.com\"\n");
	assert_file(&files[3], "z/a", "last");
}

static void oem_without_anything(void **state)
{
	INGOT_VENDOR struct ingot_vendor *vendor = parse(NULL, "");
	INGOT_FREE struct ingot_vendor_file *files = NULL;
	struct ingot_error err = {0};
	size_t count;

	(void)state;
	assert_ok(ingot_vendor_oem_files(vendor, "1", &files, &count, &err));
	assert_int_equal(count, 0);
}

static void oem_folder(void **state)
{
	INGOT_VENDOR struct ingot_vendor *vendor = NULL;
	INGOT_FREE struct ingot_vendor_file *files = NULL;
	struct ingot_problems problems = {0};
	struct ingot_error err = {0};
	const char *text = "name: x\nsummary: X\narchitectures: x86-64\n"
			   "outputs: [{format: raw, suffix: .raw}]\n"
			   "oem: {folder: files, files: {c: C}}\n";
	char *found;
	size_t count;

	(void)state;
	assert_int_equal(mkdir("files", 0700), 0);
	assert_int_equal(mkdir("files/d", 0755), 0);
	file_put("files/d/x", "text", 4);
	file_put("files/b", "program", 7);
	assert_int_equal(chmod("files/b", 0700), 0);
	assert_int_equal(chmod("files/d/x", 0600), 0);
	file_put("v.yaml", text, strlen(text));
	assert_ok(ingot_vendor_load("./v.yaml", &problems, &vendor, &err));
	assert_ok(ingot_vendor_oem_files(vendor, "1", &files, &count, &err));
	assert_int_equal(count, 3);
	assert_file(&files[0], "b", "program");
	assert_file(&files[1], "c", "C");
	assert_file(&files[2], "d/x", "text");
	assert_true(files[0].executable && !files[1].executable && !files[2].executable);

	assert_int_equal(symlink("x", "files/d/l"), 0);
	file_put("files/c", "twice", 5);
	ingot_vendor_free(INGOT_TAKE(vendor));
	assert_int_equal(ingot_vendor_load("./v.yaml", &problems, &vendor, &err), -EINVAL);
	found = ingot_problems_text(&problems);
	assert_string_equal(found, "./v.yaml:5:15: 'c' and 'c' cannot both be files\n"
				   "./v.yaml:5:15: 'l' is neither a file nor a folder\n");
	free(found);
	ingot_problems_done(&problems);
	(void)remove("files/d/x");
	(void)remove("files/d/l");
	(void)remove("files/d");
	(void)remove("files/b");
	(void)remove("files/c");
}

/* --- mistakes ---------------------------------------------------------- */

static void wrong_heads(void **state)
{
	(void)state;
	expect("", "v: a vendor is not a mapping (KEY: VALUE)\n");
	expect("a: [\n", "v:2:1: did not find expected node content while parsing a flow node\n");
	expect("nmae: x\n", "v:1:1: key 'architectures' is missing\n"
			    "v:1:1: key 'name' is missing\n"
			    "v:1:1: key 'outputs' is missing\n"
			    "v:1:1: key 'summary' is missing\n"
			    "v:1:1: unknown key 'nmae'\n");
	expect("name: -x\nsummary: ''\narchitectures: []\noutputs: []\n",
	       "v:1:7: '-x' is not a name: lower-case letters, digits and -, at most 64, the first "
	       "no -\n"
	       "v:2:10: the text is empty\n"
	       "v:3:16: the list is empty\n"
	       "v:4:10: a vendor has 1 to 8 outputs\n");
	expect("name: X\nsummary: \"a\\tb\"\narchitectures: [x86-64, mips, x86-64]\n"
	       "outputs:\n- {format: iso, suffix: img}\n- 5\n"
	       "- {format: raw, suffix: ./x, sidecar: ovf}\n"
	       "- {suffix: .raw}\n",
	       "v:1:7: 'X' is not a name: lower-case letters, digits and -, at most 64, the first "
	       "no -\n"
	       "v:2:10: the text has a control character in it\n"
	       "v:3:25: 'mips' is not one of: x86-64, arm64\n"
	       "v:3:31: x86-64 stands twice\n"
	       "v:5:12: 'iso' is not one of: raw, qcow2, qcow2-zstd, qcow2-v2, vmdk, vmdk-sparse, "
	       "ova, vagrant, vhd, vhd-dynamic, vhdx, vdi, gce, raw.gz, raw.zst, raw.xz\n"
	       "v:5:25: a suffix begins with one of . - _\n"
	       "v:6:3: an output is not a mapping (KEY: VALUE)\n"
	       "v:7:25: a suffix has no / in it and at most 32 bytes\n"
	       "v:7:39: 'ovf' is not one of: none, ami-import, libvirt-xml, vmx, xl\n"
	       "v:8:3: key 'format' is missing\n");
	expect("name: x\nsummary: X\narchitectures: arm64\n"
	       "outputs:\n- {format: raw, suffix: .a}\n- {format: raw, suffix: .a}\n",
	       "v:6:3: format raw stands twice\n"
	       "v:6:3: suffix .a stands twice\n");
}

static void wrong_disks(void **state)
{
	(void)state;
	expect_tail("disk: {size: 0, root-size: 1000, round: 100}\n",
		    "v:5:14: this is a multiple of 4096 bytes, not 0 and below 2^63\n"
		    "v:5:28: this is a multiple of 4096 bytes, not 0 and below 2^63\n"
		    "v:5:41: this is a multiple of 512 bytes, not 0 and below 2^63\n");
	expect_tail("disk: {size: 8388608T, rond: 1M}\n",
		    "v:5:14: this is a multiple of 4096 bytes, not 0 and below 2^63\n"
		    "v:5:24: unknown key 'rond', did you mean 'round'?\n");
	expect_tail("disk: {round: 16777216T}\n", "v:5:15: '16777216T' is too large\n");
	expect_tail("disk: 5G\n", "v:5:7: disk is not a mapping (KEY: VALUE)\n");
}

static void wrong_words(void **state)
{
	(void)state;
	expect_tail("consoles: [tty0, 'tty 1', [x]]\n",
		    "v:5:18: 'tty 1' is not one word without blanks and quotes\n"
		    "v:5:27: a single value is wanted here\n");
	expect_tail("arguments: {x86-64: a, arm64: b, mips: c}\n",
		    "v:5:31: arm64 is not among the architectures\n"
		    "v:5:34: unknown key 'mips'\n");
	expect_tail("platform: {ignitoin: a, flatcar: 'a b'}\n",
		    "v:5:12: unknown key 'ignitoin', did you mean 'ignition'?\n"
		    "v:5:34: 'a b' is not one word without blanks and quotes\n");
	expect_tail("references: [\"\"]\n", "v:5:14: the text is empty\n");
}

static void wrong_oems(void **state)
{
	(void)state;
	expect_tail("oem: {folder: x}\n",
		    "v:5:15: a folder is for vendor files that are not built in\n");
	expect_tail(
		"oem: {release: {id: 'a b', nam: x}, files: {../a: x, /b: x, c/./d: x, e//f: x, "
		"oem-release: x, 'g/': x}}\n",
		"v:5:21: 'a b' is not one word without blanks and quotes\n"
		"v:5:28: unknown key 'nam', did you mean 'name'?\n"
		"v:5:51: '../a' is not a relative path of usual names\n"
		"v:5:58: '/b' is not a relative path of usual names\n"
		"v:5:68: 'c/./d' is not a relative path of usual names\n"
		"v:5:77: 'e//f' is not a relative path of usual names\n"
		"v:5:93: oem-release is made from the key release\n"
		"v:5:102: 'g/' is not a relative path of usual names\n");
	expect_tail("oem: {files: {a: x, a/b: y, ab: z}}\n",
		    "v:5:26: 'a' and 'a/b' cannot both be files\n");
}

static void wrong_hardware(void **state)
{
	(void)state;
	expect_tail("hardware: {memory: 0, cpus: 1025, firmware: uefi, os-id: 0, disk: scsi, "
		    "network: ne2000, secureboot: true}\n",
		    "v:5:20: this is 1 to 16777216\n"
		    "v:5:29: this is 1 to 1024\n"
		    "v:5:45: 'uefi' is not one of: efi, bios\n"
		    "v:5:58: this is 1 to 65535\n"
		    "v:5:67: 'scsi' is not one of: virtio, virtio-scsi, nvme, ahci, ide, lsilogic, "
		    "pvscsi, xen\n"
		    "v:5:82: 'ne2000' is not one of: virtio, e1000, vmxnet3, xen\n"
		    "v:5:90: unknown key 'secureboot', did you mean 'secure-boot'?\n");
	expect_tail("hardware: {firmware: bios, secure-boot: true}\n",
		    "v:5:41: secure-boot needs firmware: efi\n");
}

static void wrong_sidecars(void **state)
{
	(void)state;
	expect("name: x\nsummary: X\narchitectures: x86-64\n"
	       "outputs: [{format: raw, suffix: .raw, sidecar: vmx}]\n",
	       "v:1:1: vmx has no disk of kind virtio\n");
	expect("name: x\nsummary: X\narchitectures: x86-64\n"
	       "outputs: [{format: raw, suffix: .raw, sidecar: xl}]\n"
	       "hardware: {disk: xen, network: vmxnet3}\n",
	       "v:5:11: xl has no network of kind vmxnet3\n");
}

static void wrong_checks(void **state)
{
	(void)state;
	expect_tail(
		"checks: [gpt, virtual-size-multiple, {check: max-virtual-size}, {chek: gpt}, "
		"format-is]\n",
		"v:5:15: this wants a parameter: {check: virtual-size-multiple, of: ...}\n"
		"v:5:38: key 'size' is missing\n"
		"v:5:65: key 'check' is missing\n"
		"v:5:78: 'format-is' is not one of: virtual-size-multiple, max-virtual-size, "
		"min-virtual-size, qcow2-header, vhd-fixed-footer, vhd-dynamic, vhdx-checksums, "
		"vdi-header, vmdk-sparse, esxi-stream-optimized, gce-tar, ovf, gpt, boot-path, "
		"consoles\n");
	expect_tail("checks: [{check: max-virtual-size, of: 1G, size: 0}, {check: boot-path, "
		    "firmware: uefi}, {check: gpt, format: qcow2}]\n",
		    "v:5:36: unknown key 'of'\n"
		    "v:5:50: size is not 0\n"
		    "v:5:83: 'uefi' is not one of: efi, bios\n"
		    "v:5:111: no output has format qcow2\n");
}

static void checks_by_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < INGOT_CHECK_COUNT; i++)
		assert_int_equal(ingot_check_find(ingot_check_kind((enum ingot_check)i)->name), i);
	assert_int_equal(ingot_check_find("x"), INGOT_CHECK_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_builtin_one),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(kernel_arguments),
		cmocka_unit_test(sizes),
		cmocka_unit_test(sizes_that_no_disk_has),
		cmocka_unit_test(oem_files),
		cmocka_unit_test(oem_without_anything),
		cmocka_unit_test_setup_teardown(oem_folder, folder_setup, folder_teardown),
		cmocka_unit_test(wrong_heads),
		cmocka_unit_test(wrong_disks),
		cmocka_unit_test(wrong_words),
		cmocka_unit_test(wrong_oems),
		cmocka_unit_test(wrong_hardware),
		cmocka_unit_test(wrong_sidecars),
		cmocka_unit_test(wrong_checks),
		cmocka_unit_test(checks_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
