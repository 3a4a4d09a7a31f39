/* Machines in a tar: OVA and Vagrant's box. */
#include <errno.h>
#include <string.h>

#include "formats/ustar_internal.h"
#include "formats_support.h"

static void convert_as(const char *format, const char *out,
		       const struct ingot_format_options *options, int want, const char *words)
{
	INGOT_SOURCE struct ingot_source *disk = NULL;
	struct ingot_convert_output output = {.format = format, .path = out, .options = *options};
	struct ingot_convert_options all = {.outputs = &output, .count = 1, .jobs = 2};
	struct ingot_error err = {0};

	assert_ok(ingot_source_open("disk", &disk, &err));
	if (want == 0)
		assert_ok(ingot_convert(disk, &all, &err));
	else
		assert_fails(ingot_convert(disk, &all, &err), want, words);
}

/* The i-th member of an archive in memory, its bytes as a new text. */
static char *member(const unsigned char *tar, size_t n, size_t i, struct ingot_ustar_member *ret)
{
	struct ingot_error err = {0};
	size_t at = 0;
	char *text;

	for (;; i--) {
		assert_true(at + USTAR_BLOCK <= n);
		assert_int_equal(ingot_ustar_parse(tar + at, ret, &err), 1);
		at += USTAR_BLOCK;
		assert_true(ret->size <= n - at);
		if (i == 0)
			break;
		at += (size_t)ingot_round_up(ret->size, USTAR_BLOCK);
	}
	text = calloc(1, ret->size + 1);
	assert_non_null(text);
	memcpy(text, tar + at, ret->size);
	return text;
}

static void assert_has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' not in: %s", words, text);
}

