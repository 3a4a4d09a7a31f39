#!/usr/bin/env bash
# Build an image, let others read it, boot it, change it and see it refused:
#   image.sh INGOT TREE RECIPE FOLDER [--sector-size 4096] [--tamper FILE-IN-USR]
# Ends with "N passed, M failed".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tally.sh
. "$here/../tally.sh"
ingot=$1 tree=$2 recipe=$3 folder=$4
shift 4
sector=512 tamper=
while [ $# -gt 0 ]; do
	case $1 in
	--sector-size) sector=$2 ;;
	--tamper) tamper=$2 ;;
	*) exit 2 ;;
	esac
	shift 2
done

mkdir -p "$folder"
ln -sfn "$tree" "$folder/tree.tar"
[ -d "$folder/keys" ] || "$here/../../signing/make-test-keys.sh" "$folder/keys"
# no_timer_check: an emulator that others leave no time delivers the interrupts late with which the
# kernel tests its timer, and the kernel panics.
sed '/no_timer_check/!s/^  cmdline: /&no_timer_check /' "$recipe" >"$folder/recipe.yaml"
[ "$sector" = 512 ] || printf 'sector-size: %s\n' "$sector" >>"$folder/recipe.yaml"

check "build $(basename "$recipe"), sectors of $sector" \
	"$ingot" build "$folder/recipe.yaml" --output "$folder/out"
[ "$failed" = 0 ] || verdict
image=$(echo "$folder"/out/*.raw)
manifest=${image%.raw}.manifest.json
[ "$sector" != 512 ] || add "$here/check-image.sh" "$image" "$manifest"
check "it boots" "$here/boot.sh" "$image" --sector-size "$sector" \
	--log "$folder/serial.log"
check "the guest has the manifest's root hash" \
	"$here/check-proof.sh" "$folder/serial.log" "$manifest"
if [ -n "$tamper" ]; then
	add "$here/tamper.sh" "$image" "$(jq -re .usr.root_hash "$manifest")" "$tamper"
fi
verdict
