/* What firmware is told to trust: against the tables of the UEFI specification. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "sign/efi.h"
#include "test_keys.h"

struct world {
	EVP_PKEY *pkey;
	X509 *x509;
	struct ingot_key *key;
	struct ingot_certificate *certificate;
};

static int setup(void **state)
{
	static struct world w;
	char *pem;

	w.pkey = EVP_EC_gen("P-256");
	w.x509 = test_certificate(w.pkey, "TEST", 1);
	pem = test_key_pem(w.pkey, NULL);
	if (ingot_key_parse("key", pem, strlen(pem), &w.key, NULL) < 0)
		return -1;
	free(pem);
	pem = test_certificate_pem(w.x509);
	if (ingot_certificate_parse("certificate", pem, strlen(pem), &w.certificate, NULL) < 0)
		return -1;
	free(pem);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ingot_key_free(w->key);
	ingot_certificate_free(w->certificate);
	X509_free(w->x509);
	EVP_PKEY_free(w->pkey);
	return 0;
}

static void test_list(void **state)
{
	const struct world *w = *state;
	const struct ingot_certificate *twice[] = {w->certificate, w->certificate};
	struct ingot_guid owner, type, found;
	struct ingot_error err = {0};
	uint8_t *list;
	const uint8_t *der;
	size_t n, der_n;

	assert_ok(ingot_guid_parse("28fc0c3d-5a16-4d1b-a2b5-6a3b6c0d0b5e", &owner, &err));
	assert_ok(ingot_guid_parse("a5c059a1-94e4-4aa7-87b5-ab155c2bf072", &type, &err));
	der = ingot_certificate_der(w->certificate, &der_n);
	assert_ok(ingot_efi_list(twice, 2, &owner, &list, &n, &err));
	assert_int_equal(n, 2 * (28 + 16 + der_n));
	ingot_guid_from_gpt(list, &found);
	assert_true(ingot_guid_equal(&found, &type));
	assert_int_equal(ingot_get_le32(list + 16), n / 2);
	assert_int_equal(ingot_get_le32(list + 20), 0);
	assert_int_equal(ingot_get_le32(list + 24), 16 + der_n);
	ingot_guid_from_gpt(list + 28, &found);
	assert_true(ingot_guid_equal(&found, &owner));
	assert_memory_equal(list + 44, der, der_n);
	assert_memory_equal(list, list + n / 2, n / 2);
	assert_ok(ingot_efi_list_check(list, n, &err));
	assert_ok(ingot_efi_list_check(list, 0, &err));
	for (size_t i = 1; i < n; i++)
		assert_int_equal(ingot_efi_list_check(list, i, &err), i == n / 2 ? 0 : -EINVAL);
	free(list);
}

static void test_list_lies(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
	} cases[] = {
		{16, 0},  {16, 27},	    {16, 65}, {16, 0xffffffff}, {20, 1},  {20, 36},
		{20, 37}, {20, 0xffffffff}, {24, 0},  {24, 16},		{24, 17}, {24, 0xffffffff},
	};
	uint8_t list[64] = {0};
	struct ingot_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ingot_put_le32(list + 16, sizeof(list));
		ingot_put_le32(list + 20, 0);
		ingot_put_le32(list + 24, 36);
		assert_ok(ingot_efi_list_check(list, sizeof(list), &err));
		ingot_put_le32(list + cases[i].at, cases[i].value);
		assert_fails(ingot_efi_list_check(list, sizeof(list), &err), -EINVAL, "do not fit");
	}
}

static void test_variable(void **state)
{
	static const uint8_t time[16] = {0xe9, 0x07, 1, 2, 3, 4, 5};
	const struct world *w = *state;
	struct ingot_efi_variable variable = {.name = "db", .time = 1735787045};
	struct ingot_error err = {0};
	uint8_t *update, one[32], two[32];
	size_t n;

	assert_ok(ingot_efi_variable_sign(&variable, w->key, w->certificate, &update, &n, &err));
	assert_memory_equal(update, time, sizeof(time));
	assert_int_equal(ingot_get_le32(update + 16), n - 16);
	assert_int_equal(ingot_get_le16(update + 20), 0x200);
	assert_int_equal(ingot_get_le16(update + 22), 0x0ef1);
	assert_int_equal(update[40], 0x30);
	free(update);

	/* Whatever is said about the update is signed. */
	assert_ok(ingot_efi_variable_digest(&variable, one, &err));
	variable.append = true;
	assert_ok(ingot_efi_variable_digest(&variable, two, &err));
	assert_memory_not_equal(one, two, 32);
	variable.append = false;
	variable.time++;
	assert_ok(ingot_efi_variable_digest(&variable, two, &err));
	assert_memory_not_equal(one, two, 32);
	variable.time--;
	variable.name = "dbx";
	assert_ok(ingot_efi_variable_digest(&variable, two, &err));
	assert_memory_not_equal(one, two, 32);

	variable.name = "SetupMode";
	assert_fails(ingot_efi_variable_digest(&variable, two, &err), -EINVAL,
		     "'SetupMode' is none");
	variable.name = "PK";
	variable.time = -1;
	assert_fails(ingot_efi_variable_digest(&variable, two, &err), -EINVAL, "the time -1");
	variable.time = 0;
	variable.list = time;
	variable.n = sizeof(time);
	assert_fails(ingot_efi_variable_digest(&variable, two, &err), -EINVAL, "left over");
}

static void test_owner(void **state)
{
	const struct world *w = *state;
	struct ingot_guid one, two;
	struct ingot_error err = {0};

	assert_ok(ingot_efi_owner(w->certificate, &one, &err));
	assert_ok(ingot_efi_owner(w->certificate, &two, &err));
	assert_true(ingot_guid_equal(&one, &two));
	assert_false(ingot_guid_is_zero(&one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_lies),
		cmocka_unit_test(test_variable),
		cmocka_unit_test(test_owner),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
