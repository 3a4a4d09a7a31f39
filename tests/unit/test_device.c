/* Names of devices: what is let in, where udev puts them, what systemd calls them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "boot/device.h"
#include "unit.h"

static void test_accepted(void **state)
{
	static const char *const good[] = {
		"/dev/vda3",
		"/dev/mapper/a-b",
		"/dev/disk/by-path/pci-0000:00:1f.2-ata-1",
		"PARTUUID=7130c94a-213a-4e5a-8e26-6cce9662f132",
		"PARTLABEL=USR-A",
		"UUID=1DE0-C0DE",
		"LABEL=a.b",
	};
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_ok(ingot_device_check(good[i], "data device", &err));
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",	      "vda",	       "/dev",
		"/dev/",      "/dev//vda",     "/dev/../etc/shadow",
		"/dev/./vda", "/dev/vda/..",   "/etc/passwd",
		"PARTUUID=",  "PARTLABEL=a/b", "PARTLABEL=a b",
		"/dev/vda\n", "/dev/vda usr2", "/dev/%i",
		"/dev/$HOME", "/dev/a\\x20b",  "/dev/\"",
		"ID=4",
	};
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(ingot_device_check(bad[i], "hash device", &err), -EINVAL,
			     "hash device '");
}

static void test_paths(void **state)
{
	static const char *const cases[][2] = {
		{"/dev/vda3", "/dev/vda3"},
		{"PARTUUID=7130C94A-213a", "/dev/disk/by-partuuid/7130c94a-213a"},
		{"PARTLABEL=USR-A", "/dev/disk/by-partlabel/USR-A"},
		{"UUID=1DE0-C0DE", "/dev/disk/by-uuid/1DE0-C0DE"},
		{"LABEL=Usr", "/dev/disk/by-label/Usr"},
	};
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		INGOT_FREE char *path = ingot_device_path(cases[i][0], &err);

		assert_string_equal(path, cases[i][1]);
	}
}

/* As `systemd-escape --path --suffix=device` says. */
static void test_unit_names(void **state)
{
	static const char *const cases[][2] = {
		{"/dev/vda3", "dev-vda3.device"},
		{"/dev/disk/by-partuuid/71-2", "dev-disk-by\\x2dpartuuid-71\\x2d2.device"},
		{"/dev/mapper/a:b_c.d+e@f=", "dev-mapper-a:b_c.d\\x2be\\x40f\\x3d.device"},
	};
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		INGOT_FREE char *name = ingot_unit_name(cases[i][0], ".device", &err);

		assert_string_equal(name, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_unit_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
