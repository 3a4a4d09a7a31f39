#!/usr/bin/env bash
# The library shows the world nothing but names that begin with ingot_: exports.sh LIBRARY
set -euo pipefail
# shellcheck source=../tally.sh
. "$(dirname "$0")/../tally.sh"

names=$(nm -D --defined-only "$1" | awk 'NF >= 3 { print $NF }')
foreign() {
	grep -v '^ingot_' <<<"$names"
}
check "the library exports something" grep -q '^ingot_version$' <<<"$names"
check "every name begins with ingot_" not foreign
verdict
