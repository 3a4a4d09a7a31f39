# shellcheck shell=bash
# Counting checks, for the scripts under tests and ci. Source it after `set -euo pipefail`; the
# last command of the script is `verdict`.

passed=0 failed=0

# check WHAT COMMAND...: the command must succeed; what it says is shown if it does not. A failure
# is counted, not returned.
check() {
	local what=$1 said
	shift
	if said=$("$@" 2>&1); then
		passed=$((passed + 1))
		printf 'ok      %s\n' "$what"
	else
		failed=$((failed + 1))
		printf 'FAILED  %s\n' "$what"
		[ -z "$said" ] || printf '%s\n' "$said" | sed 's/^/        /'
	fi
}

# add COMMAND...: runs it and adds what it counted. The last line of a script under tests is
# "N passed, M failed"; ctest has a sentence of its own; anything else is one check. Here too a failure
# is counted, not returned.
add() {
	local status=0 said counted
	said=$(mktemp)
	"$@" </dev/null 2>&1 | tee "$said" || status=${PIPESTATUS[0]}
	counted=$(tail -n 1 "$said" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
	[ -n "$counted" ] || counted=$(sed -nE \
		's/^[0-9]+% tests passed, ([0-9]+) tests failed out of ([0-9]+)$/\2 \1/p' "$said" |
		awk '{ print $1 - $2, $2 }')
	rm -f "$said"
	local good=$((status == 0)) bad=$((status != 0))
	if [ -n "$counted" ]; then
		read -r good bad <<<"$counted"
		[ "$status" = 0 ] || [ "$bad" != 0 ] || bad=1
	fi
	passed=$((passed + good)) failed=$((failed + bad))
}

# noise IV BYTES: nothing compresses it, and it is the same each time
noise() {
	# openssl is not asked whether it likes that head leaves first.
	openssl enc -aes-128-ctr -nosalt -K 00 -iv "$1" -in /dev/zero 2>/dev/null | head -c "$2" || :
}

# same A B: the same bytes, said by qemu-img, which does not read holes. Gigabytes of them take cmp
# minutes.
same() {
	[ "$(stat -c %s "$1")" = "$(stat -c %s "$2")" ] && qemu-img compare -q -f raw -F raw "$1" "$2"
}

not() {
	! "$@"
}

# The last line, and the exit status.
verdict() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
