/*
 * Passphrases and PINs, while they are in memory: a page of their own that is not swapped, not
 * dumped and wiped at the end.
 */
#ifndef INGOT_SIGN_SECRET_INTERNAL_H
#define INGOT_SIGN_SECRET_INTERNAL_H

#include "sign/keys.h"

#define SECRET_MAX 1024 /* bytes */

/* Zero-initialised is none. */
struct secret {
	char *text; /* no NUL inside; one follows */
	size_t n;
	bool exposed; /* it came from a file that others can read */
};

/* From where the source says. `what` is for messages: "passphrase of key 'x'". -ENOKEY: nowhere. */
INGOT_MUST_USE int secret_get(const struct ingot_key_source *source, const char *what,
			      struct secret *ret, struct ingot_error *err);
void secret_done(struct secret *secret);
#define SECRET INGOT_CLEANUP(secret_done)

/* secret_terminal.c: up to SECRET_MAX bytes into text. */
INGOT_MUST_USE int secret_ask(const char *what, char *text, size_t *ret_n, struct ingot_error *err);

/* Whether users other than the owner may read or replace the file. */
bool secret_file_is_exposed(const char *path);

#endif
