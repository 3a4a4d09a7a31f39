/* What machines must not share. */
#include "tar_support.h"

#include "tree/private.h"

static const struct ingot_tree_options OPTIONS = {.epoch = SUPPORT_EPOCH};

static int note(void *context, const struct ingot_node *node, const char *kind,
		struct ingot_error *err)
{
	char path[256], *list = context;

	(void)err;
	sprintf(list + strlen(list), "%s: %s\n", ingot_node_path(node, path, sizeof(path)), kind);
	return 0;
}

static void find(struct tar *tar, const char *want)
{
	struct ingot_tree *tree = NULL;
	struct ingot_error err = {0};
	char list[4096] = "";
	int lines = 0;

	tar_end(tar);
	assert_ok(open_bytes(tar->data, tar->size, &OPTIONS, &tree, &err));
	tar_done(tar);
	for (const char *p = want; *p; p++)
		lines += *p == '\n';
	assert_int_equal(ingot_tree_find_machine_state(tree, note, list, &err), lines);
	assert_string_equal(list, want);
	ingot_tree_free(tree);
}

static void found(void **state)
{
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "etc/ssh/ssh_host_rsa_key", .data = "-----BEGIN RSA PRIVATE KEY-----\n");
	TAR(&tar, .name = "etc/ssh/ssh_host_rsa_key.pub", .data = "ssh-rsa AAAA\n");
	TAR(&tar, .name = "etc/ssh/key-with-another-name",
	    .data = "# mine\n-----BEGIN OPENSSH PRIVATE KEY-----\n");
	TAR(&tar, .name = "etc/machine-id", .data = "0123456789abcdef0123456789abcdef\n");
	TAR(&tar, .name = "etc/backup", .type = '1', .link = "usr/key");
	TAR(&tar, .name = "usr/key", .data = "-----BEGIN PRIVATE KEY-----");
	TAR(&tar, .name = "var/lib/dbus/machine-id", .data = "0123\n");
	TAR(&tar, .name = "var/lib/systemd/random-seed", .data = "xx");
	TAR(&tar, .name = "var/lib/dhcp/dhclient.eth0.leases", .data = "lease {}");
	TAR(&tar, .name = "root/.ssh/id_ed25519", .data = "k");
	TAR(&tar, .name = "root/.bash_history", .data = "rm -rf /");
	find(&tar, "etc/backup: private key\n"
		   "etc/machine-id: machine id\n"
		   "etc/ssh/key-with-another-name: private key\n"
		   "etc/ssh/ssh_host_rsa_key: SSH host key\n"
		   "etc/ssh/ssh_host_rsa_key.pub: SSH host key\n"
		   "root/.bash_history: shell history\n"
		   "root/.ssh/id_ed25519: SSH user key\n"
		   "var/lib/dbus/machine-id: D-Bus machine id\n"
		   "var/lib/dhcp/dhclient.eth0.leases: DHCP lease\n"
		   "var/lib/systemd/random-seed: random seed\n");
}

static void harmless(void **state)
{
	struct tar tar = {0};

	(void)state;
	TAR(&tar, .name = "etc/machine-id", .data = "uninitialized\n");
	TAR(&tar, .name = "var/lib/dbus/machine-id", .type = '2', .link = "/etc/machine-id");
	TAR(&tar, .name = "var/lib/systemd/random-seed");
	TAR(&tar, .name = "etc/ssl/cert.pem",
	    .data = "-----BEGIN CERTIFICATE-----\nPRIVATE KEY-----");
	TAR(&tar, .name = "etc/doc", .data = "see -----BEGIN PRIVATE KEY-----\n");
	TAR(&tar, .name = "etc/iscsi/initiatorname.iscsi", .data = "GenerateName=yes\n");
	TAR(&tar, .name = "usr/share/doc/key.pem", .data = "-----BEGIN PRIVATE KEY-----\n");
	TAR(&tar, .name = "var/lib/dhcp/dhclient.leases");
	find(&tar, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
