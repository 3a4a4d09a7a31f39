#include <string.h>

#include "image/recipe_internal.h"
#include "sign/keys.h"

/* At most one of the three says where the secret is, and it is the right one for the key. */
static void read_secret(struct reader *r, struct ingot_yaml_map *map,
			struct ingot_recipe_signer *signer)
{
	struct ingot_yaml_node passphrase = ingot_yaml_get(map, "passphrase-file", false);
	struct ingot_yaml_node variable = ingot_yaml_get(map, "passphrase-env", false);
	struct ingot_yaml_node pin = ingot_yaml_get(map, "pin-file", false);
	bool is_uri = signer->key.given && ingot_key_is_uri(signer->key.given);

	if (passphrase.id && variable.id)
		ingot_yaml_problem(variable, "'passphrase-file' says where the passphrase is");
	if (is_uri && (passphrase.id || variable.id))
		ingot_yaml_problem(passphrase.id ? passphrase : variable,
				   "a token has a PIN ('pin-file'), not a passphrase");
	if (!is_uri && pin.id)
		ingot_yaml_problem(pin, "a key in a file has a passphrase ('passphrase-file'), not "
					"a PIN");
	recipe_read_path(r, is_uri ? pin : passphrase, PATH_SECRET, &signer->secret_file);
	signer->secret_variable = ingot_yaml_text(variable);
}

static void read_signer(struct reader *r, struct ingot_yaml_map *map,
			struct ingot_recipe_signer *signer)
{
	recipe_read_path(r, ingot_yaml_get(map, "key", !r->options->sign_later /* required */),
			 PATH_KEY, &signer->key);
	recipe_read_path(r, ingot_yaml_get(map, "certificate", true), PATH_FILE,
			 &signer->certificate);
	read_secret(r, map, signer);
}

/* The root hash is signed by all of them. */
static void read_co_signers(struct reader *r, struct ingot_yaml_node node)
{
	struct ingot_recipe *recipe = r->recipe;
	size_t count = ingot_yaml_count(node);

	if (!ingot_yaml_is_given(node))
		return;
	if (count == 0 || count > INGOT_RECIPE_CO_SIGNERS_MAX) {
		ingot_yaml_problem(node, "'co-signers' is a list of 1 to %d",
				   INGOT_RECIPE_CO_SIGNERS_MAX);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct ingot_yaml_map map;

		if (!ingot_yaml_open(ingot_yaml_item(node, i), "a co-signer", &map))
			continue;
		read_signer(r, &map, &recipe->co_signers[recipe->co_signer_count++]);
		ingot_yaml_close(&map);
	}
}

static void read_secure_boot(struct reader *r, struct ingot_yaml_node node)
{
	struct ingot_yaml_map map;

	if (!node.id || !ingot_yaml_open(node, "secure-boot", &map))
		return;
	r->recipe->secure_boot = true;
	read_signer(r, &map, &r->recipe->boot_signer);
	ingot_yaml_close(&map);
	if (!r->recipe->boot)
		ingot_yaml_problem(node, "there is no 'boot:', and so nothing to sign");
}

void recipe_read_signing(struct reader *r, struct ingot_yaml_node node)
{
	struct ingot_recipe *recipe = r->recipe;
	struct ingot_yaml_map map;

	if (!node.id || !ingot_yaml_open(node, "signing", &map))
		return;
	recipe->sign = true;
	read_signer(r, &map, &recipe->signer);
	read_co_signers(r, ingot_yaml_get(&map, "co-signers", false));
	(void)ingot_yaml_bool(ingot_yaml_get(&map, "enforce", false), &recipe->enforce);
	(void)ingot_yaml_bool(ingot_yaml_get(&map, "manifest", false), &recipe->sign_manifest);
	read_secure_boot(r, ingot_yaml_get(&map, "secure-boot", false));
	ingot_yaml_close(&map);
}

void recipe_signer_done(struct ingot_recipe_signer *signer)
{
	free(signer->key.path);
	free(signer->certificate.path);
	free(signer->secret_file.path);
}
