#!/usr/bin/env bash
# Run every fuzz target of a build for some seconds, from its seeds and with its words if it has any
# (corpus/NAME, dict/NAME): run.sh BUILD-FOLDER SECONDS [SEED [TARGET...]]
# The default SEED is 1, so that what one machine finds is found on the next; another one looks
# elsewhere. As many at a time as there are cores. A finding is printed with its input, which stays in
# BUILD-FOLDER/crashes. Ends with "N passed, M failed".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tally.sh
. "$here/../tally.sh"
build=$1 seconds=$2 seed=${3:-1}
names=("${@:4}")

# run NAME: its words and its exit status are in BUILD-FOLDER/corpus, beside what it found
run() {
	local name=$1 status=0 seeds=() words=()
	[ ! -d "$here/corpus/${name#fuzz_}" ] || seeds=("$here/corpus/${name#fuzz_}")
	[ ! -f "$here/dict/${name#fuzz_}" ] || words=("-dict=$here/dict/${name#fuzz_}")
	mkdir -p "$build/corpus/$name"
	"$build/tests/$name" -seed="$seed" -max_total_time="$seconds" -timeout=25 \
		-rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" "${words[@]}" \
		"$build/corpus/$name" "${seeds[@]}" >"$build/corpus/$name.log" 2>&1 || status=$?
	printf '%d\n' $status >"$build/corpus/$name.status"
}

# ended_well NAME: or what was found, without the thousands of lines on the way there
ended_well() {
	local log=$build/corpus/$1.log input
	[ "$(cat "$build/corpus/$1.status")" != 0 ] || return 0
	grep -m 1 -A 60 -E '^==[0-9]+==|runtime error' "$log" || tail -n 60 "$log"
	input=$(sed -nE 's/.*Test unit written to (.*)/\1/p' "$log" | tail -n 1)
	[ ! -f "$input" ] || {
		printf 'the input, gzip and base64:\n'
		gzip -c "$input" | base64
	}
	return 1
}

mkdir -p "$build/crashes" "$build/corpus"
rm -f "$build"/corpus/*.status
[ ${#names[@]} -gt 0 ] || for source in "$here"/fuzz_*.c; do
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
