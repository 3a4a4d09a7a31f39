/* A PKCS#11 token (OASIS, PKCS #11 v2.40 base specification), found by its URI and logged in to. */
#ifndef INGOT_SIGN_TOKEN_INTERNAL_H
#define INGOT_SIGN_TOKEN_INTERNAL_H

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "sign/secret_internal.h"

struct token {
	P11KitUri *uri;
	CK_FUNCTION_LIST *single;   /* of the URI's module-path, or NULL */
	CK_FUNCTION_LIST **modules; /* that p11-kit knows, or NULL */
	CK_FUNCTION_LIST *module;   /* the token's; one of the above */
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
	char label[4 * sizeof(((CK_TOKEN_INFO *)NULL)->label) + 1]; /* printable */
	CK_SESSION_HANDLE session;
	bool is_open; /* the session */
};

/* The one token that the URI names, with a session. */
INGOT_MUST_USE int token_open(const char *uri, struct token *token, struct ingot_error *err);
void token_close(struct token *token);

/* token_login.c. The PIN stays in *pin: some keys want it before every signature. */
INGOT_MUST_USE int token_login(struct token *token, const struct ingot_key_source *source,
			       struct secret *pin, struct ingot_error *err);
/* For a key with CKA_ALWAYS_AUTHENTICATE, after C_SignInit. */
INGOT_MUST_USE int token_login_again(const struct token *token, const struct secret *pin,
				     struct ingot_error *err);

/* A sentence that ends in what the module said. */
int token_raise(struct ingot_error *err, int rc, CK_RV said, const char *format, ...)
	INGOT_PRINTF(4, 5) INGOT_MUST_USE;

#endif