static void hex_digest(const void *data, size_t n, char hex[65])
{
	static const char digits[] = "0123456789abcdef";
	struct ingot_error err = {0};
	uint8_t digest[INGOT_SHA256_SIZE];

	assert_ok(ingot_sha256(data, n, digest, &err));
	for (size_t i = 0; i < sizeof(digest); i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[64] = '\0';
}

static void test_there_and_back(void **state)
{
	(void)state;
	formats_round_trips("ova", "ova", 65536);
	formats_round_trips("vagrant", "ova", 65536);
}

static void test_manifest_and_order(void **state)
{
	struct ingot_format_options options = {.name = "ingot-1"};
	struct ingot_ustar_member ovf, mf, vmdk;
	char *texts[3], hex[65], line[256];
	unsigned char *tar, *alone;
	size_t n, m;

	(void)state;
	formats_disk("disk", 3000000);
	convert_as("ova", "ova", &options, 0, NULL);
	formats_convert("disk", "vmdk", "vmdk", 2);
	tar = formats_load("ova", &n);
	texts[0] = member(tar, n, 0, &ovf);
	texts[1] = member(tar, n, 1, &mf);
	texts[2] = member(tar, n, 2, &vmdk);
	assert_string_equal(ovf.name, "ingot-1.ovf");
	assert_string_equal(mf.name, "ingot-1.mf");
	assert_string_equal(vmdk.name, "ingot-1.vmdk");

	alone = formats_load("vmdk", &m);
	assert_int_equal(m, vmdk.size);
	assert_memory_equal(alone, texts[2], m);
	hex_digest(texts[0], ovf.size, hex);
	(void)snprintf(line, sizeof(line), "SHA256(ingot-1.ovf)= %s\n", hex);
	assert_has(texts[1], line);
	hex_digest(texts[2], vmdk.size, hex);
	(void)snprintf(line, sizeof(line), "SHA256(ingot-1.vmdk)= %s\n", hex);
	assert_has(texts[1], line);
	(void)snprintf(line, sizeof(line), "ovf:size=\"%zu\"", m);
	assert_has(texts[0], line);
	(void)snprintf(line, sizeof(line), "ovf:capacity=\"%d\"", 46 * 65536);
	assert_has(texts[0], line);
	for (size_t i = 0; i < 3; i++)
		free(texts[i]);
	free(tar);
	free(alone);
}

static void check_description(const char *format, const struct ingot_format_options *options,
			      const char *const *words)
{
	struct ingot_ustar_member ovf;
	unsigned char *tar;
	char *text;
	size_t n;

	convert_as(format, "described", options, 0, NULL);
	tar = formats_load("described", &n);
	text = member(tar, n, 0, &ovf);
	for (; *words; words++)
		assert_has(text, *words);
	free(text);
	free(tar);
}

static void test_what_the_machine_is(void **state)
{
	static const struct ingot_format_options vmware = {.hardware_version = "vmx-19",
							   .memory = 4096,
							   .cpus = 8,
							   .secure_boot = true,
							   .os_id = 107,
							   .os_type = "a<b>&\"c\"",
							   .disk = "nvme",
							   .network = "e1000"};
	static const struct ingot_format_options virtualbox = {
		.hardware_version = "virtualbox-2.2", .bios = true, .disk = "ide"};
	static const char *const vmware_words[] = {
		"<vssd:VirtualSystemType>vmx-19<",
		"<rasd:VirtualQuantity>4096<",
		"<rasd:VirtualQuantity>8<",
		"vmw:osType=\"a&lt;b&gt;&amp;&quot;c&quot;\"",
		"ovf:id=\"107\"",
		"<rasd:ResourceSubType>vmware.nvme.controller<",
		"<rasd:ResourceSubType>E1000<",
		"vmw:key=\"firmware\" vmw:value=\"efi\"",
		"vmw:key=\"bootOptions.efiSecureBootEnabled\" vmw:value=\"true\"",
		NULL};
	static const char *const virtualbox_words[] = {"<vssd:VirtualSystemType>virtualbox-2.2<",
						       "<Firmware type=\"BIOS\"/>",
						       "<rasd:ResourceSubType>PIIX4<", NULL};
	static const char *const vagrant_words[] = {"<vssd:VirtualSystemType>virtualbox-2.2<",
						    "<Firmware type=\"EFI\"/>",
						    "ovf:href=\"box.vmdk\"", NULL};

	(void)state;
	formats_disk("disk", 512);
	check_description("ova", &vmware, vmware_words);
	check_description("ova", &virtualbox, virtualbox_words);
	check_description("vagrant", &(struct ingot_format_options){0}, vagrant_words);
}

static void test_names(void **state)
{
	static const char *const bad[] = {"", ".x", "a/b", "a b", "\xc3\xa4", "a\nb"};

	(void)state;
	formats_disk("disk", 512);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		convert_as("ova", "bad", &(struct ingot_format_options){.name = bad[i]}, -EINVAL,
			   "cannot be the name of a machine");
}

static void test_broken(void **state)
{
	static const unsigned char checksum[] = {'7'};
	unsigned char *tar;
	size_t n;

	(void)state;
	formats_disk("disk", 100000);
	formats_convert("disk", "ova", "ova", 1);
	tar = formats_load("ova", &n);
	/* The second header's checksum; then all headers, but no disk; then a disk cut off. */
	formats_refused(tar, n, 4096 + 148, checksum, 1, -EBADMSG, "checksum");
	formats_refused(tar, 4096, 0, tar, 1, -EBADMSG, "no .vmdk");
	formats_refused(tar, n - 2048, 0, tar, 1, -EBADMSG, "is cut off");
	free(tar);
}

static void test_headers(void **state)
{
	unsigned char h[USTAR_BLOCK];
	struct ingot_ustar_member m;
	struct ingot_error err = {0};
	char name[102];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[100] = '\0';
	assert_ok(ingot_ustar_header(name, USTAR_SIZE_MAX, h, &err));
	assert_int_equal(ingot_ustar_parse(h, &m, &err), 1);
	assert_string_equal(m.name, name);
	assert_int_equal(m.size, USTAR_SIZE_MAX);
	assert_true(m.is_file);
	assert_fails(ingot_ustar_header("x", USTAR_SIZE_MAX + 1, h, &err), -EFBIG, "8 GiB");
	name[100] = 'n';
	name[101] = '\0';
	assert_fails(ingot_ustar_header(name, 1, h, &err), -ENAMETOOLONG, "100 bytes");
	memset(h, 0, sizeof(h));
	assert_int_equal(ingot_ustar_parse(h, &m, &err), 0);
	h[511] = 1;
	assert_fails(ingot_ustar_parse(h, &m, &err), -EBADMSG, "checksum");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_manifest_and_order),
		cmocka_unit_test(test_what_the_machine_is),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
