/* Recipes: what every key does, and one complaint with its place for every mistake. */
#include "folder.h"

#include <errno.h>

#include "image/recipe.h"

/* --- reading one ------------------------------------------------------- */

struct fixture {
	struct ingot_problems problems;
	struct ingot_recipe *recipe;
	struct ingot_error err;
	int rc;
};

static struct fixture *parse_with(const char *text, size_t size,
				  const struct ingot_recipe_options *options)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->rc = ingot_recipe_parse("dir/r.yaml", text, size, options, &f->problems, &f->recipe,
				   &f->err);
	return f;
}

static void done(struct fixture *f)
{
	ingot_recipe_free(f->recipe);
	ingot_problems_done(&f->problems);
	free(f);
}

/* The complaints are exactly these lines, without the file's name; "" for none. */
static void expect_from(struct fixture *f, const char *want)
{
	char *text = ingot_problems_text(&f->problems), lines[4096] = "";
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		size_t skip = strlen("dir/r.yaml:");

		assert_memory_equal(line, "dir/r.yaml:", skip);
		strcat(strcat(lines, line + skip), "\n");
	}
	assert_string_equal(lines, want);
	assert_int_equal(f->rc, *want ? -EINVAL : 0);
	free(text);
	done(f);
}

static const struct ingot_recipe_options PLAIN = {.check_files = false};

static void expect(const char *text, const char *want)
{
	expect_from(parse_with(text, strlen(text), &PLAIN), want);
}

/* Six lines without a mistake; a test adds the seventh. */
#define BASE                                                                                       \
	"name: demo\nversion: \"1\"\narchitecture: x86-64\nepoch: 100\nlayout: flatcar\ntree: t\n"

static void expect_more(const char *more, const char *want)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s%s", BASE, more);
	expect(text, want);
}

static struct fixture *parse_more(const char *more)
{
	char text[2048];
	struct fixture *f;

	snprintf(text, sizeof(text), "%s%s", BASE, more);
	f = parse_with(text, strlen(text), &PLAIN);
	if (f->rc < 0)
		fail_msg("%s: %s", f->err.text, ingot_problems_text(&f->problems));
	return f;
}

/* --- every key --------------------------------------------------------- */

static void smallest(void **state)
{
	struct fixture *f = parse_more("");
	const struct ingot_recipe *r = f->recipe;
	struct ingot_seed seed;
	struct ingot_error err;

	(void)state;
	assert_string_equal(r->file, "dir/r.yaml");
	assert_string_equal(r->directory, "dir/");
	assert_string_equal(r->name, "demo");
	assert_string_equal(r->version, "1");
	assert_string_equal(r->architecture, "x86-64");
	assert_int_equal(r->epoch, 100);
	assert_ok(ingot_seed_from_name("demo", "1", "x86-64", &seed, &err));
	assert_int_equal(r->seed.size, seed.size);
	assert_memory_equal(r->seed.bytes, seed.bytes, seed.size);
	assert_string_equal(r->layout, "flatcar");
	assert_null(r->layout_path);
	assert_int_equal(r->size, 0);
	assert_int_equal(r->sector_size, 0);
	assert_string_equal(r->tree.given, "t");
	assert_string_equal(r->tree.path, "dir/t");
	assert_int_equal(r->exclude_count, 0);
	assert_false(r->owner);
	assert_null(r->owner_map.given);
	assert_null(r->oem.given);
	assert_false(r->fit_content);
	assert_string_equal(r->hash, "sha256");
	assert_int_equal(r->data_block_size, 4096);
	assert_int_equal(r->hash_block_size, 4096);
	assert_false(r->salt_given);
	assert_false(r->boot);
	assert_false(r->sign);
	assert_false(r->enforce);
	assert_true(r->digests);
	done(f);
}

