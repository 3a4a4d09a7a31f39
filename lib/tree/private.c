#include "tree/private.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "tree/tree_internal.h"

enum {
	LOOK_MAX = 64 * 1024, /* bytes of a file that are looked at */
};

struct search {
	struct ingot_tree_reader *reader;
	struct path_text path;
	char *text; /* LOOK_MAX + 1 */
};

/* --- what is inside ---------------------------------------------------- */

static int load(struct search *search, const struct ingot_node *file, size_t *ret_n,
		struct ingot_error *err)
{
	size_t n = (size_t)ingot_min(file->size, LOOK_MAX);
	int rc = ingot_tree_read(search->reader, file, 0, search->text, n, err);

	search->text[rc < 0 ? 0 : n] = '\0';
	*ret_n = n;
	return rc;
}

/* machine-id(5): empty or "uninitialized" until the first boot. */
static bool is_machine_id(const char *text, size_t n)
{
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	return n > 0 && !(n == strlen("uninitialized") && memcmp(text, "uninitialized", n) == 0);
}

/* A line "-----BEGIN ANYTHING PRIVATE KEY-----" (RFC 7468), OpenSSH's own included. */
static bool is_private_key(const char *text, size_t n)
{
	static const char begin[] = "-----BEGIN ", end[] = "PRIVATE KEY-----";
	const char *p = text, *stop = text + n;

	while ((p = memmem(p, (size_t)(stop - p), begin, strlen(begin)))) {
		const char *line = p;
		const char *line_end = memchr(p, '\n', (size_t)(stop - p));
		size_t length = (size_t)((line_end ? line_end : stop) - p);

		p += strlen(begin);
		if ((line == text || line[-1] == '\n') && memmem(line, length, end, strlen(end)))
			return true;
	}
	return false;
}

static bool has_words(const char *text, size_t n, const char *words)
{
	return memmem(text, n, words, strlen(words)) != NULL;
}

static bool is_wireguard_key(const char *text, size_t n)
{
	return has_words(text, n, "PrivateKey");
}

/* Debian's package brings the file with "GenerateName=yes", to be filled in at the first start. */
static bool is_initiator_name(const char *text, size_t n)
{
	return has_words(text, n, "InitiatorName=");
}

/* --- the table --------------------------------------------------------- */

struct rule {
	const char *pattern; /* see ingot_path_match */
	const char *kind;
	bool (*looks_like)(const char *text, size_t n); /* NULL: whatever is in it */
};

