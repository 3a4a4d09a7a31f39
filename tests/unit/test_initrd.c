/* The cpio segment: its bytes, its texts, where it starts, and what may not get into it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/cpio.h"
#include "boot/initrd.h"
#include "boot/initrd_read.h"
#include "boot/verity_unit.h"
#include "unit.h"

#define HASH   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DEVICE "PARTUUID=7130c94a-213a-4e5a-8e26-6cce9662f132"
#define PATH   "/dev/disk/by-partuuid/7130c94a-213a-4e5a-8e26-6cce9662f132"
#define UNIT   "dev-disk-by\\x2dpartuuid-7130c94a\\x2d213a\\x2d4e5a\\x2d8e26\\x2d6cce9662f132.device"

static const struct ingot_initrd_verity APPENDED = {.root_hash = HASH,
						    .data_device = DEVICE,
						    .hash_device = DEVICE,
						    .hash_offset = 1065345024,
						    .epoch = 1};

static char *load(struct ingot_source *source, size_t *n)
{
	char *data;

	if (ingot_source_load(source, 1 << 20, &data, n, NULL) < 0)
		abort();
	return data;
}

static void test_cpio_bytes(void **state)
{
	static const char want[] = "070701"
				   "00000001"
				   "000041ed"
				   "00000000"
				   "00000000"
				   "00000002"
				   "00000001"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000002"
				   "00000000"
				   "d\0"
				   "070701"
				   "00000002"
				   "000081a4"
				   "00000000"
				   "00000000"
				   "00000001"
				   "00000001"
				   "00000005"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000004"
				   "00000000"
				   "d/f\0\0\0"
				   "hello\0\0\0"
				   "070701"
				   "00000003"
				   "0000a1ff"
				   "00000000"
				   "00000000"
				   "00000001"
				   "00000001"
				   "00000001"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000004"
				   "00000000"
				   "d/l\0\0\0"
				   "f\0\0\0"
				   "070701"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000001"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "0000000b"
				   "00000000"
				   "TRAILER!!!\0\0\0";
	static const struct ingot_cpio_entry entries[] = {
		{"d/f", S_IFREG | 0644, "hello", 5},
		{"d/l", S_IFLNK | 0777, "f", 1},
	};
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct ingot_error err = {0};
	INGOT_FREE char *data = NULL;
	size_t n;

	(void)state;
	assert_ok(ingot_cpio_source(entries, 2, 1, &source, &err));
	data = load(source, &n);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(data, want, n);
}

static void test_cpio_refuses(void **state)
{
	static const struct ingot_cpio_entry cases[][2] = {
		{{"/a", S_IFREG, "", 0}},
		{{"a/../b", S_IFREG, "", 0}},
		{{"a//b", S_IFREG, "", 0}},
		{{"", S_IFREG, "", 0}},
		{{"a/.", S_IFREG, "", 0}},
		{{"a b", S_IFREG, "", 0}},
		{{"a\n", S_IFREG, "", 0}},
		{{"\xc3\xa4", S_IFREG, "", 0}},
		{{"a", S_IFDIR | 0755, "", 0}},
		{{"a", S_IFLNK | 0777, "", 0}},
		{{"a", S_IFLNK | 0777, "x\0", 2}},
		{{"a", S_IFREG, "", 0}, {"a", S_IFREG, "", 0}},
		{{"a", S_IFREG, "", 0}, {"a/b", S_IFREG, "", 0}},
		{{"a/b", S_IFREG, "", 0}, {"a", S_IFREG, "", 0}},
	};
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_fails(
			ingot_cpio_source(cases[i], cases[i][1].path ? 2 : 1, 0, &source, &err),
			-EINVAL, "cpio path '");
	assert_fails(ingot_cpio_source(NULL, 0, -1, &source, &err), -EINVAL, "does not fit");
}

static void test_veritytab(void **state)
{
	struct ingot_initrd_verity verity = APPENDED;
	struct ingot_error err = {0};
	char *line = ingot_veritytab_line(&verity, &err);

	(void)state;
	assert_string_equal(line, "usr " DEVICE " " DEVICE " " HASH " hash-offset=1065345024\n");
	free(line);
	verity.signature = "0\x80";
	line = ingot_veritytab_line(&verity, &err);
	assert_string_equal(line, "usr " DEVICE " " DEVICE " " HASH " hash-offset=1065345024,"
				  "root-hash-signature=/etc/usr.p7s\n");
	free(line);
	verity.hash_offset = 0;
	line = ingot_veritytab_line(&verity, &err);
	assert_string_equal(line, "usr " DEVICE " " DEVICE " " HASH
				  " root-hash-signature=/etc/usr.p7s\n");
	free(line);
	verity.signature = NULL;
	verity.hash_device = "/dev/vdb";
	line = ingot_veritytab_line(&verity, &err);
	assert_string_equal(line, "usr " DEVICE " /dev/vdb " HASH "\n");
	free(line);
	verity.fec_device = "/dev/vdc";
	verity.fec_offset = 4096;
	verity.fec_roots = 2;
	line = ingot_veritytab_line(&verity, &err);
	assert_string_equal(line, "usr " DEVICE " /dev/vdb " HASH
				  " fec-device=/dev/vdc,fec-offset=4096,fec-roots=2\n");
	free(line);
	verity.hash_offset = 512;
	verity.signature = "0\x80";
	line = ingot_veritytab_line(&verity, &err);
	assert_string_equal(line, "usr " DEVICE " /dev/vdb " HASH
				  " hash-offset=512,fec-device=/dev/vdc,fec-offset=4096,"
				  "fec-roots=2,root-hash-signature=/etc/usr.p7s\n");
	free(line);
}

static void test_when_a_unit_is_needed(void **state)
{
	struct ingot_initrd_verity verity = APPENDED;

	(void)state;
	assert_false(ingot_verity_needs_unit(&verity));
	verity.systemd_version = 254;
	assert_false(ingot_verity_needs_unit(&verity));
	verity.systemd_version = 253;
	assert_true(ingot_verity_needs_unit(&verity));
	verity.hash_offset = 0; /* a partition of its own: veritytab will do */
	assert_false(ingot_verity_needs_unit(&verity));
	verity.fec_device = DEVICE; /* ... but not if it has to name the parity */
	assert_true(ingot_verity_needs_unit(&verity));
	verity.systemd_version = 247;
	assert_true(ingot_verity_needs_unit(&verity));
}

