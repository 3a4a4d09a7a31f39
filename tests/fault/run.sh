#!/bin/bash
# Fault injection. Every command of cases.sh is run with its Nth system call or allocation failing,
# for each N, on full disks, and killed at random moments. Whatever happens, it must
#	- end with status 0 and the bytes of a clean run, or with status 2 and one sentence on stderr;
#	- leave under the final name what was there before, or nothing, or the whole new file;
#	- leave no temporary file.
#
#	tests/fault/run.sh INGOT [--long] [--only COMMAND] [--kind KIND] [--at N] [--keep]
#
# Without --long, calls that are many are sampled: the first, the last, and some between them, the
# same each time. It needs shim.c's library beside INGOT, where the build puts it.
set -u
shopt -s nullglob dotglob
export LC_ALL=C TZ=UTC

here=$(cd "$(dirname "$0")" && pwd)
limit=30 rounds=4 steps=4 only= only_kind= only_at= keep=
ingot=
while [ $# -gt 0 ]; do
	case $1 in
	--long) limit=1000000 rounds=100 steps=24 ;;
	--only) only=$2; shift ;;
	--kind) only_kind=$2; shift ;;
	--at) only_at=$2; shift ;;
	--keep) keep=1 ;;
	*) ingot=$(realpath "$1") ;;
	esac
	shift
done
shim=$(dirname "$ingot")/tests/fault_shim.so
if [ ! -x "$ingot" ] || [ ! -f "$shim" ]; then
	echo "usage: $0 INGOT [--long] [--only COMMAND] [--kind KIND] [--at N] [--keep]" >&2
	exit 2
fi