/* The first that matches counts. */
static const struct rule RULES[] = {
	{"etc/ssh/ssh_host_*_key", "SSH host key", NULL},
	{"etc/ssh/ssh_host_*_key.pub", "SSH host key", NULL},
	{"etc/dropbear/dropbear_*_host_key", "SSH host key", NULL},
	{"etc/machine-id", "machine id", is_machine_id},
	{"var/lib/dbus/machine-id", "D-Bus machine id", is_machine_id},
	{"etc/hostid", "host id", NULL},

	{"var/lib/systemd/random-seed", "random seed", NULL},
	{"var/lib/random-seed", "random seed", NULL},
	{"var/lib/urandom/random-seed", "random seed", NULL},
	{"var/lib/misc/random-seed", "random seed", NULL},
	{"var/lib/seedrng/**", "random seed", NULL},
	{"boot/loader/random-seed", "random seed", NULL},
	{"boot/efi/loader/random-seed", "random seed", NULL},
	{"efi/loader/random-seed", "random seed", NULL},
	{"loader/random-seed", "random seed", NULL},
	{"etc/entropy/**", "random seed", NULL},
	{"var/lib/systemd/credential.secret", "key of systemd's credentials", NULL},
	{"var/lib/systemd/tpm2-srk-public-key.*", "key of a TPM", NULL},

	{"var/lib/dhcp/*.leases", "DHCP lease", NULL},
	{"var/lib/dhclient/*", "DHCP lease", NULL},
	{"var/lib/dhcpcd/*", "DHCP lease", NULL},
	{"var/lib/dhcpcd5/*", "DHCP lease", NULL},
	{"var/db/dhcpcd/*", "DHCP lease", NULL},
	{"etc/dhcpcd.duid", "DHCP identifier", NULL},
	{"etc/dhcpcd.secret", "DHCP identifier", NULL},
	{"var/lib/NetworkManager/*.lease", "DHCP lease", NULL},
	{"var/lib/NetworkManager/secret_key", "NetworkManager's secret key", NULL},
	{"run/systemd/netif/leases/*", "DHCP lease", NULL},
	{"var/lib/systemd/network/*lease*", "DHCP lease", NULL},
	{"etc/udev/rules.d/70-persistent-*.rules", "hardware address", NULL},

	{"etc/iscsi/initiatorname.iscsi", "iSCSI initiator name", is_initiator_name},
	{"etc/nvme/hostnqn", "NVMe host name", NULL},
	{"etc/nvme/hostid", "NVMe host name", NULL},
	{"etc/krb5.keytab", "Kerberos key", NULL},
	{"var/lib/samba/private/secrets.tdb", "Samba machine secret", NULL},
	{"etc/wireguard/*", "WireGuard key", is_wireguard_key},
	{"var/lib/tailscale/tailscaled.state", "Tailscale key", NULL},
	{"var/lib/tor/keys/*", "Tor key", NULL},
	{"etc/docker/key.json", "Docker key", NULL},
	{"var/lib/cloud/data/instance-id", "cloud instance", NULL},
	{"var/lib/cloud/instances/**", "cloud instance", NULL},
	{"var/log/journal/*/*.journal", "journal of a machine", NULL},

	{"**/.ssh/id_*", "SSH user key", NULL},
	{"**/.gnupg/private-keys-v1.d/*", "GnuPG key", NULL},
	{"etc/pacman.d/gnupg/private-keys-v1.d/*", "GnuPG key", NULL},
	{"root/.*_history", "shell history", NULL},
	{"home/*/.*_history", "shell history", NULL},
	{"root/.netrc", "password", NULL},
	{"home/*/.netrc", "password", NULL},
	{"root/.git-credentials", "password", NULL},
	{"home/*/.git-credentials", "password", NULL},
	{"root/.docker/config.json", "password", NULL},
	{"root/.aws/credentials", "password", NULL},
	{"etc/**", "private key", is_private_key},
};

/* Where most files are, and none of these. */
static bool is_usr(const struct ingot_node *top)
{
	return strcmp(top->name, "usr") == 0;
}

static const struct rule *rule_for(const char *path)
{
	for (size_t i = 0; i < sizeof(RULES) / sizeof(RULES[0]); i++)
		if (ingot_path_match(RULES[i].pattern, path))
			return &RULES[i];
	return NULL;
}

/* 1: found. */
static int look_at(struct search *search, const struct ingot_node *node, const char **ret_kind,
		   struct ingot_error *err)
{
	const struct ingot_node *file = node->is_link ? node->link : node;
	const struct rule *rule;
	size_t n;
	int rc;

	if (!S_ISREG(file->mode) || file->size == 0)
		return 0;
	rc = ingot_node_raw_path(node, &search->path, &n, err);
	if (rc < 0)
		return rc;
	rule = rule_for(search->path.text);
	if (!rule)
		return 0;
	*ret_kind = rule->kind;
	if (!rule->looks_like)
		return 1;
	rc = load(search, file, &n, err);
	if (rc < 0)
		return rc;
	return rule->looks_like(search->text, n);
}

static int search_top(struct search *search, const struct ingot_node *top,
		      ingot_machine_state_found found, void *context, int *count,
		      struct ingot_error *err)
{
	const char *kind = NULL;

	for (const struct ingot_node *n = top; n; n = ingot_node_next(top, n)) {
		int rc = look_at(search, n, &kind, err);

		if (rc > 0) {
			rc = found(context, n, kind, err);
			*count += *count < INT_MAX;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ingot_tree_find_machine_state(struct ingot_tree *tree, ingot_machine_state_found found,
				  void *context, struct ingot_error *err)
{
	struct search search = {0};
	const struct ingot_node *top = tree->root->node.children;
	int count = 0, rc;

	rc = ingot_tree_reader_new(tree, &search.reader, err);
	if (rc < 0)
		return rc;
	search.text = ingot_alloc(1, LOOK_MAX + 1, err);
	rc = search.text ? 0 : -ENOMEM;
	for (; top && rc == 0; top = top->next)
		if (!is_usr(top))
			rc = search_top(&search, top, found, context, &count, err);
	ingot_tree_reader_free(search.reader);
	free(search.path.text);
	free(search.text);
	return rc < 0 ? rc : count;
}
