#include "base/json.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"

/*
 * Where jansson runs out of memory it may blame the text, or cut a string short and say nothing. So
 * a text is read twice: what is right, or wrong, is so both times and in the same way.
 */
int ingot_json_parse(const char *text, size_t n, json_t **ret, json_error_t *why,
		     struct ingot_error *err)
{
	json_error_t again = {0};
	json_t *second;
	bool same;

	*ret = json_loadb(text, n, JSON_REJECT_DUPLICATES, why);
	second = json_loadb(text, n, JSON_REJECT_DUPLICATES, &again);
	if (*ret && second)
		same = json_equal(*ret, second);
	else
		same = !*ret && !second && *why->text && strcmp(why->text, again.text) == 0;
	json_decref(second);
	if (same)
		return *ret ? 0 : -EINVAL;
	json_decref(*ret);
	*ret = NULL;
	return ingot_raise_oom(err, n);
}