static void test_unit(void **state)
{
	static const char want[] =
		"[Unit]\n"
		"Description=dm-verity device usr\n"
		"Documentation=man:veritysetup(8)\n"
		"DefaultDependencies=no\n"
		"IgnoreOnIsolate=true\n"
		"BindsTo=" UNIT "\n"
		"After=veritysetup-pre.target systemd-udevd-kernel.socket " UNIT "\n"
		"Before=veritysetup.target blockdev@dev-mapper-usr.target\n"
		"Wants=blockdev@dev-mapper-usr.target\n"
		"\n"
		"[Service]\n"
		"Type=oneshot\n"
		"RemainAfterExit=yes\n"
		"ExecStart=veritysetup open --hash-offset=1065345024 "
		"--root-hash-signature=/etc/usr.p7s " PATH " usr " PATH " " HASH "\n";
	struct ingot_initrd_verity verity = APPENDED;
	struct ingot_error err = {0};
	INGOT_FREE char *text = NULL;
	INGOT_FREE char *two = NULL;

	(void)state;
	verity.signature = "0\x80";
	text = ingot_verity_unit(&verity, &err);
	assert_string_equal(text, want);
	verity.hash_device = "/dev/vdb";
	two = ingot_verity_unit(&verity, &err);
	assert_non_null(strstr(two, "BindsTo=" UNIT " dev-vdb.device\n"));
	assert_non_null(strstr(two, "socket " UNIT " dev-vdb.device\n"));
}

static void test_segment_has_the_files(void **state)
{
	static const char pem[] = "-----BEGIN CERTIFICATE-----\n";
	static const struct ingot_initrd_certificate certificate = {pem, sizeof(pem) - 1};
	struct ingot_initrd_verity verity = APPENDED;
	INGOT_SOURCE struct ingot_source *line = NULL;
	INGOT_SOURCE struct ingot_source *unit = NULL;
	struct ingot_error err = {0};
	INGOT_FREE char *data = NULL;
	INGOT_FREE char *old = NULL;
	size_t n;

	(void)state;
	verity.root_hash = "ABCDEF33445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff";
	verity.signature = "0\x80";
	verity.signature_size = 2;
	verity.certificates = &certificate;
	verity.certificate_count = 1;
	assert_ok(ingot_initrd_segment(&verity, &line, &err));
	data = load(line, &n);
	assert_int_equal(n % 4, 0);
	assert_non_null(memmem(data, n, "etc/veritytab", 14));
	assert_non_null(memmem(data, n, " abcdef33445566", 15)); /* as in the signed text */
	assert_non_null(memmem(data, n, "etc/usr.p7s", 12));
	assert_non_null(memmem(data, n, "etc/verity.d/ingot.crt", 23));
	assert_non_null(memmem(data, n, pem, sizeof(pem) - 1));

	verity.systemd_version = 252;
	assert_ok(ingot_initrd_segment(&verity, &unit, &err));
	old = load(unit, &n);
	assert_null(memmem(old, n, "veritytab", 9));
	assert_non_null(
		memmem(old, n, "dev-mapper-usr.device.requires/ingot-verity-usr.service", 55));
}

