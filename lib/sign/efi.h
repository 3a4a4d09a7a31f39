/*
 * What a machine's firmware is told to trust, in the two forms in which it takes it (UEFI 2.10,
 * section 32.4.1, "Signature Database", and 8.2.2, "EFI_VARIABLE_AUTHENTICATION_2"):
 *
 *	a list (.esl)	    certificates, each with the GUID of whoever put it there
 *	a variable (.auth)  a list and the signature that lets it replace PK, KEK, db or dbx
 *
 * PK signs PK and KEK, KEK signs db and dbx. In setup mode, while there is no PK, firmware takes
 * them without looking at who signed. The same inputs always give the same bytes.
 */
#ifndef INGOT_SIGN_EFI_H
#define INGOT_SIGN_EFI_H

#include "base/guid.h"
#include "sign/pkcs7.h"

#define INGOT_EFI_LIST_MAX (1024 * 1024) /* bytes */

/* One list for each certificate, in this order. The caller frees *ret. */
INGOT_API INGOT_MUST_USE int ingot_efi_list(const struct ingot_certificate *const *certificates,
					    size_t count, const struct ingot_guid *owner,
					    uint8_t **ret, size_t *ret_n, struct ingot_error *err);

/* An owner where none is given: derived from the certificate, always the same. */
INGOT_API INGOT_MUST_USE int ingot_efi_owner(const struct ingot_certificate *certificate,
					     struct ingot_guid *ret, struct ingot_error *err);

/* Whether the bytes are such lists from end to end; none at all is fine. -EINVAL: they are not. */
INGOT_API INGOT_MUST_USE int ingot_efi_list_check(const uint8_t *list, size_t n,
						  struct ingot_error *err);

struct ingot_efi_variable {
	const char *name;    /* "PK", "KEK", "db", "dbx" or "dbt" */
	bool append;	     /* to what is there, instead of replacing it */
	int64_t time;	     /* of the update; firmware wants a later one for each replacement */
	const uint8_t *list; /* what it is set to; nothing removes the variable */
	size_t n;
};

/* The caller frees *ret. -EKEYREJECTED: the certificate is another key's. */
INGOT_API INGOT_MUST_USE int ingot_efi_variable_sign(const struct ingot_efi_variable *variable,
						     const struct ingot_key *key,
						     const struct ingot_certificate *certificate,
						     uint8_t **ret, size_t *ret_n,
						     struct ingot_error *err);

/* The same in two steps, the key being elsewhere. */
INGOT_API INGOT_MUST_USE int ingot_efi_variable_digest(const struct ingot_efi_variable *variable,
						       uint8_t digest[INGOT_SHA256_SIZE],
						       struct ingot_error *err);
INGOT_API INGOT_MUST_USE int ingot_efi_variable_assemble(const struct ingot_efi_variable *variable,
							 const struct ingot_signer *signer,
							 uint8_t **ret, size_t *ret_n,
							 struct ingot_error *err);

#endif
