#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sign/token_internal.h"

enum { SLOTS_MAX = 256 };

int token_raise(struct ingot_error *err, int rc, CK_RV said, const char *format, ...)
{
	char what[INGOT_ERROR_MAX / 2];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return ingot_raise(err, rc, "%s: %s (CKR 0x%lx)", what, p11_kit_strerror(said), said);
}

/* --- the URI ----------------------------------------------------------- */

static int read_uri(const char *text, struct token *token, struct ingot_error *err)
{
	int said;

	token->uri = p11_kit_uri_new();
	if (!token->uri)
		return ingot_raise_oom(err, 0);
	said = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, token->uri);
	if (said != P11_KIT_URI_OK)
		return ingot_raise(err, -EINVAL, "it cannot be read: %s",
				   p11_kit_uri_message(said));
	if (p11_kit_uri_any_unrecognized(token->uri))
		return ingot_raise(err, -EINVAL, "it has an attribute that is not known");
	if (p11_kit_uri_get_pin_value(token->uri))
		return ingot_raise(err, -EINVAL,
				   "it has a pin-value, which every user of the machine sees in "
				   "the list of processes; pin-source names a file instead");
	return 0;
}

/* --- modules ----------------------------------------------------------- */

static int load_one(const char *path, struct token *token, struct ingot_error *err)
{
	CK_FUNCTION_LIST *module = p11_kit_module_load(path, P11_KIT_MODULE_CRITICAL);
	CK_RV said;

	if (!module)
		return ingot_raise(err, -ENOENT, "module '%s' cannot be loaded: %s", path,
				   p11_kit_message() ? p11_kit_message() : "no reason given");
	said = p11_kit_module_initialize(module);
	if (said != CKR_OK) {
		p11_kit_module_release(module);
		return token_raise(err, -EIO, said, "module '%s' does not start", path);
	}
	token->single = module;
	return 0;
}

static int load_modules(struct token *token, struct ingot_error *err)
{
	const char *path = p11_kit_uri_get_module_path(token->uri);

	p11_kit_be_quiet();
	if (path)
		return load_one(path, token, err);
	token->modules = p11_kit_modules_load_and_initialize(0);
	if (!token->modules)
		return ingot_raise(err, -EIO, "p11-kit's modules do not start: %s",
				   p11_kit_message() ? p11_kit_message() : "no reason given");
	return 0;
}

static bool is_named(CK_FUNCTION_LIST *module, const char *name)
{
	char *own = p11_kit_module_get_name(module);
	bool same = own && strcmp(own, name) == 0;

	free(own);
	return same;
}

static bool is_wanted(const struct token *token, CK_FUNCTION_LIST *module)
{
	const char *name = p11_kit_uri_get_module_name(token->uri);
	CK_INFO info;

	return (!name || is_named(module, name)) && module->C_GetInfo(&info) == CKR_OK &&
	       p11_kit_uri_match_module_info(token->uri, &info);
}

/* --- tokens ------------------------------------------------------------ */

static bool matches(const struct token *token, CK_FUNCTION_LIST *module, CK_SLOT_ID slot,
		    CK_TOKEN_INFO *info)
{
	CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(token->uri);
	CK_SLOT_INFO slot_info;

	return (wanted == (CK_SLOT_ID)-1 || wanted == slot) &&
	       module->C_GetSlotInfo(slot, &slot_info) == CKR_OK &&
	       p11_kit_uri_match_slot_info(token->uri, &slot_info) &&
	       module->C_GetTokenInfo(slot, info) == CKR_OK &&
	       (info->flags & CKF_TOKEN_INITIALIZED) &&
	       p11_kit_uri_match_token_info(token->uri, info);
}

/* A label is padded with blanks. */
static void set_label(struct token *token)
{
	size_t n = p11_kit_space_strlen(token->info.label, sizeof(token->info.label));

	(void)ingot_printable(token->info.label, n, token->label, sizeof(token->label));
}

static int look_into(struct token *token, CK_FUNCTION_LIST *module, struct ingot_error *err)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;

	if (module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return 0; /* as good as none */
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO info;

		if (!matches(token, module, slots[i], &info))
			continue;
		if (token->module)
			return ingot_raise(err, -EEXIST,
					   "two tokens match it, '%s' for one; token= or serial= "
					   "in the URI says which",
					   token->label);
		token->module = module;
		token->slot = slots[i];
		token->info = info;
		set_label(token);
	}
	return 0;
}

static int find_token(struct token *token, struct ingot_error *err)
{
	int rc = 0;

	if (token->single)
		rc = look_into(token, token->single, err);
	for (size_t i = 0; token->modules && token->modules[i] && rc == 0; i++)
		if (is_wanted(token, token->modules[i]))
			rc = look_into(token, token->modules[i], err);
	if (rc == 0 && !token->module)
		rc = ingot_raise(
			err, -ENOENT,
			token->single ? "the module has no token that matches it"
				      : "no token matches it; `p11-kit list-modules` shows those "
					"that are there, module-path= in the URI names another "
					"module");
	return rc;
}

static int open_session(struct token *token, struct ingot_error *err)
{
	CK_RV said = token->module->C_OpenSession(token->slot, CKF_SERIAL_SESSION, NULL, NULL,
						  &token->session);

	if (said != CKR_OK)
		return token_raise(err, -EIO, said, "token '%s' opens no session", token->label);
	token->is_open = true;
	return 0;
}

int token_open(const char *uri, struct token *token, struct ingot_error *err)
{
	int rc = read_uri(uri, token, err);

	if (rc == 0)
		rc = load_modules(token, err);
	if (rc == 0)
		rc = find_token(token, err);
	if (rc == 0)
		rc = open_session(token, err);
	return rc;
}

void token_close(struct token *token)
{
	if (token->is_open)
		(void)token->module->C_CloseSession(token->session);
	if (token->single) {
		(void)p11_kit_module_finalize(token->single);
		p11_kit_module_release(token->single);
	}
	if (token->modules)
		p11_kit_modules_finalize_and_release(token->modules);
	p11_kit_uri_free(token->uri); /* NULL is allowed */
	*token = (struct token){0};
}
