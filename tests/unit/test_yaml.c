#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml.h"

/* A text, read, with what came of it. */
struct fixture {
	struct ingot_problems problems;
	struct ingot_yaml *doc;
	struct ingot_error err;
	int rc;
};

static struct fixture *parse_bytes(const char *text, size_t size)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->rc = ingot_yaml_parse("t", text, size, &f->problems, &f->doc, &f->err);
	return f;
}

static struct fixture *parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

/* The complaints are exactly these lines. Releases everything. */
static void expect(struct fixture *f, const char *want)
{
	char *text = ingot_problems_text(&f->problems);

	assert_string_equal(text, want);
	free(text);
	ingot_yaml_free(f->doc);
	ingot_problems_done(&f->problems);
	free(f);
}

static void expect_invalid(const char *text, size_t size, const char *want)
{
	struct fixture *f = parse_bytes(text, size);

	assert_int_equal(f->rc, -EINVAL);
	expect(f, want);
}

/* Opens the root, asks for the keys, closes it. */
static void expect_keys(const char *text, const char *want)
{
	struct fixture *f = parse(text);
	struct ingot_yaml_map map;

	assert_int_equal(f->rc, 0);
	if (ingot_yaml_open(ingot_yaml_root(f->doc), "it", &map)) {
		(void)ingot_yaml_text(ingot_yaml_get(&map, "name", true));
		(void)ingot_yaml_get(&map, "partitions", false);
		ingot_yaml_close(&map);
	}
	expect(f, want);
}

static void values(void **state)
{
	struct fixture *f = parse("\xef\xbb\xbf# comment\r\n"
				  "n: 12\r\ns: 128M\r\nb: true\r\nt: 'a: b'\r\ne: ''\r\n"
				  "g: 7130C94A-213a-4e5a-8e26-6cce9662f132\r\n"
				  "l: [x, y]\r\no: one\r\n");
	struct ingot_yaml_map map;
	struct ingot_guid guid;
	uint64_t n = 0, size = 0;
	bool b = false;
	char text[INGOT_GUID_TEXT];

	(void)state;
	assert_int_equal(f->rc, 0);
	assert_true(ingot_yaml_open(ingot_yaml_root(f->doc), "it", &map));
	assert_true(ingot_yaml_u64(ingot_yaml_get(&map, "n", true), &n));
	assert_int_equal(n, 12);
	assert_true(ingot_yaml_size(ingot_yaml_get(&map, "s", true), &size));
	assert_int_equal(size, 128 << 20);
	assert_true(ingot_yaml_bool(ingot_yaml_get(&map, "b", true), &b));
	assert_true(b);
	assert_string_equal(ingot_yaml_text(ingot_yaml_get(&map, "t", true)), "a: b");
	assert_string_equal(ingot_yaml_text(ingot_yaml_get(&map, "e", true)), "");
	assert_true(ingot_yaml_guid(ingot_yaml_get(&map, "g", true), &guid));
	assert_string_equal(ingot_guid_text(&guid, text), "7130c94a-213a-4e5a-8e26-6cce9662f132");
	assert_int_equal(ingot_yaml_count(ingot_yaml_get(&map, "l", true)), 2);
	assert_string_equal(ingot_yaml_text(ingot_yaml_item(ingot_yaml_get(&map, "l", true), 1)),
			    "y");
	assert_int_equal(ingot_yaml_count(ingot_yaml_get(&map, "o", true)), 1);
	assert_int_equal(ingot_yaml_line(ingot_yaml_get(&map, "s", true)), 3);
	assert_int_equal(ingot_yaml_column(ingot_yaml_get(&map, "s", true)), 4);
	assert_false(ingot_yaml_is_given(ingot_yaml_get(&map, "z", false)));
	assert_int_equal(ingot_yaml_count(ingot_yaml_get(&map, "z", false)), 0);
	ingot_yaml_close(&map);
	expect(f, "");
}

static void wrong_values(void **state)
{
	struct fixture *f = parse("n: 0x10\ns: 3Q\nb: yes\nt: [1]\ng: 7130\nv: -1\nw:\nx: ~\n");
	struct ingot_yaml_map map;
	struct ingot_guid guid;
	uint64_t n;
	bool b;

	(void)state;
	assert_int_equal(f->rc, 0);
	assert_true(ingot_yaml_open(ingot_yaml_root(f->doc), "it", &map));
	assert_false(ingot_yaml_u64(ingot_yaml_get(&map, "n", true), &n));
	assert_false(ingot_yaml_size(ingot_yaml_get(&map, "s", true), &n));
	assert_false(ingot_yaml_bool(ingot_yaml_get(&map, "b", true), &b));
	assert_null(ingot_yaml_text(ingot_yaml_get(&map, "t", true)));
	assert_false(ingot_yaml_guid(ingot_yaml_get(&map, "g", true), &guid));
	assert_false(ingot_yaml_u64(ingot_yaml_get(&map, "v", true), &n));
	assert_null(ingot_yaml_text(ingot_yaml_get(&map, "w", true)));
	assert_null(ingot_yaml_text(ingot_yaml_get(&map, "x", true)));
	ingot_yaml_close(&map);
	expect(f, "t:1:4: '0x10' is not a number\n"
		  "t:2:4: '3Q' is not a size (digits, then K, M, G or T)\n"
		  "t:3:4: 'yes' is not one of: false, true\n"
		  "t:4:4: a single value is wanted here\n"
		  "t:5:4: '7130' is not a UUID\n"
		  "t:6:4: '-1' is not a number\n"
		  "t:7:3: a value is missing here\n"
		  "t:8:4: a value is missing here\n");
}

