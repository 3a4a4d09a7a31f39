#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "disk/gpt.h"
#include "disk/layout.h"
#include "disk/type.h"

/* The complaints about the text are exactly these lines. */
static void expect(const char *text, const char *want)
{
	struct ingot_problems problems = {0};
	struct ingot_layout *layout = NULL;
	struct ingot_error err;
	int rc = ingot_layout_parse("l", text, strlen(text), "x86-64", &problems, &layout, &err);
	char *found = ingot_problems_text(&problems);

	assert_string_equal(found, want);
	assert_int_equal(rc, *want ? -EINVAL : 0);
	free(found);
	ingot_problems_done(&problems);
	ingot_layout_free(layout);
}

/* One partition list under a good head. */
static void expect_list(const char *partitions, const char *want)
{
	char text[8192];

	(void)snprintf(text, sizeof(text), "name: x\nsize: 1G\npartitions:\n%s", partitions);
	expect(text, want);
}

static struct ingot_layout *builtin(const char *name, const char *architecture)
{
	struct ingot_problems problems = {0};
	struct ingot_layout *layout;
	struct ingot_error err;

	assert_ok(ingot_layout_load(name, architecture, &problems, &layout, &err));
	assert_false(ingot_problems_any(&problems));
	return layout;
}

/* A table as text: what sfdisk would say, in bytes. */
static void check_table(const char *name, const char *architecture, const uint8_t hash[32],
			const char *want)
{
	struct ingot_layout *layout = builtin(name, architecture);
	struct ingot_placement *placement;
	struct ingot_seed seed = {.size = 16};
	struct ingot_gpt_identity identity = {&seed, "demo", "1", hash, 32};
	struct ingot_gpt *gpt;
	struct ingot_error err;
	char text[4096] = "", a[INGOT_GUID_TEXT], b[INGOT_GUID_TEXT], size[INGOT_SIZE_TEXT];
	size_t at = 0;

	assert_ok(ingot_layout_place(layout, &(struct ingot_place_options){0}, &placement, &err));
	assert_ok(ingot_gpt_plan(layout, placement, &identity, &gpt, &err));
	for (size_t i = 0; i < gpt->count; i++) {
		const struct ingot_gpt_partition *p = &gpt->partitions[i];

		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%u %s %llu+%s %.8s %.8s %016llx\n",
			p->number, p->name, (unsigned long long)p->start >> 20,
			ingot_size_text(p->size, size), ingot_guid_text(&p->type, a),
			ingot_guid_text(&p->uuid, b), (unsigned long long)p->attributes);
	}
	assert_string_equal(text, want);
	free(gpt);
	free(placement);
	ingot_layout_free(layout);
}

static void flatcar(void **state)
{
	struct ingot_layout *layout = builtin("flatcar", "x86-64");
	const struct ingot_layout_partition *p = layout->partitions;
	char text[INGOT_GUID_TEXT];

	(void)state;
	check_table("flatcar", "x86-64", NULL,
		    "1 EFI-SYSTEM 2+128 MiB c12a7328 2e135c18 0000000000000000\n"
		    "2 BIOS-BOOT 130+2 MiB 21686148 d4adb36f 0000000000000000\n"
		    "3 USR-A 132+1 GiB 5dfbf5f4 7130c94a 0101000000000000\n"
		    "4 USR-B 1156+1 GiB 5dfbf5f4 e03dd35c 0000000000000000\n"
		    "6 OEM 2180+128 MiB 0fc63daf cb83c316 0000000000000000\n"
		    "7 OEM-CONFIG 2308+64 MiB c95dc21a 1dd1ffb6 0000000000000000\n"
		    "9 ROOT 2372+1.6 GiB 3884dd41 faad7365 0000000000000000\n");
	assert_string_equal(ingot_guid_text(&layout->disk_uuid, text),
			    "00000000-0000-0000-0000-000000000001");
	assert_int_equal(layout->count, 9);
	assert_true(p[4].reserved && p[7].reserved);
	assert_string_equal(p[4].label, "ROOT-C");
	assert_string_equal(ingot_guid_text(&p[4].uuid, text),
			    "d82521b4-07ac-4f1c-8840-ddefedc332f3");
	assert_int_equal(p[2].filesystem, INGOT_FILESYSTEM_EXT2);
	assert_true(p[2].verity_appended);
	assert_int_equal(p[8].filesystem, INGOT_FILESYSTEM_EXT4);
	assert_string_equal(p[8].filesystem_label, "ROOT");
	assert_ptr_equal(ingot_layout_find_content(layout, INGOT_CONTENT_OEM), &p[5]);
	assert_null(ingot_layout_find_content(layout, INGOT_CONTENT_USR_VERITY));
	ingot_layout_free(layout);
}

