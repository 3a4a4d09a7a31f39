/* Who says what the root hash is, who of them is believed, and who agrees. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "image/verify_internal.h"
#include "sign/pkcs7.h"
#include "verity/check.h"

/* --- claims ------------------------------------------------------------ */

static struct verify_claim *new_claim(struct verification *v, const char *row, const char *place)
{
	struct verify_claim *claim;

	if (v->claim_count == VERIFY_CLAIMS_MAX)
		return NULL;
	claim = &v->claims[v->claim_count++];
	claim->row = row;
	(void)snprintf(claim->place, sizeof(claim->place), "%s", place);
	return claim;
}

static void claim_bytes(struct verification *v, const char *row, const char *place,
			const void *bytes, size_t n)
{
	struct verify_claim *claim = new_claim(v, row, place);

	if (!claim)
		return;
	claim->size = (size_t)ingot_min(n, sizeof(claim->root));
	memcpy(claim->root, bytes, claim->size);
}

static void claim_hex(struct verification *v, const char *row, const char *place, const char *hex,
		      size_t n)
{
	struct verify_claim *claim = new_claim(v, row, place);
	char text[2 * INGOT_VERITY_DIGEST_MAX + 1];

	if (!claim)
		return;
	claim->malformed = true;
	if (n >= sizeof(text))
		return;
	memcpy(text, hex, n);
	text[n] = '\0';
	/* As the signature is over this text, it has to be in lower case. */
	if (ingot_root_hash_check(text, NULL) == 0 &&
	    ingot_unhex(text, claim->root, sizeof(claim->root), &claim->size, NULL) == 0)
		claim->malformed = false;
}

/* --- where they stand -------------------------------------------------- */

/* Word number `index` of a line, counted from 0; NULL: there are fewer. */
static const char *word(const char *line, size_t index, size_t *n)
{
	for (;; index--) {
		line += strspn(line, " \t");
		*n = strcspn(line, " \t\n");
		if (*n == 0)
			return NULL;
		if (index == 0)
			return line;
		line += *n;
	}
}

static void claim_veritytab(struct verification *v, const struct verify_program *program)
{
	size_t n;
	const char *hash = word(program->veritytab, 3, &n);
	char place[96];

	(void)snprintf(place, sizeof(place), "veritytab of %.60s", program->path);
	claim_hex(v, "roothash.veritytab", place, hash ? hash : "", hash ? n : 0);
}

/* The last word of ExecStart=. */
static void claim_unit(struct verification *v, const struct verify_program *program)
{
	const char *at = strstr(program->unit, "\nExecStart="), *end;
	char place[96];

	(void)snprintf(place, sizeof(place), "verity service of %.60s", program->path);
	if (!at) {
		claim_hex(v, "roothash.veritytab", place, "", 0);
		return;
	}
	end = at + 1 + strcspn(at + 1, "\n");
	for (at = end; at[-1] != ' ' && at[-1] != '\n';)
		at--;
	claim_hex(v, "roothash.veritytab", place, at, (size_t)(end - at));
}

static void claim_cmdline(struct verification *v, const struct verify_program *program)
{
	static const char *const keys[] = {"usrhash=", "verity.usrhash="};
	char place[96];

	(void)snprintf(place, sizeof(place), "command line of %.60s", program->path);
	for (const char *at = program->cmdline; *at; at += strcspn(at, " "), at += *at == ' ')
		for (size_t i = 0; i < 2; i++)
			if (strncmp(at, keys[i], strlen(keys[i])) == 0)
				claim_hex(v, "roothash.cmdline", place, at + strlen(keys[i]),
					  strcspn(at + strlen(keys[i]), " \n"));
}

/* Whether the layout, or the Discoverable Partitions Specification, names them after the hash. */
static bool is_named_after(const struct verification *v, const struct ingot_gpt_partition *p,
			   enum ingot_uuid_rule rule)
{
	if (!v->layout) /* where the tree is apart, it is found by no other means */
		return v->hash != NULL;
	for (size_t i = 0; i < v->layout->count; i++)
		if (v->layout->partitions[i].number == p->number)
			return v->layout->partitions[i].uuid_rule == rule;
	return false;
}