static void test_segment_refuses(void **state)
{
	static const struct ingot_initrd_certificate certificates[9] = {
		{"-----BEGIN CERTIFICATE-----\n", 28},
		{"0\x82", 2},
	};
	struct ingot_initrd_verity verity = APPENDED;
	INGOT_SOURCE struct ingot_source *source = NULL;
	struct ingot_error err = {0};

	(void)state;
	verity.root_hash = "0011";
	assert_fails(ingot_initrd_segment(&verity, &source, &err), -EINVAL, "shorter than 20");
	verity.root_hash = HASH " panic-on-corruption";
	assert_fails(ingot_initrd_segment(&verity, &source, &err), -EINVAL, "root hash: ");
	verity = APPENDED;
	verity.hash_device = "/dev/vdb\nother /dev/vdc";
	assert_fails(ingot_initrd_segment(&verity, &source, &err), -EINVAL,
		     "hash device '/dev/vdb\\x0aother");
	verity = APPENDED;
	verity.hash_offset = 100;
	assert_fails(ingot_initrd_segment(&verity, &source, &err), -EINVAL, "multiple of 512");
	verity = APPENDED;
	verity.signature = "-----BEGIN PKCS7-----";
	verity.signature_size = 21;
	assert_fails(ingot_initrd_segment(&verity, &source, &err), -EINVAL, "not PKCS#7 in DER");
	verity = APPENDED;
	verity.certificates = certificates;
	verity.certificate_count = 2;
	assert_fails(ingot_initrd_segment(&verity, &source, &err), -EINVAL,
		     "certificate 2: not PEM");
	verity.certificate_count = 9;
	assert_fails(ingot_initrd_segment(&verity, &source, &err), -EINVAL,
		     "9 certificates, at most 8");
}

/* systemd reads one certificate of each file, so every signer has one; the first keeps its name. */
static void test_a_certificate_for_each_signer(void **state)
{
	static const struct ingot_initrd_certificate both[] = {
		{"-----BEGIN CERTIFICATE-----\nfirst\n", 34},
		{"-----BEGIN CERTIFICATE-----\nnext\n", 33},
	};
	struct ingot_initrd_verity verity = APPENDED;
	INGOT_SOURCE struct ingot_source *source = NULL;
	char path[INGOT_INITRD_CERTIFICATE_PATH];
	struct ingot_error err = {0};

	(void)state;
	verity.certificates = both;
	verity.certificate_count = 2;
	assert_ok(ingot_initrd_segment(&verity, &source, &err));
	for (size_t i = 0; i < 2; i++) {
		INGOT_FREE char *text = NULL;
		size_t n;

		assert_ok(ingot_initrd_find(source, ingot_initrd_certificate_path(i, path), &text,
					    &n, &err));
		assert_int_equal(n, both[i].size);
		assert_memory_equal(text, both[i].pem, n);
	}
	assert_string_equal(ingot_initrd_certificate_path(0, path), "etc/verity.d/ingot.crt");
	assert_string_equal(ingot_initrd_certificate_path(1, path), "etc/verity.d/ingot-2.crt");
	assert_string_equal(ingot_initrd_certificate_path(7, path), "etc/verity.d/ingot-8.crt");
}

static void test_parts_start_on_four(void **state)
{
	struct ingot_source *parts[4] = {0};
	INGOT_SOURCE struct ingot_source *whole = NULL;
	struct ingot_error err = {0};
	INGOT_FREE char *data = NULL;
	size_t n;

	(void)state;
	for (size_t i = 0; i < 4; i++) /* "", "a", "bbbb", "ccccc" */
		assert_ok(ingot_source_memory("part", "abbbbccccc" + (size_t[]){0, 0, 1, 5}[i],
					      (size_t[]){0, 1, 4, 5}[i], &parts[i], &err));
	assert_ok(ingot_initrd_source(parts, 4, &whole, &err));
	data = load(whole, &n);
	assert_int_equal(n, 16);
	assert_memory_equal(data, "a\0\0\0bbbbccccc\0\0\0", 16);
	for (size_t i = 0; i < 4; i++)
		ingot_source_free(parts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpio_bytes),
		cmocka_unit_test(test_cpio_refuses),
		cmocka_unit_test(test_veritytab),
		cmocka_unit_test(test_when_a_unit_is_needed),
		cmocka_unit_test(test_unit),
		cmocka_unit_test(test_segment_has_the_files),
		cmocka_unit_test(test_segment_refuses),
		cmocka_unit_test(test_a_certificate_for_each_signer),
		cmocka_unit_test(test_parts_start_on_four),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