static void top_level_keys(void **state)
{
	struct fixture *f = parse_more("seed: 00112233445566778899aabbccddeeff\n"
				       "size: 8G\n"
				       "sector-size: 4096\n"
				       "exclude: [/etc/machine-id, '**/*.pyc']\n"
				       "owner: 1:4294967294\n"
				       "owner-map: maps/m\n"
				       "oem: /abs/oem\n"
				       "outputs: [raw]\n"
				       "manifest: {digests: false}\n");
	const struct ingot_recipe *r = f->recipe;

	(void)state;
	assert_int_equal(r->seed.size, 16);
	assert_int_equal(r->seed.bytes[15], 0xff);
	assert_int_equal(r->size, UINT64_C(8) << 30);
	assert_int_equal(r->sector_size, 4096);
	assert_int_equal(r->exclude_count, 2);
	assert_string_equal(r->excludes[0], "etc/machine-id");
	assert_string_equal(r->excludes[1], "**/*.pyc");
	assert_int_equal(ingot_yaml_line(r->exclude_nodes[1]), 10);
	assert_true(r->owner);
	assert_int_equal(r->uid, 1);
	assert_int_equal(r->gid, 4294967294);
	assert_string_equal(r->owner_map.path, "dir/maps/m");
	assert_string_equal(r->oem.path, "/abs/oem");
	assert_false(r->digests);
	done(f);
}

static void usr_keys(void **state)
{
	struct fixture *f = parse_more("usr:\n  fit: content\n  hash: sha512\n"
				       "  data-block-size: 1K\n  hash-block-size: 512K\n"
				       "  salt: c0ffee\n  fec-roots: 24\n");
	const struct ingot_recipe *r = f->recipe;

	(void)state;
	assert_true(r->fit_content);
	assert_string_equal(r->hash, "sha512");
	assert_int_equal(r->data_block_size, 1024);
	assert_int_equal(r->hash_block_size, 512 * 1024);
	assert_true(r->salt_given);
	assert_int_equal(r->salt_size, 3);
	assert_memory_equal(r->salt, "\xc0\xff\xee", 3);
	assert_int_equal(r->fec_roots, 24);
	done(f);
	f = parse_more("usr: {salt: '-', fit: partition}\n");
	assert_true(f->recipe->salt_given);
	assert_int_equal(f->recipe->salt_size, 0);
	assert_false(f->recipe->fit_content);
	assert_int_equal(f->recipe->fec_roots, 0);
	done(f);
}

static void boot_keys(void **state)
{
	struct fixture *f = parse_more("boot:\n  linux: tree:/boot/vmlinuz-*\n"
				       "  initrd: [a, tree:b]\n  stub: /stub\n"
				       "  os-release: tree:usr/lib/os-release\n"
				       "  cmdline: console=ttyS0 quiet\n  systemd-version: 252\n"
				       "  esp:\n    loader/loader.conf: l.conf\n"
				       "    EFI/x: tree:x\n"
				       "signing: {key: k, certificate: c, enforce: true}\n");
	const struct ingot_recipe *r = f->recipe;

	(void)state;
	assert_true(r->boot);
	assert_string_equal(r->linux_image.in_tree, "boot/vmlinuz-*");
	assert_null(r->linux_image.path);
	assert_int_equal(r->initrd_count, 2);
	assert_string_equal(r->initrds[0].path, "dir/a");
	assert_string_equal(r->initrds[1].in_tree, "b");
	assert_string_equal(r->stub.path, "/stub");
	assert_string_equal(r->os_release.in_tree, "usr/lib/os-release");
	assert_string_equal(r->cmdline, "console=ttyS0 quiet");
	assert_int_equal(r->systemd_version, 252);
	assert_int_equal(r->esp_count, 2);
	assert_string_equal(r->esp[0].target, "loader/loader.conf");
	assert_string_equal(r->esp[0].source.path, "dir/l.conf");
	assert_string_equal(r->esp[1].source.in_tree, "x");
	assert_true(r->sign);
	assert_true(r->enforce);
	assert_string_equal(r->signer.key.path, "dir/k");
	assert_string_equal(r->signer.certificate.path, "dir/c");
	done(f);
	f = parse_more("boot: {linux: a, initrd: b, stub: c}\n");
	assert_int_equal(f->recipe->initrd_count, 1);
	assert_string_equal(f->recipe->cmdline, "");
	assert_null(f->recipe->os_release.given);
	done(f);
}

