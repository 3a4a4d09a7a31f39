#!/usr/bin/env bash
# What can be said about the source without running it. Ends with "N passed, M failed".
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=../tests/tally.sh
. "$top/tests/tally.sh"
cd "$top"

formatted() {
	git ls-files -z '*.c' '*.h' | xargs -0 -r clang-format-14 --dry-run -Werror 2>&1 |
		sed -nE 's/^([^ :]+:[0-9]+):.*/\1/p' | not grep .
}

shell_scripts() {
	{
		git ls-files '*.sh'
		git grep -lE '^#!.*\b(ba)?sh$' -- . ':!*.sh' || : # none, perhaps
	} | sort -u | xargs -r shellcheck
}

# Which rooms a room may include from. image is the only one that joins others.
rooms_below() {
	case $1 in
	base) printf 'base' ;;
	io) printf 'base io' ;;
	tree) printf 'base io tree' ;;
	formats) printf 'base io formats' ;;
	fs | verity | sign | boot | disk) printf 'base io tree %s' "$1" ;;
	image) printf 'base io tree fs verity sign boot disk formats image' ;;
	*) printf 'unknown room' ;;
	esac
}

rooms() {
	local room wrong=0 include
	for room in lib/*/; do
		room=$(basename "$room")
		while IFS= read -r include; do
			printf '%s\n' "$include"
			wrong=1
		done < <(git grep -nE '^#include "[a-z0-9]+/' -- "lib/$room" |
			grep -vE "\"($(rooms_below "$room" | tr ' ' '|'))/" || :) # none is right
	done
	return $wrong
}

# Nothing is left to do in the code's own words, and it names no machine but example.com.
words() {
	! git grep -nIE '\b(TODO|FIXME|XXX|HACK)\b|not implemented' -- . ':!ci/lint.sh' &&
		! git grep -nIE '(deb|security|archive|snapshot)\.debian\.org|pypi\.org|docker\.io' -- . \
			':!ci/lint.sh'
}

private_keys() {
	! git grep -lIE '^-----BEGIN ([A-Z]+ )?PRIVATE KEY' -- .
}

top_level() {
	! git ls-files | sed 's,/.*,,' | sort -u | grep -vxE \
		'lib|tools|layouts|oem|signing|tests|ci|docs|CMakeLists.txt|CMakePresets.json|README.md|LICENSE|CONTRIBUTING.md|CHANGELOG.md|\..*'
}

if command -v clang-format-14 >/dev/null; then
	check "the C files are as clang-format 14 writes them" formatted
else
	printf 'left out: the formatting (there is no clang-format-14 here)\n'
fi
check "shellcheck" shell_scripts
check "rooms include from below only" rooms
check "no words that do not belong here" words
check "no private key" private_keys
check "nothing new at the top level" top_level

verdict
