#include <errno.h>
#include <string.h>

#include "sign/token_internal.h"

/* RFC 7512, 2.4: a file URI or a path; "|command" would be a program to run. */
static int pin_file(const struct token *token, const char **ret, struct ingot_error *err)
{
	const char *where = p11_kit_uri_get_pin_source(token->uri);

	*ret = NULL;
	if (!where)
		return 0;
	if (where[0] == '|')
		return ingot_raise(err, -EINVAL, "its pin-source is a program, and none is run");
	if (strncmp(where, "file://", 7) == 0)
		where += 7; /* no host: the path's '/' is next */
	else if (strncmp(where, "file:", 5) == 0)
		where += 5;
	if (where[0] != '/')
		return ingot_raise(err, -EINVAL,
				   "its pin-source is not a file with a path that begins with '/'");
	*ret = where;
	return 0;
}

static int get_pin(const struct token *token, const struct ingot_key_source *source,
		   struct secret *pin, struct ingot_error *err)
{
	struct ingot_key_source from = *source;
	INGOT_FREE char *what = NULL;
	const char *file;
	int rc = pin_file(token, &file, err);

	if (rc < 0)
		return rc;
	if (file && !from.secret_file)
		from.secret_file = file;
	what = ingot_format(err, "PIN of token '%s'", token->label);
	if (!what)
		return -ENOMEM;
	return secret_get(&from, what, pin, err);
}

static int refused(const struct token *token, CK_RV said, struct ingot_error *err)
{
	CK_TOKEN_INFO now = {0};

	if (said == CKR_PIN_LOCKED)
		return ingot_raise(err, -EKEYREJECTED,
				   "token '%s' is locked after too many wrong PINs", token->label);
	if (said != CKR_PIN_INCORRECT && said != CKR_PIN_INVALID && said != CKR_PIN_LEN_RANGE)
		return token_raise(err, -EIO, said, "token '%s' lets nobody in", token->label);
	(void)token->module->C_GetTokenInfo(token->slot, &now);
	return ingot_raise(err, -EKEYREJECTED, "wrong PIN for token '%s'%s", token->label,
			   now.flags & CKF_USER_PIN_LOCKED	? "; it is locked now"
			   : now.flags & CKF_USER_PIN_FINAL_TRY ? "; the next wrong one locks it"
								: "");
}

/* The token's own keypad, or the PIN that is there. */
static CK_RV enter(const struct token *token, CK_USER_TYPE user, const struct secret *pin)
{
	if (token->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH)
		return token->module->C_Login(token->session, user, NULL, 0);
	return token->module->C_Login(token->session, user, (CK_UTF8CHAR_PTR)pin->text, pin->n);
}

int token_login(struct token *token, const struct ingot_key_source *source, struct secret *pin,
		struct ingot_error *err)
{
	CK_RV said;
	int rc;

	if (!(token->info.flags & CKF_LOGIN_REQUIRED))
		return 0;
	if (token->info.flags & CKF_USER_PIN_LOCKED)
		return refused(token, CKR_PIN_LOCKED, err);
	if (!(token->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH)) {
		rc = get_pin(token, source, pin, err);
		if (rc < 0)
			return rc;
	}
	said = enter(token, CKU_USER, pin);
	/* Another key of this process has been here before. */
	if (said != CKR_OK && said != CKR_USER_ALREADY_LOGGED_IN)
		return refused(token, said, err);
	return 0;
}

int token_login_again(const struct token *token, const struct secret *pin, struct ingot_error *err)
{
	CK_RV said = enter(token, CKU_CONTEXT_SPECIFIC, pin);

	return said == CKR_OK ? 0 : refused(token, said, err);
}
