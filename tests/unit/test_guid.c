/* GUIDs as text, in RFC 4122 order and in GPT's. */
#include <errno.h>
#include <string.h>

#include "base/guid.h"
#include "unit.h"

/* The EFI system partition's type, UEFI 2.10 table 5-7, and its bytes on a disk. */
static const char ESP[] = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
static const uint8_t ESP_ON_DISK[16] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
					0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};

static void test_text_there_and_back(void **state)
{
	struct ingot_error err = {0};
	struct ingot_guid guid, upper;
	char text[INGOT_GUID_TEXT];

	(void)state;
	assert_ok(ingot_guid_parse(ESP, &guid, &err));
	assert_int_equal(guid.bytes[0], 0xc1);
	assert_string_equal(ingot_guid_text(&guid, text), ESP);
	assert_ok(ingot_guid_parse("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", &upper, &err));
	assert_true(ingot_guid_equal(&guid, &upper));
	assert_false(ingot_guid_is_zero(&guid));
	assert_ok(ingot_guid_parse("00000000-0000-0000-0000-000000000000", &guid, &err));
	assert_true(ingot_guid_is_zero(&guid));
	assert_false(ingot_guid_equal(&guid, &upper));
}

static void test_gpt_order(void **state)
{
	struct ingot_error err = {0};
	struct ingot_guid guid, back;
	uint8_t raw[16];

	(void)state;
	assert_ok(ingot_guid_parse(ESP, &guid, &err));
	ingot_guid_to_gpt(&guid, raw);
	assert_memory_equal(raw, ESP_ON_DISK, 16);
	ingot_guid_from_gpt(raw, &back);
	assert_true(ingot_guid_equal(&guid, &back));
}

static void test_what_is_no_guid(void **state)
{
	static const char *const bad[] = {
		"",
		"c12a7328",
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93",
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93b0",
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93g",
		"c12a7328-f81f-11d2-ba4b 00a0c93ec93b",
		"c12a-7328f81f-11d2-ba4b-00a0c93ec93b",
		"{12a7328-f81f-11d2-ba4b-00a0c93ec93}",
		"------------------------------------",
		"c12a7328-f81f-11d2-ba4b-00a0c93ec9\x80\x80",
	};
	struct ingot_error err;
	struct ingot_guid guid = {{1}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(ingot_guid_parse(bad[i], &guid, &err), -EINVAL, "is not a UUID");
	assert_int_equal(guid.bytes[0], 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_there_and_back),
		cmocka_unit_test(test_gpt_order),
		cmocka_unit_test(test_what_is_no_guid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