# In memory where that can be had: every run syncs its output.
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || TMPDIR=/dev/shm
work=$(mktemp -d "${TMPDIR:-/tmp}/ingot-fault-XXXXXX")
mounted=
finish() {
	[ "$BASHPID" = $$ ] || return # a child that was killed before it became the command
	[ -z "$mounted" ] || umount "$work/out"
	if [ -n "$keep" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap finish EXIT
cd "$work" || exit 2
mkdir out clean fixtures

# shellcheck source=../tally.sh
. "$here/../tally.sh"
crashes_of_others=0
ulimit -c 0
printf 'what was there before' >old

# shellcheck source=cases.sh
. "$here/cases.sh"

# --- one run --------------------------------------------------------------------------------------

# Old files under the final names, or none.
prepare() { # old|none
	local name
	for name in "${outputs[@]}"; do
		if [ "$1" = old ]; then
			cp old "out/$name"
		elif [ -e "out/$name" ]; then
			rm "out/$name"
		fi
	done
	"$case_prepare"
}

# What the command reads, from a pipeline. (No process substitution here: bash keeps its status by its
# number, which some thousand processes later is another's.)
feed() { [ -z "$standard_input" ] || cat "$standard_input" 2>/dev/null; }

# KIND AT ERRNO STICKY: the command with that fault. Sets status.
run_with_fault() {
	local patience=60 run
	[ "$1" != alloc ] || patience=8 # see stuck_in_others
	: >log
	run=(timeout -k 5 "$patience" env LD_PRELOAD="$shim" FAULT_LOG="$work/log" FAULT_KIND="$1"
		FAULT_AT="$2" FAULT_ERRNO="$3" FAULT_STICKY="$4"
		"$ingot" "${command[@]}" -j "$jobs")
	{
		feed | "${run[@]}" >stdout 2>stderr
		status=${PIPESTATUS[1]}
	} 2>/dev/null # bash's own words about a crash
}

# Of a line of the log: the library of its innermost frame that is not libc's or the shim's.
blamed() { # failed|crashed
	sed -nE "s/^$1 [a-z_]*:( (libc\.so\.6|fault_shim\.so)\+[^ ]*)* ([^ +]*)\+.*/\3/p" log | head -1
}

# An allocation failed inside a library, and the same library crashed for it, or called exit as
# libarchive does. Not ours to mend. Sets culprit.
crash_of_others() {
	culprit=libarchive
	[ "$(<stderr)" != 'Fatal Internal Error in libarchive: Out of memory' ] || return 0
	culprit=$(blamed crashed)
	[ -n "$culprit" ] && [ "$culprit" != ingot ] && [ "$culprit" = "$(blamed failed)" ]
}

# libcrypto 3.2 and later wait for themselves when an allocation fails while they start, inside
# pthread_once: to raise the error, they start again. Not ours to mend either. Sets culprit.
stuck_in_others() {
	culprit=$(blamed failed)
	[[ $culprit = libcrypto.so.* ]] &&
		grep -qE '^failed .* libcrypto[^ ]* (libc\.so\.6\+[^ ]* )+libcrypto' log
}

# Whether an output is the clean run's. (A disk is mostly holes, which cmp reads.)
is_new() {
	[ -e "out/$1" ] || return
	if [ "$(stat -c %s "out/$1")" -lt 4000000 ]; then
		cmp -s "out/$1" "clean/$1"
	else
		same "out/$1" "clean/$1"
	fi
}

is_old() { # NAME old|none
	if [ "$2" = none ]; then
		[ ! -e "out/$1" ]
	else
		cmp -s old "out/$1"
	fi
}

# One sentence, "ingot COMMAND: ...", that names a thing or is about memory or a library. Before
# it there may be the problems of a recipe, each with its place.
check_sentence() {
	local lines=()
	grep -vE '^[^ :]+:[0-9]+:[0-9]+: ' stderr >sentence
	mapfile -t lines <sentence
	if [ "${#lines[@]}" -ne 1 ]; then
		problem="${#lines[@]} lines on stderr"
	elif [[ ${lines[0]} != "ingot $verb: "* ]]; then
		problem="not a sentence of 'ingot $verb'"
	elif [[ ${lines[0]} != *\'*\'* && ${lines[0]} != *"out of memory"* &&
		${lines[0]} != *"standard output"* && ${lines[0]} != *"standard input"* && ${lines[0]} != *"cpio archive"* &&
		${lines[0]} != *"the signature"* && ${lines[0]} != *libcrypto* ]]; then
		[ "$(wc -l <stderr)" -gt 1 ] || problem="no thing is named"
	fi
}

# The state of the out folder against what may be there. Sets problem.
check_outputs() { # old|none
	local output files=(out/*) expected=0
	for output in "${outputs[@]}"; do
		[ ! -e "out/$output" ] || expected=$((expected + 1))
		if [ "$status" = 0 ]; then
			is_new "$output" || problem="exit 0, but '$output' is not that of a clean run"
		elif ! is_old "$output" "$1" && ! { [ -n "$may_be_new" ] && is_new "$output"; }; then
			problem="'$output' is neither old nor absent"
		fi
	done
	expected=$((expected + case_extra_files))
	[ "${#files[@]}" -le "$expected" ] || problem="left behind: ${files[*]}"
}

# Sets problem, empty if all is as it should be.
check_run() { # old|none
	problem= may_be_new= culprit=
	# Several files are committed one after the other.
	[ "${#outputs[@]}" -le 1 ] || may_be_new=1
	case $status in
	0)
		cmp -s stdout clean.stdout || problem="exit 0, but the report differs"
		[ ! -s stderr ] || problem="exit 0, but something on stderr"
		;;
	2) check_sentence ;;
	124 | 137) stuck_in_others || problem="does not end" ;;
	1 | 134 | 139) [ "$status" = 1 ] && "$case_no" || crash_of_others || problem="exit status $status" ;;
	*) problem="exit status $status" ;;
	esac
	if [ "$status" != 0 ] && [ "$status" != 2 ] && [ -z "$problem" ] && [ -n "${culprit:-}" ]; then
		crashes_of_others=$((crashes_of_others + 1))
		others[$culprit]=1
	fi
	check_outputs "$1"
	[ -n "$problem" ] || "$case_check"
}

# Counts the run, and says what was wrong with it.
count_run() { # WHAT
	if [ -z "$problem" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1)) wrong=$((wrong + 1))
	[ "$wrong" -le 4 ] || return
	echo "  WRONG $1: $problem"
	[ ! -s stderr ] || sed 's/^/	stderr: /' stderr | head -3
	grep '^failed' log | sed 's/^/	/' | cut -c1-300
	# A mess must not be counted twice.
	find out -mindepth 1 -name '*.tmp' -delete
}

# --- the Nth call ---------------------------------------------------------------------------------

# KIND: how many such calls a clean run makes. Sets calls.
count_calls() {
	prepare none
	run_with_fault "$1" 0 0 0
	calls=$(sed -n 's/^calls //p' log)
}

# Of COUNT calls the ones to fail: all, or the first, the last and some between.
sample() {
	local n limit=$((limit / case_share)) part
	part=$((limit / 3))
	if [ -n "$only_at" ]; then
		echo "$only_at"
	elif [ "$1" -le "$limit" ]; then
		for ((n = 1; n <= $1; n++)); do echo "$n"; done
	else
		for ((n = 1; n <= part; n++)); do echo "$n"; done
		for ((n = 1; n <= part; n++)); do echo $((part + n * ($1 - 2 * part) / (part + 1))); done
		for ((n = $1 - part + 1; n <= $1; n++)); do echo "$n"; done
	fi
}

# Whether a kind of fault is to be tried: asked for on the command line, and the case's.
wanted() { # KIND
	[ -z "$only_kind" ] || [ "$only_kind" = "$1" ] || return
	[ -z "$case_kinds" ] || [[ " $case_kinds " == *" $1 "* ]]
}

# TITLE KIND ERRNO STICKY JOBS: every such call in turn. A transfer that is short or interrupted
# is no failure, though some libraries take it for one.
fail_each() {
	local at before wrong=0 done=0 crashed=$crashes_of_others
	local -A others=()
	wanted "$1" || return
	jobs=$5
	count_calls "$2"
	for at in $(sample "${calls:-0}"); do
		before=$([ $((at % 2)) = 0 ] && echo old || echo none)
		prepare "$before"
		run_with_fault "$2" "$at" "$3" "$4"
		check_run "$before"
		case $1 in
		short-* | interrupted-* | no-threads)
			[ "$status" = 0 ] || [[ $(blamed failed) = lib* ]] ||
				problem="exit status $status, but this is no failure"
			;;
		esac
		count_run "$name, $1 at $at of $calls"
		done=$((done + 1))
	done
	crashed=$((crashes_of_others - crashed))
	printf '%-16s %-18s %5d of %6d calls, %d wrong%s\n' "$name" "$1" "$done" "${calls:-0}" \
		"$wrong" "$([ "$crashed" = 0 ] || echo ", $crashed crashes of ${!others[*]}")"
}

EINTR=4 EIO=5 ENOMEM=12 EMFILE=24 ENOSPC=28

fail_calls() {
	fail_each disk-full output $ENOSPC 1 3
	fail_each write-error output $EIO 0 3
	fail_each short-writes output-data 0 0 3
	fail_each interrupted-writes output-data $EINTR 0 3
	fail_each read-error input $EIO 0 3
	fail_each short-reads input 0 0 3
	fail_each interrupted-reads input $EINTR 0 3
	fail_each no-files open $EMFILE 0 1
	fail_each no-threads thread 0 0 4
	fail_each no-memory alloc $ENOMEM 0 1
	fail_each memory-is-gone alloc $ENOMEM 1 1
}

# --- a report that cannot be written --------------------------------------------------------------

full_stdout() {
	local wrong=0
	wanted stdout || return
	[ -s clean.stdout ] || return
	prepare none
	: >log
	feed | "$ingot" "${command[@]}" -j 1 >/dev/full 2>stderr
	status=${PIPESTATUS[1]}
	check_run none
	[ "$status" = 2 ] || problem="exit status $status with a full standard output"
	count_run "$name, full standard output"
	printf '%-16s %-18s %d wrong\n' "$name" stdout "$wrong"
}

# --- a disk that is full --------------------------------------------------------------------------

# BYTES: a folder that holds no more. Without mount, files that cannot become larger.
make_small() {
	file_limit=unlimited
	if [ "$(id -u)" = 0 ] && mount -t tmpfs -o "size=$1" tmpfs out 2>/dev/null; then
		mounted=1
	else
		file_limit=$(($1 / 1024))
	fi
}

unmake_small() {
	[ -z "$mounted" ] || umount out
	mounted=
}

small_disks() {
	local wrong=0 step total size refused=0
	wanted small-disk || return
	[ "$case_extra_files" = 0 ] && [ ${#outputs[@]} != 0 ] || return
	total=$(du -sk --total "${outputs[@]/#/clean/}" | sed -n 's/	total$//p')
	for ((step = 1; step <= steps; step++)); do
		size=$(((total * step / (steps + 1) + 8) * 1024))
		make_small "$size"
		prepare old
		: >log
		feed | (
			ulimit -f "$file_limit"
			trap '' XFSZ
			exec "$ingot" "${command[@]}" -j 2 >stdout 2>stderr
		)
		status=${PIPESTATUS[1]}
		check_run old
		count_run "$name, disk of $size bytes"
		[ "$status" != 2 ] || refused=$((refused + 1))
		rm -f out/*
		unmake_small
	done
	# Outputs of a page or two fit on any disk.
	if [ "$total" -gt 64 ] && [ "$refused" = 0 ]; then
		problem='no disk was too small'
		count_run "$name, small disks"
	fi
	printf '%-16s %-18s %5d sizes, %d refused, %d wrong\n' "$name" small-disk "$steps" \
		"$refused" "$wrong"
}

# --- signals --------------------------------------------------------------------------------------

random=1
next_random() { random=$(((random * 1103515245 + 12345) % 2147483648)); }

interrupt() { # INT|TERM|KILL
	local wrong=0 round pid before wait_for started ended
	wanted "SIG$1" || return
	started=${EPOCHREALTIME/./}
	prepare none
	feed | "$ingot" "${command[@]}" -j 2 >/dev/null 2>&1
	ended=${EPOCHREALTIME/./}
	for ((round = 0; round < rounds; round++)); do
		before=$([ $((round % 2)) = 0 ] && echo old || echo none)
		prepare "$before"
		: >log
		next_random
		wait_for=$((random / 1024 % (ended - started + 1)))
		# The shell lets its background processes ignore SIGINT.
		feed | env --default-signal=INT "$ingot" "${command[@]}" -j 2 >stdout 2>stderr &
		pid=$!
		sleep "$(printf '%d.%06d' $((wait_for / 1000000)) $((wait_for % 1000000)))"
		kill "-$1" "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		status=$?
		problem= may_be_new=1
		case $status in
		0 | 130 | 143 | 137) ;;
		*) problem="exit status $status" ;;
		esac
		# A file that is about to replace another has a name for a moment.
		[ "$1" = KILL ] && find out -name '.*.tmp' -delete
		check_outputs "$before"
		[ -n "$problem" ] || "$case_check"
		count_run "$name, SIG$1 after $wait_for us"
	done
	printf '%-16s %-18s %5d moments, %d wrong\n' "$name" "SIG$1" "$rounds" "$wrong"
}

# --- all of it ------------------------------------------------------------------------------------

nothing() { :; }

# The command as the case says it, once without a fault.
clean_run() {
	jobs=1
	prepare none
	run_with_fault none 0 0 0
	if [ "$status" != 0 ] || [ -s stderr ]; then
		echo "  WRONG $name: a clean run ends with status $status: $(head -1 stderr)"
		failed=$((failed + 1))
		return 1
	fi
	mv stdout clean.stdout
	for output in "${outputs[@]}"; do
		cp "out/$output" "clean/$output"
	done
}

make_fixtures
for one in $cases; do
	name=${one#case_}
	name=${name//_/ } verb=$name
	[ -z "$only" ] || [ "$only" = "$name" ] || continue
	case_prepare=nothing case_check=nothing case_extra_files=0 case_share=1 outputs=() command=()
	case_kinds='' case_no=false standard_input=''
	"$one"
	rm -rf out clean
	mkdir out clean
	clean_run || continue
	fail_calls
	full_stdout
	small_disks
	interrupt INT
	interrupt TERM
	interrupt KILL
done

[ "$crashes_of_others" = 0 ] ||
	echo "Of those that passed, $crashes_of_others crashed or stuck inside a library whose allocation failed."
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
