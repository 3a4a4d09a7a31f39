#!/usr/bin/env bash
# Every test: ci/test.sh [--long]
# --long boots the full Debian guest in both layouts as well, changes its image, builds the real
# tree under everything that must not matter, boots with Secure Boot, builds and tests the program on
# Debian 13, looks for races in more tests, and fuzzes longer.
# Logs are in build/test. The last line is "N passed, M failed".
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=../tests/tally.sh
. "$top/tests/tally.sh"

long=no seconds=10
case ${1:-} in
'') ;;
--long) long=yes seconds=15 ;;
*) die "usage: ci/test.sh [--long]" ;;
esac

cd "$top"
logs=$top/build/test
release=$top/build/release
ingot=$release/ingot
mkdir -p "$logs"
in_memory
summary=()

# stage NAME COMMAND...: counts what it counts, keeps what it says
stage() {
	local name=$1 began=$SECONDS
	shift
	say "$name"
	count "$logs/$name.log" "$@"
	told "$name" $((SECONDS - began))
}

# count LOG COMMAND...: adds it up, and sets good and bad
count() {
	local log=$1
	shift
	good=$passed bad=$failed
	add "$@" >"$log" 2>&1
	good=$((passed - good)) bad=$((failed - bad))
}

# told NAME SECONDS: what was counted last
told() {
	local name=$1
	summary+=("$(printf '%-28s %5d passed %4d failed %6d s' "$name" "$good" "$bad" "$2")")
	if [ $bad = 0 ]; then
		printf '%d passed\n' $good
	else
		grep -aE -A 12 '^FAILED|\*\*\*(Failed|Exc|Time)|error: |Sanitizer: ' "$logs/$name.log" |
			head -n 60 ||
			tail -n 30 "$logs/$name.log"
		printf 'The whole of it is in %s\n' "$logs/$name.log"
	fi
}

# Stages that keep one core busy go side by side: begin_stage NAME COMMAND... for each, in the order in
# which end_stages tells of them.
begun=()
begin_stage() {
	local name=$1
	shift
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n
	done
	begun+=("$name")
	{
		local began=$SECONDS status=0
		"$@" </dev/null >"$logs/$name.log" 2>&1 || status=$?
		printf '%d %d\n' $status $((SECONDS - began)) >"$logs/$name.status"
	} &
}
end_stages() {
	local name status took
	wait
	for name in "${begun[@]}"; do
		say "$name"
		read -r status took <"$logs/$name.status"
		count /dev/null replay "$logs/$name.log" "$status"
		told "$name" "$took"
	done
	begun=()
}
replay() {
	cat "$1"
	return "$2"
}

# (The functions below run where `set -e` does not reach: they say && and || themselves.)

compile() {
	cmake --preset "$1" >/dev/null && cmake --build --preset "$1"
}

# unit PRESET [REGEX]: compiles it and runs the unit tests, or those of that name
unit() {
	compile "$1" && ctest --preset "$1" -j "$(nproc)" -R "${2:-.}"
}

fuzz() {
	compile fuzz && tests/fuzz/run.sh build/fuzz "$seconds"
}

# recipe KIND LAYOUT
recipe() {
	case $1 in
	small) printf '%s\n' "tests/boot/recipes/small-$2.yaml" ;;
	full) printf '%s\n' "docs/examples/$2.yaml" ;;
	esac
}

# image KIND LAYOUT [OPTION...]: in the folder of the stage, $name
image() {
	local kind=$1 layout=$2 tree
	shift 2
	tree=$(ci/tree.sh "$kind") || return 1
	tests/boot/image.sh "$ingot" "$tree" "$(recipe "$kind" "$layout")" \
		"$logs/$name" "$@"
}

# repro KIND
repro() {
	local tree
	tree=$(ci/tree.sh "$1") || return 1
	tests/repro/repro.sh "$ingot" "$tree" "$(recipe "$1" flatcar)" "$logs/keys"
}

# formats: the small guest from every container
formats() {
	local tree
	tree=$(ci/tree.sh small) || return 1
	tests/boot/formats.sh "$ingot" "$tree" "$(recipe small flatcar)" "$logs/$name"
}

# fec KIND FILE: damaged images of both layouts, with parity
fec() {
	local layout tree passed=0 failed=0
	tree=$(ci/tree.sh "$1") || return 1
	for layout in flatcar discoverable; do
		add tests/boot/fec.sh "$ingot" "$tree" "$(recipe "$1" $layout)" "$logs/$name/$layout" "$2" || :
	done
	verdict
}

# A kernel that checks the signature itself
secure_boot() {
	local tree virt_firmware
	tree=$(ci/tree.sh small) && virt_firmware=$(ci/tree.sh virt-firmware) || return 1
	tests/boot/secure-boot.sh "$ingot" "$tree" "$virt_firmware" "$logs/$name"
}

# What systemd-dissect does with our images
dissect() {
	local tree systemd_dissect
	tree=$(ci/tree.sh full) && systemd_dissect=$(ci/tree.sh dissect) || return 1
	tests/boot/dissect.sh "$ingot" "$tree" "$systemd_dissect" "$logs/$name"
}

say "packages"
"$top/ci/deps.sh" test
rm -rf "$logs/keys"
"$top/signing/make-test-keys.sh" "$logs/keys" >/dev/null

stage lint ci/lint.sh
stage unit unit dev
stage unit-asan unit asan
# Those that start threads, or call what does; by default without those that take minutes under this
# sanitizer and start the threads of the others.
threads='pool|copy|output|sink|source|formats_[^e]|verity_[^c]|fec$|crypto|ext2_map'
[ $long = no ] || threads='pool|copy|output|sink|source|formats|verity|fec|verify|crypto|ext2_map'
stage unit-tsan unit tsan "$threads"
stage fuzz fuzz
stage release compile release
stage exports tests/install/exports.sh "$release/lib/libingot.so"
stage install tests/install/install.sh "$release"
begin_stage fault tests/fault/run.sh "$ingot" # the longest
for script in tests/interop/*.sh; do
	begin_stage "interop-$(basename "$script" .sh)" "$script" "$ingot"
done
end_stages
stage image-small-flatcar image small flatcar --tamper lib/x86_64-linux-gnu/libc.so.6
stage image-small-discoverable image small discoverable
stage image-small-4096 image small flatcar --sector-size 4096
stage repro-small repro small
if [ $long = yes ]; then
	stage image-full-flatcar image full flatcar --tamper lib/systemd/systemd
	stage image-full-discoverable image full discoverable
	stage repro-full repro full
	stage boot-fec-small fec small lib/x86_64-linux-gnu/libc.so.6
	stage boot-fec-full fec full lib/systemd/systemd
	stage boot-formats formats
	stage secure-boot secure_boot
	stage boot-dissect dissect
	stage debian13 ci/debian13.sh "$ingot"
fi

say "summary"
printf '%s\n' "${summary[@]}"
printf 'in %d min %d s\n' $((SECONDS / 60)) $((SECONDS % 60))
verdict