static void discoverable(void **state)
{
	uint8_t hash[32];

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		hash[i] = (uint8_t)i;
	check_table("discoverable", "x86-64", hash,
		    "1 esp 2+128 MiB c12a7328 2e135c18 0000000000000000\n"
		    "2 demo_1 130+1 GiB 8484680c 00010203 1000000000000000\n"
		    "3 demo_1_verity 1154+18 MiB 77ff5f63 10111213 1000000000000000\n"
		    "4 demo_1_verity_sig 1172+2 MiB e7bb33fb 41d6df46 1000000000000000\n"
		    "5 root 1174+872 MiB 4f68bce3 994a0bf2 0800000000000000\n");
	check_table("discoverable", "arm64", hash,
		    "1 esp 2+128 MiB c12a7328 2e135c18 0000000000000000\n"
		    "2 demo_1 130+1 GiB b0e01050 00010203 1000000000000000\n"
		    "3 demo_1_verity 1154+18 MiB 6e11a4e7 10111213 1000000000000000\n"
		    "4 demo_1_verity_sig 1172+2 MiB c23ce4ff 41d6df46 1000000000000000\n"
		    "5 root 1174+872 MiB b921b045 994a0bf2 0800000000000000\n");
}

static void builtin_names(void **state)
{
	struct ingot_problems problems = {0};
	struct ingot_layout *layout;
	struct ingot_error err;

	(void)state;
	assert_string_equal(ingot_layout_builtin_name(0), "discoverable");
	assert_string_equal(ingot_layout_builtin_name(1), "flatcar");
	assert_null(ingot_layout_builtin_name(2));
	assert_null(ingot_layout_builtin_name(3));
	assert_fails(ingot_layout_load("flatca", "x86-64", &problems, &layout, &err), -ENOENT,
		     "no layout 'flatca' is built in (there are: discoverable, flatcar)");
	assert_fails(ingot_layout_load("./flatcar", "x86-64", &problems, &layout, &err), -ENOENT,
		     "open './flatcar'");
	assert_fails(ingot_layout_load("flatcar", "mips", &problems, &layout, &err), -EINVAL,
		     "'mips' is neither x86-64 nor arm64");
	assert_false(ingot_problems_any(&problems));
}

static void wrong_head(void **state)
{
	(void)state;
	expect("", "l: a layout is not a mapping (KEY: VALUE)\n");
	expect("[1]", "l:1:1: a layout is not a mapping (KEY: VALUE)\n");
	expect("name: x\n", "l:1:1: key 'partitions' is missing\n");
	expect("name: x\npartitions: []\n", "l:2:13: a layout has 1 to 128 partitions, not 0\n");
	expect("name: x\npartition: []\n"
	       "sector-size: 1024\nalignment: 3M\nsize: 1\ndisk-uuid: 7\n",
	       "l:1:1: key 'partitions' is missing\n"
	       "l:2:1: unknown key 'partition', did you mean 'partitions'?\n"
	       "l:3:14: sector-size is 512 or 4096\n"
	       "l:4:12: alignment is a power of two from 4K to 1G\n"
	       "l:5:7: the disk's size is a multiple of 4K, not 0\n"
	       "l:6:12: '7' is not a UUID\n");
	expect("name: x\npartitions: [a, {}]\n",
	       "l:2:14: a partition is not a mapping (KEY: VALUE)\n"
	       "l:2:17: key 'label' is missing\n"
	       "l:2:17: key 'number' is missing\n"
	       "l:2:17: key 'size' is missing\n"
	       "l:2:17: key 'type' is missing\n");
}

