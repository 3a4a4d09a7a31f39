#include "tree/owner.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "io/source.h"
#include "tree/owner_internal.h"

enum { WORDS_MAX = 6 };

struct line {
	const char *file;
	size_t number;
	char *words[WORDS_MAX];
	size_t count;
};

static int complain(const struct line *line, struct ingot_error *err, const char *what)
{
	return ingot_raise(err, -EINVAL, "%s:%zu: %s", line->file, line->number, what);
}

static void split_words(struct line *line, char *text)
{
	char *save = NULL;

	line->count = 0;
	text[strcspn(text, "#")] = '\0';
	for (char *word = strtok_r(text, " \t\r", &save); word && line->count < WORDS_MAX;
	     word = strtok_r(NULL, " \t\r", &save))
		line->words[line->count++] = word;
}

static int number(const struct line *line, size_t i, uint32_t *ret, struct ingot_error *err)
{
	uint64_t value;
	int rc = ingot_parse_u64(line->words[i], &value, err);

	if (rc < 0)
		return ingot_wrap(err, rc, "%s:%zu", line->file, line->number);
	if (value >= UINT32_MAX) /* (uid_t)-1 is no id */
		return complain(line, err, "an id is at most 4294967294");
	*ret = (uint32_t)value;
	return 0;
}

static int octal(const struct line *line, size_t i, uint32_t *ret, struct ingot_error *err)
{
	const char *p = line->words[i];
	uint32_t value = 0;

	for (; *p >= '0' && *p <= '7' && value <= 07777; p++)
		value = value * 8 + (uint32_t)(*p - '0');
	if (*p || value > 07777 || p == line->words[i])
		return complain(line, err, "permissions are octal, at most 7777");
	*ret = value;
	return 0;
}

static bool overlaps(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return a < (uint64_t)b + b_count && b < (uint64_t)a + a_count;
}

static int add_range(struct owner_ranges *ranges, const struct line *line, struct ingot_error *err)
{
	struct owner_range range;
	int rc;

	if (line->count != 4)
		return complain(line, err, "a range is: uid HOST IMAGE COUNT (or gid)");
	rc = number(line, 1, &range.host, err);
	if (rc < 0)
		return rc;
	rc = number(line, 2, &range.image, err);
	if (rc < 0)
		return rc;
	rc = number(line, 3, &range.count, err);
	if (rc < 0)
		return rc;
	if (range.count == 0)
		return complain(line, err, "a range of no ids");
	if (range.count > UINT32_MAX - range.host || range.count > UINT32_MAX - range.image)
		return complain(line, err, "the range goes past the last id, 4294967294");
	for (size_t i = 0; i < ranges->count; i++)
		if (overlaps(ranges->list[i].host, ranges->list[i].count, range.host, range.count))
			return complain(line, err, "the range overlaps an earlier one");
	rc = ingot_grow((void **)&ranges->list, &ranges->room, ranges->count + 1,
			sizeof(*ranges->list), err);
	if (rc < 0)
		return rc;
	ranges->list[ranges->count++] = range;
	return 0;
}

static int add_rule(struct ingot_owner_map *map, const struct line *line, struct ingot_error *err)
{
	struct owner_rule rule = {.mode = OWNER_MODE_KEPT};
	int rc;

	if (line->count != 4 && line->count != 5)
		return complain(line, err, "a rule is: path PATTERN UID GID [MODE]");
	rc = number(line, 2, &rule.uid, err);
	if (rc < 0)
		return rc;
	rc = number(line, 3, &rule.gid, err);
	if (rc < 0)
		return rc;
	rc = line->count == 5 ? octal(line, 4, &rule.mode, err) : 0;
	if (rc < 0)
		return rc;
	rc = ingot_grow((void **)&map->rules, &map->rule_room, map->rule_count + 1,
			sizeof(*map->rules), err);
	if (rc < 0)
		return rc;
	rule.pattern = ingot_strdup(line->words[1], err);
	if (!rule.pattern)
		return -ENOMEM;
	map->rules[map->rule_count++] = rule;
	return 0;
}

static int add_line(struct ingot_owner_map *map, const struct line *line, struct ingot_error *err)
{
	if (line->count == 0)
		return 0;
	if (strcmp(line->words[0], "uid") == 0)
		return add_range(&map->uids, line, err);
	if (strcmp(line->words[0], "gid") == 0)
		return add_range(&map->gids, line, err);
	if (strcmp(line->words[0], "path") == 0)
		return add_rule(map, line, err);
	return complain(line, err, "a line starts with uid, gid or path");
}

int ingot_owner_map_parse(const char *file, const char *text, size_t size,
			  struct ingot_owner_map **ret, struct ingot_error *err)
{
	INGOT_OWNER_MAP struct ingot_owner_map *map = ingot_alloc(1, sizeof(*map), err);
	INGOT_FREE char *copy = map ? ingot_alloc(1, size + 1, err) : NULL;
	struct line line = {.file = file};
	char *next = copy, *here;
	int rc;

	if (!copy)
		return -ENOMEM;
	if (memchr(text, '\0', size))
		return ingot_raise(err, -EINVAL, "'%s' is no text file", file);
	memcpy(copy, text, size);
	while ((here = strsep(&next, "\n"))) {
		line.number++;
		split_words(&line, here);
		rc = add_line(map, &line, err);
		if (rc < 0)
			return rc;
	}
	*ret = INGOT_TAKE(map);
	return 0;
}

int ingot_owner_map_load(const char *path, struct ingot_owner_map **ret, struct ingot_error *err)
{
	INGOT_FREE char *text = NULL;
	size_t size;
	int rc = ingot_load_file(path, INGOT_OWNER_MAP_MAX, &text, &size, err);

	if (rc < 0)
		return rc;
	return ingot_owner_map_parse(path, text, size, ret, err);
}

void ingot_owner_map_free(struct ingot_owner_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->rule_count; i++)
		free(map->rules[i].pattern);
	free(map->rules);
	free(map->uids.list);
	free(map->gids.list);
	free(map);
}

/* Decimal digits of an id; returns what stands behind them, NULL for none or too many. */
static const char *parse_id(const char *p, uint32_t *ret)
{
	const char *begin = p;
	uint64_t value = 0;

	for (; *p >= '0' && *p <= '9' && value < UINT32_MAX; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	*ret = (uint32_t)value;
	return p == begin || value >= UINT32_MAX ? NULL : p;
}

int ingot_owner_parse(const char *text, uint32_t *ret_uid, uint32_t *ret_gid,
		      struct ingot_error *err)
{
	const char *p = parse_id(text, ret_uid);

	if (p && *p == ':')
		p = parse_id(p + 1, ret_gid);
	else
		p = NULL;
	if (!p || *p)
		return ingot_raise(err, -EINVAL, "'%.80s' is not UID:GID", text);
	return 0;
}
