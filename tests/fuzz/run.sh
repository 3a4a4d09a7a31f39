#!/usr/bin/env bash
# Run every fuzz target of a build for some seconds, from its seeds and with its words if it has any
# (corpus/NAME, dict/NAME): run.sh BUILD-FOLDER SECONDS
# As many at a time as there are cores. A crash leaves its input in BUILD-FOLDER/crashes. Ends with
# "N passed, M failed".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tally.sh
. "$here/../tally.sh"
build=$1 seconds=$2

# run NAME: its words and its exit status are in BUILD-FOLDER/corpus, beside what it found
run() {
	local name=$1 status=0 seeds=() words=()
	[ ! -d "$here/corpus/${name#fuzz_}" ] || seeds=("$here/corpus/${name#fuzz_}")
	[ ! -f "$here/dict/${name#fuzz_}" ] || words=("-dict=$here/dict/${name#fuzz_}")
	mkdir -p "$build/corpus/$name"
	"$build/tests/$name" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" "${words[@]}" \
		"$build/corpus/$name" "${seeds[@]}" >"$build/corpus/$name.log" 2>&1 || status=$?
	printf '%d\n' $status >"$build/corpus/$name.status"
}
ended_well() {
	[ "$(cat "$build/corpus/$1.status")" = 0 ] || {
		cat "$build/corpus/$1.log"
		return 1
	}
}

mkdir -p "$build/crashes" "$build/corpus"
rm -f "$build"/corpus/*.status
names=()
for source in "$here"/fuzz_*.c; do
	names+=("$(basename "$source" .c)")
done
for name in "${names[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n
	done
	run "$name" &
done
wait
for name in "${names[@]}"; do
	check "$name, $seconds s" ended_well "$name"
done
verdict
