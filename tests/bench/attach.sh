#!/bin/bash
# `ingot attach` to images of any format: how long it takes and how much it writes, each time on a
# fresh copy, which is read from memory. Beside it SHA-256 of the file, as what reading it would take.
# Prints medians; nothing fails because it is slow.
#
# usage: attach.sh INGOT RESPONSE IMAGE...    (of `ingot build --sign-later`; RUNS=5)
set -euo pipefail
export LC_ALL=C

ingot=$(realpath "${1:?usage: attach.sh INGOT RESPONSE IMAGE...}")
response=$(realpath "${2:?usage: attach.sh INGOT RESPONSE IMAGE...}")
runs=${RUNS:-5}
work=$(mktemp -d "${TMPDIR:-/tmp}/ingot-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

milliseconds() { # NAME COMMAND...
	local name=$1 start=${EPOCHREALTIME/./}
	shift
	"$@"
	echo "$(((${EPOCHREALTIME/./} - start) / 100))" >>"$work/$name"
}
median() { sort -n "$work/$1" | awk '{ t[NR] = $1 } END { printf "%.1f", t[int((NR + 1) / 2)] / 10 }'; }

printf '%-28s %12s %10s %10s %12s\n' image bytes written ms "sha256sum ms"
for image in "${@:3}"; do
	rm -f "$work/ours" "$work/sums"
	for ((i = 0; i < runs; i++)); do
		cp --sparse=always "$image" "$work/image"
		milliseconds ours "$ingot" attach "$work/image" --response "$response" --json >"$work/report"
		milliseconds sums sha256sum "$work/image" >/dev/null
	done
	printf '%-28s %12s %10s %10s %12s\n' "${image##*/}" "$(stat -c %s "$image")" \
		"$(jq .bytes_written "$work/report")" "$(median ours)" "$(median sums)"
done
