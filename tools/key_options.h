/* The options that say which key signs, what opens it, and whose certificate goes with it. */
#ifndef INGOT_TOOLS_KEY_OPTIONS_H
#define INGOT_TOOLS_KEY_OPTIONS_H

#include "cli.h"
#include "sign/keys.h"

struct key_options {
	const char *key, *certificate;
	const char *passphrase_file, *passphrase_variable, *pin_file;
};

/* Rows of an option table (a comma follows), for a `type` with a member `key`. */
#define KEY_AT(type, member) offsetof(type, key.member)
/* clang-format off */
#define KEY_OPTION_ROWS(type, needed)                                                                      \
	{"key", "FILE|URI", "private key: a PEM file, or the URI of one in a token (pkcs11:...)",  \
	 KEY_AT(type, key), CLI_TEXT, needed},                                                       \
	{"certificate", "FILE", "the key's certificate, PEM or DER",                               \
	 KEY_AT(type, certificate), CLI_TEXT, needed},                                               \
	{"passphrase-file", "FILE", "its first line is the passphrase of the PEM file",            \
	 KEY_AT(type, passphrase_file), CLI_TEXT, false},                                          \
	{"passphrase-env", "NAME", "the environment variable that holds the passphrase",           \
	 KEY_AT(type, passphrase_variable), CLI_TEXT, false},                                      \
	{"pin-file", "FILE", "its first line is the PIN of the token",                             \
	 KEY_AT(type, pin_file), CLI_TEXT, false}
/* clang-format on */

/* What the description of each subcommand with these options says about keys. */
#define KEY_OPTIONS_TEXT                                                                           \
	"A key is RSA of 2048 to 4096 bits (PKCS#1 v1.5), or ECDSA on P-256 or P-384 whose "       \
	"signatures are made by RFC 6979 and so are always the same, and always as long as they "  \
	"can be. In a token it has to be RSA, for tokens draw a random number for ECDSA.\n"        \
	"\n"                                                                                       \
	"A token's key is named by a pkcs11: URI (RFC 7512) with token=, object= or id=, and "     \
	"module-path= where p11-kit does not know the module. Its PIN comes from --pin-file, "     \
	"from pin-source= in the URI, or is asked for at the terminal; a passphrase likewise. "    \
	"Neither is ever an argument: arguments are seen by every user. Key and secret files "     \
	"that others than their owner can read get a warning on standard error."

/*
 * The key, and the certificate that is its own. From here on the process leaves no core dump. The
 * secrets are asked for at the terminal where no option names one.
 */
INGOT_MUST_USE int key_options_open(const struct cli *cli, const struct key_options *options,
				    struct ingot_key **ret_key,
				    struct ingot_certificate **ret_certificate,
				    struct ingot_error *err);

/* -EINVAL where an output would replace one of these files (same_file.h). */
INGOT_MUST_USE int key_options_refuse(const struct key_options *options, const char *output,
				      struct ingot_error *err);

#endif
