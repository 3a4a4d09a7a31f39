#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

#include "sign/keys_internal.h"

int crypto_raise(struct ingot_error *err, int rc, const char *format, ...)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	char what[INGOT_ERROR_MAX / 2];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	ERR_clear_error();
	return ingot_raise(err, rc, "%s: %s", what, reason ? reason : "libcrypto gives no reason");
}

bool crypto_lacks_memory(void)
{
	bool lacks = false;
	unsigned long code;

	while ((code = ERR_get_error()) != 0)
		lacks |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
	return lacks;
}