static void layout_files(void **state)
{
	struct fixture *f;
	const char *text = "name: a\nversion: 2\narchitecture: arm64\nepoch: 0\n"
			   "layout: mine.yaml\ntree: t\n";

	(void)state;
	f = parse_with(text, strlen(text), &PLAIN);
	assert_int_equal(f->rc, 0);
	assert_string_equal(f->recipe->layout_path, "dir/mine.yaml");
	assert_string_equal(f->recipe->architecture, "arm64");
	assert_int_equal(f->recipe->epoch, 0);
	done(f);
}

/* --- the epoch --------------------------------------------------------- */

#define NO_EPOCH "name: demo\nversion: \"1\"\narchitecture: x86-64\nlayout: flatcar\ntree: t\n"

static struct fixture *with_environment(const char *text, const char *epoch)
{
	struct ingot_recipe_options options = {.source_date_epoch = epoch};

	return parse_with(text, strlen(text), &options);
}

static void epoch(void **state)
{
	static const char missing[] =
		"1:1: key 'epoch' is missing, and SOURCE_DATE_EPOCH is not set\n";
	struct fixture *f = with_environment(NO_EPOCH, "1700000000");

	(void)state;
	assert_int_equal(f->rc, 0);
	assert_int_equal(f->recipe->epoch, 1700000000);
	done(f);
	/* The recipe knows better, even if the environment is nonsense. */
	f = with_environment(BASE, "nonsense");
	assert_int_equal(f->rc, 0);
	assert_int_equal(f->recipe->epoch, 100);
	done(f);
	expect_from(with_environment(NO_EPOCH, NULL), missing);
	expect_from(with_environment(NO_EPOCH, ""), missing);
	expect_from(with_environment(NO_EPOCH, "-1"),
		    "1:1: SOURCE_DATE_EPOCH: '-1' is not a number\n");
	expect_from(with_environment(NO_EPOCH, "4294967296"),
		    "1:1: the epoch lies beyond the year 2106\n");
	expect(NO_EPOCH "epoch: 4294967296\n", "6:8: the epoch lies beyond the year 2106\n");
	expect(NO_EPOCH "epoch: 4294967295\n", "");
	expect(NO_EPOCH "epoch: -5\n", "6:8: '-5' is not a number\n");
	expect(NO_EPOCH "epoch: 2026-01-01\n", "6:8: '2026-01-01' is not a number\n");
	expect(NO_EPOCH "epoch:\n", "6:7: a value is missing here\n");
}

/* --- mistakes ---------------------------------------------------------- */

static void missing_keys(void **state)
{
	(void)state;
	expect("epoch: 1\n", "1:1: key 'architecture' is missing\n1:1: key 'layout' is missing\n"
			     "1:1: key 'name' is missing\n1:1: key 'tree' is missing\n"
			     "1:1: key 'version' is missing\n");
	expect_more("boot: {}\n", "7:7: key 'initrd' is missing\n7:7: key 'linux' is missing\n"
				  "7:7: key 'stub' is missing\n");
	expect_more("signing: {enforce: true}\n",
		    "7:10: key 'certificate' is missing\n7:10: key 'key' is missing\n");
}

static void unknown_keys(void **state)
{
	(void)state;
	expect_more("sized: 1\n", "7:1: unknown key 'sized', did you mean 'size'?\n");
	expect_more("color: blue\n", "7:1: unknown key 'color'\n");
	expect_more("usr: {fitt: content}\n", "7:7: unknown key 'fitt', did you mean 'fit'?\n");
	expect_more("boot:\n  linux: a\n  initrd: b\n  stub: c\n  lunix: d\n",
		    "11:3: unknown key 'lunix', did you mean 'linux'?\n");
	expect_more("signing: {key: a, certificate: b, pin: c}\n", "7:35: unknown key 'pin'\n");
	expect_more("signing: {key: a, certificate: b, co-signers: [{key: c, certificat: d}]}\n",
		    "7:48: key 'certificate' is missing\n"
		    "7:57: unknown key 'certificat', did you mean 'certificate'?\n");
	expect_more("signing: {key: a, certificate: b, co-signers: []}\n",
		    "7:47: 'co-signers' is a list of 1 to 7\n");
	expect_more("manifest: {digest: true}\n",
		    "7:12: unknown key 'digest', did you mean 'digests'?\n");
}

