#!/usr/bin/env bash
# Run every fuzz target of a build for some seconds, from its seeds: run.sh BUILD-FOLDER SECONDS
# A crash leaves its input in BUILD-FOLDER/crashes. Ends with "N passed, M failed".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tally.sh
. "$here/../tally.sh"
build=$1 seconds=$2

mkdir -p "$build/crashes"
for source in "$here"/fuzz_*.c; do
	name=$(basename "$source" .c)
	found=$build/corpus/$name
	mkdir -p "$found"
	seeds=()
	[ ! -d "$here/corpus/${name#fuzz_}" ] || seeds=("$here/corpus/${name#fuzz_}")
	check "$name, $seconds s" "$build/tests/$name" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" \
		"$found" "${seeds[@]}"
done
verdict
