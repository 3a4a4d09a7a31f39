#include "disk/type.h"

#include <string.h>

struct type {
	const char *name;
	const char *guid;
};

static const struct type NAMED[] = {
	{"esp", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"},
	{"xbootldr", "bc13c2ff-59e6-4262-a352-b275fd6f7172"},
	{"bios-boot", "21686148-6449-6e6f-744e-656564454649"},
	{"linux-data", "0fc63daf-8483-4772-8e79-3d69d8477de4"},
	{"swap", "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"},
};

static const char NAMES[] = "esp, xbootldr, bios-boot, linux-data, swap";

static const struct type SHOWN[] = {
	{"root (x86-64)", "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"},
	{"root (arm64)", "b921b045-1df0-41c3-af44-4c6f280d3fae"},
	{"usr (x86-64)", "8484680c-9521-48c6-9c11-b0720656f69e"},
	{"usr-verity (x86-64)", "77ff5f63-e7b6-4633-acf4-1565b864c0e6"},
	{"usr-verity-sig (x86-64)", "e7bb33fb-06cf-4e81-8273-e543b413e2e2"},
	{"usr (arm64)", "b0e01050-ee5f-4390-949a-9101b17104e9"},
	{"usr-verity (arm64)", "6e11a4e7-fbca-4ded-b9e9-e1a512bb664e"},
	{"usr-verity-sig (arm64)", "c23ce4ff-44bd-4b00-b2d4-b41b3419e02a"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

bool ingot_partition_type(const char *name, struct ingot_guid *ret)
{
	for (size_t i = 0; i < COUNT(NAMED); i++)
		if (strcmp(name, NAMED[i].name) == 0)
			return ingot_guid_parse(NAMED[i].guid, ret, NULL) == 0;
	return false;
}

static const char *find(const struct type *types, size_t count, const char *guid)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(types[i].guid, guid) == 0)
			return types[i].name;
	return NULL;
}

const char *ingot_partition_type_name(const struct ingot_guid *type)
{
	char text[INGOT_GUID_TEXT];
	const char *name;

	ingot_guid_text(type, text);
	name = find(NAMED, COUNT(NAMED), text);
	return name ? name : find(SHOWN, COUNT(SHOWN), text);
}

const char *ingot_partition_type_names(void)
{
	return NAMES;
}
