/*
 * Functions that are compiled twice: for every processor of the architecture, and for those with
 * BMI and BMI2, whose shifts by a variable and counts of zeros are an instruction instead of two or
 * three. Both give the same bytes.
 */
#ifndef INGOT_FORMATS_BMI_INTERNAL_H
#define INGOT_FORMATS_BMI_INTERNAL_H

#include <stdbool.h>

/* A part of both: it takes the target of the function that it becomes part of. */
#define HOT static inline __attribute__((always_inline))

#ifdef __x86_64__
#define BMI __attribute__((target("bmi,bmi2")))
static inline bool has_bmi(void)
{
	return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
#else
#define BMI
static inline bool has_bmi(void)
{
	return false;
}
#endif

#endif