static void claim_uuids(struct verification *v)
{
	const char *row = "roothash.partition-uuids";
	char place[VERIFY_PARTITION_TEXT];

	if (v->usr_at && is_named_after(v, v->usr_at, INGOT_UUID_ROOT_HASH_FIRST))
		claim_bytes(v, row, verify_partition_text(v->usr_at, place, sizeof(place)),
			    v->usr_at->uuid.bytes, 16);
	if (!v->hash_at || !is_named_after(v, v->hash_at, INGOT_UUID_ROOT_HASH_LAST))
		return;
	claim_bytes(v, row, verify_partition_text(v->hash_at, place, sizeof(place)),
		    v->hash_at->uuid.bytes, 16);
	if (v->claim_count > 0)
		v->claims[v->claim_count - 1].from_end = true;
}

static int claim_signature_partition(struct verification *v, struct ingot_error *err)
{
	INGOT_FREE char *data = NULL;
	size_t n;
	int rc;

	if (!v->signature_part)
		return 0;
	rc = ingot_source_load(v->signature_part, INGOT_VERITY_SIGNATURE_MAX, &data, &n,
			       &v->signature_error);
	if (rc == 0)
		rc = ingot_verity_signature_decode((const uint8_t *)data, n, &v->signature,
						   &v->signature_pkcs7, &v->signature_error);
	v->has_signature = rc == 0;
	if (rc == 0)
		claim_bytes(v, "roothash.signature-partition", "signature partition",
			    v->signature.root, v->signature.root_size);
	return rc == -ENOMEM ? ingot_raise(err, rc, "%s", v->signature_error.text) : 0;
}

static void claim_given(struct verification *v)
{
	const struct ingot_verify_options *o = v->options;
	const json_t *usr = json_object_get(o->manifest, "usr");
	const char *hex = json_string_value(json_object_get(usr, "root_hash"));
	size_t before = v->claim_count;

	if (usr)
		claim_hex(v, "roothash.manifest", "manifest", hex ? hex : "",
			  hex ? strlen(hex) : 0);
	if (o->root)
		claim_bytes(v, "roothash.trust", "the root hash given", o->root, o->root_size);
	for (; before < v->claim_count; before++)
		v->claims[before].trusted = true;
}

/* --- which one is believed --------------------------------------------- */

static bool agrees(const struct verify_claim *claim, const uint8_t *root, size_t size)
{
	if (claim->malformed || claim->size > size)
		return false;
	/* What has room for more than a half has room for all of it. */
	if (claim->size != size && claim->size != 16)
		return false;
	return memcmp(claim->root, claim->from_end ? root + size - claim->size : root,
		      claim->size) == 0;
}

bool verify_is_signed(struct verification *v, const void *pkcs7, size_t n, const char *hex)
{
	for (size_t i = 0; i < v->options->certificate_count; i++) {
		int rc = ingot_verify_root_hash(pkcs7, n, hex, v->options->certificates[i], NULL);

		v->no_memory |= rc == -ENOMEM;
		if (rc == 0)
			return true;
	}
	return false;
}

static bool any_signature(struct verification *v, const uint8_t *root, size_t size)
{
	char hex[2 * INGOT_VERITY_DIGEST_MAX + 1];

	ingot_hex(root, size, hex);
	for (size_t i = 0; i < v->program_count; i++)
		if (v->programs[i].signature &&
		    verify_is_signed(v, v->programs[i].signature, v->programs[i].signature_size,
				     hex))
			return true;
	return v->has_signature &&
	       verify_is_signed(v, v->signature.pkcs7, v->signature.pkcs7_size, hex);
}

/*
 * A wrong claim has to be told from the right one, or the wrong place would be named: what the
 * caller gave counts more than any signature, that more than any number of places.
 */
static size_t weight(struct verification *v, const uint8_t *root, size_t size)
{
	size_t sum = 0;

	for (size_t i = 0; i < v->claim_count; i++)
		if (agrees(&v->claims[i], root, size))
			sum += v->claims[i].trusted ? 10 * VERIFY_CLAIMS_MAX : 1;
	if (any_signature(v, root, size))
		sum += 4 * VERIFY_CLAIMS_MAX;
	return sum;
}

