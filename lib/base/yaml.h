/*
 * YAML 1.1 for people's files: strict, with line and column in every complaint
 * (libyaml does the parsing).
 *
 * A reader opens a mapping, asks for the keys that it knows, and closes it: what
 * nobody asked for is then reported as unknown, with the nearest known key. All
 * complaints go into one list of problems; a getter that finds nothing usable
 * returns NULL or false after it complained, so that reading goes on and finds
 * the next mistake.
 *
 * Left out of YAML: tags, more than one document in a file, a value that is null
 * (nothing, ~ or null; an empty text is ''), and merge keys (<<). Anchors and
 * aliases work; one that contains itself, or that makes a file stand for more than
 * 100000 values, is refused.
 *
 * Texts belong to the document.
 */
#ifndef INGOT_BASE_YAML_H
#define INGOT_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/guid.h"
#include "base/problems.h"

#define INGOT_YAML_MAX	    (1024 * 1024) /* bytes in a file */
#define INGOT_YAML_KEYS_MAX 512		  /* keys in one mapping */

struct ingot_yaml; /* one document */

struct ingot_yaml_node {
	struct ingot_yaml *doc;
	int id; /* libyaml's node number; 0: absent */
};

/* One open mapping. */
struct ingot_yaml_map {
	struct ingot_yaml_node node;
	size_t count;	    /* pairs */
	size_t asked_count; /* names asked for so far, for "did you mean" */
	const char *asked[64];
	uint64_t known[INGOT_YAML_KEYS_MAX / 64];
};

/*
 * `file` is the name used in complaints. -EINVAL after a complaint about the syntax;
 * other failures raise. The problems must outlive the document.
 */
INGOT_API INGOT_MUST_USE int ingot_yaml_parse(const char *file, const char *text, size_t size,
					      struct ingot_problems *problems,
					      struct ingot_yaml **ret, struct ingot_error *err);
/* The same from a file, at most INGOT_YAML_MAX bytes. */
INGOT_API INGOT_MUST_USE int ingot_yaml_load(const char *path, struct ingot_problems *problems,
					     struct ingot_yaml **ret, struct ingot_error *err);
INGOT_API void ingot_yaml_free(struct ingot_yaml *doc);

INGOT_API struct ingot_yaml_node ingot_yaml_root(struct ingot_yaml *doc);
INGOT_API size_t ingot_yaml_line(struct ingot_yaml_node node);
INGOT_API size_t ingot_yaml_column(struct ingot_yaml_node node);

/* Complain about a node. */
INGOT_API void ingot_yaml_problem(struct ingot_yaml_node node, const char *format, ...)
	INGOT_PRINTF(2, 3);

/* --- mappings ---------------------------------------------------------- */

/*
 * false after a complaint: not a mapping, a key that is no text. `what` names it. A key that stands
 * twice is complained about too; the first one counts.
 */
INGOT_API INGOT_MUST_USE bool ingot_yaml_open(struct ingot_yaml_node node, const char *what,
					      struct ingot_yaml_map *ret);
/* Complain about every key that nobody asked for. */
INGOT_API void ingot_yaml_close(struct ingot_yaml_map *map);

/* The value of a key, which becomes known; absent: id 0, with a complaint where required. */
INGOT_API struct ingot_yaml_node ingot_yaml_get(struct ingot_yaml_map *map, const char *key,
						bool required);
/* The i-th pair in the file's order; both become known. */
INGOT_API struct ingot_yaml_node ingot_yaml_pair(struct ingot_yaml_map *map, size_t i,
						 const char **ret_key);

/* --- values: each is quiet about an absent node, and complains about a wrong one  */

INGOT_API const char *ingot_yaml_text(struct ingot_yaml_node node); /* a scalar, NULL otherwise */
INGOT_API bool ingot_yaml_u64(struct ingot_yaml_node node, uint64_t *ret);
INGOT_API bool ingot_yaml_size(struct ingot_yaml_node node, uint64_t *ret); /* 128M */
INGOT_API bool ingot_yaml_bool(struct ingot_yaml_node node, bool *ret);	    /* true, false */
INGOT_API bool ingot_yaml_guid(struct ingot_yaml_node node, struct ingot_guid *ret);

/* One of the names; the index, or -1. */
INGOT_API int ingot_yaml_choice(struct ingot_yaml_node node, const char *const *names,
				size_t count);

/* --- sequences --------------------------------------------------------- */

/* Items of a sequence; 0 if absent. A single scalar counts as a list of one. */
INGOT_API size_t ingot_yaml_count(struct ingot_yaml_node node);
INGOT_API struct ingot_yaml_node ingot_yaml_item(struct ingot_yaml_node node, size_t i);
INGOT_API bool ingot_yaml_is_given(struct ingot_yaml_node node); /* the key was there */
INGOT_API bool ingot_yaml_is_map(struct ingot_yaml_node node);

#endif
