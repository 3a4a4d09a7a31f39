/* Requests and responses from anywhere: what is read can be shown, and written the same again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/request_show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_request(struct ingot_sign_request *request)
{
	struct ingot_sign_request *again = NULL;
	struct ingot_error err = {0};
	FILE *nowhere = fopen("/dev/null", "w");
	char *text = NULL;

	if (nowhere)
		(void)!ingot_request_show(request, NULL /* proof */, nowhere, &err);
	if (nowhere)
		(void)fclose(nowhere);
	if (ingot_sign_request_write(request, &text, &err) < 0 ||
	    ingot_sign_request_read(text, strlen(text), &again, &err) < 0)
		abort();
	/* Nobody has the keys. */
	if (ingot_sign_request_sign(request, NULL, 0, &err) == 0)
		abort();
	ingot_sign_request_free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingot_sign_request *read = NULL;
	struct ingot_error err = {0};

	if (ingot_sign_request_read((const char *)data, size, &read, &err) == 0)
		use_request(read);
	ingot_sign_request_free(read);
	read = NULL;
	if (ingot_sign_response_read((const char *)data, size, &read, &err) == 0)
		ingot_sign_request_free(read);
	return 0;
}
