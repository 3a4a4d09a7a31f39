#include "base/version.h"

const char *ingot_version(void)
{
	return INGOT_VERSION;
}
