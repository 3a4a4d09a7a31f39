#!/usr/bin/env bash
# Build one image under everything that must not matter, and compare the digest of every output:
#   repro.sh INGOT TREE.tar RECIPE KEYS
# Ends with "N passed, M failed".
set -euo pipefail
# shellcheck source=../tally.sh
. "$(dirname "$0")/../tally.sh"
ingot=$1 tree=$(readlink -f "$2") recipe=$3 keys=$4

work=$(mktemp -d "${TMPDIR:-/tmp}/ingot-repro.XXXXXX")
folders=$work
# A tmpfs lists a folder by the order in which its entries were made; ext4 hides it.
if [ "$(df --output=avail -k /dev/shm | tail -n 1)" -gt $(($(stat -c %s "$tree") / 256)) ]; then
	folders=$(mktemp -d /dev/shm/ingot-repro.XXXXXX)
fi
trap 'rm -rf "$work" "$folders"' EXIT
trap 'exit 2' INT TERM
chmod 755 "$work" "$folders"

# kitchen FOLDER: recipe, keys and tree beside each other
kitchen() {
	mkdir -p "$1"
	cp "$recipe" "$1/recipe.yaml"
	cp -r "$keys" "$1/keys"
	cp --reflink=auto "$tree" "$1/tree.tar"
}

under=() # the command that the build runs under: env, faketime, ...

# build FOLDER [OPTION...]: builds FOLDER/recipe.yaml and prints the digest of every output
build() {
	local folder=$1
	shift
	rm -rf "$folder/out"
	"${under[@]}" "$ingot" build "$folder/recipe.yaml" --output "$folder/out" "$@" \
		>"$work/log" 2>&1 || { tail -n 5 "$work/log" && return 1; }
	(cd "$folder/out" && find . -type f | LC_ALL=C sort | xargs openssl dgst -sha256 -r)
	rm -rf "$folder/out"
}

# same WHAT COMMAND...: a build that must print the digests of the first one
same() {
	local what=$1
	shift
	"$@" >"$work/these" 2>&1 || : # its words then differ from the digests
	check "the same bytes: $what" diff "$work/reference" "$work/these"
	under=()
}

with_umask() {
	(umask "$1" && build "$work/a")
}

as_nobody() {
	cp -r "$work/a" "$work/nobody"
	chown -R nobody "$work/nobody"
	under=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
	build "$work/nobody"
}

tar_all() {
	tar --xattrs --xattrs-include='*' --numeric-owner "$@"
}

# unpack FOLDER ORDER: the tree, the entries of every folder made in that order (sort's option)
unpack() {
	mkdir "$folders/once" "$1"
	tar_all -xpf "$tree" -C "$folders/once"
	(cd "$folders/once" && find . -mindepth 1 | LC_ALL=C sort "$2") >"$work/list"
	tar_all -cf - --no-recursion -C "$folders/once" -T "$work/list" |
		tar_all -xpf - --delay-directory-restore -C "$1"
	rm -rf "$folders/once"
}

# from_folder ORDER: the image of the tree as a folder
from_folder() {
	unpack "$folders/tree" "$1"
	sed "s,^tree: .*,tree: $folders/tree," "$recipe" >"$work/a/recipe.yaml"
	build "$work/a"
	rm -rf "$folders/tree"
}

kitchen "$work/a"
build "$work/a" >"$work/reference" || { cat "$work/reference" && exit 1; }
cat "$work/reference"

same "again" build "$work/a"
same "-j 1" build "$work/a" -j 1
same "-j 8" build "$work/a" -j 8
same "umask 077" with_umask 077
same "umask 000" with_umask 000
under=(env TZ=Pacific/Kiritimati) && same "another time zone" build "$work/a"
under=(env LC_ALL=C.UTF-8 LANG=tr_TR.UTF-8) && same "another locale" build "$work/a"
under=(faketime '2001-02-03 04:05:06') && same "a clock years ago" build "$work/a"
under=(faketime '2040-02-03 04:05:06') && same "a clock years ahead" build "$work/a"
kitchen "$work/another, longer/path"
same "another path" build "$work/another, longer/path"
rm -rf "$work/another, longer"
# Only root can make the devices and owners of the tree.
if [ "$(id -u)" = 0 ]; then
	same "an ordinary user" as_nobody
	rm -rf "$work/nobody"
	# The manifest names its inputs, and a folder is another input: its image is the same.
	grep '\.raw$' "$work/reference" >"$work/image"
	from_folder -s >"$work/reference"
	check "the same image from a folder" grep -qxF "$(cat "$work/image")" "$work/reference"
	same "a folder whose entries were made in reverse" from_folder -r
fi
verdict
