/*
 * Attribute bits. 0 to 2 are the UEFI specification's (2.10, table 5.8), 48 to 63 belong to the
 * partition's type: 48 to 56 as ChromeOS and Flatcar count boot attempts, 59 to 63 as in the
 * Discoverable Partitions Specification.
 */
#include "disk/layout_internal.h"

enum {
	REQUIRED = 0,
	LEGACY_BOOT = 2,
	PRIORITY = 48, /* four bits */
	TRIES = 52,    /* four bits */
	SUCCESSFUL = 56,
	GROWFS = 59,
	READ_ONLY = 60,
	NO_AUTO = 63,
};

static uint64_t flag(struct ingot_yaml_map *map, const char *key, unsigned bit)
{
	bool on = false;

	(void)ingot_yaml_bool(ingot_yaml_get(map, key, false), &on);
	return on ? UINT64_C(1) << bit : 0;
}

/* A number of four bits. */
static uint64_t nibble(struct ingot_yaml_map *map, const char *key, unsigned bit)
{
	struct ingot_yaml_node node = ingot_yaml_get(map, key, false);
	uint64_t value = 0;

	if (!ingot_yaml_u64(node, &value))
		return 0;
	if (value > 15) {
		ingot_yaml_problem(node, "%s is 0 to 15", key);
		return 0;
	}
	return value << bit;
}

static uint64_t raw_bits(struct ingot_yaml_node list)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < ingot_yaml_count(list); i++) {
		struct ingot_yaml_node node = ingot_yaml_item(list, i);
		uint64_t bit;

		if (!ingot_yaml_u64(node, &bit))
			continue;
		if (bit > 63 || (bit > 2 && bit < 48))
			ingot_yaml_problem(node, "bits 3 to 47 are reserved, and 63 is the last");
		else
			bits |= UINT64_C(1) << bit;
	}
	return bits;
}

uint64_t ingot_layout_read_attributes(struct ingot_yaml_node node)
{
	struct ingot_yaml_map map;
	uint64_t bits = 0;

	if (!ingot_yaml_is_given(node) || !ingot_yaml_open(node, "attributes", &map))
		return 0;
	bits |= flag(&map, "required", REQUIRED);
	bits |= flag(&map, "legacy-boot", LEGACY_BOOT);
	bits |= nibble(&map, "priority", PRIORITY);
	bits |= nibble(&map, "tries", TRIES);
	bits |= flag(&map, "successful", SUCCESSFUL);
	bits |= flag(&map, "growfs", GROWFS);
	bits |= flag(&map, "read-only", READ_ONLY);
	bits |= flag(&map, "no-auto", NO_AUTO);
	bits |= raw_bits(ingot_yaml_get(&map, "bits", false));
	ingot_yaml_close(&map);
	return bits;
}
