#ifndef INGOT_BASE_VERSION_H
#define INGOT_BASE_VERSION_H

#include "base/api.h"

/* "0.1.0" */
INGOT_API const char *ingot_version(void);

#endif