static void wrong_values(void **state)
{
	(void)state;
	expect_list("- {number: 0, label: a, type: espp, size: 100, lable: b}\n",
		    "l:4:12: number is 1 to 128\n"
		    "l:4:31: 'espp' is neither a GUID nor one of: esp, xbootldr, bios-boot, "
		    "linux-data, swap\n"
		    "l:4:43: size is not a multiple of the sector size, 512\n"
		    "l:4:48: unknown key 'lable', did you mean 'label'?\n");
	expect_list("- {number: 129, label: a, type: 00000000-0000-0000-0000-000000000000, "
		    "size: all, uuid: root-hash}\n",
		    "l:4:12: number is 1 to 128\n"
		    "l:4:33: a type of all zeros marks an unused entry\n"
		    "l:4:77: 'all' is not a number\n"
		    "l:4:88: 'root-hash' is neither a UUID nor root-hash-first nor "
		    "root-hash-last\n");
	expect_list("- {number: 1, label: a, type: {arm64: esp, mips: esp}, size: 1M}\n",
		    "l:4:31: type has nothing for x86-64\n"
		    "l:4:44: unknown key 'mips'\n");
	expect_list("- {number: 1, label: a, type: esp, size: 1M, attributes: {priority: 16, "
		    "tries: -1, successful: yes, bits: [3, 64, 63], sucessful: true}}\n",
		    "l:4:69: priority is 0 to 15\n"
		    "l:4:80: '-1' is not a number\n"
		    "l:4:96: 'yes' is not one of: false, true\n"
		    "l:4:108: bits 3 to 47 are reserved, and 63 is the last\n"
		    "l:4:111: bits 3 to 47 are reserved, and 63 is the last\n"
		    "l:4:120: unknown key 'sucessful', did you mean 'successful'?\n");
}

static void labels(void **state)
{
	(void)state;
	expect_list("- {number: 1, label: 123456789012345678901234567890123456, type: esp, "
		    "size: 1M}\n",
		    "");
	expect_list("- {number: 1, label: \"\xc3\xb6"
		    "23456789012345678901234567890123456\", type: esp, size: 1M}\n",
		    "");
	expect_list("- {number: 1, label: 1234567890123456789012345678901234567, type: esp, "
		    "size: 1M}\n",
		    "l:4:22: label '1234567890123456789012345678901234567' is 37 UTF-16 units "
		    "long, a partition's name has room for 36\n");
	expect_list("- {number: 1, label: \"{nam}\", type: esp, size: 1M}\n",
		    "l:4:22: label '{nam}': only {name} and {version} stand in braces\n");
	expect_list("- {number: 1, label: \"a\\nb\", type: esp, size: 1M}\n",
		    "l:4:22: label 'a?b' has a character that a partition's name cannot have, "
		    "U+000A\n");
	expect_list("- {number: 1, label: \"\\U0001F600\", type: esp, size: 1M}\n", "");
	expect_list("- {number: 1, label: \"\\U0001F60034567890123456789012345678901234567\", "
		    "type: esp, size: 1M}\n",
		    "l:4:22: label '\xf0\x9f\x98\x80"
		    "34567890123456789012345678901234567' is 37 UTF-16 units long, a partition's "
		    "name has room for 36\n");
}

