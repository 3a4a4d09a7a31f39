# shellcheck shell=bash disable=SC2034
# What the scripts of tests/interop have in common. Source it after `set -euo pipefail`, with the
# script's arguments. It counts as tally.sh does, and sets
#	ingot		the program, the script's first argument
#	source_dir	the tree
#	work		a folder of the script's own: the current one from here on, and gone at the end

ingot=$(realpath -- "${1:?usage: ${0##*/} INGOT}")
source_dir=$(cd -- "$(dirname -- "$0")/../.." && pwd)
# shellcheck source=tests/tally.sh
. "$source_dir/tests/tally.sh"
work=$(mktemp -d)
trap 'chmod -R u+rwX -- "$work"; rm -rf -- "$work"' EXIT
cd -- "$work" || exit 2
