#!/bin/bash
# Whether a key, a passphrase or a PIN gets out where it should not. Usage: sign-secrets.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

hash=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
"$source_dir/signing/make-test-keys.sh" ours >/dev/null
openssl pkey -in ours/root-hash.key -aes128 -passout pass:sesame -out locked.key
mkfifo passphrase
umask 077

# waiting COMMAND...: starts it in the background, $child, and lets it get as far as the passphrase
waiting() {
	rm -f out
	"$ingot" sign root-hash "$hash" --key locked.key --certificate ours/root-hash.crt \
		--passphrase-file passphrase --output out >message 2>&1 &
	child=$!
	exec 9>passphrase # returns when the other side is open too
}

# A crash while the key's file is in memory and the passphrase about to be. The shell says whether the
# kernel dumped it; a process of ours without a key shows that it would have.
crash() {
	local pid
	ulimit -c unlimited
	"$@" &
	pid=$!
	sleep 0.5
	kill -SEGV $pid
	wait $pid
}
dumps() {
	(crash sleep 100) >said 2>&1 || : # it crashes
	grep -q 'core dumped' said
}
no_dump() {
	(
		ulimit -c unlimited
		waiting
		kill -SEGV "$child"
		wait "$child"
	) >said 2>&1 || : # it crashes
	cat said
	grep -q 'Segmentation fault' said && ! grep -q 'core dumped' said && [ -z "$(find . -name 'core*' -newer passphrase)" ]
}
if dumps; then
	rm -f core*
	check "a crash with a key in memory leaves no core dump" no_dump
else
	printf 'left out: core dumps (this machine makes none anyway)\n'
fi

locked_memory() {
	local locked
	waiting
	locked=$(awk '/^VmLck:/ { print $2 }' "/proc/$child/status")
	printf 'sesame\n' >&9
	exec 9>&-
	wait "$child" || return
	printf 'VmLck %s kB\n' "$locked"
	[ "$locked" -gt 0 ] && [ -s out ]
}
if [ "$(ulimit -l)" = unlimited ] || [ "$(ulimit -l)" -ge 1100 ]; then
	check "what is secret is not swapped" locked_memory
else
	printf 'left out: locked memory (the limit is %s KiB)\n' "$(ulimit -l)"
fi

# Neither the list of processes nor the environment shows it.
not_shown() {
	local shown=
	waiting
	shown=$(tr '\0' ' ' <"/proc/$child/cmdline")
	printf 'sesame\n' >&9
	exec 9>&-
	wait "$child" || return
	printf '%s\n' "$shown"
	[[ $shown == *"--passphrase-file passphrase"* && $shown != *sesame* ]]
}
check "the list of processes does not show it" not_shown

# What went wrong is said without it.
quiet_about_it() {
	! "$ingot" "$@" >message 2>&1 && cat message && ! grep -qi 'sesame\|BEGIN\|MII' message
}
printf 'sesame-but-wrong\n' >wrong
check "a wrong passphrase is not repeated" quiet_about_it sign root-hash "$hash" --key locked.key \
	--certificate ours/root-hash.crt --passphrase-file wrong --output out
head -c 300 ours/root-hash.key >half.key
check "a broken key is not shown" quiet_about_it sign root-hash "$hash" --key half.key \
	--certificate ours/root-hash.crt --output out
check "a key in the certificate's place is not shown" quiet_about_it sign root-hash "$hash" \
	--key ours/root-hash.key --certificate ours/root-hash.key --output out
check "verbose says no more" quiet_about_it sign root-hash "$hash" --key locked.key -v \
	--certificate ours/root-hash.crt --passphrase-file wrong --output out
check "no private key is left in a file" bash -c '! grep -rl "PRIVATE KEY" . | grep -vE "\.key$"'

verdict