static void contents(void **state)
{
	(void)state;
	expect_list("- {number: 1, label: a, type: esp, size: 1M, content: esp, filesystem: ext4}\n"
		    "- {number: 2, label: b, type: esp, size: 1M, content: usr, verity: append}\n"
		    "- {number: 3, label: c, type: esp, size: 1M, verity: appended}\n"
		    "- {number: 4, label: d, type: esp, size: 1M, filesystem-label: D}\n"
		    "- {number: 5, size: 0, content: root}\n",
		    "l:4:72: content esp is not made as ext4\n"
		    "l:5:68: 'append' is not one of: appended\n"
		    "l:6:54: verity stands beside content usr only\n"
		    "l:7:64: filesystem-label without a filesystem\n"
		    "l:8:33: a partition of size 0 has no content\n");
	expect_list(
		"- {number: 1, label: a, type: esp, size: 1M, content: esp, "
		"filesystem-label: EFI-SYSTEM-A}\n"
		"- {number: 2, label: b, type: esp, size: 1M, content: oem, filesystem: none}\n",
		"l:4:78: filesystem-label is longer than 11 bytes\n"
		"l:5:72: 'none' is not one of: fat32, ext2, ext4\n");
	expect_list("- {number: 1, label: a, type: esp, size: 1M, content: usr-verity, "
		    "uuid: root-hash-first}\n"
		    "- {number: 2, label: b, type: esp, size: 1M, uuid: root-hash-last}\n"
		    "- {number: 3, label: c, type: esp, size: 1M, content: usr-verity-sig}\n",
		    "l:4:3: content usr-verity without content usr\n"
		    "l:4:3: uuid: root-hash-first is for content usr\n"
		    "l:5:3: uuid: root-hash-last is for content usr-verity\n");
	expect_list("- {number: 1, label: a, type: esp, size: 1M, content: usr, verity: appended}\n"
		    "- {number: 2, label: b, type: esp, size: 1M, content: usr-verity}\n",
		    "l:4:3: verity: appended, but line 5 has content usr-verity: the hash tree "
		    "has one place\n");
	expect_list("- {number: 1, label: c, type: esp, size: 1M, content: usr-verity-sig}\n",
		    "l:4:3: content usr-verity-sig without content usr-verity\n");
	expect_list("- {number: 1, label: c, type: esp, size: 1M, content: usr-fec}\n",
		    "l:4:3: content usr-fec without content usr\n");
	expect_list("- {number: 1, label: c, type: esp, size: 1M, content: usr}\n",
		    "l:4:3: content usr has no place for its hash tree: say verity: appended, or "
		    "add a partition with content usr-verity\n");
}

static void twins(void **state)
{
	(void)state;
	expect_list("- {number: 2, label: a, type: esp, size: 1M, content: oem}\n"
		    "- {number: 1, label: b, type: esp, size: 1M, "
		    "uuid: 7130c94a-213a-4e5a-8e26-6cce9662f132}\n"
		    "- {number: 2, label: a, type: esp, size: 1M, content: oem, "
		    "uuid: 7130C94A-213A-4E5A-8E26-6CCE9662F132}\n",
		    "l:6:3: content oem stands twice, first in line 4\n"
		    "l:6:3: its uuid stands twice, first in line 5\n"
		    "l:6:3: label 'a' stands twice, first in line 4\n"
		    "l:6:3: number 2 stands twice, first in line 4\n");
}