static void consider(struct verification *v, const uint8_t *root, size_t size, const char *from,
		     size_t *best)
{
	size_t sum = weight(v, root, size);

	if (sum <= *best)
		return;
	*best = sum;
	v->has_root = true;
	v->root_size = size;
	memcpy(v->root_hash, root, size);
	ingot_hex(root, size, v->root_hex);
	v->root_from = from;
}

/* What the tree's own top says. It is no claim, but it may be what was signed. */
static int consider_tree(struct verification *v, size_t *best, struct ingot_error *err)
{
	uint8_t root[INGOT_VERITY_DIGEST_MAX];
	struct ingot_error why = {0};
	int rc;

	if (!v->has_superblock)
		return 0;
	rc = ingot_verity_top_digest(&v->superblock.params, &v->geometry, v->usr,
				     v->hash ? v->hash : v->usr, root, &why);
	if (rc == -ENOMEM)
		return ingot_raise(err, rc, "%s", why.text);
	if (rc == 0 && any_signature(v, root, v->geometry.digest_size))
		consider(v, root, v->geometry.digest_size, "the hash tree", best);
	return 0;
}

int verify_find_root_hash(struct verification *v, struct ingot_error *err)
{
	size_t best = 0;
	int rc;

	claim_given(v);
	for (size_t i = 0; i < v->program_count; i++) {
		if (v->programs[i].veritytab)
			claim_veritytab(v, &v->programs[i]);
		if (v->programs[i].unit)
			claim_unit(v, &v->programs[i]);
		if (v->programs[i].cmdline)
			claim_cmdline(v, &v->programs[i]);
	}
	claim_uuids(v);
	rc = claim_signature_partition(v, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < v->claim_count; i++) {
		const struct verify_claim *claim = &v->claims[i];

		if (!claim->malformed && claim->size >= 28)
			consider(v, claim->root, claim->size, claim->place, &best);
	}
	return consider_tree(v, &best, err);
}

/* --- checks ------------------------------------------------------------ */

/* The places of this row, all of which have to agree. */
int check_roothash(struct verification *v, struct ingot_verify_row *row, struct ingot_error *err)
{
	const struct verify_claim *last = NULL;
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < v->claim_count; i++) {
		const struct verify_claim *claim = &v->claims[i];

		if (strcmp(claim->row, row->name) != 0)
			continue;
		count++;
		last = claim;
		if (!v->has_root || !agrees(claim, v->root_hash, v->root_size))
			break;
		last = NULL;
	}
	if (count == 0)
		return row_not_applicable(row, "it is not there");
	rc = row_expect(row, "%s", v->has_root ? v->root_hex : "a root hash");
	if (rc < 0)
		return rc;
	if (last && last->malformed)
		return row_bad(row, "%s: what stands there is no root hash in lower-case hex",
			       last->place);
	if (last) {
		char hex[2 * INGOT_VERITY_DIGEST_MAX + 1];

		ingot_hex(last->root, last->size, hex);
		return row_bad(row, "%s: %s", last->place, hex);
	}
	(void)err;
	return row_good(row, count == 1 ? "the same" : "the same in %zu places", count);
}

/* An image alone can only agree with itself: somebody has to vouch for what it agrees on. */
int check_roothash_trust(struct verification *v, struct ingot_verify_row *row,
			 struct ingot_error *err)
{
	(void)err;
	if (!v->has_root)
		return row_bad(row, "nothing says what the root hash is");
	for (size_t i = 0; i < v->claim_count; i++)
		if (v->claims[i].trusted && agrees(&v->claims[i], v->root_hash, v->root_size))
			return row_good(row, "%s, by %s", v->root_hex, v->claims[i].place);
	if (v->options->certificate_count == 0)
		return row_bad(row, "%s in %s, but no certificate, manifest or root hash was given",
			       v->root_hex, v->root_from);
	if (any_signature(v, v->root_hash, v->root_size))
		return row_good(row, "%s, signed by a given certificate", v->root_hex);
	return row_bad(row, "%s in %s, which no given certificate has signed", v->root_hex,
		       v->root_from);
}