static void wrong_names(void **state)
{
#define NOT_A_NAME                                                                                 \
	"is not a name: letters, digits and .-_+~, at most 64, the first a letter or digit\n"
	static const char tail[] =
		"\nversion: 1\narchitecture: x86-64\nepoch: 1\nlayout: flatcar\ntree: t\n";
	static const char *const wrong[] = {"a/b", "../a", ".a",    "-a",	"_a",
					    "~a",  "a b",  "'a\\'", "\xc3\xa4", "''"};
	char text[512], want[256], name[128] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		bool quoted = wrong[i][0] == '\'';

		snprintf(text, sizeof(text), "name: %s%s", wrong[i], tail);
		snprintf(want, sizeof(want), "1:7: '%.*s' " NOT_A_NAME,
			 (int)strlen(wrong[i]) - (quoted ? 2 : 0), wrong[i] + quoted);
		expect(text, want);
	}
	memset(name, 'n', 64);
	snprintf(text, sizeof(text), "name: %s%s", name, tail);
	expect(text, "");
	name[64] = 'n';
	snprintf(text, sizeof(text), "name: %s%s", name, tail);
	snprintf(want, sizeof(want), "1:7: '%s' " NOT_A_NAME, name);
	expect(text, want);
	snprintf(text, sizeof(text), "name: 0A.-_+~z%s", tail);
	expect(text, "");
}