static void geometry(void **state)
{
	(void)state;
	expect_list("- {number: 2, label: a, type: esp, size: 2G}\n",
		    "l: the disk is too small: it has 1 GiB (1073741824 bytes), its partitions "
		    "need 2.0 GiB (2149597696 bytes)\n");
	expect_list("- {number: 1, label: a, type: esp, size: 4M}\n"
		    "- {number: 2, label: b, type: esp, size: 2M, start: 4M}\n",
		    "l:5:3: partition 2 'b' starts at 4194304 and overlaps what lies before it, "
		    "which ends at 6291456 (the order on the disk is that of the numbers)\n");
	expect_list("- {number: 2, label: b, type: esp, size: 2M, start: 5M}\n",
		    "l:4:3: partition 2 'b' starts at 5242880, which is not a multiple of the "
		    "alignment, 2097152\n");
	expect_list("- {number: 1, label: a, type: esp, size: rest}\n"
		    "- {number: 2, label: b, type: esp, size: rest}\n"
		    "- {number: 3, label: c, type: esp, size: 1M}\n",
		    "l:4:3: size: rest is for the last partition, but number 3 follows\n"
		    "l:5:3: size: rest stands twice, first in line 4\n");
	expect("name: x\npartitions:\n- {number: 1, label: a, type: esp, size: rest}\n",
	       "l:3:3: size: rest needs the disk's size at the top\n");
	expect("name: x\npartitions:\n- {number: 1, size: 0}\n",
	       "l: no partition is written: all have size 0\n");
	expect_list("- {number: 1, label: a, type: esp, size: 18446744073709551616}\n",
		    "l:4:42: '18446744073709551616' is too large\n");
	expect_list("- {number: 1, label: a, type: esp, size: 16777215T}\n",
		    "l:4:3: partition 1 'a' ends beyond any disk\n");
}

static void expansion(void **state)
{
	struct ingot_error err;
	char *text;

	(void)state;
	assert_ok(ingot_layout_expand_label("{name}_{version}-x", "demo", "1.2", &text, &err));
	assert_string_equal(text, "demo_1.2-x");
	free(text);
	assert_ok(ingot_layout_expand_label(NULL, NULL, NULL, &text, &err));
	assert_string_equal(text, "");
	free(text);
	assert_fails(ingot_layout_expand_label("{version}", "a", NULL, &text, &err), -EINVAL,
		     "label '{version}' wants the image's version");
	assert_fails(ingot_layout_expand_label("{name}", "1234567890123456789012345678901234567",
					       NULL, &text, &err),
		     -EINVAL, "37 UTF-16 units");
	/* A value is not expanded again. */
	assert_ok(ingot_layout_expand_label("{name}", "{version}", NULL, &text, &err));
	assert_string_equal(text, "{version}");
	free(text);
}

static void plan(void **state)
{
	struct ingot_layout *layout = builtin("discoverable", "x86-64");
	struct ingot_seed seed = {.size = 16};
	struct ingot_gpt_identity identity = {.seed = &seed, .name = "demo", .version = "1"};
	struct ingot_placement *placement;
	struct ingot_gpt *gpt;
	struct ingot_error err;
	uint8_t hash[32] = {0};

	(void)state;
	assert_ok(ingot_layout_place(layout, &(struct ingot_place_options){0}, &placement, &err));
	assert_fails(ingot_gpt_plan(layout, placement, &identity, &gpt, &err), -EINVAL,
		     "partition 2: its UUID comes from the root hash: give it");
	identity.root_hash = hash;
	identity.root_hash_size = 32;
	assert_fails(ingot_gpt_plan(layout, placement, &identity, &gpt, &err), -EINVAL,
		     "partitions 2 and 3 have the same UUID");
	hash[0] = 1;
	identity.name = NULL;
	assert_fails(ingot_gpt_plan(layout, placement, &identity, &gpt, &err), -EINVAL,
		     "partition 2: label '{name}_{version}' wants the image's name");
	free(placement);
	ingot_layout_free(layout);
}

static void types(void **state)
{
	struct ingot_guid guid;

	(void)state;
	assert_true(ingot_partition_type("bios-boot", &guid));
	assert_string_equal(ingot_partition_type_name(&guid), "bios-boot");
	assert_false(ingot_partition_type("flatcar", &guid));
	guid.bytes[0] ^= 1;
	assert_null(ingot_partition_type_name(&guid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flatcar),	 cmocka_unit_test(discoverable),
		cmocka_unit_test(builtin_names), cmocka_unit_test(wrong_head),
		cmocka_unit_test(wrong_values),	 cmocka_unit_test(labels),
		cmocka_unit_test(contents),	 cmocka_unit_test(twins),
		cmocka_unit_test(geometry),	 cmocka_unit_test(expansion),
		cmocka_unit_test(plan),		 cmocka_unit_test(types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
