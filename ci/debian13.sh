#!/usr/bin/env bash
# Build and test the program on Debian 13, and hold what it makes there against what it makes here:
#   ci/debian13.sh [INGOT]    this machine's program; build/release/ingot without
# Debian 13 is a folder with what ci/deps.sh installs there, and the files that git tracks. Ends with
# "N passed, M failed". What is mounted is mounted in a namespace of its own, so nothing stays mounted.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=../tests/tally.sh
. "$top/tests/tally.sh"
ingot=$(realpath "${1:-$top/build/release/ingot}")
in_memory

own=(unshare --mount --pid --fork --kill-child)
[ "$(id -u)" = 0 ] || own+=(--map-root-user --map-auto)

# Some containers forbid mounts even to root; nobody can do anything about it there.
"${own[@]}" mount -t tmpfs none /mnt || {
	printf 'NOT RUN: no mounts are allowed here, not even in a namespace of its own\n0 passed, 0 failed\n'
	exit
}

mkdir -p "$top/build"
work=$(mktemp -d "$top/build/debian13.XXXXXX")
root=$work/root # seen there as /
trap '"${own[@]}" rm -rf "$work"' EXIT
trap 'exit 2' INT TERM

# inside COMMAND...: as root of the Debian 13, with nothing of this environment
inside() {
	# shellcheck disable=SC2016 # expanded there
	"${own[@]}" sh -c 'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' \
		"$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR="${TMPDIR:-/tmp}" "$@"
}

unpack() {
	mkdir "$root" && "${own[@]}" tar -xpf "$1" --numeric-owner --exclude='./dev/*' -C "$root"
}

source_there() {
	mkdir "$root/source" && git -C "$top" ls-files -z |
		tar -c -C "$top" --null -T - | tar -xo -C "$root/source"
}

# may_differ FILE: what docs/formats/README.md leaves to the version of libzstd
may_differ() {
	[[ $1 =~ ^levels/(raw\.zst|qcow2-zstd)\.[2-9]$ ]]
}

# read_back FILE: what was made here is read there, and the other way round
read_back() {
	inside /source/build/release/ingot convert "/here/$1" --to raw=/back &&
		cmp "$root/back" "$root/there/levels/disk" &&
		"$ingot" convert "$root/there/$1" --to raw="$work/back" &&
		cmp "$work/back" "$root/here/levels/disk"
}

files() {
	(cd "$1" && find . -type f -printf '%P\n' | LC_ALL=C sort)
}

compare() {
	local file bytes there=$root/there here=$root/here
	check "the same files" diff <(files "$here") <(files "$there")
	while IFS= read -r file; do
		if may_differ "$file"; then
			bytes=other
			! cmp -s "$here/$file" "$there/$file" || bytes="the same"
			check "$file: $bytes bytes, and read by the other one" read_back "$file"
		else
			check "$file: the same bytes" same_bytes "$here/$file" "$there/$file"
		fi
	done < <(files "$here")
}

# same_bytes A B: the disks are some gigabytes, of which nearly all are holes
same_bytes() {
	case $1 in
	*.raw) same "$1" "$2" ;;
	*) cmp "$1" "$2" ;;
	esac
}

say "Debian 13, with what ci/deps.sh installs"
tar=$("$top/ci/tree.sh" debian13) || die "no Debian 13 could be made; mmdebstrap says why above"
small=$("$top/ci/tree.sh" small) || die "no tree to make images of; mmdebstrap says why above"
unpack "$tar" || die "$tar cannot be unpacked"
source_there || die "the source cannot be copied"
inside true || die "nothing can be run in $root: it takes root or namespaces of a user"

say "Its compiler, unit tests, and tests/interop"
add inside /source/ci/debian13/tests.sh

say "The same bytes here and there"
"$top/signing/make-test-keys.sh" "$root/keys" >/dev/null
cp "$small" "$root/tree.tar"
check "outputs made here" "$top/tests/repro/outputs.sh" "$ingot" "$root/tree.tar" "$root/keys" "$root/here"
check "outputs made there" inside /source/tests/repro/outputs.sh \
	/source/build/release/ingot /tree.tar /keys /there
[ "$failed" != 0 ] || compare
verdict