static void wrong_values(void **state)
{
	static const struct {
		const char *more, *want;
	} cases[] = {
		{"seed: 0011\n", "7:7: seed: 2 bytes are too few (16 to 64)\n"},
		{"seed: xyz\n", "7:7: seed: 'xyz' has an odd number of hex digits\n"},
		{"size: 8Q\n", "7:7: '8Q' is not a size (digits, then K, M, G or T)\n"},
		{"size: 99999999999999999999\n", "7:7: '99999999999999999999' is too large\n"},
		{"sector-size: 1024\n", "7:14: a sector has 512 or 4096 bytes\n"},
		{"exclude: [a, '']\n", "7:14: the pattern is empty\n"},
		{"exclude: [/]\n", "7:11: the pattern is empty\n"},
		{"exclude: [[a]]\n", "7:11: a single value is wanted here\n"},
		{"exclude: {a: b}\n", "7:10: a single value is wanted here\n"},
		{"owner: root\n", "7:8: 'root' is not UID:GID\n"},
		{"owner: 1:2:3\n", "7:8: '1:2:3' is not UID:GID\n"},
		{"owner: '-1:0'\n", "7:8: '-1:0' is not UID:GID\n"},
		{"owner: ' 1:0'\n", "7:8: ' 1:0' is not UID:GID\n"},
		{"owner: '1:'\n", "7:8: '1:' is not UID:GID\n"},
		{"owner: 4294967295:0\n", "7:8: '4294967295:0' is not UID:GID\n"},
		{"owner-map: ''\n", "7:12: the path is empty\n"},
		{"oem: [a, b]\n", "7:6: a single value is wanted here\n"},
		{"usr: content\n", "7:6: usr is not a mapping (KEY: VALUE)\n"},
		{"usr: {fit: tight}\n", "7:12: 'tight' is not one of: partition, content\n"},
		{"usr: {hash: md5}\n",
		 "7:13: 'md5' is not one of: sha256, sha512, sha384, sha224\n"},
		{"usr: {data-block-size: 256}\n",
		 "7:24: a block size is a power of two from 512 to 4096\n"},
		{"usr: {data-block-size: 8K}\n",
		 "7:24: a block size is a power of two from 512 to 4096\n"},
		{"usr: {hash-block-size: 3K}\n",
		 "7:24: a block size is a power of two from 512 to 524288\n"},
		{"usr: {hash-block-size: 1M}\n",
		 "7:24: a block size is a power of two from 512 to 524288\n"},
		{"usr: {fec-roots: 1}\n", "7:18: FEC roots are 2 to 24, or 0 for no parity\n"},
		{"usr: {fec-roots: 25}\n", "7:18: FEC roots are 2 to 24, or 0 for no parity\n"},
		{"usr: {salt: abc}\n", "7:13: 'abc' has an odd number of hex digits\n"},
		{"usr: {salt: zz}\n", "7:13: 'zz' is not hexadecimal\n"},
		{"usr: {salt: ''}\n", "7:13: the salt is empty; '-' is none\n"},
		{"boot: yes\n", "7:7: boot is not a mapping (KEY: VALUE)\n"},
		{"boot: {linux: 'tree:', initrd: b, stub: c}\n", "7:15: the path is empty\n"},
		{"boot: {linux: 'tree:/', initrd: b, stub: c}\n", "7:15: the path is empty\n"},
		{"boot: {linux: a, initrd: [], stub: c}\n", "7:26: the list is empty\n"},
		{"boot: {linux: a, initrd: {b: c}, stub: c}\n",
		 "7:26: a single value is wanted here\n"},
		{"boot: {linux: a, initrd: b, stub: c, cmdline: \"a\\nb\"}\n",
		 "7:47: the command line has a control character in it\n"},
		{"boot: {linux: a, initrd: b, stub: c, systemd-version: new}\n",
		 "7:55: 'new' is not a number\n"},
		{"boot: {linux: a, initrd: b, stub: c, esp: [d]}\n",
		 "7:43: esp is not a mapping (KEY: VALUE)\n"},
		{"signing: {key: a, certificate: b, enforce: maybe}\n",
		 "7:44: 'maybe' is not one of: false, true\n"},
		{"manifest: {digests: 1}\n", "7:21: '1' is not one of: false, true\n"},
		{"outputs: [raw, floppy]\n",
		 "7:16: 'floppy' is neither a format (ingot convert --help) nor a vendor "
		 "(ingot vendors)\n"},
		{"outputs: []\n", "7:10: the list is empty: what should be made?\n"},
		{"outputs: [ami, raw, ami]\n", "7:21: 'ami' is in the list twice\n"},
		{"level: 10\n", "7:8: levels are 1 (fast) to 9 (small)\n"},
		{"name: again\n", "7:1: key 'name' stands twice\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_more(cases[i].more, cases[i].want);
	expect("name: a\nversion: 1\narchitecture: ia64\nepoch: 1\nlayout: ''\ntree: ''\n",
	       "3:15: 'ia64' is not one of: x86-64, arm64\n5:9: the name is empty\n"
	       "6:7: the path is empty\n");
}

static void too_many(void **state)
{
	char text[8192] = BASE "boot: {linux: a, stub: b, initrd: [i";

	(void)state;
	for (unsigned i = 0; i < INGOT_RECIPE_INITRDS_MAX; i++)
		strcat(text, ", i");
	expect(strcat(text, "]}\n"), "7:35: more than 16 initrds\n");
	strcpy(text, BASE "boot: {linux: a, stub: b, initrd: c, esp: {x: y");
	for (unsigned i = 0; i < INGOT_RECIPE_FILES_MAX; i++)
		snprintf(text + strlen(text), 16, ", x%u: y", i);
	expect(strcat(text, "}}\n"), "7:43: more than 64 files\n");
}

static void all_at_once(void **state)
{
	(void)state;
	expect("name: a/b\nversion: 1\narchitecture: z80\ncolor: red\nlayout: flatcar\n"
	       "owner: me\nusr:\n  fit: tight\n  salt: x\nboot: {lunix: a, initrd: [], stub: c}\n",
	       "1:1: key 'epoch' is missing, and SOURCE_DATE_EPOCH is not set\n"
	       "1:1: key 'tree' is missing\n"
	       "1:7: 'a/b' " NOT_A_NAME "3:15: 'z80' is not one of: x86-64, arm64\n"
	       "4:1: unknown key 'color'\n"
	       "6:8: 'me' is not UID:GID\n"
	       "8:8: 'tight' is not one of: partition, content\n"
	       "9:9: 'x' has an odd number of hex digits\n"
	       "10:7: key 'linux' is missing\n"
	       "10:8: unknown key 'lunix', did you mean 'linux'?\n"
	       "10:26: the list is empty\n");
}

static void no_recipe(void **state)
{
	(void)state;
	expect("- a\n- b\n", "1:1: the recipe is not a mapping (KEY: VALUE)\n");
	expect("just a text\n", "1:1: the recipe is not a mapping (KEY: VALUE)\n");
}

/* What libyaml stops at: one complaint with a place, and no recipe. */
static void hostile(void **state)
{
	static const char *const texts[] = {
		"",
		"name: [",
		"name: 'a",
		"\tname: a",
		"a: &x [*x]\n",
		"name: a\n---\nname: b\n",
		"a: !!binary b\n",
		"\xff\xfe",
		"name: \x01\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fixture *f = parse_with(texts[i], strlen(texts[i]), &PLAIN);

		if (f->rc != -EINVAL || !ingot_problems_any(&f->problems))
			fail_msg("'%s' passes", texts[i]);
		done(f);
	}
	expect_from(parse_with("name: a\0b\n", 10, &PLAIN),
		    "1:8: control characters are not allowed\n");
}

/* --- files ------------------------------------------------------------- */

static void expect_files(const char *text, const char *want)
{
	struct ingot_recipe_options options = {.check_files = true};
	struct ingot_problems problems = {0};
	struct ingot_recipe *recipe = NULL;
	struct ingot_error err;
	char *found;
	int rc;

	file_put("r.yaml", text, strlen(text));
	rc = ingot_recipe_load("r.yaml", &options, &problems, &recipe, &err);
	found = ingot_problems_text(&problems);
	assert_string_equal(found, want);
	assert_int_equal(rc, *want ? -EINVAL : 0);
	free(found);
	ingot_recipe_free(recipe);
	ingot_problems_done(&problems);
}

static void files_are_looked_at(void **state)
{
	(void)state;
	(void)mkdir("t", 0755);
	file_put("file", "x", 1);
	expect_files(BASE "boot: {linux: file, initrd: [file, 'tree:x'], stub: tree:y}\n", "");
	expect_files(BASE "oem: t\nowner-map: file\n", "");
	expect_files(BASE
		     "oem: none\nowner-map: t\nboot: {linux: nix, initrd: [t, no], stub: file}\n"
		     "signing: {key: file, certificate: gone}\n",
		     "r.yaml:7:6: 'none': No such file or directory\n"
		     "r.yaml:8:12: 't' is a folder\n"
		     "r.yaml:9:15: 'nix': No such file or directory\n"
		     "r.yaml:9:29: 't' is a folder\n"
		     "r.yaml:9:32: 'no': No such file or directory\n"
		     "r.yaml:10:35: 'gone': No such file or directory\n");
	expect_files(
		"name: a\nversion: 1\narchitecture: arm64\nepoch: 1\nlayout: l.yaml\ntree: x\n",
		"r.yaml:5:9: 'l.yaml': No such file or directory\n"
		"r.yaml:6:7: 'x': No such file or directory\n");
}

static void no_file(void **state)
{
	struct ingot_problems problems = {0};
	struct ingot_recipe *recipe = NULL;
	struct ingot_error err;

	(void)state;
	assert_fails(ingot_recipe_load("missing.yaml", &PLAIN, &problems, &recipe, &err), -ENOENT,
		     "missing.yaml");
	assert_null(recipe);
	assert_false(ingot_problems_any(&problems));
	ingot_problems_done(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest),
		cmocka_unit_test(top_level_keys),
		cmocka_unit_test(usr_keys),
		cmocka_unit_test(boot_keys),
		cmocka_unit_test(layout_files),
		cmocka_unit_test(epoch),
		cmocka_unit_test(missing_keys),
		cmocka_unit_test(unknown_keys),
		cmocka_unit_test(wrong_names),
		cmocka_unit_test(wrong_values),
		cmocka_unit_test(too_many),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(no_recipe),
		cmocka_unit_test(hostile),
		cmocka_unit_test_setup_teardown(files_are_looked_at, folder_setup, folder_teardown),
		cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