static void keys(void **state)
{
	(void)state;
	expect_keys("name: a\npartition: []\nx: 1\n",
		    "t:2:1: unknown key 'partition', did you mean 'partitions'?\n"
		    "t:3:1: unknown key 'x'\n");
	expect_keys("partitions: []\n", "t:1:1: key 'name' is missing\n");
	expect_keys("name: a\nname: b\n", "t:2:1: key 'name' stands twice\n");
	expect_keys("z: a\nname: x\nz: b\n", "t:1:1: unknown key 'z'\n"
					     "t:3:1: key 'z' stands twice\n");
	expect_keys("[a]: b\n", "t:1:1: a single value is wanted here\n");
	expect_keys("- a\n", "t:1:1: it is not a mapping (KEY: VALUE)\n");
	expect_keys("", "t: it is not a mapping (KEY: VALUE)\n");
	expect_keys("base: &b {name: x}\n<<: *b\n", "t:1:1: key 'name' is missing\n"
						    "t:1:1: unknown key 'base'\n"
						    "t:2:1: unknown key '<<'\n");
	/* An ESC must not reach a terminal, nor half a character a JSON report. */
	expect_keys("name: a\n\"\\e[31m\": 1\n", "t:2:1: unknown key '?[31m'\n");
	expect_keys("name: a\n\"a\\0b\": 1\n", "t:2:1: the value contains a NUL byte\n");
}

static void syntax(void **state)
{
	(void)state;
	expect_invalid("a: [1\n", 6,
		       "t:2:1: did not find expected ',' or ']' while parsing a flow sequence\n");
	expect_invalid("a: 1\nb: \0\n", 10, "t:2:4: control characters are not allowed\n");
	expect_invalid("a: 1\nb: \xff\n", 10, "t:2:4: invalid leading UTF-8 octet\n");
	expect_invalid("a: *x\n", 6, "t:1:4: found undefined alias\n");
	expect_invalid("a: 1\n---\nb: 2\n", 14, "t:3:1: a second document begins here\n");
	expect_invalid("a: !include x\n", 14, "t:1:4: tags (!...) are not used here\n");
	expect_invalid("a: !!int 5\n", 11, "t:1:4: tags (!...) are not used here\n");
}

static void byte_order_mark(void **state)
{
	(void)state;
	expect_keys("\xef\xbb\xbfname: a\nother: b\n", "t:2:1: unknown key 'other'\n");
	expect_keys("\xef\xbb\xbf", "t: it is not a mapping (KEY: VALUE)\n");
	expect_invalid("\xef\xbb\xbf"
		       "a: [1\n",
		       9,
		       "t:2:1: did not find expected ',' or ']' while parsing a flow sequence\n");
}

static void aliases(void **state)
{
	struct fixture *f = parse("- &a {name: x}\n- *a\n- *a\n");
	struct ingot_yaml_node root, last;

	(void)state;
	assert_int_equal(f->rc, 0);
	root = ingot_yaml_root(f->doc);
	assert_int_equal(ingot_yaml_count(root), 3);
	last = ingot_yaml_item(root, 2);
	assert_true(ingot_yaml_is_map(last));
	expect(f, "");
	expect_invalid("&a [*a]\n", 8, "t:1:1: this contains itself, through an alias\n");
	expect_invalid("a: &a\n  b: {c: *a}\n", 18,
		       "t:1:4: this contains itself, through an alias\n");
}

/* Every level ten times the one before it. */
static void laughs(void **state)
{
	const char *bomb = "- &a [x,x,x,x,x,x,x,x,x,x]\n"
			   "- &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
			   "- &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
			   "- &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
			   "- &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";

	(void)state;
	expect_invalid(bomb, strlen(bomb), "t:5:3: aliases make this larger than 100000 values\n");
}

static void depth(void **state)
{
	char text[4096];

	(void)state;
	memset(text, '[', 2000);
	memset(text + 2000, ']', 2000);
	expect_invalid(text + 1900, 200, "t:1:34: nested too deeply\n");
	/* Mere parsing must not run out of stack either. */
	expect_invalid(text, 4000, "t:1:34: nested too deeply\n");
}

static void files(void **state)
{
	struct ingot_problems problems = {0};
	struct ingot_yaml *doc;
	struct ingot_error err;

	(void)state;
	assert_fails(ingot_yaml_load("/nonexistent/x.yaml", &problems, &doc, &err), -ENOENT,
		     "open '/nonexistent/x.yaml': No such file");
	assert_fails(ingot_yaml_load("/", &problems, &doc, &err), -EISDIR, "read '/'");
	assert_fails(ingot_yaml_load("/dev/zero", &problems, &doc, &err), -EFBIG, "larger than");
	assert_false(ingot_problems_any(&problems));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(wrong_values),
		cmocka_unit_test(keys),
		cmocka_unit_test(syntax),
		cmocka_unit_test(aliases),
		cmocka_unit_test(laughs),
		cmocka_unit_test(byte_order_mark),
		cmocka_unit_test(depth),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
