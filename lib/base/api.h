/* What libingot exports. Everything else stays hidden (-fvisibility=hidden). */
#ifndef INGOT_BASE_API_H
#define INGOT_BASE_API_H

#define INGOT_API	   __attribute__((visibility("default")))
#define INGOT_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define INGOT_MUST_USE	   __attribute__((warn_unused_result))

#endif
